/* Where a run's numbers go.
 *
 *   metrics.jsonl  the truth: one object a line, {"step":1200,"loss":0.031,...}, only numbers
 *                  that are a function of config and seed; bit-equal for every layout of ranks,
 *                  so `cmp` compares runs
 *   timing.jsonl   seconds, rates, ranks, memory, wall time: true of this machine only
 *   events.out.tfevents.cohort   both, for TensorBoard
 *   metrics.csv    metrics.jsonl as a table, made when the run ends
 *
 * Keys stay in the order given. Reals are written as the shortest text that reads back equal;
 * "nan", "inf" and "-inf" are strings, since JSON has no such numbers. Only rank 0 has a sink.
 */
#ifndef COHORT_RUN_METRICS_H
#define COHORT_RUN_METRICS_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"
#include "cohort/task.h"

/* Rows are made of coh_metric (cohort/task.h); a name has at most 127 bytes. */

typedef enum coh_metric_class {
  COH_METRIC_EXACT,  /* a function of config and seed: metrics.jsonl */
  COH_METRIC_TIMING, /* of this machine and moment: timing.jsonl, with the wall time */
} coh_metric_class;

/* Bytes of each file, kept in checkpoints. */
typedef struct coh_metrics_position {
  int64_t metrics_bytes, timing_bytes, events_bytes;
} coh_metrics_position;

typedef struct coh_metrics coh_metrics;

/* Open the sink in a run's folder. position: NULL starts anew (old files are cut to nothing);
 * from a checkpoint, everything written after it is cut off, so that the resumed run writes the
 * same bytes again. A file that is shorter than its position is kept and warned of. Not
 * collective. Caller closes. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_metrics_open(const char *folder, const coh_metrics_position *position,
                            coh_metrics **metrics);

/* Write one row (borrowed). Not for use inside a step. Fails: COH_E_IO, with every file left at
 * its last whole row; COH_E_INTERNAL for a name that is too long or given twice. */
coh_status coh_metrics_write(coh_metrics *metrics, coh_metric_class metric_class, int64_t step,
                             const coh_metric *row, int64_t n_row);

/* Show a PNG (borrowed) in TensorBoard. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_metrics_image(coh_metrics *metrics, const char *tag, int64_t step,
                             const uint8_t *png, size_t n_bytes, int64_t width, int64_t height);

/* Flush to the disk and tell where the files end now. Fails: COH_E_IO. */
coh_status coh_metrics_sync(coh_metrics *metrics, coh_metrics_position *position);

/* Cut all files back to an earlier position of the same run. Fails: COH_E_IO. */
coh_status coh_metrics_rewind(coh_metrics *metrics, const coh_metrics_position *position);

/* Close; accepts NULL, sets NULL. */
void coh_metrics_close(coh_metrics **metrics);

/* ---- reading -------------------------------------------------------------------------- */

/* metrics.jsonl or timing.jsonl as columns; rows keep their order. */
typedef struct coh_metrics_table {
  int64_t n_rows, n_columns;
  int64_t *step;     /* n_rows */
  char **name;       /* n_columns, in order of first appearance */
  double **value;    /* value[column][row]; NaN where a row lacks the key */
  uint8_t **present; /* present[column][row]: 1 where the row has the key */
} coh_metrics_table;

/* Read a .jsonl file of at most 1 GiB. A last line without newline (a crash) is ignored. Not
 * collective. table: out; caller clears. Fails: COH_E_DATA with file:line, COH_E_MEMORY. */
coh_status coh_metrics_read(const char *path, coh_metrics_table *table);
void coh_metrics_clear(coh_metrics_table *table);

/* The rows that have that metric, as x (steps) and y; NULL outputs are skipped. *x, *y: caller
 * frees with coh_free; *n is 0 and the arrays empty where the metric is unknown.
 * Fails: COH_E_MEMORY. */
coh_status coh_metrics_column(const coh_metrics_table *table, const char *name, double **x,
                              double **y, int64_t *n);

/* Write the table as CSV, atomically; cells of absent metrics are empty. Fails: COH_E_IO. */
coh_status coh_metrics_write_csv(const coh_metrics_table *table, const char *path);

#endif
