/* Worlds for inverse reinforcement learning: a model, features of its states, and the reward
 * that the learner is not told. A registry: one file in worlds/, one line in irl_world.def. */
#ifndef COHORT_MDP_IRL_WORLD_H
#define COHORT_MDP_IRL_WORLD_H

#include "cohort/mdp.h"
#include "cohort/option.h"

/* Everything owned; cleared with coh_irl_world_clear. */
typedef struct coh_irl_world {
  coh_mdp *mdp;       /* its rows pay the true reward of their state; start is uniform unless
                         the world says otherwise */
  double *reward;     /* (n_states): the true reward of being in a state */
  int64_t n_features; /* of a state */
  float *features;  /* (n_states, n_features), or NULL: one feature holds in each state, ... */
  int32_t *feature; /* ... this one (n_states) */
  /* for pictures */
  int64_t picture_rows, picture_columns;
  int32_t *cell; /* (n_states): a state's cell; several states may share one; -1: none */
  bool is_given; /* nothing is drawn, and its rows pay what entering a cell pays */
} coh_irl_world;

typedef struct coh_irl_world_type {
  coh_kind kind;
  /* options: of the kind; world: out, empty before. Fails: COH_E_CONFIG, COH_E_MEMORY. */
  coh_status (*make)(const void *options, double discount, uint64_t seed, coh_irl_world *world);
} coh_irl_world_type;

/* The registry: src/mdp/irl_world.def. */
extern const coh_kind_set coh_irl_world_kinds;

/* Make a world; equal seeds make equal worlds. choice: over coh_irl_world_kinds. Caller clears.
 * Not collective. Fails: COH_E_CONFIG, COH_E_MEMORY. */
coh_status coh_irl_world_make(const coh_choice *choice, double discount, uint64_t seed,
                              coh_irl_world *world);
void coh_irl_world_clear(coh_irl_world *world);

/* ---- for the worlds themselves: irl_world.c */

/* A grid without walls: 0 up, 1 right, 2 down, 3 left, and 4 stay where there is one. With
 * probability `wind` the action is replaced by one of all of them, each as likely. Sets mdp,
 * with the true reward (taken: owned by the world from here on), picture and start.
 * n_states = n_rows x n_columns. Fails: COH_E_MEMORY. */
typedef struct coh_irl_grid {
  int64_t n_rows, n_columns;
  double wind;
  bool can_stay;
  double discount;
} coh_irl_grid;
coh_status coh_irl_grid_make(const coh_irl_grid *grid, coh_irl_world *world);

#endif
