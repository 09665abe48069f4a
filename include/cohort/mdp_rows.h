/* Decision processes that no memory holds: a callback yields a state's rows. They are solved
 * by sweeps that ask for them again and again, or dealt out over ranks, each of which keeps the
 * rows of its own states. The terms are those of cohort/mdp.h. */
#ifndef COHORT_MDP_ROWS_H
#define COHORT_MDP_ROWS_H

#include "cohort/comm.h"
#include "cohort/mdp.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------- rows by a callback -- */

/* The rows of one state; the callee fills arrays of the caller's. */
typedef struct coh_mdp_state_rows {
  int64_t n_rows;       /* at least 1, at most the source's max_rows */
  int64_t *first_entry; /* n_rows + 1; the first is 0, the last at most max_entries */
  uint32_t *next;       /* rising in a row */
  double *probability;  /* each row sums to one */
  double *reward;       /* n_rows, expected */
  int32_t *action;      /* n_rows */
} coh_mdp_state_rows;

typedef struct coh_mdp_source {
  const void *context;
  int64_t n_states; /* 1 .. 2^32 - 1 */
  double discount;
  int64_t max_rows, max_entries; /* of one state, all its rows */
  /* Called by many threads at once; the same answer every time. */
  void (*rows)(const void *context, int64_t state, coh_mdp_state_rows *rows);
} coh_mdp_source;

/* A model in memory as a source. mdp: borrowed. */
void coh_mdp_source_of(const coh_mdp *mdp, coh_mdp_source *source);

/* The gridworld of coh_mdp_make_grid, which keeps a byte a cell. *grid: the source's context,
 * caller destroys. Fails: as coh_mdp_make_grid. */
typedef struct coh_mdp_grid_source coh_mdp_grid_source;
coh_status coh_mdp_grid_source_create(const coh_mdp_grid *options, coh_mdp_grid_source **grid,
                                      coh_mdp_source *source);
void coh_mdp_grid_source_destroy(coh_mdp_grid_source **grid);

/* The random model of coh_mdp_make_random, which keeps nothing. options: borrowed context. */
void coh_mdp_random_source(const coh_mdp_random *options, coh_mdp_source *source);

/* Narrow the bound on V* by sweeps in memory for two vectors: in place within stretches of
 * states, backward and forward in turn, every fourth a Jacobi sweep, which alone says the
 * bound. Ends at options->tolerance or after max_sweeps (at least 1), with the bound reached so
 * far. Discount below 1. The same bits on any number of threads. solution: out, choice is NULL;
 * caller clears. Fails: COH_E_DATA (a row that is none), COH_E_DIVERGED, COH_E_MEMORY. */
coh_status coh_mdp_solve_source(const coh_mdp_source *source,
                                const coh_mdp_solve_options *options, int64_t max_sweeps,
                                coh_mdp_solution *solution);

/* ------------------------------------------------------------------ rows over many ranks -- */

/* A rank's share: the consecutive states of its lanes, which are cut so that all have about as
 * many transitions. Columns are local: own states first, then ghosts, states of other ranks
 * that its rows lead to. */
typedef struct coh_mdp_shard coh_mdp_shard;

/* Deal out. Collective; the source answers alike on all ranks, and each asks it for its own
 * rows only, once to count and twice to keep. n_lanes: part of what is computed by all methods
 * but plain sweeps; 0: a lane a rank. *shard: caller destroys.
 * Fails (agreed on): COH_E_DATA, COH_E_CONFIG with fewer lanes than ranks, COH_E_MEMORY. */
coh_status coh_mdp_shard_create(coh_world *world, const coh_mdp_source *source, int64_t n_lanes,
                                int n_threads, coh_mdp_shard **shard);
void coh_mdp_shard_destroy(coh_mdp_shard **shard);

/* What it is. Not collective. bytes: rows, ghosts and halo. */
typedef struct coh_mdp_shard_info {
  int64_t first, n_own, n_ghost; /* states */
  int64_t n_rows, n_entries;     /* of own states */
  int64_t n_interior;            /* own states that lead to no ghost */
  size_t bytes;
  size_t sent, received; /* bytes of halo a product */
  int n_neighbours;
} coh_mdp_shard_info;
coh_mdp_shard_info coh_mdp_shard_describe(const coh_mdp_shard *shard);

/* One Jacobi sweep, interior states while the halo travels. Collective. values: own + ghost
 * components, the ghosts are fetched; next: out, own + ghost (ghosts undefined); choice: out,
 * own, may be NULL; low, high: out, over all ranks. The same bits on any number of ranks. */
coh_status coh_mdp_shard_sweep(coh_mdp_shard *shard, bool minimize, double *values,
                               double *next, int32_t *choice, double *low, double *high);

/* V*, certified, over all ranks. Collective. Discount below 1. method: as task solve's option
 * of that name, e.g. "{value_iteration: {sweep: sor}}"; NULL: its default. options may be NULL.
 * solution: out, own states only; caller clears. The same bits on
 * any number of ranks and threads for the same lanes; value iteration by plain (Jacobi) sweeps
 * whatever the lanes. Fails: as coh_mdp_solve, on all ranks alike; COH_E_CONFIG for a method
 * that is unknown or needs the whole model in one place. */
coh_status coh_mdp_shard_solve(coh_mdp_shard *shard, const char *method,
                               const coh_mdp_solve_options *options,
                               coh_mdp_solution *solution);

/* Bring all ranks' components of a vector together, in order. Collective. own: n_own; all:
 * out, n_states. */
coh_status coh_mdp_shard_gather(coh_mdp_shard *shard, const double *own, double *all);

#ifdef __cplusplus
}
#endif
#endif
