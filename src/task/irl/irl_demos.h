/* Demonstrations in a finite model: trajectories of states and rows. */
#ifndef COHORT_TASK_IRL_DEMOS_H
#define COHORT_TASK_IRL_DEMOS_H

#include "cohort/comm.h"
#include "cohort/mdp.h"
#include "mdp/soft_likelihood.h"

/* Trajectory k has the steps first[k] .. first[k + 1]. Everything owned. */
typedef struct coh_irl_demos {
  int64_t n_trajectories, n_steps;
  int64_t *first;  /* (n_trajectories + 1) */
  uint32_t *state; /* (n_steps) */
  int64_t *row;    /* (n_steps): of the model */
  uint32_t *last;  /* (n_trajectories): the state that a trajectory leads to */
  /* the same by time, weighted, for the likelihood */
  coh_soft_use *use, *end;
  coh_soft_demos uses;
} coh_irl_demos;

/* Act n trajectories with a policy (n_rows), up to `length` steps or a terminal state.
 * Trajectory k is a function of seed and first_index + k. Fails: COH_E_MEMORY. */
coh_status coh_irl_demos_act(const coh_mdp *mdp, const double *policy, uint64_t seed,
                             int64_t first_index, int64_t n, int64_t length,
                             coh_irl_demos *demos);

/* Read a file of transitions, states as numbers or one-hot (the last states of the model may
 * have no place in the vector); the first `most` trajectories of those before the last held_out,
 * which go to `held`. Fails: COH_E_DATA: a state or action that the model lacks, a step that it
 * gives probability zero (which trajectory, which step), a gap. */
coh_status coh_irl_demos_read(const coh_mdp *mdp, const char *path, int64_t most,
                              int64_t held_out, coh_irl_demos *demos, coh_irl_demos *held);

/* Fill `uses`: by_step: every step weighs the same (together 1), else every trajectory does.
 * Fails: COH_E_MEMORY. */
coh_status coh_irl_demos_weigh(coh_irl_demos *demos, bool by_step);

/* Mean discounted visits of a trajectory (out, n_states), and its mean discounted return under
 * rewards of rows. */
void coh_irl_demos_visits(const coh_irl_demos *demos, double discount, int64_t n_states,
                          double *visits);
double coh_irl_demos_return(const coh_irl_demos *demos, double discount, const double *reward);

void coh_irl_demos_clear(coh_irl_demos *demos);

#endif
