/* MinAtar Breakout. A ball bounces off walls, a paddle on the bottom row and three rows of
 * bricks; a brick gives 1. The side on which the ball starts is the only chance in it.
 *
 * Bricks are kept as the bits of rows 1 to 3 of the observation, so that writing a row is one
 * copy and four single bits. A ball that has struck a brick passes through the cell it enters
 * next even if that holds a brick; bricks refill only when the ball reaches the bottom row with
 * none left. */
#include <string.h>

#include "env/minatar.h"

enum { PADDLE, BALL, TRAIL, BRICK, N_CHANNELS };
enum { UP_LEFT, UP_RIGHT, DOWN_RIGHT, DOWN_LEFT };
enum { BOTTOM = COH_MINATAR_SIDE - 1, ROW_BITS = COH_MINATAR_SIDE * N_CHANNELS };
enum { FIRST_BRICK_ROW = 1, LAST_BRICK_ROW = 3 };
enum { BRICK_BYTES = (LAST_BRICK_ROW - FIRST_BRICK_ROW + 1) * ROW_BITS / 8 };

typedef struct breakout {
  uint64_t bricks[2]; /* rows 1 to 3 as observation bits: 120 of 128 */
  int8_t paddle_x, ball_x, ball_y, direction, trail_x, trail_y, struck, last_action;
} breakout;

static const uint64_t full_wall[2] = {0x8888888888888888u, 0x0088888888888888u};
static const int8_t step_x[4] = {-1, 1, 1, -1}, step_y[4] = {-1, -1, 1, 1};
static const int8_t flip_x[4] = {UP_RIGHT, UP_LEFT, DOWN_LEFT, DOWN_RIGHT};
static const int8_t flip_y[4] = {DOWN_LEFT, DOWN_RIGHT, UP_RIGHT, UP_LEFT};
static const int8_t turn_back[4] = {DOWN_RIGHT, DOWN_LEFT, UP_LEFT, UP_RIGHT};

static const char *const channel_names[] = {"paddle", "ball", "trail", "brick"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  COH_TRY(coh_minatar_prepare(options, channel_names, N_CHANNELS, spec, model));
  spec->reward_high = 1;
  return COH_OK;
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model;
  breakout *game = state;
  bool right = coh_env_below(random, 2) == 1;
  *game = (breakout){
      .bricks = {full_wall[0], full_wall[1]},
      .paddle_x = 4,
      .ball_x = right ? BOTTOM : 0,
      .ball_y = 3,
      .direction = right ? DOWN_LEFT : DOWN_RIGHT,
      .trail_x = right ? BOTTOM : 0,
      .trail_y = 3,
      .last_action = game->last_action, // outlives the episode, as in the package
  };
}

/* Move the ball by one; returns the reward, sets *lost when it leaves past the paddle. */
static inline float move_ball(breakout *game, uint8_t *lost) {
  int x = game->ball_x + step_x[game->direction];
  int y = game->ball_y + step_y[game->direction];
  float reward = 0.0f;
  bool touching = false;
  game->trail_x = game->ball_x;
  game->trail_y = game->ball_y;
  if (!coh_minatar_inside(x)) {
    x = x < 0 ? 0 : BOTTOM;
    game->direction = flip_x[game->direction];
  }
  if (y < 0) {
    y = 0;
    game->direction = flip_y[game->direction];
  } else if (y >= FIRST_BRICK_ROW && y <= LAST_BRICK_ROW) {
    int bit = (y - FIRST_BRICK_ROW) * ROW_BITS + x * N_CHANNELS + BRICK;
    touching = game->bricks[bit >> 6] >> (bit & 63) & 1;
    if (touching && !game->struck) {
      reward = 1.0f;
      game->struck = 1;
      game->bricks[bit >> 6] &= ~((uint64_t)1 << (bit & 63));
      y = game->trail_y;
      game->direction = flip_y[game->direction];
    }
  } else if (y == BOTTOM) {
    if (!(game->bricks[0] | game->bricks[1])) memcpy(game->bricks, full_wall, sizeof full_wall);
    if (game->ball_x == game->paddle_x) { // the column the ball comes from counts first
      game->direction = flip_y[game->direction];
      y = game->trail_y;
    } else if (x == game->paddle_x) {
      game->direction = turn_back[game->direction];
      y = game->trail_y;
    } else {
      *lost = 1;
    }
  }
  if (!touching) game->struck = 0;
  game->ball_x = (int8_t)x;
  game->ball_y = (int8_t)y;
  return reward;
}

static inline void write_row(const breakout *game, uint8_t *row) {
  memset(row, 0, ROW_BITS * COH_MINATAR_SIDE / 8);
  memcpy(row + FIRST_BRICK_ROW * ROW_BITS / 8, game->bricks, BRICK_BYTES);
  coh_minatar_set(row, N_CHANNELS, game->ball_y, game->ball_x, BALL);
  coh_minatar_set(row, N_CHANNELS, game->trail_y, game->trail_x, TRAIL);
  coh_minatar_set(row, N_CHANNELS, BOTTOM, game->paddle_x, PADDLE);
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  write_row(state, row);
}

static void step(const coh_env_slice *slice) {
  breakout *games = slice->states;
  for (int64_t i = 0; i < slice->n; i++) {
    breakout *game = &games[i];
    coh_env_random random = coh_env_random_of(&slice->randomness, i);
    int action = coh_minatar_act(slice->model, &random, slice->actions[i], &game->last_action);
    int moved = game->paddle_x + (action == COH_MINATAR_RIGHT) - (action == COH_MINATAR_LEFT);
    if (coh_minatar_inside(moved)) game->paddle_x = (int8_t)moved;
    slice->terminated[i] = 0;
    slice->rewards[i] = move_ball(game, &slice->terminated[i]);
    write_row(game, slice->observations + (size_t)i * slice->observation_bytes);
  }
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const breakout *game = state;
  return coh_minatar_inside(game->paddle_x) && coh_minatar_inside(game->ball_x) &&
         coh_minatar_inside(game->ball_y) && coh_minatar_inside(game->trail_x) &&
         coh_minatar_inside(game->trail_y) && (game->direction & ~3) == 0 &&
         (game->bricks[0] & ~full_wall[0]) == 0 && (game->bricks[1] & ~full_wall[1]) == 0;
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  static const coh_minatar_layer layers[] = {
      {BRICK, 0xD9734E, 0.90, 0.15},
      {TRAIL, 0x5A6472, 0.34, 1.0},
      {PADDLE, 0x4FA8E0, 0.92, 0.35},
      {BALL, 0xF4F1DE, 0.66, 1.0},
  };
  uint8_t row[COH_MINATAR_MAX_ROW_BYTES];
  observe(model, state, row);
  coh_minatar_draw(row, N_CHANNELS, layers, sizeof layers / sizeof layers[0], canvas);
}

const coh_env_type coh_env_type_minatar_breakout = {
    .kind = {.name = "minatar_breakout",
             .doc = "Bounce a ball off a paddle and clear three rows of bricks (MinAtar; Young "
                    "and Tian 2019).",
             .options = coh_minatar_options_plain,
             .options_size = sizeof(coh_minatar_options)},
    .state_bytes = sizeof(breakout),
    .step_draws = true,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
