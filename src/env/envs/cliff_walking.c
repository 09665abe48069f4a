/* CliffWalking-v1: walk along a cliff; -1 a step, -100 and back to the start for a fall, the
 * end of the episode at the goal. Source: Sutton, Barto, "Reinforcement Learning", example 6.6,
 * as in Gymnasium. */
#include "env/grid.h"

typedef struct cliff_walking_options {
  bool slippery;
  int64_t max_steps;
} cliff_walking_options;

static const coh_option options_table[] = {
    {.name = "slippery",
     .type = COH_BOOL,
     .offset = offsetof(cliff_walking_options, slippery),
     .initial = "false",
     .doc = "Let two moves of three go to the side."},
    {.name = "max_steps",
     .type = COH_INT,
     .offset = offsetof(cliff_walking_options, max_steps),
     .initial = "0",
     .min = 0.0,
     .max = 1e12,
     .unit = "steps",
     .doc = "Truncate an episode after this many steps (0: never, as in Gymnasium)."},
    {.name = NULL}};

static const coh_grid_legend legend[] = {
    {'.', {.look = COH_GRID_FLOOR, .reward = -1.0f}},
    {'S', {.look = COH_GRID_START, .reward = -1.0f, .starts = true}},
    {'C', {.look = COH_GRID_CLIFF, .reward = -100.0f, .sends_back = true}},
    {'G', {.look = COH_GRID_GOOD, .reward = -1.0f, .ends = true}},
};

static const char *const action_names[] = {"up", "right", "down", "left"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  const cliff_walking_options *given = options;
  coh_grid *grid;
  COH_TRY(coh_grid_create("............"
                          "............"
                          "............"
                          "SCCCCCCCCCCG",
                          4, 12, legend, sizeof legend / sizeof legend[0], &grid));
  grid->slip = given->slippery ? 2.0 / 3.0 : 0.0;
  coh_grid_describe(grid, action_names, spec);
  spec->time_limit = given->max_steps;
  *model = grid;
  return COH_OK;
}

const coh_env_type coh_env_type_cliff_walking = {
    .kind = {.name = "cliff_walking",
             .doc =
                 "Walk along a cliff to the goal: CliffWalking-v1 (Sutton and Barto, example "
                 "6.6; Gymnasium).",
             .options = options_table,
             .options_size = sizeof(cliff_walking_options)},
    .state_bytes = sizeof(coh_grid_state),
    .step_draws = true,
    .prepare = prepare,
    .release = coh_grid_release,
    .reset = coh_grid_reset,
    .step = coh_grid_step,
    .observe = coh_grid_observe,
    .valid = coh_grid_valid,
    .render = coh_grid_render,
};
