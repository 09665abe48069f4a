/* What the five MinAtar games share: the option tables, the spec and the picture. */
#include "env/minatar.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

enum { CELL = 32 }; /* pixels */

#define ROW_STICKY                                                                          \
  {                                                                                         \
    .name = "sticky", .type = COH_REAL, .offset = offsetof(coh_minatar_options, sticky),    \
    .initial = "0.1", .min = 0.0, .max = 1.0,                                               \
    .doc = "Probability that the previous action is taken again instead of the chosen one." \
  }
#define ROW_RAMPING                                                                        \
  {                                                                                        \
    .name = "ramping", .type = COH_BOOL, .offset = offsetof(coh_minatar_options, ramping), \
    .initial = "true", .doc = "Let the game grow faster and denser as it goes on."         \
  }
#define ROW_MAX_STEPS                                                                         \
  {                                                                                           \
    .name = "max_steps", .type = COH_INT, .offset = offsetof(coh_minatar_options, max_steps), \
    .initial = "0", .min = 0.0, .max = 1e12, .unit = "steps",                                 \
    .doc = "Truncate an episode after this many steps (0: never)."                            \
  }

const coh_option coh_minatar_options_ramping[] = {
    ROW_STICKY, ROW_RAMPING, ROW_MAX_STEPS, {.name = NULL}};
const coh_option coh_minatar_options_plain[] = {ROW_STICKY, ROW_MAX_STEPS, {.name = NULL}};

static const char *const action_names[] = {"none", "left", "up", "right", "down", "fire"};

coh_status coh_minatar_prepare(const void *options, const char *const *channel_names,
                               int64_t n_channels, coh_env_spec *spec, void **model) {
  coh_minatar_options *copy;
  COH_NEW(copy, 1);
  *copy = *(const coh_minatar_options *)options;
  *model = copy;
  *spec = (coh_env_spec){
      .observation = COH_OBSERVATION_BINARY,
      .n_dims = 3,
      .shape = {COH_MINATAR_SIDE, COH_MINATAR_SIDE, n_channels},
      .n_actions = COH_MINATAR_ACTIONS,
      .reward_high = 255, // a point for everything hit; games that give less say so
      .action_names = action_names,
      .channel_names = channel_names,
      .time_limit = copy->max_steps,
      .solved_at = NAN,
      .render_width = COH_MINATAR_SIDE * CELL,
      .render_height = COH_MINATAR_SIDE * CELL,
  };
  return COH_OK;
}

void coh_minatar_draw(const uint8_t *row, int64_t n_channels, const coh_minatar_layer *layers,
                      int64_t n_layers, coh_canvas *canvas) {
  const coh_color ground = coh_rgb(0x0E1116), tile = coh_rgb(0x171B22);
  coh_canvas_clear(canvas, ground);
  for (int y = 0; y < COH_MINATAR_SIDE; y++)
    for (int x = 0; x < COH_MINATAR_SIDE; x++)
      coh_canvas_rect(canvas, x * CELL + 1, y * CELL + 1, x * CELL + CELL - 1,
                      y * CELL + CELL - 1, 3.0, tile);
  for (int64_t k = 0; k < n_layers; k++) {
    const coh_minatar_layer *layer = &layers[k];
    double half = 0.5 * layer->size * CELL;
    for (int cell = 0; cell < COH_MINATAR_SIDE * COH_MINATAR_SIDE; cell++) {
      int64_t bit = cell * n_channels + layer->channel;
      if (!(row[bit / 8] >> bit % 8 & 1)) continue;
      double x = (cell % COH_MINATAR_SIDE + 0.5) * CELL;
      double y = (cell / COH_MINATAR_SIDE + 0.5) * CELL;
      coh_canvas_rect(canvas, x - half, y - half, x + half, y + half, layer->round * half,
                      coh_rgb(layer->color));
    }
  }
}
