/* Tasks: anything that can be stepped, saved and drawn.
 *
 * A task type is an option table and a handful of functions. The driver (run/) gives every task
 * the same things: config, run folder, progress, metrics, checkpoint and resume, signals,
 * evaluation, figures and a report. A task has no loop, log, file or plot plumbing of its own.
 *
 * "Collective" functions are called by all ranks of the world together. */
#ifndef COHORT_TASK_H
#define COHORT_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/comm.h"
#include "cohort/io.h"
#include "cohort/option.h"
#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what the driver gives ----------------------------------------------------------------
 */

/* Everything a task is created in. Borrowed for the task's life. */
typedef struct coh_run_context {
  coh_world *world;
  coh_lanes lanes; /* of the run, and this rank's block */
  int n_threads;   /* OpenMP threads that take lanes */
  uint64_t seed;
  int64_t steps;           /* where the run ends, in the task's unit */
  int precision;           /* coh_precision */
  const char *config_name; /* file of the config, for messages */
  const char *folder;      /* the run folder, NULL where nothing may be written */
  const char *provenance;  /* program, run and its id: for what the run makes; may be NULL */
} coh_run_context;

/* One named number. Names are words with '/', '_', '-', '.', e.g. "train/loss". */
typedef struct coh_metric {
  const char *name;
  double value;
} coh_metric;

/* A row of metrics that is being filled. Names are borrowed: use literals. */
enum { COH_MAX_METRICS = 256 };
typedef struct coh_metric_row {
  coh_metric metric[COH_MAX_METRICS];
  int64_t n_metrics;
} coh_metric_row;

/* Append one number; numbers beyond COH_MAX_METRICS are dropped. */
void coh_metric_add(coh_metric_row *row, const char *name, double value);

/* ---- saving and loading -------------------------------------------------------------------
 */

/* A checkpoint being written or read. Tensors are replicated: every rank passes the same, rank
 * 0 writes. Lanes are local: each rank streams its own. */
typedef struct coh_saver coh_saver;
typedef struct coh_loader coh_loader;

/* The two files of tensors of a checkpoint. */
typedef enum coh_store {
  COH_STORE_MODEL, /* model.safetensors: what others open */
  COH_STORE_STATE, /* state.safetensors: optimiser, counters */
} coh_store;

/* Put a tensor into a store. name: copied. array: borrowed until the save has ended.
 * Fails: COH_E_MEMORY, COH_E_INTERNAL. */
coh_status coh_save_tensor(coh_saver *saver, coh_store store, const char *name,
                           const coh_array *array);

/* Put a line of metadata into model.safetensors. key, value: copied. Fails: COH_E_MEMORY. */
coh_status coh_save_metadata(coh_saver *saver, const char *key, const char *value);

/* Copy a tensor out. array: its dtype and shape must match the file's; data: out, borrowed.
 * Fails: COH_E_CHECKPOINT. */
coh_status coh_load_tensor(coh_loader *loader, coh_store store, const char *name,
                           const coh_array *array);

/* Within save_lane and load_lane: the bytes of that lane, in order. The functions have the form
 * of coh_replay_write and coh_replay_read. Fails: COH_E_IO; COH_E_CHECKPOINT. */
coh_status coh_save_bytes(void *saver, const void *data, size_t n_bytes);
coh_status coh_load_bytes(void *loader, void *data, size_t n_bytes);

/* ---- what people see ----------------------------------------------------------------------
 */

/* One curve of a chart: which metric it shows. */
typedef struct coh_curve {
  const char *metric;     /* x is the step, y this metric; NULL ends the list. One '*' stands
                             for any text: a curve for each metric that fits, up to eight */
  const char *label;      /* in the legend; NULL with '*': the text that it stands for */
  const char *low, *high; /* metrics of its interval, or NULL */
  enum { COH_CURVE_LINE, COH_CURVE_SMOOTHED, COH_CURVE_MARKED } style;
} coh_curve;

enum { COH_MAX_CURVES = 6 };

/* A chart that the driver draws from the metrics of a run. */
typedef struct coh_task_chart {
  const char *name; /* of the files figures/NAME.*; NULL ends the list */
  const char *title, *y_label, *caption;
  bool from_timing;      /* from timing.jsonl instead of metrics.jsonl */
  bool logarithmic;      /* y axis */
  const char *reference; /* key of a result number drawn as a level line, or NULL */
  const char *reference_label;
  coh_curve curve[COH_MAX_CURVES + 1];
  /* losses on training and on held-out rows, of the same steps: the report says in words
   * whether the run over- or underfits, and marks in this chart where overfitting begins; or
   * NULL */
  const char *train_loss, *held_out_loss;
} coh_task_chart;

/* Results of a run, written to results/summary.json and shown by the report. */
typedef struct coh_results coh_results;

/* A key number. key: "eval_return"; text and note for people, e.g. "487.2", "95% interval 476
 * to 498"; text NULL: four digits; label: "mean return". All copied. Rank 0 keeps it, others
 * ignore it. */
void coh_results_number(coh_results *results, const char *key, double value, const char *text,
                        const char *label, const char *note);

/* A picture, or a page (.html) that the report links to, written by the task into the run
 * folder; path relative to it. All copied. */
void coh_results_picture(coh_results *results, const char *path, const char *caption,
                         bool pixelated);

/* A table. header: n_columns texts; cells: row by row, n_rows x n_columns texts, NULL leaves
 * one empty. All copied. */
void coh_results_table(coh_results *results, const char *caption, const char *const *header,
                       const char *const *cells, int64_t n_rows, int64_t n_columns);

/* A paragraph, or a warning that stands out. Copied. */
void coh_results_text(coh_results *results, const char *text);
void coh_results_warning(coh_results *results, const char *text);

/* What is to be generated. */
typedef struct coh_sample_request {
  int64_t n;
  uint64_t seed; /* of the noise, apart from the run's */
  int64_t label; /* only this class; -1: all in turn */
} coh_sample_request;

/* Rows that are to be placed on a map. */
typedef struct coh_place_request {
  const coh_choice *data; /* of coh_dataset_kinds */
  bool back;              /* data are places: the rows that they stand for are wanted */
  const char *picture;    /* a PNG to draw, or NULL */
} coh_place_request;

/* ---- what a task is -----------------------------------------------------------------------
 */

typedef struct coh_task_type {
  coh_kind kind;    /* name, sentence, option table */
  const char *unit; /* what `steps` counts: "environment steps" */

  /* Make the task in its first state. options: borrowed for the task's life. *task: out.
   * Collective; a failure is agreed on by the driver. */
  coh_status (*create)(const coh_run_context *context, const void *options, void **task);
  void (*destroy)(void **task);

  /* Do one round. Collective. Fails: COH_E_DIVERGED on all ranks alike. A failure on one rank
   * only ends the job. */
  coh_status (*step)(void *task);

  /* How far it is, in units; the same on every rank. */
  int64_t (*position)(const void *task);

  /* Whether there is nothing left to do before `steps` is reached, e.g. a certified answer; the
   * same on every rank. May be NULL: never. Not collective. */
  bool (*finished)(const void *task);

  /* Report and restart the accumulated metrics: exact ones are functions of config and seed,
   * timing ones of this machine. Collective. */
  coh_status (*metrics)(void *task, coh_metric_row *exact, coh_metric_row *timing);

  /* Measure quality at this point, without disturbing the task. Collective. May be NULL. */
  coh_status (*evaluate)(void *task, coh_metric_row *exact);

  /* Score rows that others have made as the task's own are scored. path: a file or a folder of
   * them; NULL: the rows that yardsticks[yardstick] names, which say what the numbers mean;
   * then none are added where the run lacks those rows. Collective. Both may be NULL. */
  const char *const *yardsticks; /* ends with NULL */
  coh_status (*score)(void *task, const char *path, int64_t yardstick, coh_metric_row *row);

  /* The lanes that this rank saves and loads, where they are not the context's: contiguous
   * blocks in the order of ranks, perhaps empty. Not collective. May be NULL. */
  void (*held)(const void *task, coh_lanes *lanes);

  /* Save and load. Collective; the lane functions are called for each lane held. A lane's
   * bytes are read back in the order they were written. save_lane and load_lane may be NULL.
   * A state that has diverged is not saved: save fails with COH_E_DIVERGED, on all ranks. */
  coh_status (*save)(void *task, coh_saver *saver);
  coh_status (*load)(void *task, coh_loader *loader);
  coh_status (*save_lane)(void *task, int64_t lane, coh_saver *saver);
  coh_status (*load_lane)(void *task, int64_t lane, coh_loader *loader);

  /* Write results into the run folder and say what they are. Collective. May be NULL. */
  coh_status (*results)(void *task, coh_results *results);

  /* For tasks that train an agent: the environment that it plays, and what it does, greedily.
   * states: n rows of the environment's values as floats; actions: out, n, the same on every
   * rank. act is collective and does not disturb the task. Both may be NULL: no agent. */
  const coh_choice *(*environment)(const void *task);
  coh_status (*act)(void *task, int64_t n, const float *states, int32_t *actions);

  /* For tasks that generate: make rows. *rows: out, as the dataset's are stored, (n, ...);
   * *labels: out, n, int32, empty without classes. Both on every rank; the caller clears.
   * Collective, does not disturb the task. Fails: COH_E_CONFIG. May be NULL. */
  coh_status (*sample)(void *task, const coh_sample_request *request, coh_array *rows,
                       coh_array *labels);

  /* For tasks that make a map of rows: where other rows belong on it, or, for maps that have a
   * way back, the rows that places stand for. *places: out, f32, a row each, on every rank; the
   * caller clears. Collective, does not disturb the task. Fails: COH_E_CONFIG, COH_E_DATA. May
   * be NULL. */
  coh_status (*place)(void *task, const coh_place_request *request, coh_array *places);

  const coh_task_chart *charts; /* ends with a NULL name; may be NULL */
  const char *const *progress;  /* metrics that the progress bar shows; ends with NULL */
} coh_task_type;

/* The registry: src/task/task.def. */
extern const coh_kind_set coh_task_kinds;

#ifdef __cplusplus
}
#endif
#endif
