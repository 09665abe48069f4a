/* The parts of a gridworld, for those who do not keep its rows. */
#ifndef COHORT_MDP_MAKE_GRID_H
#define COHORT_MDP_MAKE_GRID_H

#include "cohort/mdp.h"

/* Place the walls: wall (n_rows x n_cols), out; goal: the last free cell. */
coh_status coh_mdp_grid_plan(const coh_mdp_grid *options, uint8_t *wall, int64_t *goal);

/* Where an action of a free cell leads; returns how many entries (a cell may come twice). */
int coh_mdp_grid_row(const coh_mdp_grid *options, const uint8_t *wall, int64_t state,
                     int action, int64_t next[3], double probability[3]);

/* A label of one state. */
coh_status coh_mdp_mark_place(coh_mdp *mdp, const char *label, int64_t state);

#endif
