/* Soft (maximum entropy) dynamic programming on sparse models: values by a streaming
 * log-sum-exp, policies, and expected visits by one transposed solve.
 *
 *   Q(s, a) = r(s, a) + gamma B V (s, a)     V(s) = log sum_a e^Q(s, a)     pi = e^(Q - V)
 *
 * The backup B is the mean over successors, sum P V (maximum causal entropy: the agent knows
 * only what has happened; Ziebart, Bagnell and Dey, "Modeling interaction via the principle of
 * maximum causal entropy", 2010), or log sum P e^V (maximum entropy over whole trajectories,
 * which also weighs the dynamics by what follows; Ziebart et al., "Maximum entropy inverse
 * reinforcement learning", 2008). Where P is deterministic the two are one.
 *
 * The fixed point is found by Newton's method, which is soft policy iteration: the equation
 * (I - gamma P_pi) delta = T V - V with a Krylov solver; few steps from a near start, however
 * close gamma is to 1. Rows are state-action pairs; a state without rows ends the trajectory.
 *
 * Work is cut into blocks that the model alone fixes, threads take blocks: the same bits on any
 * number of them. Nothing is collective; memory is allocated at create. */
#ifndef COHORT_MDP_SOFT_H
#define COHORT_MDP_SOFT_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

/* A model as these kernels read it; borrowed. */
typedef struct coh_soft_model {
  int64_t n_states, n_rows;
  const int64_t *state_row;  /* (n_states + 1): rows of a state */
  const int64_t *row_begin;  /* (n_rows + 1): transitions of a row */
  const uint32_t *successor; /* (n_transitions): distinct within a row */
  const double *probability; /* (n_transitions): sums to 1 in a row */
} coh_soft_model;

typedef enum coh_soft_backup {
  COH_SOFT_CAUSAL,     /* sum P V */
  COH_SOFT_TRAJECTORY, /* log sum P e^V */
} coh_soft_backup;

typedef struct coh_soft_config {
  coh_soft_backup backup;
  double gamma; /* in (0, 1] */
  int n_threads;
} coh_soft_config;

/* What a solve took. */
typedef struct coh_soft_report {
  double residual;
  int64_t n_sweeps, n_products; /* of the model, and of its policy's matrix */
} coh_soft_report;

typedef struct coh_soft coh_soft;

/* Prepare a model. Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_soft_create(const coh_soft_model *model, const coh_soft_config *config,
                           coh_soft **soft);
void coh_soft_destroy(coh_soft **soft);

/* The model it was made of. Borrowed. */
const coh_soft_model *coh_soft_model_of(const coh_soft *soft);

/* The backup of its config. */
coh_soft_backup coh_soft_backup_of(const coh_soft *soft);

/* Solve V = T V until max |T V - V| <= tolerance. reward: (n_rows); value: in/out (n_states), a
 * start, such as the solution for a reward near by. report: may be NULL.
 * Fails: COH_E_DIVERGED when it does not converge (gamma 1 without an end). */
coh_status coh_soft_solve(coh_soft *soft, const double *reward, double tolerance, double *value,
                          coh_soft_report *report);

/* One backup: next = T value, the policy (n_rows) unless NULL, max |next - value| as the
 * result. scale and gamma: of the reward and the value (finite horizons count with them). */
double coh_soft_sweep(coh_soft *soft, const double *reward, double scale, double gamma,
                      const double *value, double *next, double *policy);

/* Q of one row under these values, scale and gamma as above. */
double coh_soft_row(const coh_soft *soft, int64_t row, double reward, double gamma,
                    const double *value);

/* Take a policy (n_rows) for the products below; value: what the trajectory backup weighs
 * successors with (NULL for causal). */
void coh_soft_take_policy(coh_soft *soft, const double *policy, const double *value);

/* to = source + gamma P_pi^T from: one step of visits. All (n_states). */
void coh_soft_step_visits(coh_soft *soft, double gamma, const double *from,
                          const double *source, double *to);

/* Solve (I - gamma P_pi^T) visits = source to max |residual| <= tolerance. visits: in/out, a
 * start. Fails: COH_E_DIVERGED. */
coh_status coh_soft_visit(coh_soft *soft, const double *source, double tolerance,
                          double *visits, coh_soft_report *report);

/* Add weight times the successors of a row to a vector (n_states), probabilities tilted by
 * value where the backup is over trajectories: to += weight B'(row). Not parallel. */
void coh_soft_scatter_row(const coh_soft *soft, int64_t row, double weight, const double *value,
                          double *to);

#endif
