/* The registry of worlds, and the grid that three of them stand on. */
#include "mdp/irl_world.h"

#include <string.h>

#include "base/alloc.h"

#define X(name) extern const coh_irl_world_type coh_irl_world_##name;
#include "mdp/irl_world.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_irl_world_##name.kind,
#include "mdp/irl_world.def"
#undef X
};

const coh_kind_set coh_irl_world_kinds = {
    .noun = "world", .kinds = kinds, .n_kinds = sizeof kinds / sizeof *kinds};

coh_status coh_irl_world_make(const coh_choice *choice, double discount, uint64_t seed,
                              coh_irl_world *world) {
  const coh_irl_world_type *type = (const coh_irl_world_type *)choice->kind;
  coh_irl_world made = {0};
  coh_status status = type->make(choice->options, discount, seed, &made);
  if (status == COH_OK)
    *world = made;
  else
    coh_irl_world_clear(&made);
  return status;
}

void coh_irl_world_clear(coh_irl_world *world) {
  coh_mdp_destroy(&world->mdp);
  coh_free(world->reward), coh_free(world->features);
  coh_free(world->feature), coh_free(world->cell);
  *world = (coh_irl_world){0};
}

// where an action leads without wind
static int64_t moved(const coh_irl_grid *grid, int64_t row, int64_t column, int action) {
  static const int step[5][2] = {{-1, 0}, {0, 1}, {1, 0}, {0, -1}, {0, 0}};
  int64_t to_row = row + step[action][0], to_column = column + step[action][1];
  if (to_row < 0 || to_row >= grid->n_rows) to_row = row;
  if (to_column < 0 || to_column >= grid->n_columns) to_column = column;
  return to_row * grid->n_columns + to_column;
}

static coh_status add_state(const coh_irl_grid *grid, coh_mdp_builder *builder, int64_t state,
                            double reward) {
  int64_t row = state / grid->n_columns, column = state % grid->n_columns;
  int n_actions = grid->can_stay ? 5 : 4;
  for (int action = 0; action < n_actions; action++) {
    COH_TRY(coh_mdp_add_row(builder, state, action, reward));
    double astray = grid->wind / n_actions;
    COH_TRY(coh_mdp_add_entry(builder, moved(grid, row, column, action), 1 - grid->wind, 0));
    for (int other = 0; grid->wind > 0 && other < n_actions; other++)
      COH_TRY(coh_mdp_add_entry(builder, moved(grid, row, column, other), astray, 0));
  }
  return COH_OK;
}

coh_status coh_irl_grid_make(const coh_irl_grid *grid, coh_irl_world *world) {
  int64_t n = grid->n_rows * grid->n_columns;
  coh_mdp_builder *builder = NULL;
  COH_TRY(coh_mdp_build(n, grid->discount, &builder));
  coh_status status = COH_OK;
  for (int64_t s = 0; s < n && status == COH_OK; s++)
    status = add_state(grid, builder, s, world->reward[s]);
  if (status != COH_OK) {
    coh_mdp_discard(&builder);
    return status;
  }
  COH_TRY(coh_mdp_finish(&builder, &world->mdp));
  COH_NEW(world->cell, n);
  for (int64_t s = 0; s < n; s++)
    world->cell[s] = (int32_t)s;
  world->picture_rows = grid->n_rows;
  world->picture_columns = grid->n_columns;
  double *start;
  COH_NEW(start, n);
  for (int64_t s = 0; s < n; s++)
    start[s] = 1;
  status = coh_mdp_set_start(world->mdp, start);
  coh_free(start);
  return status;
}
