/* MinAtar Seaquest. A submarine shoots fish and enemy submarines (reward 1 each), picks up
 * divers and must surface for air with at least one of them; surfacing with six pays for the
 * oxygen left. With ramping every surfacing brings more and faster enemies.
 *
 * Exact behaviours worth knowing: a full rescue leaves diver_count at -1, so the next surfacing
 * is free; lists are walked from their end while removal deletes the first equal entry (so a
 * shooter may be handled twice); an enemy submarine that leaves the board may still fire. */
#include <string.h>

#include "env/minatar.h"

enum {
  SUB_FRONT,
  SUB_BACK,
  FRIENDLY_BULLET,
  TRAIL,
  ENEMY_BULLET,
  ENEMY_FISH,
  ENEMY_SUB,
  OXYGEN_GAUGE,
  DIVER_GAUGE,
  DIVER,
  N_CHANNELS
};
enum { SIDE = COH_MINATAR_SIDE, EDGE = SIDE - 1, GAUGE_Y = SIDE - 1, DEEPEST = SIDE - 2 };
enum { COOL_DOWN = 5, SHOT_INTERVAL = 10, DIVER_SPAWN_INTERVAL = 30, DIVER_MOVE_INTERVAL = 5 };
enum { FIRST_SPAWN_INTERVAL = 20, FIRST_MOVE_INTERVAL = 5, FASTEST = 2 };
enum { MAX_OXYGEN = 200, MAX_DIVERS = 6, FULL_REWARD = 10 };
/* At most one enemy appears a step and none lives longer than 60 steps; at full density
 * (interval 1) moves take 3 steps, so about 30 are alive. A submarine fires every 11 steps and
 * its bullet flies at most 10. */
enum { CAPACITY = 60 };

/* Anything that swims or flies. Unused fields are 0, so that equality is of all bytes. */
typedef struct thing {
  int8_t x, y, rightward, move_timer, shot_timer, unused[3];
} thing;

typedef struct shoal {
  int64_t n;
  thing item[CAPACITY];
} shoal;

typedef struct seaquest {
  shoal fish, subs, shots, bullets, divers;
  int16_t oxygen;
  int8_t x, y, rightward, diver_count, spawn_interval, spawn_timer, diver_timer, move_interval;
  int8_t ramp_odd, cool_down, surfaced, last_action, unused[2];
} seaquest;

static const char *const channel_names[] = {
    "sub_front",  "sub_back",  "friendly_bullet", "trail",       "enemy_bullet",
    "enemy_fish", "enemy_sub", "oxygen_gauge",    "diver_gauge", "diver"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  return coh_minatar_prepare(options, channel_names, N_CHANNELS, spec, model);
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model, (void)random;
  seaquest *game = state;
  int8_t last_action = game->last_action;
  memset(game, 0, sizeof *game);
  game->oxygen = MAX_OXYGEN;
  game->x = 5;
  game->spawn_interval = FIRST_SPAWN_INTERVAL;
  game->spawn_timer = FIRST_SPAWN_INTERVAL;
  game->diver_timer = DIVER_SPAWN_INTERVAL;
  game->move_interval = FIRST_MOVE_INTERVAL;
  game->surfaced = 1;
  game->last_action = last_action;
}

/* -------------------------------------------------------------------------------- lists -- */

static void append(shoal *list, thing item) {
  if (list->n < CAPACITY) list->item[list->n++] = item;
}

/* Remove the first entry equal to the one at `index`. */
static void remove_equal(shoal *list, int64_t index) {
  int64_t at = 0;
  while (memcmp(&list->item[at], &list->item[index], sizeof(thing)) != 0)
    at++;
  list->n--;
  memmove(&list->item[at], &list->item[at + 1], (size_t)(list->n - at) * sizeof(thing));
}

static inline bool at_player(const seaquest *game, const thing *item) {
  return item->x == game->x && item->y == game->y;
}

static inline bool advance(thing *item) {
  item->x = (int8_t)(item->x + (item->rightward ? 1 : -1));
  return coh_minatar_inside(item->x);
}

/* ------------------------------------------------------------------------------ spawning -- */

static bool row_is_taken(const shoal *list, int y, bool rightward) {
  for (int64_t k = 0; k < list->n; k++)
    if (list->item[k].y == y && list->item[k].rightward != rightward) return true;
  return false;
}

static void spawn_enemy(seaquest *game, coh_env_random *random) {
  bool rightward = coh_env_uniform(random) < 0.5;
  bool is_sub = coh_env_uniform(random) < 1.0 / 3.0;
  int8_t y = (int8_t)(1 + coh_env_below(random, 8));
  // nothing comes against the traffic of its row
  if (row_is_taken(&game->subs, y, rightward) || row_is_taken(&game->fish, y, rightward))
    return;
  thing enemy = {.x = rightward ? 0 : EDGE,
                 .y = y,
                 .rightward = rightward,
                 .move_timer = game->move_interval,
                 .shot_timer = is_sub ? SHOT_INTERVAL : 0};
  append(is_sub ? &game->subs : &game->fish, enemy);
}

static void spawn_diver(seaquest *game, coh_env_random *random) {
  bool rightward = coh_env_uniform(random) < 0.5;
  int8_t y = (int8_t)(1 + coh_env_below(random, 8));
  append(&game->divers, (thing){.x = rightward ? 0 : EDGE,
                                .y = y,
                                .rightward = rightward,
                                .move_timer = DIVER_MOVE_INTERVAL});
}

/* -------------------------------------------------------------------------------- moving -- */

static void act(seaquest *game, int action) {
  switch (action) {
  case COH_MINATAR_FIRE:
    if (game->cool_down > 0) return;
    append(&game->shots, (thing){.x = game->x, .y = game->y, .rightward = game->rightward});
    game->cool_down = COOL_DOWN;
    return;
  case COH_MINATAR_LEFT:
    game->x = (int8_t)(game->x - (game->x > 0));
    game->rightward = 0;
    return;
  case COH_MINATAR_RIGHT:
    game->x = (int8_t)(game->x + (game->x < EDGE));
    game->rightward = 1;
    return;
  case COH_MINATAR_UP:
    game->y = (int8_t)(game->y - (game->y > 0));
    return;
  case COH_MINATAR_DOWN:
    game->y = (int8_t)(game->y + (game->y < DEEPEST));
    return;
  default:
    return;
  }
}

/* Remove the first target where the shot is, and the shot. */
static bool strike(seaquest *game, int64_t shot, shoal *targets) {
  const thing *bullet = &game->shots.item[shot];
  for (int64_t k = 0; k < targets->n; k++) {
    if (targets->item[k].x != bullet->x || targets->item[k].y != bullet->y) continue;
    remove_equal(targets, k);
    remove_equal(&game->shots, shot);
    return true;
  }
  return false;
}

static float move_shots(seaquest *game) {
  float reward = 0.0f;
  for (int64_t k = game->shots.n - 1; k >= 0 && k < game->shots.n; k--) {
    if (!advance(&game->shots.item[k]))
      remove_equal(&game->shots, k);
    else if (strike(game, k, &game->fish) || strike(game, k, &game->subs))
      reward += 1.0f;
  }
  return reward;
}

static bool pick_up(seaquest *game, int64_t k) {
  if (!at_player(game, &game->divers.item[k]) || game->diver_count >= MAX_DIVERS) return false;
  remove_equal(&game->divers, k);
  game->diver_count++;
  return true;
}

static void move_divers(seaquest *game) {
  for (int64_t k = game->divers.n - 1; k >= 0 && k < game->divers.n; k--) {
    thing *diver = &game->divers.item[k];
    if (pick_up(game, k)) continue;
    if (diver->move_timer > 0) {
      diver->move_timer--;
      continue;
    }
    diver->move_timer = DIVER_MOVE_INTERVAL;
    if (!advance(diver))
      remove_equal(&game->divers, k);
    else
      pick_up(game, k);
  }
}

/* Is the swimmer k where a shot is? Then both go. */
static bool run_into_shot(seaquest *game, shoal *list, int64_t k) {
  for (int64_t shot = 0; shot < game->shots.n; shot++) {
    const thing *bullet = &game->shots.item[shot];
    if (bullet->x != list->item[k].x || bullet->y != list->item[k].y) continue;
    remove_equal(list, k);
    remove_equal(&game->shots, shot);
    return true;
  }
  return false;
}

/* What a list's move came to. */
typedef struct outcome {
  bool hit; /* the player was touched */
  float reward;
} outcome;

/* Move swimmer k. *moved: how it is then, also when it is gone from the list. */
static bool swim(seaquest *game, shoal *list, int64_t k, thing *moved, outcome *sum) {
  thing *item = &list->item[k];
  sum->hit |= at_player(game, item);
  if (item->move_timer > 0) {
    item->move_timer--;
    *moved = *item;
    return true;
  }
  item->move_timer = game->move_interval;
  bool inside = advance(item);
  *moved = *item;
  if (!inside) {
    remove_equal(list, k);
    return false;
  }
  if (at_player(game, item)) {
    sum->hit = true;
    return true;
  }
  bool struck = run_into_shot(game, list, k);
  sum->reward += struck ? 1.0f : 0.0f;
  return !struck;
}

static void move_subs(seaquest *game, outcome *sum) {
  for (int64_t k = game->subs.n - 1; k >= 0 && k < game->subs.n; k--) {
    thing moved;
    bool stays = swim(game, &game->subs, k, &moved, sum);
    bool fires = moved.shot_timer == 0;
    if (fires)
      append(&game->bullets, (thing){.x = moved.x, .y = moved.y, .rightward = moved.rightward});
    if (stays)
      game->subs.item[k].shot_timer = (int8_t)(fires ? SHOT_INTERVAL : moved.shot_timer - 1);
  }
}

static void move_bullets(seaquest *game, outcome *sum) {
  for (int64_t k = game->bullets.n - 1; k >= 0 && k < game->bullets.n; k--) {
    thing *bullet = &game->bullets.item[k];
    sum->hit |= at_player(game, bullet);
    if (!advance(bullet))
      remove_equal(&game->bullets, k);
    else
      sum->hit |= at_player(game, bullet);
  }
}

static void move_fish(seaquest *game, outcome *sum) {
  thing moved;
  for (int64_t k = game->fish.n - 1; k >= 0 && k < game->fish.n; k--)
    swim(game, &game->fish, k, &moved, sum);
}

/* ------------------------------------------------------------------------------- the air -- */

static void ramp(seaquest *game) {
  if (game->spawn_interval <= 1 && game->move_interval <= FASTEST) return;
  if (game->move_interval > FASTEST && game->ramp_odd) game->move_interval--;
  if (game->spawn_interval > 1) game->spawn_interval--;
  game->ramp_odd ^= 1;
}

static float surface(seaquest *game, bool ramping) {
  float reward = 0.0f;
  game->surfaced = 1;
  if (game->diver_count == MAX_DIVERS) {
    game->diver_count = 0;
    int whole = game->oxygen * FULL_REWARD / MAX_OXYGEN;
    reward = (float)whole;
  }
  game->oxygen = MAX_OXYGEN;
  game->diver_count--;
  if (ramping) ramp(game);
  return reward;
}

/* Breathe; returns the reward of surfacing, sets *lost without air or divers. */
static float breathe(seaquest *game, bool ramping, uint8_t *lost) {
  if (game->oxygen <= 0) *lost = 1; // even when it surfaces in this very step
  if (game->y > 0) {
    game->oxygen--;
    game->surfaced = 0;
    return 0.0f;
  }
  if (game->surfaced) return 0.0f;
  if (game->diver_count == 0) {
    *lost = 1;
    return 0.0f;
  }
  return surface(game, ramping);
}

static inline float step_one(seaquest *game, int action, bool ramping, coh_env_random *random,
                             uint8_t *lost) {
  if (game->spawn_timer == 0) {
    spawn_enemy(game, random);
    game->spawn_timer = game->spawn_interval;
  }
  if (game->diver_timer == 0) {
    spawn_diver(game, random);
    game->diver_timer = DIVER_SPAWN_INTERVAL;
  }
  act(game, action);
  outcome sum = {.reward = move_shots(game)};
  move_divers(game);
  move_subs(game, &sum);
  move_bullets(game, &sum);
  move_fish(game, &sum);
  game->spawn_timer = (int8_t)(game->spawn_timer - (game->spawn_timer > 0));
  game->diver_timer = (int8_t)(game->diver_timer - (game->diver_timer > 0));
  game->cool_down = (int8_t)(game->cool_down - (game->cool_down > 0));
  *lost = sum.hit;
  return sum.reward + breathe(game, ramping, lost);
}

/* --------------------------------------------------------------------------- observation -- */

static void set_shoal(uint8_t *row, const shoal *list, int channel, bool trail) {
  for (int64_t k = 0; k < list->n; k++) {
    const thing *item = &list->item[k];
    coh_minatar_set(row, N_CHANNELS, item->y, item->x, channel);
    if (trail)
      coh_minatar_set_inside(row, N_CHANNELS, item->y, item->x + (item->rightward ? -1 : 1),
                             TRAIL);
  }
}

static inline void write_row(const seaquest *game, uint8_t *row) {
  memset(row, 0, SIDE * SIDE * N_CHANNELS / 8);
  coh_minatar_set(row, N_CHANNELS, game->y, game->x, SUB_FRONT);
  coh_minatar_set_inside(row, N_CHANNELS, game->y, game->x + (game->rightward ? -1 : 1),
                         SUB_BACK);
  int air = game->oxygen * SIDE / MAX_OXYGEN;
  for (int x = 0; x < air; x++)
    coh_minatar_set(row, N_CHANNELS, GAUGE_Y, x, OXYGEN_GAUGE);
  for (int k = 0; k < game->diver_count; k++)
    coh_minatar_set(row, N_CHANNELS, GAUGE_Y, EDGE - 1 - k, DIVER_GAUGE);
  set_shoal(row, &game->shots, FRIENDLY_BULLET, false);
  set_shoal(row, &game->bullets, ENEMY_BULLET, false);
  set_shoal(row, &game->fish, ENEMY_FISH, true);
  set_shoal(row, &game->subs, ENEMY_SUB, true);
  set_shoal(row, &game->divers, DIVER, true);
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  write_row(state, row);
}

static void step(const coh_env_slice *slice) {
  seaquest *games = slice->states;
  const coh_minatar_options *options = slice->model;
  for (int64_t i = 0; i < slice->n; i++) {
    seaquest *game = &games[i];
    coh_env_random random = coh_env_random_of(&slice->randomness, i);
    int action = coh_minatar_act(options, &random, slice->actions[i], &game->last_action);
    slice->rewards[i] =
        step_one(game, action, options->ramping, &random, &slice->terminated[i]);
    write_row(game, slice->observations + (size_t)i * slice->observation_bytes);
  }
}

static bool valid_shoal(const shoal *list) {
  if (list->n < 0 || list->n > CAPACITY) return false;
  for (int64_t k = 0; k < list->n; k++)
    if (!coh_minatar_inside(list->item[k].x) || !coh_minatar_inside(list->item[k].y))
      return false;
  return true;
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const seaquest *game = state;
  return valid_shoal(&game->fish) && valid_shoal(&game->subs) && valid_shoal(&game->shots) &&
         valid_shoal(&game->bullets) && valid_shoal(&game->divers) &&
         coh_minatar_inside(game->x) && coh_minatar_inside(game->y) &&
         game->diver_count <= MAX_DIVERS && game->oxygen <= MAX_OXYGEN;
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  static const coh_minatar_layer layers[] = {
      {OXYGEN_GAUGE, 0x3C6E8F, 0.94, 0.10}, {DIVER_GAUGE, 0xE08AB8, 0.56, 1.0},
      {TRAIL, 0x5A6472, 0.34, 1.0},         {SUB_BACK, 0x2F7FB5, 0.70, 0.45},
      {DIVER, 0xE08AB8, 0.62, 1.0},         {ENEMY_FISH, 0x7BC67B, 0.68, 0.90},
      {ENEMY_SUB, 0xE2504A, 0.80, 0.35},    {SUB_FRONT, 0x6CC3F5, 0.84, 0.45},
      {ENEMY_BULLET, 0xFF8F6B, 0.34, 1.0},  {FRIENDLY_BULLET, 0xF2C14E, 0.34, 1.0},
  };
  uint8_t row[COH_MINATAR_MAX_ROW_BYTES];
  observe(model, state, row);
  coh_minatar_draw(row, N_CHANNELS, layers, sizeof layers / sizeof layers[0], canvas);
}

const coh_env_type coh_env_type_minatar_seaquest = {
    .kind = {.name = "minatar_seaquest",
             .doc = "Shoot fish and submarines, rescue divers and come up for air (MinAtar; "
                    "Young and Tian 2019).",
             .options = coh_minatar_options_ramping,
             .options_size = sizeof(coh_minatar_options)},
    .state_bytes = sizeof(seaquest),
    .step_draws = true,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
