/* Gridworlds of any size: open, with obstacles, or a maze. */
#include "mdp/make_grid.h"

#include "base/alloc.h"
#include "cohort/random.h"

/* A perfect maze on the cells with even coordinates, by depth-first search without recursion;
 * what lies between two of them is opened as the search passes. */
static coh_status carve(const coh_mdp_grid *options, uint8_t *wall) {
  int64_t rows = (options->n_rows + 1) / 2, cols = (options->n_cols + 1) / 2;
  int64_t *path;
  COH_NEW(path, rows * cols);
  for (int64_t k = 0; k < options->n_rows * options->n_cols; k++)
    wall[k] = 1;
  coh_stream stream = coh_stream_begin(coh_key_make(options->seed, "maze"), 0, 0);
  int64_t depth = 0;
  path[depth++] = 0;
  wall[0] = 0;
  while (depth > 0) {
    int64_t at = path[depth - 1], row = at / cols, col = at % cols, found[4], n_found = 0;
    int64_t beside[4] = {row > 0 ? at - cols : -1, col + 1 < cols ? at + 1 : -1,
                         row + 1 < rows ? at + cols : -1, col > 0 ? at - 1 : -1};
    for (int k = 0; k < 4; k++)
      if (beside[k] >= 0 &&
          wall[2 * (beside[k] / cols) * options->n_cols + 2 * (beside[k] % cols)])
        found[n_found++] = beside[k];
    if (n_found == 0) {
      depth--;
      continue;
    }
    int64_t to = found[coh_stream_below(&stream, n_found)];
    wall[2 * (to / cols) * options->n_cols + 2 * (to % cols)] = 0;
    wall[(row + to / cols) * options->n_cols + col + to % cols] = 0;
    path[depth++] = to;
  }
  coh_free(path);
  return COH_OK;
}

static void strew(const coh_mdp_grid *options, uint8_t *wall) {
  coh_key key = coh_key_make(options->seed, "obstacles");
  for (int64_t row = 0; row < options->n_rows; row++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)row, 0);
    for (int64_t col = 0; col < options->n_cols; col++)
      wall[row * options->n_cols + col] = coh_stream_uniform(&stream) < options->obstacles;
  }
  wall[0] = wall[options->n_rows * options->n_cols - 1] = 0;
}

coh_status coh_mdp_grid_plan(const coh_mdp_grid *options, uint8_t *wall, int64_t *goal) {
  COH_CHECK(options->slip >= 0.0 && options->slip <= 1.0, COH_E_DATA,
            "slip is %g, not within 0 and 1", options->slip);
  COH_CHECK(options->obstacles >= 0.0 && options->obstacles < 1.0, COH_E_DATA,
            "the share of obstacles is %g, not within 0 and 1", options->obstacles);
  if (options->maze)
    COH_TRY(carve(options, wall));
  else
    strew(options, wall);
  *goal = options->n_rows * options->n_cols - 1;
  while (wall[*goal])
    --*goal;
  return COH_OK;
}

int coh_mdp_grid_row(const coh_mdp_grid *options, const uint8_t *wall, int64_t state,
                     int action, int64_t next[3], double probability[3]) {
  int64_t row = state / options->n_cols, col = state % options->n_cols;
  int direction[3] = {action, (action + 3) % 4, (action + 1) % 4};
  double chance[3] = {1.0 - options->slip, 0.5 * options->slip, 0.5 * options->slip};
  int n = 0;
  for (int k = 0; k < 3; k++) {
    if (chance[k] == 0.0) continue;
    int64_t to_row = row + (direction[k] == 2) - (direction[k] == 0);
    int64_t to_col = col + (direction[k] == 1) - (direction[k] == 3);
    bool inside =
        to_row >= 0 && to_row < options->n_rows && to_col >= 0 && to_col < options->n_cols;
    int64_t to = inside ? to_row * options->n_cols + to_col : state;
    next[n] = wall[to] ? state : to;
    probability[n++] = chance[k];
  }
  return n;
}

static coh_status add_state(coh_mdp_builder *builder, const coh_mdp_grid *options,
                            const uint8_t *wall, int64_t goal, int64_t state) {
  if (wall[state] || state == goal) return coh_mdp_add_terminal(builder, state);
  for (int action = 0; action < 4; action++) {
    int64_t next[3];
    double probability[3];
    int n = coh_mdp_grid_row(options, wall, state, action, next, probability);
    COH_TRY(coh_mdp_add_row(builder, state, action, options->step_reward));
    for (int k = 0; k < n; k++)
      COH_TRY(coh_mdp_add_entry(builder, next[k], probability[k],
                                next[k] == goal ? options->goal_reward : 0.0));
  }
  return COH_OK;
}

static coh_status fill(const coh_mdp_grid *options, const uint8_t *wall, int64_t goal,
                       coh_mdp **mdp) {
  int64_t n = options->n_rows * options->n_cols;
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(n, options->discount, &builder));
  for (int64_t s = 0; s < n; s++) {
    coh_status status = add_state(builder, options, wall, goal, s);
    if (status != COH_OK) {
      coh_mdp_discard(&builder);
      return status;
    }
  }
  return coh_mdp_finish(&builder, mdp);
}

coh_status coh_mdp_mark_place(coh_mdp *mdp, const char *label, int64_t state) {
  uint8_t *holds;
  COH_NEW(holds, mdp->n_states);
  holds[state] = 1;
  coh_status status = coh_mdp_label_add(mdp, label, holds);
  coh_free(holds);
  return status;
}

/* The start is the first cell. */
static coh_status complete(coh_mdp *mdp, int64_t goal) {
  double *start;
  COH_NEW(start, mdp->n_states);
  start[0] = 1.0;
  coh_status status = coh_mdp_set_start(mdp, start);
  coh_free(start);
  if (status == COH_OK) status = coh_mdp_mark_place(mdp, "init", 0);
  if (status == COH_OK) status = coh_mdp_mark_place(mdp, "goal", goal);
  return status;
}

coh_status coh_mdp_make_grid(const coh_mdp_grid *options, coh_mdp **mdp) {
  COH_CHECK(options->n_rows >= 1 && options->n_cols >= 1 && options->n_rows <= 1 << 20 &&
                options->n_cols <= 1 << 20 && options->n_rows * options->n_cols >= 2,
            COH_E_DATA, "a grid of %lld x %lld cells", (long long)options->n_rows,
            (long long)options->n_cols);
  uint8_t *wall;
  int64_t goal = 0;
  COH_NEW(wall, options->n_rows * options->n_cols);
  coh_status status = coh_mdp_grid_plan(options, wall, &goal);
  if (status == COH_OK) status = fill(options, wall, goal, mdp);
  if (status != COH_OK) {
    coh_free(wall);
    return status;
  }
  (*mdp)->picture = (coh_mdp_picture){options->n_rows, options->n_cols, wall, {0, 1, 2, 3}};
  status = complete(*mdp, goal);
  if (status != COH_OK) coh_mdp_destroy(mdp);
  return status;
}
