/* Classifiers: the state of the task, and the parts it is made of.
 *
 * An update: every lane fills its slice of a minibatch, computes loss and gradient, the learner
 * (task/learner.h) sums and steps. Once an epoch the network is validated: those numbers say
 * which weights are kept, when the run overfits and when it may end. They are part of the
 * algorithm, so they are made in step() and are functions of config and seed. */
#ifndef COHORT_TASK_CLASSIFY_H
#define COHORT_TASK_CLASSIFY_H

#include "cohort/data.h"
#include "cohort/graph.h"
#include "cohort/nn.h"
#include "cohort/task.h"
#include "task/classify/classify_options.h"
#include "task/lane_pass.h"
#include "task/layer_states.h"
#include "task/learner.h"

/* The tail of the lanes' gradients (task/learner.h). */
typedef enum coh_classify_tail {
  COH_CLASSIFY_TAIL_LOSS,    /* sum over rows of loss / batch */
  COH_CLASSIFY_TAIL_CORRECT, /* rows whose largest logit is the label's */
} coh_classify_tail;

/* Rows that are judged at once. */
enum { COH_CLASSIFY_BLOCK = 100 };

typedef struct coh_classify_update {
  coh_program *program;
  coh_value input, target, logits, losses;
  coh_value *gradient; /* out, one a parameter */
  int64_t n_parameters;
  coh_network_refresh refresh;
} coh_classify_update;

typedef struct coh_classify_judge {
  coh_program *program;
  coh_value input, logits;
} coh_classify_judge;

/* What a set of rows scored. */
typedef struct coh_classify_score {
  double loss, accuracy;
  int64_t n_rows;
} coh_classify_score;

typedef struct coh_classify_lane {
  int64_t index;
  coh_workspace *update, *judge;
  int32_t *labels;
  float *logits;   /* (COH_CLASSIFY_BLOCK, n_classes) of the rows judged last */
  int64_t *counts; /* (n_classes, n_classes): rows of class i taken for j */
  double loss;     /* sum over rows judged */
} coh_classify_lane;

/* What validations have found; saved with the run. */
typedef struct coh_classify_history {
  double best_accuracy, best_accuracy_loss;          /* of the weights that are kept */
  double best_loss;                                  /* lowest so far */
  double train_loss, train_accuracy, loss, accuracy; /* of the last validation */
  double train_loss_at_best; /* training loss when best_loss was found */
  double first_loss;
  double best_at, best_loss_at, validated_at, n_validations, n_since_best;
  double is_unreported; /* 1: the last validation does not stand in the metrics yet */
} coh_classify_history;

enum { COH_CLASSIFY_HISTORY = sizeof(coh_classify_history) / sizeof(double) };

typedef struct coh_classify {
  const coh_run_context *context;
  const coh_classify_options *options;
  const coh_dataset *given;                       /* learned instead of options->dataset */
  coh_dataset *whole, *train, *validation, *test; /* whole is freed once it is parted */
  const coh_dataset_spec *spec;                   /* of train */
  coh_loader *loader;
  coh_network *network;
  coh_graph *layout; /* names and places of the parameters */
  coh_classify_update update;
  coh_classify_judge judge;
  int64_t lane_rows, n_floats, n_classes, validate_every;
  float *params, *best;
  coh_learner learner;
  coh_lane_pass pass;
  coh_layer_states states;
  coh_lane_sum *sum_real, *sum_count;
  coh_classify_lane *lane; /* n_local */
  const void **sources;    /* n_local pointers for lane sums */
  int64_t *counts;         /* (n_classes, n_classes) of the last set measured */
  coh_classify_history history;
  double window_begun, learn_seconds;
  int64_t updates_at_window;
  /* of a measurement under way */
  const coh_dataset *judged;
  const float *judged_params;
  int64_t judged_rows;
} coh_classify;

/* ---- classify_programs.c: compile the update and the judgement. */
coh_status coh_classify_programs_create(coh_classify *task);
void coh_classify_programs_destroy(coh_classify *task);

/* ---- classify_learn.c */

/* One update, and a validation when it is due. Collective. Fails: COH_E_DIVERGED. */
coh_status coh_classify_step(void *task);

/* Write one-hot rows. labels: n; target: out, n x n_classes. */
void coh_classify_one_hot(const int32_t *labels, int64_t n, int64_t n_classes, float *target);

/* ---- classify_measure.c */

/* Judge the first n_rows of a dataset with some weights; task->counts gets the confusion.
 * Collective. */
coh_status coh_classify_measure(coh_classify *task, const coh_dataset *dataset, int64_t n_rows,
                                const float *params, coh_classify_score *score);

/* The weights that are the model now. */
float *coh_classify_model(coh_classify *task);

/* Logits of n <= COH_CLASSIFY_BLOCK rows from `first` in lane `local`'s workspace; with
 * `mirror` the mean over the image and its mirror image. */
coh_status coh_classify_judge_rows(const coh_classify *task, coh_classify_lane *lane,
                                   const coh_dataset *dataset, int64_t first, int64_t n);

/* ---- classify_fit.c */

/* Train a small classifier on rows at hand by a fixed recipe, and see which share of the test
 * rows it takes for what they are: the classification accuracy score, when the rows are
 * generated (Ravuri and Vinyals, NeurIPS 2019). context: lanes, threads and seed are used.
 * Collective. The bits do not depend on ranks or threads.
 * Fails: COH_E_DATA (no labels, a class without rows, rows of another shape), COH_E_MEMORY. */
coh_status coh_classify_fit(const coh_run_context *context, const coh_dataset *train,
                            const coh_dataset *test, double *accuracy);

/* ---- task functions in files of their own */
coh_status coh_classify_create(const coh_run_context *context, const void *options,
                               void **task);

/* The same on rows at hand. given: instead of the dataset of the options, borrowed during the
 * call; NULL: that of the options. */
coh_status coh_classify_create_of(const coh_run_context *context, const void *options,
                                  const coh_dataset *given, void **task);
void coh_classify_destroy(void **task);
coh_status coh_classify_save(void *task, coh_saver *saver);
coh_status coh_classify_load(void *task, coh_loader *loader);
coh_status coh_classify_evaluate(void *task, coh_metric_row *exact);
coh_status coh_classify_results(void *task, coh_results *results);

#endif
