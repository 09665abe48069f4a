/* MinAtar Space Invaders. Aliens march sideways and down; the cannon on the bottom row shoots
 * them (reward 1 each) and must not be hit or touched. A cleared wave is replaced, with
 * ramping one step faster down to an interval of 6. Nothing in the game itself is random.
 *
 * Aliens and both kinds of bullets are bit boards: ten rows of ten bits. */
#include <stdlib.h>
#include <string.h>

#include "env/minatar.h"

enum { CANNON, ALIEN, ALIEN_LEFT, ALIEN_RIGHT, FRIENDLY_BULLET, ENEMY_BULLET, N_CHANNELS };
enum { SIDE = COH_MINATAR_SIDE, BOTTOM = SIDE - 1, FULL_ROW = (1 << SIDE) - 1 };
enum { COOL_DOWN = 5, SHOT_INTERVAL = 10, SLOWEST = 12, FASTEST = 6 };
enum { WAVE_ROWS = 4, WAVE_BITS = 0xFC }; /* columns 2 to 7 */

typedef struct invaders {
  uint16_t aliens[SIDE], shots[SIDE], bombs[SIDE]; /* bit x of row y */
  int8_t cannon_x, leftward, move_interval, move_timer, bomb_timer, cool_down, last_action;
  int8_t unused[5];
} invaders;

static const char *const channel_names[] = {"cannon",      "alien",           "alien_left",
                                            "alien_right", "friendly_bullet", "enemy_bullet"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  return coh_minatar_prepare(options, channel_names, N_CHANNELS, spec, model);
}

static void start_wave(invaders *game) {
  for (int y = 0; y < WAVE_ROWS; y++)
    game->aliens[y] = WAVE_BITS;
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model, (void)random;
  invaders *game = state;
  *game = (invaders){
      .cannon_x = 5,
      .leftward = 1,
      .move_interval = SLOWEST,
      .move_timer = SLOWEST,
      .bomb_timer = SHOT_INTERVAL,
      .last_action = game->last_action,
  };
  start_wave(game);
}

static int count_aliens(const invaders *game) {
  int n = 0;
  for (int y = 0; y < SIDE; y++)
    n += __builtin_popcount(game->aliens[y]);
  return n;
}

/* All columns that hold an alien. */
static uint32_t occupied_columns(const invaders *game) {
  uint32_t columns = 0;
  for (int y = 0; y < SIDE; y++)
    columns |= game->aliens[y];
  return columns;
}

static void shift_down(uint16_t board[SIDE]) {
  memmove(board + 1, board, (SIDE - 1) * sizeof board[0]);
  board[0] = 0;
}

static void shift_up(uint16_t board[SIDE]) {
  memmove(board, board + 1, (SIDE - 1) * sizeof board[0]);
  board[BOTTOM] = 0;
}

static void act(invaders *game, int action) {
  if (action == COH_MINATAR_FIRE && game->cool_down == 0) {
    game->shots[BOTTOM] = (uint16_t)(game->shots[BOTTOM] | 1u << game->cannon_x);
    game->cool_down = COOL_DOWN;
  }
  int x = game->cannon_x + (action == COH_MINATAR_RIGHT) - (action == COH_MINATAR_LEFT);
  if (coh_minatar_inside(x)) game->cannon_x = (int8_t)x;
}

static bool alien_at_cannon(const invaders *game) {
  return game->aliens[BOTTOM] >> game->cannon_x & 1;
}

/* March sideways, or turn and step down at a wall. Returns whether they reached the ground. */
static bool march(invaders *game) {
  int n_aliens = count_aliens(game);
  game->move_timer = (int8_t)(n_aliens < game->move_interval ? n_aliens : game->move_interval);
  uint32_t columns = occupied_columns(game);
  bool landed = false;
  if (columns >> (game->leftward ? 0 : SIDE - 1) & 1) {
    game->leftward = !game->leftward;
    landed = game->aliens[BOTTOM] != 0;
    uint16_t bottom = game->aliens[BOTTOM];
    shift_down(game->aliens);
    game->aliens[0] = bottom; // only in the frame of a lost game
  } else {
    for (int y = 0; y < SIDE; y++)
      game->aliens[y] =
          (uint16_t)((game->leftward ? game->aliens[y] >> 1 : game->aliens[y] << 1) & FULL_ROW);
  }
  return landed;
}

/* The lowest alien of the column nearest to the cannon drops a bomb; ties go left. */
static void drop_bomb(invaders *game) {
  uint32_t columns = occupied_columns(game);
  int best = -1;
  for (int x = 0; x < SIDE; x++)
    if (columns >> x & 1 && (best < 0 || abs(x - game->cannon_x) < abs(best - game->cannon_x)))
      best = x;
  if (best < 0) return;
  for (int y = BOTTOM; y >= 0; y--) {
    if (!(game->aliens[y] >> best & 1)) continue;
    game->bombs[y] = (uint16_t)(game->bombs[y] | 1u << best);
    return;
  }
}

static int remove_hits(invaders *game) {
  int n_hits = 0;
  for (int y = 0; y < SIDE; y++) {
    uint32_t hits = game->aliens[y] & game->shots[y];
    n_hits += __builtin_popcount(hits);
    game->aliens[y] = (uint16_t)(game->aliens[y] & ~hits);
    game->shots[y] = (uint16_t)(game->shots[y] & ~hits);
  }
  return n_hits;
}

static inline float step_one(invaders *game, int action, bool ramping, uint8_t *lost) {
  act(game, action);
  shift_up(game->shots);
  shift_down(game->bombs);
  bool hit = game->bombs[BOTTOM] >> game->cannon_x & 1;
  hit |= alien_at_cannon(game);
  if (game->move_timer == 0) {
    hit |= march(game);
    hit |= alien_at_cannon(game);
  }
  if (game->bomb_timer == 0) {
    game->bomb_timer = SHOT_INTERVAL;
    drop_bomb(game);
  }
  int n_hits = remove_hits(game);
  game->cool_down = (int8_t)(game->cool_down - (game->cool_down > 0));
  game->move_timer--;
  game->bomb_timer--;
  if (occupied_columns(game) == 0) {
    if (ramping && game->move_interval > FASTEST) game->move_interval--;
    start_wave(game);
  }
  *lost = hit;
  return (float)n_hits;
}

static void set_board(uint8_t *row, const uint16_t board[SIDE], int channel) {
  for (int y = 0; y < SIDE; y++)
    for (uint32_t left = board[y]; left; left &= left - 1)
      coh_minatar_set(row, N_CHANNELS, y, __builtin_ctz(left), channel);
}

static inline void write_row(const invaders *game, uint8_t *row) {
  memset(row, 0, SIDE * SIDE * N_CHANNELS / 8);
  coh_minatar_set(row, N_CHANNELS, BOTTOM, game->cannon_x, CANNON);
  set_board(row, game->aliens, ALIEN);
  set_board(row, game->aliens, game->leftward ? ALIEN_LEFT : ALIEN_RIGHT);
  set_board(row, game->shots, FRIENDLY_BULLET);
  set_board(row, game->bombs, ENEMY_BULLET);
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  write_row(state, row);
}

static void step(const coh_env_slice *slice) {
  invaders *games = slice->states;
  const coh_minatar_options *options = slice->model;
  for (int64_t i = 0; i < slice->n; i++) {
    coh_env_random random = coh_env_random_of(&slice->randomness, i);
    int action = coh_minatar_act(options, &random, slice->actions[i], &games[i].last_action);
    slice->rewards[i] = step_one(&games[i], action, options->ramping, &slice->terminated[i]);
    write_row(&games[i], slice->observations + (size_t)i * slice->observation_bytes);
  }
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const invaders *game = state;
  uint32_t bits = 0;
  for (int y = 0; y < SIDE; y++)
    bits |= (uint32_t)game->aliens[y] | game->shots[y] | game->bombs[y];
  return bits <= FULL_ROW && coh_minatar_inside(game->cannon_x);
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  static const coh_minatar_layer layers[] = {
      {ALIEN, 0x7BC67B, 0.80, 0.35},
      {ENEMY_BULLET, 0xE2504A, 0.36, 1.0},
      {FRIENDLY_BULLET, 0xF2C14E, 0.36, 1.0},
      {CANNON, 0x4FA8E0, 0.84, 0.25},
  };
  uint8_t row[COH_MINATAR_MAX_ROW_BYTES];
  observe(model, state, row);
  coh_minatar_draw(row, N_CHANNELS, layers, sizeof layers / sizeof layers[0], canvas);
}

const coh_env_type coh_env_type_minatar_space_invaders = {
    .kind = {.name = "minatar_space_invaders",
             .doc = "Shoot marching aliens before they land (MinAtar; Young and Tian 2019).",
             .options = coh_minatar_options_ramping,
             .options_size = sizeof(coh_minatar_options)},
    .state_bytes = sizeof(invaders),
    .step_draws = true,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
