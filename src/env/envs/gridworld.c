/* Gridworld: walk to a goal on a map that is read from a text file (format: env/grid_map.h), or
 * on the 4 x 3 world of the textbook.
 * Source of that one: Russell, Norvig, "Artificial Intelligence: A Modern Approach", ch. 17. */
#include <string.h>

#include "base/alloc.h"
#include "env/grid_map.h"
#include "io/file.h"

enum { MAX_MAP_BYTES = 1 << 20 };

static const char textbook[] = "goal + 1\n"
                               "goal - -1\n"
                               "map\n"
                               "...+\n"
                               ".#.-\n"
                               "S...\n";

typedef struct gridworld_options {
  char *map;
  double slip, step_reward;
  int64_t max_steps;
} gridworld_options;

static const coh_option options_table[] = {
    {.name = "map",
     .type = COH_STRING,
     .offset = offsetof(gridworld_options, map),
     .initial = "textbook",
     .doc =
         "A text file with the map, or 'textbook' for the 4 x 3 world of Russell and Norvig."},
    {.name = "slip",
     .type = COH_REAL,
     .offset = offsetof(gridworld_options, slip),
     .initial = "0.2",
     .min = 0.0,
     .max = 1.0,
     .doc = "Probability that a move goes to one of the two sides of its direction instead."},
    {.name = "step_reward",
     .type = COH_REAL,
     .offset = offsetof(gridworld_options, step_reward),
     .initial = "-0.04",
     .min = -1e6,
     .max = 1e6,
     .doc = "Reward of every step that does not enter a goal."},
    {.name = "max_steps",
     .type = COH_INT,
     .offset = offsetof(gridworld_options, max_steps),
     .initial = "500",
     .min = 0.0,
     .max = 1e12,
     .unit = "steps",
     .doc = "Truncate an episode after this many steps (0: never)."},
    {.name = NULL}};

static const char *const action_names[] = {"up", "right", "down", "left"};

static coh_status read_map(const gridworld_options *given, coh_grid **grid) {
  float step_reward = (float)given->step_reward;
  if (strcmp(given->map, "textbook") == 0)
    return coh_grid_parse("textbook", textbook, strlen(textbook), step_reward, grid);
  char *text;
  size_t n_bytes;
  COH_TRY(coh_file_load(given->map, MAX_MAP_BYTES, &text, &n_bytes));
  coh_status status = coh_grid_parse(given->map, text, n_bytes, step_reward, grid);
  coh_free(text);
  return status;
}

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  const gridworld_options *given = options;
  coh_grid *grid;
  COH_TRY(read_map(given, &grid));
  grid->slip = given->slip;
  coh_grid_describe(grid, action_names, spec);
  spec->time_limit = given->max_steps;
  *model = grid;
  return COH_OK;
}

const coh_env_type coh_env_type_gridworld = {
    .kind = {.name = "gridworld",
             .doc = "Walk to a goal on a map read from a text file (default: Russell and "
                    "Norvig's 4 x 3 world).",
             .options = options_table,
             .options_size = sizeof(gridworld_options)},
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
