/* The optimum of a model that no memory holds, sweep by sweep. */
#ifndef COHORT_MDP_MDP_FREE_H
#define COHORT_MDP_MDP_FREE_H

#include "cohort/comm.h"
#include "cohort/mdp_rows.h"
#include "mdp/mdp_bound.h"

typedef struct coh_mdp_free {
  const coh_mdp_source *source; /* borrowed */
  coh_world *world;             /* NULL: alone */
  bool minimize;
  int n_threads;
  double tolerance;
  int64_t stretch;     /* states that are swept in place */
  int64_t from, until; /* own stretches */
  double *values;      /* n_states; once done, the middle of the bounds */
  double *next; /* n_states, of which only own ones are touched, and so held; once done free */
  struct coh_mdp_free_met *by_thread;
  struct coh_mdp_free_found *by_rank;
  size_t *n_bytes; /* by rank: of its states' values */

  coh_mdp_rows about; /* from the first sweep on */
  int64_t n_sweeps;
  double middle, width, wanted; /* of the bound that the last Jacobi sweep said */
  bool is_done;
  coh_mdp_progress progress;
} coh_mdp_free;

/* Ranks divide the stretches and so the time; after every sweep each has the values of all
 * states. The same bits on any number of ranks and threads. world: NULL: alone, and no call is
 * collective; otherwise create and sweep are. options: may be NULL. Caller destroys. Fails:
 * COH_E_DATA (discount), COH_E_MEMORY. */
coh_status coh_mdp_free_create(coh_world *world, const coh_mdp_source *source,
                               const coh_mdp_solve_options *options, coh_mdp_free **free);
void coh_mdp_free_destroy(coh_mdp_free **free);

/* One sweep; some, and the last one, say the bound. The next sweep depends on values, about,
 * progress and n_sweeps alone. Fails: COH_E_DATA (a row that is none), COH_E_DIVERGED. */
coh_status coh_mdp_free_sweep(coh_mdp_free *free, bool is_last);

/* The actions that are greedy for the values. action: out, n_states. */
void coh_mdp_free_policy(coh_mdp_free *free, int32_t *action);

#endif
