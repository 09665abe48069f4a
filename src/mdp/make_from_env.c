/* Exact models of finite environments: those whose step is the walk on a grid. */
#include "mdp/make_from_env.h"

#include <string.h>

#include "base/alloc.h"
#include "env/grid.h"

/* The cell a move leads to, as env/grid.c walks. */
static int64_t walk(const coh_grid *grid, int64_t position, int direction) {
  int64_t row = position / grid->n_cols, col = position % grid->n_cols;
  row += (direction == COH_GRID_DOWN) - (direction == COH_GRID_UP);
  col += (direction == COH_GRID_RIGHT) - (direction == COH_GRID_LEFT);
  if (row < 0 || row >= grid->n_rows || col < 0 || col >= grid->n_cols) return position;
  int64_t next = row * grid->n_cols + col;
  return grid->cells[next].blocks ? position : next;
}

static coh_status add_state(coh_mdp_builder *builder, const coh_grid *grid, int64_t state) {
  const coh_grid_cell *cell = &grid->cells[state];
  if (cell->blocks || cell->ends || cell->sends_back)
    return coh_mdp_add_terminal(builder, state);
  double chance[3] = {1.0 - grid->slip, 0.5 * grid->slip, 0.5 * grid->slip};
  int turn[3] = {0, 3, 1};
  for (int action = 0; action < 4; action++) {
    COH_TRY(coh_mdp_add_row(builder, state, action, 0.0));
    for (int k = 0; k < 3; k++) {
      if (chance[k] == 0.0) continue;
      int64_t entered = walk(grid, state, (grid->directions[action] + turn[k]) % 4);
      const coh_grid_cell *to = &grid->cells[entered];
      COH_TRY(coh_mdp_add_entry(builder, to->sends_back ? grid->starts[0] : entered, chance[k],
                                (double)to->reward));
    }
  }
  return COH_OK;
}

static coh_status build(const coh_grid *grid, double discount, coh_mdp **mdp) {
  coh_mdp_builder *builder;
  int64_t n = grid->n_rows * grid->n_cols;
  COH_TRY(coh_mdp_build(n, discount, &builder));
  for (int64_t s = 0; s < n; s++) {
    coh_status status = add_state(builder, grid, s);
    if (status != COH_OK) {
      coh_mdp_discard(&builder);
      return status;
    }
  }
  return coh_mdp_finish(&builder, mdp);
}

/* start, "init", "goal" (cells that end well) and the picture */
static coh_status describe(const coh_grid *grid, coh_mdp *mdp) {
  coh_mdp_picture *picture = &mdp->picture;
  picture->n_rows = grid->n_rows;
  picture->n_cols = grid->n_cols;
  memcpy(picture->direction, grid->directions, sizeof picture->direction);
  COH_NEW(picture->wall, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    picture->wall[s] = grid->cells[s].blocks || grid->cells[s].sends_back;
  double *start = coh_alloc_array((size_t)mdp->n_states, sizeof *start);
  uint8_t *holds = coh_alloc_array((size_t)mdp->n_states, 2);
  coh_status status = start && holds ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  if (status == COH_OK) {
    for (int64_t k = 0; k < grid->n_starts; k++) {
      start[grid->starts[k]] = 1.0;
      holds[grid->starts[k]] = 1;
    }
    for (int64_t s = 0; s < mdp->n_states; s++)
      holds[mdp->n_states + s] = grid->cells[s].ends && grid->cells[s].look == COH_GRID_GOOD;
    status = coh_mdp_set_start(mdp, start);
  }
  if (status == COH_OK) status = coh_mdp_label_add(mdp, "init", holds);
  if (status == COH_OK) status = coh_mdp_label_add(mdp, "goal", holds + mdp->n_states);
  coh_free(start);
  coh_free(holds);
  return status;
}

bool coh_mdp_env_is_finite(const coh_choice *choice) {
  return ((const coh_env_type *)choice->kind)->step == coh_grid_step;
}

// the grid of a finite environment; to be released
static coh_status make_grid(const coh_choice *choice, void **grid) {
  const coh_env_type *type = (const coh_env_type *)choice->kind;
  COH_CHECK(coh_mdp_env_is_finite(choice), COH_E_CONFIG,
            "environment '%s' has no exact model; gridworld, frozen_lake and cliff_walking do",
            choice->kind->name);
  coh_env_spec spec = {0};
  return type->prepare(choice->options, &spec, grid);
}

coh_status coh_mdp_env_rewards(const coh_choice *choice, int64_t n, double *reward) {
  void *made;
  COH_TRY(make_grid(choice, &made));
  const coh_grid *grid = made;
  for (int64_t s = 0; s < n && s < grid->n_rows * grid->n_cols; s++)
    reward[s] = (double)grid->cells[s].reward;
  coh_grid_release(made);
  return COH_OK;
}

coh_status coh_mdp_from_env(const coh_choice *choice, double discount, coh_mdp **mdp) {
  void *grid;
  COH_TRY(make_grid(choice, &grid));
  coh_mdp *made = NULL;
  coh_status status = build(grid, discount, &made);
  if (status == COH_OK) status = describe(grid, made);
  coh_grid_release(grid);
  if (status != COH_OK) {
    coh_mdp_destroy(&made);
    return status;
  }
  *mdp = made;
  return COH_OK;
}
