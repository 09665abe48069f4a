/* What a sweep runs: axes of options, the settings made from them, and the members, each a
 * setting with a seed. Kept as sweep.json, so that a resumed sweep has the same members. */
#ifndef COHORT_RUN_SWEEP_PLAN_H
#define COHORT_RUN_SWEEP_PLAN_H

#include "cohort/run.h"

/* One option that varies: a list of values, or a range that random search draws from. */
typedef struct coh_sweep_axis {
  char *key;
  char **value; /* n_values texts */
  int64_t n_values;
  bool is_range, is_integer, is_logarithmic;
  double low, high; /* of a range */
} coh_sweep_axis;

typedef struct coh_sweep_member {
  int64_t setting;
  char **value; /* one text an axis, in their order, then the seed (NULL: the config's own) */
} coh_sweep_member;

typedef struct coh_sweep_plan {
  char *config;      /* path of the config */
  uint64_t checksum; /* of its text */
  char **fixed;      /* overrides that all members share */
  int64_t n_fixed;
  coh_sweep_axis *axis; /* without the seed; of a plan that was read only the keys */
  int64_t n_axes;
  coh_sweep_member *member;
  int64_t n_members, n_settings;
  char *metric; /* the result that is compared; NULL: the first of the runs' results */
} coh_sweep_plan;

enum { COH_MAX_SWEEP_MEMBERS = 10000, COH_MAX_SWEEP_AXES = 16 };

/* Make the plan of a grid or of a random search: axes from the overrides that are lists or
 * ranges
 * ("key=a,b,c", "key=lo..hi", "key=log:lo..hi"); commas inside brackets, braces and quotes do
 * not divide. Not collective. plan: out; caller clears. Fails: COH_E_CONFIG, COH_E_DATA. */
coh_status coh_sweep_plan_make(const char *config_path, const coh_run_start_options *start,
                               const coh_sweep_options *options, coh_sweep_plan *plan);
void coh_sweep_plan_clear(coh_sweep_plan *plan);

/* Write and read folder/sweep.json. Reading checks that the config is still the same.
 * Not collective. Fails: COH_E_IO; COH_E_DATA, COH_E_CONFIG. */
coh_status coh_sweep_plan_save(const coh_sweep_plan *plan, const char *folder);
coh_status coh_sweep_plan_load(const char *folder, coh_sweep_plan *plan);

/* The overrides of a member, for coh_run_start. *overrides: n texts, caller frees with
 * coh_sweep_overrides_free. Fails: COH_E_MEMORY. */
coh_status coh_sweep_overrides(const coh_sweep_plan *plan, int64_t member, char ***overrides,
                               int64_t *n);
void coh_sweep_overrides_free(char **overrides, int64_t n);

/* A member's folder within the sweep's: "members/0007". */
void coh_sweep_member_folder(const char *folder, int64_t member, char *path, size_t n_bytes);

#endif
