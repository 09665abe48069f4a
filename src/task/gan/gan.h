/* Generative adversarial networks: the state of the task, and the parts it is made of.
 *
 * An update moves both players at once, from one pass over real and generated rows: each lane
 * generates its rows, the discriminator judges them beside the lane's real rows, and one
 * backward pass with seeds of one gives everything that follows: the discriminator's gradient
 * (its losses' slopes meet the forward values, graph.h), the penalties on its slope, and the
 * slope that the generator follows. Then the learners (task/learner.h) sum and step.
 *
 * Everything a lane computes depends on the config, the seed and the lane. */
#ifndef COHORT_TASK_GAN_H
#define COHORT_TASK_GAN_H

#include "cohort/data.h"
#include "cohort/graph.h"
#include "cohort/network_file.h"
#include "cohort/nn.h"
#include "cohort/random.h"
#include "cohort/task.h"
#include "task/gan/gan_diagnosis.h"
#include "task/gan/gan_kinds.h"
#include "task/gan/gan_options.h"
#include "task/lane_pass.h"
#include "task/layer_states.h"
#include "task/learner.h"

/* The tails of the learners' gradients; all are sums over rows. */
typedef enum coh_gan_critic_tail {
  COH_GAN_TAIL_LOSS, /* of loss / batch, penalties left out */
  COH_GAN_TAIL_REAL, /* of D(x) */
  COH_GAN_TAIL_FAKE, /* of D(G(z)) */
  COH_GAN_TAIL_WON,  /* of rows with D(x) > D(G(z)) */
  COH_GAN_TAIL_PENALTY,
  COH_GAN_TAIL_REAL_SURE, /* of rows with D(x) > 0 */
  COH_GAN_TAIL_FAKE_SURE, /* of rows with D(G(z)) < 0 */
} coh_gan_critic_tail;
typedef enum coh_gan_maker_tail {
  COH_GAN_TAIL_MAKER_LOSS, /* of loss / batch */
  COH_GAN_TAIL_CONTENT,
} coh_gan_maker_tail;

enum { COH_GAN_BLOCK = 50, COH_GAN_MAX_AUGMENTS = 4 };

typedef struct coh_gan_update {
  coh_program *program;
  coh_value real, noise, mix; /* inputs; COH_NO_VALUE where none is needed */
  coh_value real_class, fake_class;
  coh_value augment[COH_GAN_MAX_AUGMENTS]; /* (2n, ...): real rows, then generated ones */
  coh_value values; /* out (2n): D of real rows, then of generated ones */
  coh_value critic_loss, maker_loss, penalty, content; /* out (n) each */
  coh_value *gradient; /* out, one a parameter: the generator's, then the discriminator's */
  coh_network_refresh refresh;
} coh_gan_update;

/* Generated rows: a block of them, by the averaged generator. */
typedef struct coh_gan_maker {
  coh_program *program;
  coh_value real, noise, condition, source, out; /* real: for sources made of real rows */
} coh_gan_maker;

/* The generator in training, to take statistics of the averaged one anew. */
typedef struct coh_gan_settler {
  coh_program *program; /* NULL: it keeps none */
  coh_graph *graph;
  coh_value real, noise, condition, out;
  coh_network_refresh refresh;
  coh_layer_states states;
  coh_lane_sum *sum;
  double **part; /* n_local: sums of a lane's blocks */
  int64_t blocks_a_lane;
  int64_t settled_at; /* update whose weights they are of */
} coh_gan_settler;

typedef struct coh_gan_lane {
  int64_t index;
  coh_workspace *update, *maker, *settler;
  int32_t *labels, *fake_labels;
} coh_gan_lane;

/* What a measurement of generated rows found; NAN where not measured. */
typedef struct coh_gan_score {
  double modes, high_quality, kl; /* known mixtures */
  double fid, relative, precision, recall, density, coverage, accuracy;
  double fid_second;
  double diversity;                     /* variance over that of the data */
  double nearest, nearest_test, copies; /* image_novelty.h */
  double accuracy_score;                /* of a classifier trained on them */
  double psnr, ssim;                    /* restored images */
} coh_gan_score;

typedef struct coh_gan {
  const coh_run_context *context;
  const coh_gan_options *options;
  coh_dataset *train, *test; /* test: may be NULL */
  const coh_dataset_spec *spec;
  coh_loader *loader;
  coh_shape sample, noise; /* of one row; noise rank 0: none */
  const coh_gan_source_type *source;
  coh_network *generator, *discriminator;
  coh_graph *maker_layout, *critic_layout, *graph;
  bool is_coupled; /* the discriminator mixes rows (batch normalisation) */
  coh_gan_update update;
  coh_gan_maker maker;
  coh_gan_settler settler;
  int64_t lane_rows, n_classes;
  int64_t maker_floats, critic_floats;
  float *params;  /* generator, then discriminator */
  float *average; /* the generator that is kept */
  coh_learner maker_learner, critic_learner;
  coh_lane_pass pass;
  coh_layer_states states;
  coh_gan_lane *lane; /* n_local */
  coh_key noise_key, class_key, mix_key, augment_key, settle_key;
  coh_gan_score score;
  coh_gan_score simple; /* of restorations without a network, measured at the end */
  int64_t scored_at;
  struct coh_image_scores *scores[2]; /* feature spaces, NULL where not asked for */
  coh_network_file *stack;            /* classifier of one channel of stacked images, or NULL */
  struct coh_image_novelty *novelty;  /* NULL until it is asked for */
  double data_spread[2];              /* of the dataset, over all and within classes; or 0 */
  /* accumulated since the last row of metrics */
  double window_begun, learn_seconds;
  coh_gan_history history;
  int64_t updates_at_window;
} coh_gan;

/* ---- gan_programs.c: compile the update and the maker. */
coh_status coh_gan_programs_create(coh_gan *gan);
void coh_gan_programs_destroy(coh_gan *gan);
coh_shape coh_gan_batch(int64_t n, coh_shape sample);

/* ---- gan_learn.c: one update. Collective. Fails: COH_E_DIVERGED. */
coh_status coh_gan_step(void *task);

/* Classes as rows with a single one. labels: n; to: out, n x n_classes. */
void coh_gan_one_hot(const int32_t *labels, int64_t n, int64_t n_classes, float *to);

/* ---- gan_sample.c */

/* What is to be generated. Zero-initialised but for n, key and label: noise is drawn. */
typedef struct coh_gan_request {
  int64_t n;
  coh_key key;             /* of the noise */
  int64_t label;           /* of all rows; -1: classes in turn */
  const coh_dataset *real; /* rows to restore, for sources made of real rows */
  const float *noise;      /* n x values of the noise, instead of drawn ones */
} coh_gan_request;

/* The key of the noise of a purpose of the run. */
coh_key coh_gan_noise_key(const coh_gan *gan, const char *purpose);

/* Generate rows with the averaged generator, or restore rows of a dataset, on all ranks. rows:
 * out, n x values of a row; labels: out, n, or NULL; sources: out, what the generator saw, or
 * NULL. Collective. The bits do not depend on ranks or threads. */
coh_status coh_gan_generate(coh_gan *gan, const coh_gan_request *request, float *rows,
                            int32_t *labels, float *sources);

/* The task's function of that name. */
coh_status coh_gan_sample(void *task, const coh_sample_request *request, coh_array *rows,
                          coh_array *labels);

/* ---- gan_settle.c: statistics of batch normalisation for the averaged generator. Those of the
 * trained one, averaged like weights, do not fit it. */
coh_status coh_gan_settler_create(coh_gan *gan);
coh_status coh_gan_settler_lane(coh_gan *gan, coh_gan_lane *lane, int64_t local);
coh_status coh_gan_settler_connect(coh_gan *gan);
void coh_gan_settler_destroy(coh_gan *gan);

/* Take them anew unless they are of these weights, from generated batches that depend on the
 * seed only. Collective. */
coh_status coh_gan_settle(coh_gan *gan);

/* ---- gan_modes.c */

/* Which known modes n rows hit: a row within three standard deviations of the nearest mode is
 * of high quality and stands for that mode; kl: of the modes' shares against equal ones. */
void coh_gan_modes(const coh_dataset_spec *spec, const float *rows, int64_t n,
                   coh_gan_score *score);

/* Mean variance of a value over rows: within classes where there are labels, else over all. */
coh_status coh_gan_spread(const float *rows, int64_t n, int64_t width, const int32_t *labels,
                          int64_t n_classes, double *spread);

/* ---- task functions in files of their own */
coh_status coh_gan_create(const coh_run_context *context, const void *options, void **task);
void coh_gan_destroy(void **task);
coh_status coh_gan_save(void *task, coh_saver *saver);
coh_status coh_gan_load(void *task, coh_loader *loader);
coh_status coh_gan_evaluate(void *task, coh_metric_row *exact);
coh_status coh_gan_results(void *task, coh_results *results);

/* ---- gan_evaluate.c */

/* Measure the averaged generator now. Collective. */
coh_status coh_gan_measure(coh_gan *gan, coh_gan_score *score);

/* Measure what the generator is given, enlarged, as if it were restored; for sources that are
 * poorer images. Collective. */
coh_status coh_gan_measure_given(coh_gan *gan, coh_gan_score *score);

/* Modes that there are to be found, 0 where they are not known. */
int64_t coh_gan_n_modes(const coh_gan *gan);

/* Nothing is known. */
void coh_gan_forget(coh_gan_score *score);

/* Score images from anywhere in the run's feature spaces. Not collective. */
coh_status coh_gan_score_images(coh_gan *gan, const coh_dataset *images, coh_gan_score *score);

/* How far they are from training images. Not collective. index, distance: as in
 * image_novelty.h. */
coh_status coh_gan_look_for_copies(coh_gan *gan, const coh_dataset *images,
                                   coh_gan_score *score, int32_t *index, float *distance);

/* Variance of generated rows over that of the data, which is looked at once. Not collective. */
coh_status coh_gan_measure_diversity(coh_gan *gan, const float *rows, const int32_t *labels,
                                     int64_t n, coh_gan_score *score);

/* Put what is known of a score into a row of metrics, under names "eval/...". */
void coh_gan_add_score(const coh_gan_score *score, coh_metric_row *row);

/* ---- gan_score.c: rows from anywhere, by the same yardstick. Collective. */
coh_status coh_gan_score_rows(void *task, const char *path, int64_t yardstick,
                              coh_metric_row *row);
extern const char *const coh_gan_yardsticks[];
enum { COH_GAN_REAL_TEST, COH_GAN_REAL_TRAINING }; /* the first of them */

/* The numbers of one yardstick, without those that take a training; nothing is known where the
 * run lacks those rows. Not collective. */
coh_status coh_gan_score_yardstick(coh_gan *gan, int yardstick, coh_gan_score *score);

/* ---- gan_given.c */

/* What the generator is given for a request that has real rows, as rows of the dataset:
 * enlarged by bicubic interpolation where it is smaller. rows: out, n x values of a row, on all
 * ranks. Collective. */
coh_status coh_gan_given(coh_gan *gan, const coh_gan_request *request, float *rows);

/* The accuracy on the test set of a classifier trained on labelled rows; NAN where there is no
 * test set, or not a row of every class. Collective. */
coh_status coh_gan_fit_classifier(coh_gan *gan, const coh_dataset *rows, double *accuracy);

/* Values as the loader gives them turned to 0..1, clipped. unit: out, may be rows. */
void coh_gan_unit(const coh_gan *gan, const float *rows, int64_t count, float *unit);

#endif
