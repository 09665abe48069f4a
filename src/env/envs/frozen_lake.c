/* FrozenLake-v1: cross a lake of ice to the goal without falling into a hole; 1 at the goal. On
 * slippery ice a move goes the wished way or to either side of it, each with probability 1/3.
 * Source: Gymnasium's maps and dynamics. */
#include "env/grid.h"

typedef struct frozen_lake_options {
  int map;
  bool slippery;
  int64_t max_steps;
} frozen_lake_options;

static const coh_option options_table[] = {
    {.name = "map",
     .type = COH_CHOICE,
     .offset = offsetof(frozen_lake_options, map),
     .initial = "4x4",
     .choices = "4x4|8x8",
     .doc = "Which of Gymnasium's two maps."},
    {.name = "slippery",
     .type = COH_BOOL,
     .offset = offsetof(frozen_lake_options, slippery),
     .initial = "true",
     .doc = "Let two moves of three go to the side."},
    {.name = "max_steps",
     .type = COH_INT,
     .offset = offsetof(frozen_lake_options, max_steps),
     .initial = "-1",
     .min = -1.0,
     .max = 1e12,
     .unit = "steps",
     .doc = "Truncate an episode after this many steps (0: never, -1: as in Gymnasium, 100 on "
            "4x4 and 200 on 8x8)."},
    {.name = NULL}};

static const struct {
  int64_t side, time_limit;
  double solved_at;
  const char *letters;
} maps[] = {
    {4, 100, 0.70, "SFFFFHFHFFFHHFFG"},
    {8, 200, 0.85,
     "SFFFFFFF"
     "FFFFFFFF"
     "FFFHFFFF"
     "FFFFFHFF"
     "FFFHFFFF"
     "FHHFFFHF"
     "FHFFHFHF"
     "FFFHFFFG"},
};

static const coh_grid_legend legend[] = {
    {'S', {.look = COH_GRID_ICE, .starts = true}},
    {'F', {.look = COH_GRID_ICE}},
    {'H', {.look = COH_GRID_HOLE, .ends = true}},
    {'G', {.look = COH_GRID_GOOD, .ends = true, .reward = 1.0f}},
};

static const char *const action_names[] = {"left", "down", "right", "up"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  const frozen_lake_options *given = options;
  coh_grid *grid;
  int64_t side = maps[given->map].side;
  COH_TRY(coh_grid_create(maps[given->map].letters, side, side, legend,
                          sizeof legend / sizeof legend[0], &grid));
  grid->slip = given->slippery ? 2.0 / 3.0 : 0.0;
  grid->directions[0] = COH_GRID_LEFT;
  grid->directions[1] = COH_GRID_DOWN;
  grid->directions[2] = COH_GRID_RIGHT;
  grid->directions[3] = COH_GRID_UP;
  coh_grid_describe(grid, action_names, spec);
  spec->time_limit = given->max_steps < 0 ? maps[given->map].time_limit : given->max_steps;
  spec->solved_at = maps[given->map].solved_at;
  *model = grid;
  return COH_OK;
}

const coh_env_type coh_env_type_frozen_lake = {
    .kind = {.name = "frozen_lake",
             .doc =
                 "Cross slippery ice without falling into a hole: FrozenLake-v1 (Gymnasium).",
             .options = options_table,
             .options_size = sizeof(frozen_lake_options)},
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
