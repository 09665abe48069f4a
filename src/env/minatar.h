/* What the five MinAtar games share: options, sticky actions, the 10 x 10 board of bits, and
 * how it is drawn. The games are bit-exact with the Python package minatar 1.0.15 when they
 * draw from NumPy's legacy generator (tests/peers/minatar_exact.py).
 * Source: Young, Tian, "MinAtar", arXiv:1903.03176. Written from the description of the games
 * and by comparing behaviour. */
#ifndef COHORT_ENV_MINATAR_H
#define COHORT_ENV_MINATAR_H

#include "env/env_type.h"

enum {
  COH_MINATAR_SIDE = 10,
  COH_MINATAR_ACTIONS = 6,
  COH_MINATAR_MAX_ROW_BYTES = 128,
};

typedef enum coh_minatar_action {
  COH_MINATAR_NONE,
  COH_MINATAR_LEFT,
  COH_MINATAR_UP,
  COH_MINATAR_RIGHT,
  COH_MINATAR_DOWN,
  COH_MINATAR_FIRE,
} coh_minatar_action;

typedef struct coh_minatar_options {
  double sticky;
  bool ramping;
  int64_t max_steps;
} coh_minatar_options;

/* Tables: of the games that grow harder, and of those that do not. */
extern const coh_option coh_minatar_options_ramping[];
extern const coh_option coh_minatar_options_plain[];

/* How one channel is drawn; a game lists its channels from back to front. */
typedef struct coh_minatar_layer {
  int channel;
  uint32_t color; /* 0xRRGGBB */
  double size;    /* side of the shape as a share of the cell */
  double round;   /* 0: square, 1: disc */
} coh_minatar_layer;

/* Fill the spec and copy the options as the model. n_channels names are borrowed. */
coh_status coh_minatar_prepare(const void *options, const char *const *channel_names,
                               int64_t n_channels, coh_env_spec *spec, void **model);

/* Draw an observation row. */
void coh_minatar_draw(const uint8_t *row, int64_t n_channels, const coh_minatar_layer *layers,
                      int64_t n_layers, coh_canvas *canvas);

/* The action that is really taken: with probability `sticky` the last one again. The draw comes
 * before every draw of the game. */
static inline int coh_minatar_act(const coh_minatar_options *options, coh_env_random *random,
                                  int32_t action, int8_t *last_action) {
  if (coh_env_uniform(random) < options->sticky) action = *last_action;
  *last_action = (int8_t)action;
  return action;
}

/* Set the bit of a channel at (y, x). */
static inline void coh_minatar_set(uint8_t *row, int n_channels, int y, int x, int channel) {
  int bit = (y * COH_MINATAR_SIDE + x) * n_channels + channel;
  row[bit >> 3] = (uint8_t)(row[bit >> 3] | 1u << (bit & 7));
}

/* The same where the column may lie beside the board. */
static inline void coh_minatar_set_inside(uint8_t *row, int n_channels, int y, int x,
                                          int channel) {
  if (x >= 0 && x < COH_MINATAR_SIDE) coh_minatar_set(row, n_channels, y, x, channel);
}

/* Is a coordinate on the board? */
static inline bool coh_minatar_inside(int x) {
  return x >= 0 && x < COH_MINATAR_SIDE;
}

#endif
