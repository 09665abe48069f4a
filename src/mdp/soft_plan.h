/* What soft.c and soft_policy.c share. Internal to mdp. */
#ifndef COHORT_MDP_SOFT_PLAN_H
#define COHORT_MDP_SOFT_PLAN_H

#include "mdp/mdp_blocks.h"
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
  double *row_scratch;    /* (n_rows) */
  double *state_scratch;  /* (n_states) */
  double *defect, *delta; /* (n_states): of a Newton step */
  double *partial;        /* (n_blocks) */
  /* the solver, and which matrix it solves with */
  coh_mdp_sums *sums;
  coh_krylov *krylov;
  bool solves_transposed;
  double solves_gamma;
};

/* y = x - gamma P_pi x, or with its transpose. */
void coh_soft_apply(coh_soft *soft, bool transpose, double gamma, const double *x, double *y);

coh_status coh_soft_krylov_create(coh_soft *soft);

/* (I - gamma P_pi) x = b from 0 to a Euclidean residual of ratio |b|; see la/krylov.h. */
coh_status coh_soft_correct(coh_soft *soft, double gamma, const double *b, double ratio,
                            int64_t most, double *x, coh_krylov_outcome *outcome);

#endif
