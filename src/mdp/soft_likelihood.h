/* How likely demonstrations are under the soft policy of a reward, with the exact gradient.
 *
 * With n the demonstrated (weighted) uses of rows and q a source on states, both objectives
 *
 *   likelihood   sum n (Q - V) = sum n log pi(a|s)          q = n_s - gamma B'^T n
 *   matching     <n, r> - <q, V>                            q = starts - gamma^T ends
 *
 * have the gradient n - pi x by the reward of each row, where x = (I - gamma P_pi^T)^-1 q: one
 * transposed solve. Matching is the dual of maximum entropy under the demonstrated feature
 * counts: concave, its gradient is expert visits minus learner visits; where a trajectory was
 * cut its end is left to V. Over whole trajectories (COH_SOFT_TRAJECTORY, finite horizon) it is
 * the log-likelihood of Ziebart et al. (2008) given the start, less a constant of the dynamics.
 * With a finite horizon V, pi and x depend on time, and the solve is one pass forward. */
#ifndef COHORT_MDP_SOFT_LIKELIHOOD_H
#define COHORT_MDP_SOFT_LIKELIHOOD_H

#include "mdp/soft.h"

typedef enum coh_soft_goal {
  COH_SOFT_LIKELIHOOD,
  COH_SOFT_MATCHING,
} coh_soft_goal;

/* One demonstrated use of a row at a time, or an end: the state where a trajectory was cut. */
typedef struct coh_soft_use {
  int64_t time, row; /* of an end: row is the state */
  double weight;     /* of its trajectory, e.g. 1 / trajectories */
} coh_soft_use;

/* Demonstrations, sorted by time. Borrowed. Uses at time 0 are where trajectories start. */
typedef struct coh_soft_demos {
  const coh_soft_use *use, *end;
  int64_t n_uses, n_ends;
} coh_soft_demos;

typedef struct coh_soft_likelihood_config {
  coh_soft_goal goal;
  double gamma;     /* the soft plan's */
  int64_t horizon;  /* 0: infinite */
  double tolerance; /* of V and of visits */
} coh_soft_likelihood_config;

typedef struct coh_soft_likelihood coh_soft_likelihood;

/* Prepare. soft and demos: borrowed for its life. Every time must be below the horizon.
 * Memory: 2 rows + 4 states, and (horizon + 1) states. Fails: COH_E_MEMORY, COH_E_DATA. */
coh_status coh_soft_likelihood_create(coh_soft *soft, const coh_soft_demos *demos,
                                      const coh_soft_likelihood_config *config,
                                      coh_soft_likelihood **likelihood);
void coh_soft_likelihood_destroy(coh_soft_likelihood **likelihood);

/* What an evaluation took. */
typedef struct coh_soft_effort {
  coh_soft_report value, visit;
} coh_soft_effort;

/* The objective at a reward (n_rows) and its gradient (out, n_rows; NULL: not wanted).
 * Starts from the last evaluation's V and x. Fails: COH_E_DIVERGED. */
coh_status coh_soft_likelihood_run(coh_soft_likelihood *likelihood, const double *reward,
                                   double *objective, double *gradient,
                                   coh_soft_effort *effort);

/* The mean log pi(a|s) of other demonstrations at the last reward that was run; their rows may
 * be any, their times below the horizon. */
double coh_soft_likelihood_of(const coh_soft_likelihood *likelihood, const double *reward,
                              const coh_soft_demos *demos);

/* V (infinite: (n_states); finite: (horizon + 1, n_states)) of the last run, to save, or to
 * start the next run from. x: (n_states) likewise, infinite only. Borrowed. */
double *coh_soft_likelihood_value(coh_soft_likelihood *likelihood, int64_t *n_values);
double *coh_soft_likelihood_visits(coh_soft_likelihood *likelihood);

#endif
