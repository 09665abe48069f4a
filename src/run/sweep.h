/* Inside of sweeps: how a member ended, and what the table of a sweep holds. */
#ifndef COHORT_RUN_SWEEP_H
#define COHORT_RUN_SWEEP_H

#include "run/results.h"
#include "run/sweep_plan.h"

/* How a member ended, kept as folder/outcomes/NNNN.json. */
typedef struct coh_sweep_outcome {
  bool is_known; /* it has ended */
  coh_status status;
  double seconds; /* of its run, all sessions together */
  int64_t n_ranks;
  char message[1024];
} coh_sweep_outcome;

/* Not collective. Reading a file that is absent gives an outcome that is not known.
 * Fails: COH_E_IO; COH_E_DATA. */
coh_status coh_sweep_outcome_write(const char *folder, int64_t member,
                                   const coh_sweep_outcome *outcome);
coh_status coh_sweep_outcome_read(const char *folder, int64_t member,
                                  coh_sweep_outcome *outcome);

/* A member's values in words: "batch=64, seed=3". */
void coh_sweep_words(const coh_sweep_plan *plan, int64_t member, bool with_seed, char *text,
                     size_t n_bytes);

/* What all members came to. */
typedef struct coh_sweep_table {
  const coh_sweep_plan *plan; /* borrowed */
  coh_sweep_outcome *outcome; /* a member each */
  char **key;                 /* results, in the order of first appearance */
  char **label;
  double **value; /* value[key][member]; NaN where a member lacks it */
  int64_t n_keys;
  int64_t compared; /* the key that is compared, -1: none */
  int64_t n_finished, n_failed;
} coh_sweep_table;

/* Mean, standard error, lowest and highest of the compared key over a setting's members. */
typedef struct coh_sweep_summary {
  int64_t n;
  double mean, error, low, high;
} coh_sweep_summary;
coh_sweep_summary coh_sweep_summarize(const coh_sweep_table *table, int64_t setting);

/* Gather from the members' folders. Caller clears. Not collective. Fails: COH_E_CONFIG for a
 * metric that no member has; COH_E_DATA, COH_E_MEMORY. */
coh_status coh_sweep_table_read(const char *folder, const coh_sweep_plan *plan,
                                coh_sweep_table *table);
void coh_sweep_table_clear(coh_sweep_table *table);

/* Write folder/sweep.csv, a line a member, and folder/settings.csv, a line a setting. */
coh_status coh_sweep_table_write(const coh_sweep_table *table, const char *folder);

/* Draw figures/metric.* and figures/curves.* and write report.html. Fails: COH_E_IO ... */
coh_status coh_sweep_report_write(const coh_sweep_table *table, const char *folder);

#endif
