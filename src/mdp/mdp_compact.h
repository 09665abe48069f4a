/* The rows of a model once more, in fewer bytes, for sweeps: columns are 16-bit distances from
 * the state, and probabilities are either patterns (whole rows of probabilities, each kept once
 * in double precision and named by 16 bits: the same numbers) or single precision. */
#ifndef COHORT_MDP_MDP_COMPACT_H
#define COHORT_MDP_MDP_COMPACT_H

#include "cohort/mdp.h"

struct coh_mdp_compact {
  coh_mdp_form form;
  int16_t *away;       /* n_entries: next - state */
  uint16_t *code;      /* n_rows: patterns: which; single: entries of the row */
  int64_t n_patterns;  /* patterns */
  uint32_t *pattern;   /* n_patterns + 1: where each begins in `probability` */
  double *probability; /* of all patterns */
  float *single;       /* n_entries; single */
  double error;        /* largest sum of |difference| of a row from the model's */
};

void coh_mdp_compact_destroy(struct coh_mdp_compact **compact);

#endif
