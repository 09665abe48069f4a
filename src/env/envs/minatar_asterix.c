/* MinAtar Asterix. Treasures (reward 1) and enemies (deadly) cross the eight middle rows, one a
 * row at most, from either side; the player moves in four directions among them. With ramping,
 * every 102 steps they come more often, and every other time they also move faster. */
#include <string.h>

#include "env/minatar.h"

enum { PLAYER, ENEMY, TRAIL, GOLD, N_CHANNELS };
enum { N_LANES = 8, TOP = 1, RIGHT_EDGE = COH_MINATAR_SIDE - 1 };
enum { FIRST_SPAWN_INTERVAL = 10, FIRST_MOVE_INTERVAL = 5, RAMP_INTERVAL = 100 };

typedef struct crosser {
  int8_t present, x, rightward, gold;
} crosser;

typedef struct asterix {
  crosser lane[N_LANES]; /* lane k is row k + 1 */
  int8_t player_x, player_lane, spawn_interval, spawn_timer, move_interval, move_timer;
  int8_t ramp_timer, ramp_odd, last_action, unused[7];
} asterix;

static const char *const channel_names[] = {"player", "enemy", "trail", "gold"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  return coh_minatar_prepare(options, channel_names, N_CHANNELS, spec, model);
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model, (void)random;
  asterix *game = state;
  *game = (asterix){
      .player_x = 5,
      .player_lane = 5 - TOP,
      .spawn_interval = FIRST_SPAWN_INTERVAL,
      .spawn_timer = FIRST_SPAWN_INTERVAL,
      .move_interval = FIRST_MOVE_INTERVAL,
      .move_timer = FIRST_MOVE_INTERVAL,
      .ramp_timer = RAMP_INTERVAL,
      .last_action = game->last_action,
  };
}

/* Send a crosser down a free lane. Side and worth are drawn even if no lane is free. */
static void spawn(asterix *game, coh_env_random *random) {
  bool rightward = coh_env_uniform(random) < 0.5;
  bool gold = coh_env_uniform(random) < 1.0 / 3.0;
  int free_lanes[N_LANES], n_free = 0;
  for (int k = 0; k < N_LANES; k++)
    if (!game->lane[k].present) free_lanes[n_free++] = k;
  if (n_free == 0) return;
  game->lane[free_lanes[coh_env_below(random, n_free)]] =
      (crosser){1, rightward ? 0 : RIGHT_EDGE, rightward, gold};
}

static void move_player(asterix *game, int action) {
  int x = game->player_x + (action == COH_MINATAR_RIGHT) - (action == COH_MINATAR_LEFT);
  int lane = game->player_lane + (action == COH_MINATAR_DOWN) - (action == COH_MINATAR_UP);
  if (coh_minatar_inside(x)) game->player_x = (int8_t)x;
  if (lane >= 0 && lane < N_LANES) game->player_lane = (int8_t)lane;
}

/* What happens where player and crosser meet: only the player's own lane can matter. */
static inline float meet(asterix *game, uint8_t *lost) {
  crosser *here = &game->lane[game->player_lane];
  if (!here->present || here->x != game->player_x) return 0.0f;
  if (!here->gold) {
    *lost = 1;
    return 0.0f;
  }
  here->present = 0;
  return 1.0f;
}

static void move_crossers(asterix *game) {
  for (int k = 0; k < N_LANES; k++) {
    crosser *each = &game->lane[k];
    each->x = (int8_t)(each->x + (each->rightward ? 1 : -1));
    each->present &= coh_minatar_inside(each->x);
    if (!each->present) *each = (crosser){0};
  }
}

static void ramp(asterix *game) {
  if (game->spawn_interval <= 1 && game->move_interval <= 1) return;
  if (game->ramp_timer >= 0) {
    game->ramp_timer--;
    return;
  }
  if (game->move_interval > 1 && game->ramp_odd) game->move_interval--;
  if (game->spawn_interval > 1) game->spawn_interval--;
  game->ramp_odd ^= 1;
  game->ramp_timer = RAMP_INTERVAL;
}

static inline void write_row(const asterix *game, uint8_t *row) {
  memset(row, 0, COH_MINATAR_SIDE * COH_MINATAR_SIDE * N_CHANNELS / 8);
  coh_minatar_set(row, N_CHANNELS, game->player_lane + TOP, game->player_x, PLAYER);
  for (int k = 0; k < N_LANES; k++) {
    const crosser *each = &game->lane[k];
    if (!each->present) continue;
    coh_minatar_set(row, N_CHANNELS, k + TOP, each->x, each->gold ? GOLD : ENEMY);
    coh_minatar_set_inside(row, N_CHANNELS, k + TOP, each->x + (each->rightward ? -1 : 1),
                           TRAIL);
  }
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  write_row(state, row);
}

static void step(const coh_env_slice *slice) {
  asterix *games = slice->states;
  const coh_minatar_options *options = slice->model;
  for (int64_t i = 0; i < slice->n; i++) {
    asterix *game = &games[i];
    uint8_t lost = 0;
    coh_env_random random = coh_env_random_of(&slice->randomness, i);
    int action = coh_minatar_act(options, &random, slice->actions[i], &game->last_action);
    if (game->spawn_timer == 0) {
      spawn(game, &random);
      game->spawn_timer = game->spawn_interval;
    }
    move_player(game, action);
    float reward = meet(game, &lost);
    if (game->move_timer == 0) {
      game->move_timer = game->move_interval;
      move_crossers(game);
      reward += meet(game, &lost);
    }
    game->spawn_timer--;
    game->move_timer--;
    if (options->ramping) ramp(game);
    slice->rewards[i] = reward;
    slice->terminated[i] = lost;
    write_row(game, slice->observations + (size_t)i * slice->observation_bytes);
  }
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const asterix *game = state;
  bool lanes = true;
  for (int k = 0; k < N_LANES; k++)
    lanes &= coh_minatar_inside(game->lane[k].x);
  return lanes && coh_minatar_inside(game->player_x) && game->player_lane >= 0 &&
         game->player_lane < N_LANES;
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  static const coh_minatar_layer layers[] = {
      {TRAIL, 0x5A6472, 0.34, 1.0},
      {ENEMY, 0xE2504A, 0.80, 0.35},
      {GOLD, 0xF2C14E, 0.66, 1.0},
      {PLAYER, 0x4FA8E0, 0.84, 0.35},
  };
  uint8_t row[COH_MINATAR_MAX_ROW_BYTES];
  observe(model, state, row);
  coh_minatar_draw(row, N_CHANNELS, layers, sizeof layers / sizeof layers[0], canvas);
}

const coh_env_type coh_env_type_minatar_asterix = {
    .kind = {.name = "minatar_asterix",
             .doc =
                 "Collect treasure and dodge enemies that cross the rows (MinAtar; Young and "
                 "Tian 2019).",
             .options = coh_minatar_options_ramping,
             .options_size = sizeof(coh_minatar_options)},
    .state_bytes = sizeof(asterix),
    .step_draws = true,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
