/* Gridworlds and mazes of any size. */
#include "base/alloc.h"
#include "mdp/make_grid.h"
#include "mdp/model_kind.h"

typedef struct grid_options {
  int64_t rows, columns;
  double slip, step_reward, goal_reward, obstacles;
  bool maze;
} grid_options;

#define FIELD(member) .offset = offsetof(grid_options, member)
static const coh_option table[] = {
    {.name = "rows",
     .type = COH_INT,
     FIELD(rows),
     .initial = "10",
     .min = 1,
     .max = 65535,
     .unit = "cells",
     .doc = "Height."},
    {.name = "columns",
     .type = COH_INT,
     FIELD(columns),
     .initial = "10",
     .min = 1,
     .max = 65535,
     .unit = "cells",
     .doc = "Width."},
    {.name = "slip",
     .type = COH_REAL,
     FIELD(slip),
     .initial = "0.2",
     .max = 1,
     .doc = "Chance that a move goes astray, half to either side."},
    {.name = "step_reward",
     .type = COH_REAL,
     FIELD(step_reward),
     .initial = "-1",
     .min = -1e100,
     .max = 1e100,
     .doc = "Reward of every move."},
    {.name = "goal_reward",
     .type = COH_REAL,
     FIELD(goal_reward),
     .initial = "0",
     .min = -1e100,
     .max = 1e100,
     .doc = "Reward on top for entering the goal, the last free cell."},
    {.name = "obstacles",
     .type = COH_REAL,
     FIELD(obstacles),
     .initial = "0",
     .max = 1,
     .doc = "Share of cells that are walls, drawn with the seed."},
    {.name = "maze",
     .type = COH_BOOL,
     FIELD(maze),
     .initial = "false",
     .doc = "Walls form a perfect maze instead; odd sides look best."},
    {0},
};

static coh_mdp_grid grid_of(const grid_options *o, double discount, uint64_t seed) {
  return (coh_mdp_grid){.n_rows = o->rows,
                        .n_cols = o->columns,
                        .slip = o->slip,
                        .step_reward = o->step_reward,
                        .goal_reward = o->goal_reward,
                        .obstacles = o->obstacles,
                        .maze = o->maze,
                        .seed = seed,
                        .discount = discount};
}

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  coh_mdp_grid grid = grid_of(given, discount, seed);
  return coh_mdp_make_grid(&grid, mdp);
}

static coh_status supply(const void *given, double discount, uint64_t seed,
                         coh_mdp_supply *to) {
  coh_mdp_grid grid = grid_of(given, discount, seed);
  COH_TRY(coh_mdp_grid_source_create(&grid, &to->grid, &to->source));
  to->picture = (coh_mdp_picture){grid.n_rows, grid.n_cols, NULL, {0, 1, 2, 3}};
  COH_NEW(to->picture.wall, to->source.n_states);
  int64_t goal;
  return coh_mdp_grid_plan(&grid, to->picture.wall, &goal);
}

const coh_mdp_model_kind coh_mdp_model_grid = {
    .kind = {"grid", "A gridworld or maze of any size with slip and obstacles.", table,
             sizeof(grid_options)},
    .make = make,
    .supply = supply};
