/* Sources of rows: models in memory, gridworlds, random models. */
#include <string.h>

#include "base/alloc.h"
#include "cohort/mdp_rows.h"
#include "mdp/make_grid.h"
#include "mdp/make_random.h"
#include "mdp/mdp_source.h"

coh_status coh_mdp_rows_create(const coh_mdp_source *source, coh_mdp_state_rows *rows) {
  COH_NEW(rows->first_entry, source->max_rows + 1);
  COH_NEW(rows->next, source->max_entries);
  COH_NEW(rows->probability, source->max_entries);
  COH_NEW(rows->reward, source->max_rows);
  COH_NEW(rows->action, source->max_rows);
  return COH_OK;
}

void coh_mdp_rows_clear(coh_mdp_state_rows *rows) {
  COH_DELETE(rows->first_entry);
  COH_DELETE(rows->next);
  COH_DELETE(rows->probability);
  COH_DELETE(rows->reward);
  COH_DELETE(rows->action);
}

/* ----------------------------------------------------------------------------- in memory -- */

static void model_rows(const void *context, int64_t state, coh_mdp_state_rows *rows) {
  const coh_mdp *mdp = context;
  int64_t row = mdp->first_row[state], e = mdp->first_entry[row];
  rows->n_rows = mdp->first_row[state + 1] - row;
  size_t n_entries = (size_t)(mdp->first_entry[row + rows->n_rows] - e);
  for (int64_t k = 0; k <= rows->n_rows; k++)
    rows->first_entry[k] = mdp->first_entry[row + k] - e;
  memcpy(rows->next, mdp->next + e, n_entries * sizeof *rows->next);
  memcpy(rows->probability, mdp->probability + e, n_entries * sizeof *rows->probability);
  memcpy(rows->reward, mdp->reward + row, (size_t)rows->n_rows * sizeof *rows->reward);
  memcpy(rows->action, mdp->action + row, (size_t)rows->n_rows * sizeof *rows->action);
}

void coh_mdp_source_of(const coh_mdp *mdp, coh_mdp_source *source) {
  *source = (coh_mdp_source){mdp, mdp->n_states, mdp->discount, 1, 1, model_rows};
  for (int64_t s = 0; s < mdp->n_states; s++) {
    int64_t row = mdp->first_row[s], end = mdp->first_row[s + 1];
    int64_t n_entries = mdp->first_entry[end] - mdp->first_entry[row];
    if (end - row > source->max_rows) source->max_rows = end - row;
    if (n_entries > source->max_entries) source->max_entries = n_entries;
  }
}

/* ---------------------------------------------------------------------------- gridworlds -- */

struct coh_mdp_grid_source {
  coh_mdp_grid options;
  int64_t goal;
  uint8_t *wall;
};

/* One state, one row, that leads to itself. */
static void stay(int64_t state, coh_mdp_state_rows *rows) {
  rows->n_rows = 1;
  rows->first_entry[0] = 0;
  rows->first_entry[1] = 1;
  rows->next[0] = (uint32_t)state;
  rows->probability[0] = 1.0;
  rows->reward[0] = 0.0;
  rows->action[0] = 0;
}

/* Sort up to three entries by where they lead and join equal ones. */
static int64_t settle(uint32_t next[3], double probability[3], int n) {
  int kept = 0;
  for (int i = 0; i < n; i++) {
    uint32_t to = next[i];
    double chance = probability[i];
    int k = kept;
    while (k > 0 && next[k - 1] > to)
      k--;
    if (k > 0 && next[k - 1] == to) {
      probability[k - 1] += chance;
      continue;
    }
    for (int j = kept; j > k; j--) {
      next[j] = next[j - 1];
      probability[j] = probability[j - 1];
    }
    next[k] = to;
    probability[k] = chance;
    kept++;
  }
  return kept;
}

/* Nothing in the way, and the goal not beside it: rows are the same but for where they lie. */
static void open_rows(int64_t state, int64_t cols, double slip, double reward,
                      coh_mdp_state_rows *rows) {
  uint32_t up = (uint32_t)(state - cols), left = (uint32_t)(state - 1),
           right = (uint32_t)(state + 1), down = (uint32_t)(state + cols);
  const uint32_t next[12] = {up,   left,  right, up, right, down,
                             left, right, down,  up, left,  down};
  double ahead = 1.0 - slip, astray = 0.5 * slip;
  const double probability[12] = {ahead,  astray, astray, astray, ahead, astray,
                                  astray, astray, ahead,  astray, ahead, astray};
  memcpy(rows->next, next, sizeof next);
  memcpy(rows->probability, probability, sizeof probability);
  for (int action = 0; action < 4; action++) {
    rows->first_entry[action] = 3 * action;
    rows->reward[action] = reward;
    rows->action[action] = action;
  }
  rows->first_entry[4] = 12;
  rows->n_rows = 4;
}

static void grid_rows(const void *context, int64_t state, coh_mdp_state_rows *rows) {
  const coh_mdp_grid_source *grid = context;
  const coh_mdp_grid *options = &grid->options;
  const uint8_t *wall = grid->wall;
  if (wall[state] || state == grid->goal) {
    stay(state, rows);
    return;
  }
  int64_t cols = options->n_cols, col = state % cols;
  int64_t last = (options->n_rows - 1) * cols;
  bool inside = state >= cols && state < last && col > 0 && col + 1 < cols;
  if (inside && options->slip > 0.0 && options->slip < 1.0 &&
      !(wall[state - cols] | wall[state - 1] | wall[state + 1] | wall[state + cols]) &&
      grid->goal != state + 1 && grid->goal != state + cols) {
    // the goal is the last free cell: it is beside a cell on the right or below only
    open_rows(state, cols, options->slip, options->step_reward, rows);
    return;
  }
  int64_t to[4] = {state >= cols ? state - cols : state, col + 1 < cols ? state + 1 : state,
                   state < last ? state + cols : state, col > 0 ? state - 1 : state};
  for (int k = 0; k < 4; k++)
    if (wall[to[k]]) to[k] = state;
  double chance[3] = {1.0 - options->slip, 0.5 * options->slip, 0.5 * options->slip};
  int64_t n_entries = 0;
  for (int action = 0; action < 4; action++) {
    const int64_t leads[3] = {to[action], to[(action + 3) % 4], to[(action + 1) % 4]};
    uint32_t *next = rows->next + n_entries;
    double *probability = rows->probability + n_entries, expected = 0.0;
    int n = 0;
    for (int k = 0; k < 3; k++) {
      if (chance[k] == 0.0) continue;
      next[n] = (uint32_t)leads[k];
      probability[n++] = chance[k];
      if (leads[k] == grid->goal) expected += chance[k] * options->goal_reward;
    }
    rows->first_entry[action] = n_entries;
    n_entries += settle(next, probability, n);
    rows->reward[action] = options->step_reward + expected;
    rows->action[action] = action;
  }
  rows->first_entry[4] = n_entries;
  rows->n_rows = 4;
}

coh_status coh_mdp_grid_source_create(const coh_mdp_grid *options, coh_mdp_grid_source **out,
                                      coh_mdp_source *source) {
  COH_CHECK(options->n_rows >= 1 && options->n_cols >= 1 && options->n_rows <= 1 << 20 &&
                options->n_cols <= 1 << 20 && options->n_rows * options->n_cols >= 2 &&
                options->n_rows * options->n_cols <= UINT32_MAX,
            COH_E_DATA, "a grid of %lld x %lld cells", (long long)options->n_rows,
            (long long)options->n_cols);
  coh_mdp_grid_source *grid;
  COH_NEW(grid, 1);
  grid->options = *options;
  grid->wall = coh_alloc_array((size_t)(options->n_rows * options->n_cols), 1);
  coh_status status = grid->wall ? coh_mdp_grid_plan(options, grid->wall, &grid->goal)
                                 : coh_fail(COH_E_MEMORY, "out of memory for a grid");
  if (status != COH_OK) {
    coh_mdp_grid_source_destroy(&grid);
    return status;
  }
  *out = grid;
  *source = (coh_mdp_source){
      grid, options->n_rows * options->n_cols, options->discount, 4, 12, grid_rows};
  return COH_OK;
}

void coh_mdp_grid_source_destroy(coh_mdp_grid_source **grid) {
  if (!*grid) return;
  coh_free((*grid)->wall);
  COH_DELETE(*grid);
}

/* -------------------------------------------------------------------------------- random -- */

static void random_rows(const void *context, int64_t state, coh_mdp_state_rows *rows) {
  const coh_mdp_random *options = context;
  coh_key key = coh_key_make(options->seed, "random model");
  int64_t k = options->n_successors;
  rows->n_rows = options->n_actions;
  for (int64_t a = 0; a < options->n_actions; a++) {
    rows->first_entry[a] = a * k;
    rows->action[a] = (int32_t)a;
    coh_mdp_random_row(options, key, state, a, rows->next + a * k, rows->probability + a * k,
                       &rows->reward[a]);
  }
  rows->first_entry[options->n_actions] = options->n_actions * k;
}

void coh_mdp_random_source(const coh_mdp_random *options, coh_mdp_source *source) {
  *source = (coh_mdp_source){options,
                             options->n_states,
                             options->discount,
                             options->n_actions,
                             options->n_actions * options->n_successors,
                             random_rows};
}
