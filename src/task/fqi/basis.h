/* Bases: features of states that ridge regression is linear in. One file in bases/ and one line
 * in basis.def each. States are scaled to 0 .. 1 in the box that those of the batch fill. */
#ifndef COHORT_TASK_FQI_BASIS_H
#define COHORT_TASK_FQI_BASIS_H

#include "cohort/option.h"

enum { COH_MOST_FEATURES = 1 << 14 };

typedef struct coh_basis_type {
  coh_kind kind;

  /* How many features states of n_values have; more than COH_MOST_FEATURES is too many. */
  int64_t (*count)(const void *options, int64_t n_values);

  /* Features of n states: x (n, n_values) within 0 .. 1 for those of the batch; phi: out, (n,
   * count). */
  void (*fill)(const void *options, int64_t n_values, int64_t n, const double *x, double *phi);
} coh_basis_type;

extern const coh_kind_set coh_basis_kinds;

#endif
