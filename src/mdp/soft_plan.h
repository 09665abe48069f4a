/* What soft.c and soft_policy.c share. Internal to mdp. */
#ifndef COHORT_MDP_SOFT_PLAN_H
#define COHORT_MDP_SOFT_PLAN_H

#include "mdp/soft.h"

enum { COH_SOFT_BLOCK = 256 }; /* states a block */

struct coh_soft {
  coh_soft_model model;
  coh_soft_config config;
  int64_t n_blocks;
  /* the policy's matrix P_pi: for each state its distinct successors, whatever the policy */
  int64_t *begin;     /* (n_states + 1) */
  uint32_t *column;   /* (n_entries), ascending in a state */
  uint16_t *slot;     /* (n_transitions): which of its state's entries */
  double *entry;      /* (n_entries) */
  int64_t *from;      /* (n_states + 1): the same by column ... */
  uint32_t *origin;   /* (n_entries): the state an entry comes from */
  uint32_t *place;    /* (n_entries): its index in entry */
  double *transposed; /* (n_entries): entry in that order */
  bool is_transposed; /* transposed is up to date */
  /* scratch */
  double *row_scratch;   /* (n_rows) */
  double *state_scratch; /* (n_states) */
  double *krylov;        /* (8, n_states) */
  double *partial;       /* (2, n_blocks) */
};

/* y = x - gamma P_pi x, or with its transpose. */
void coh_soft_apply(coh_soft *soft, bool transpose, double gamma, const double *x, double *y);

/* Solve (I - gamma P_pi) x = b, or transposed, from the start x, by BiCGStab, until max
 * |residual| <= tolerance or most products are made; *residual: out. The best x is kept. */
void coh_soft_krylov(coh_soft *soft, bool transpose, double gamma, const double *b,
                     double tolerance, int64_t most, double *x, double *residual,
                     int64_t *n_products);

#endif
