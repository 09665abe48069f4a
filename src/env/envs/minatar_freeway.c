/* MinAtar Freeway. A chicken crosses eight lanes of cars; reaching the top gives 1, sends it
 * back and changes every car's speed and direction; a car sends it back too. It moves at most
 * every fourth step. The episode ends by itself after 2,501 steps: that is the game's own rule
 * and, as in the package, a termination, not a truncation. */
#include <stdlib.h>
#include <string.h>

#include "env/minatar.h"

enum { CHICKEN, CAR, SPEED_1, N_CHANNELS = 7 };
enum { N_CARS = 8, MAX_SPEED = 5, CHICKEN_X = 4, START_Y = 9, REST = 3, LAST_STEP = 2500 };

typedef struct car {
  int8_t x, timer, speed; /* speed: steps between moves, negative to the left */
} car;

typedef struct freeway {
  car cars[N_CARS]; /* car k is on row k + 1 */
  int16_t steps_left;
  int8_t chicken_y, rest, last_action, unused[3];
} freeway;

static const char *const channel_names[] = {"chicken", "car",    "speed1", "speed2",
                                            "speed3",  "speed4", "speed5"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  COH_TRY(coh_minatar_prepare(options, channel_names, N_CHANNELS, spec, model));
  spec->reward_high = 1;
  return COH_OK;
}

/* New speeds for all cars, then new directions; where they are stays. */
static void draw_speeds(freeway *game, coh_env_random *random) {
  for (int k = 0; k < N_CARS; k++)
    game->cars[k].timer = (int8_t)(1 + coh_env_below(random, MAX_SPEED));
  for (int k = 0; k < N_CARS; k++) {
    int sign = coh_env_uniform(random) < 0.5 ? -1 : 1;
    game->cars[k].speed = (int8_t)(sign * game->cars[k].timer);
  }
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model;
  freeway *game = state;
  *game = (freeway){
      .steps_left = LAST_STEP,
      .chicken_y = START_Y,
      .rest = REST,
      .last_action = game->last_action,
  };
  draw_speeds(game, random);
}

/* Walk; returns 1 when the chicken is across. */
static float move_chicken(freeway *game, int action, coh_env_random *random) {
  int direction = (action == COH_MINATAR_DOWN) - (action == COH_MINATAR_UP);
  if (direction && game->rest == 0) {
    game->rest = REST;
    int y = game->chicken_y + direction;
    if (coh_minatar_inside(y)) game->chicken_y = (int8_t)y;
  }
  if (game->chicken_y > 0) return 0.0f;
  draw_speeds(game, random);
  game->chicken_y = START_Y;
  return 1.0f;
}

/* Move the cars. A car hits the chicken where it stands before or after it moves. */
static void move_cars(freeway *game) {
  for (int k = 0; k < N_CARS; k++) {
    car *each = &game->cars[k];
    if (each->x == CHICKEN_X && game->chicken_y == k + 1) game->chicken_y = START_Y;
    if (each->timer > 0) {
      each->timer--;
      continue;
    }
    each->timer = (int8_t)abs(each->speed);
    int x = each->x + (each->speed > 0 ? 1 : -1);
    each->x = (int8_t)(x < 0 ? COH_MINATAR_SIDE - 1 : x == COH_MINATAR_SIDE ? 0 : x);
    if (each->x == CHICKEN_X && game->chicken_y == k + 1) game->chicken_y = START_Y;
  }
}

static inline void write_row(const freeway *game, uint8_t *row) {
  memset(row, 0, (COH_MINATAR_SIDE * COH_MINATAR_SIDE * N_CHANNELS + 7) / 8);
  coh_minatar_set(row, N_CHANNELS, game->chicken_y, CHICKEN_X, CHICKEN);
  for (int k = 0; k < N_CARS; k++) {
    const car *each = &game->cars[k];
    int behind = each->x + (each->speed > 0 ? -1 : 1);
    behind = behind < 0 ? COH_MINATAR_SIDE - 1 : behind == COH_MINATAR_SIDE ? 0 : behind;
    coh_minatar_set(row, N_CHANNELS, k + 1, each->x, CAR);
    coh_minatar_set(row, N_CHANNELS, k + 1, behind, SPEED_1 - 1 + abs(each->speed));
  }
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  write_row(state, row);
}

static void step(const coh_env_slice *slice) {
  freeway *games = slice->states;
  for (int64_t i = 0; i < slice->n; i++) {
    freeway *game = &games[i];
    coh_env_random random = coh_env_random_of(&slice->randomness, i);
    int action = coh_minatar_act(slice->model, &random, slice->actions[i], &game->last_action);
    slice->rewards[i] = move_chicken(game, action, &random);
    move_cars(game);
    game->rest = (int8_t)(game->rest - (game->rest > 0));
    game->steps_left--;
    slice->terminated[i] = game->steps_left < 0;
    write_row(game, slice->observations + (size_t)i * slice->observation_bytes);
  }
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const freeway *game = state;
  bool cars = true;
  for (int k = 0; k < N_CARS; k++)
    cars &= coh_minatar_inside(game->cars[k].x) && game->cars[k].speed >= -MAX_SPEED &&
            game->cars[k].speed <= MAX_SPEED;
  return cars && coh_minatar_inside(game->chicken_y);
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  static const coh_minatar_layer layers[] = {
      {SPEED_1, 0xB5483A, 0.40, 1.0},     {SPEED_1 + 1, 0xA85F3A, 0.36, 1.0},
      {SPEED_1 + 2, 0x96723C, 0.32, 1.0}, {SPEED_1 + 3, 0x6F7547, 0.28, 1.0},
      {SPEED_1 + 4, 0x557057, 0.24, 1.0}, {CAR, 0xD9734E, 0.84, 0.30},
      {CHICKEN, 0xF4F1DE, 0.72, 1.0},
  };
  uint8_t row[COH_MINATAR_MAX_ROW_BYTES];
  observe(model, state, row);
  coh_minatar_draw(row, N_CHANNELS, layers, sizeof layers / sizeof layers[0], canvas);
}

const coh_env_type coh_env_type_minatar_freeway = {
    .kind = {.name = "minatar_freeway",
             .doc = "Walk a chicken across eight lanes of cars for 2,501 steps (MinAtar; Young "
                    "and Tian 2019).",
             .options = coh_minatar_options_plain,
             .options_size = sizeof(coh_minatar_options)},
    .state_bytes = sizeof(freeway),
    .step_draws = true,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
