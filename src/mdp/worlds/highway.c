/* Highway: drive on a ring of lanes among slower cars. Speed pays, crashing costs, and so does
 * driving at top speed near the police: how to drive is to be learnt from a driver.
 * After the driving worlds of Abbeel and Ng 2004 and of Levine et al. 2011.
 *
 * A state is (position, lane, speed), seen from the traffic, which moves at a speed of its own;
 * speed v moves v + 1 cells further around the ring. Actions: 0 keep, 1 left, 2 right, 3
 * faster, 4 slower; with the chance `wind` an action other than keep fails. */
#include "base/alloc.h"
#include "cohort/random.h"
#include "mdp/irl_world.h"

typedef struct highway_options {
  int64_t length, lanes, speeds;
  double cars, police, wind;
} highway_options;

#define FIELD(member) .offset = offsetof(highway_options, member)
static const coh_option table[] = {
    {.name = "length",
     .type = COH_INT,
     FIELD(length),
     .initial = "64",
     .min = 8,
     .max = 100000,
     .unit = "cells",
     .doc = "Length of the ring."},
    {.name = "lanes",
     .type = COH_INT,
     FIELD(lanes),
     .initial = "3",
     .min = 1,
     .max = 16,
     .doc = "Lanes side by side."},
    {.name = "speeds",
     .type = COH_INT,
     FIELD(speeds),
     .initial = "4",
     .min = 2,
     .max = 8,
     .doc = "Speeds."},
    {.name = "cars",
     .type = COH_REAL,
     FIELD(cars),
     .initial = "0.12",
     .min = 0,
     .max = 0.9,
     .doc = "Chance that a cell of a lane holds a car."},
    {.name = "police",
     .type = COH_REAL,
     FIELD(police),
     .initial = "0.25",
     .min = 0,
     .max = 1,
     .doc = "Chance that a car is a police car."},
    {.name = "wind",
     .type = COH_REAL,
     FIELD(wind),
     .initial = "0.1",
     .min = 0,
     .max = 1,
     .doc = "Chance that a change of lane or speed fails."},
    {0},
};

enum { EMPTY, CIVIL, POLICE };

// how far cars are looked for: ahead and behind
enum { SIGHT = 4, POLICE_REACH = 3 };

typedef struct highway_road {
  const highway_options *options;
  uint8_t *car; /* (length, lanes) */
} highway_road;

static int car_at(const highway_road *road, int64_t position, int64_t lane) {
  int64_t length = road->options->length;
  if (lane < 0 || lane >= road->options->lanes) return EMPTY;
  return road->car[((position % length + length) % length) * road->options->lanes + lane];
}

static void draw_cars(const highway_road *road, uint64_t seed) {
  const highway_options *options = road->options;
  coh_key key = coh_key_make(seed, "highway");
  for (int64_t i = 0; i < options->length * options->lanes; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)i, 0);
    bool is_car = coh_stream_uniform(&stream) < options->cars;
    bool is_police = coh_stream_uniform(&stream) < options->police;
    road->car[i] = is_car ? (is_police ? POLICE : CIVIL) : EMPTY;
  }
}

// a car in a cell that was driven through to get here
static bool crashes(const highway_road *road, int64_t position, int64_t lane, int64_t speed) {
  for (int64_t k = 0; k <= speed; k++)
    if (car_at(road, position - k, lane) != EMPTY) return true;
  return false;
}

static bool police_is_near(const highway_road *road, int64_t position) {
  for (int64_t k = -POLICE_REACH; k <= POLICE_REACH; k++)
    for (int64_t lane = 0; lane < road->options->lanes; lane++)
      if (car_at(road, position + k, lane) == POLICE) return true;
  return false;
}

static double reward_of(const highway_road *road, int64_t position, int64_t lane,
                        int64_t speed) {
  int64_t top = road->options->speeds - 1;
  double reward = (double)speed / (double)top;
  if (crashes(road, position, lane, speed)) reward -= 4;
  if (speed == top && police_is_near(road, position)) reward -= 2;
  return reward;
}

// each speed, each lane, a crash, police near, and cars ahead in this lane and beside
static void describe(const highway_road *road, int64_t position, int64_t lane, int64_t speed,
                     float *row) {
  int64_t at = 0;
  for (int64_t k = 0; k < road->options->speeds; k++)
    row[at++] = speed == k;
  for (int64_t k = 0; k < road->options->lanes; k++)
    row[at++] = lane == k;
  row[at++] = crashes(road, position, lane, speed);
  row[at++] = police_is_near(road, position);
  for (int64_t side = -1; side <= 1; side++)
    for (int64_t k = 1; k <= SIGHT; k++)
      row[at++] = car_at(road, position + k, lane + side) != EMPTY;
}

static int64_t state_of(const highway_options *options, int64_t position, int64_t lane,
                        int64_t speed) {
  return ((lane * options->length) + position % options->length) * options->speeds + speed;
}

static int64_t next_of(const highway_options *options, int64_t position, int64_t lane,
                       int64_t speed, int action) {
  lane += (action == 2) - (action == 1);
  speed += (action == 3) - (action == 4);
  lane = lane < 0 ? 0 : lane >= options->lanes ? options->lanes - 1 : lane;
  speed = speed < 0 ? 0 : speed >= options->speeds ? options->speeds - 1 : speed;
  return state_of(options, position + speed + 1, lane, speed);
}

static coh_status build(const highway_options *options, const double *reward,
                        coh_mdp_builder *builder) {
  for (int64_t s = 0; s < options->lanes * options->length * options->speeds; s++) {
    int64_t speed = s % options->speeds, cell = s / options->speeds;
    int64_t position = cell % options->length, lane = cell / options->length;
    for (int action = 0; action < 5; action++) {
      COH_TRY(coh_mdp_add_row(builder, s, action, reward[s]));
      COH_TRY(coh_mdp_add_entry(builder, next_of(options, position, lane, speed, action),
                                action == 0 ? 1 : 1 - options->wind, 0));
      if (action != 0 && options->wind > 0)
        COH_TRY(coh_mdp_add_entry(builder, next_of(options, position, lane, speed, 0),
                                  options->wind, 0));
    }
  }
  return COH_OK;
}

static coh_status fill(const highway_road *road, coh_irl_world *world) {
  const highway_options *options = road->options;
  int64_t n = options->lanes * options->length * options->speeds;
  world->n_features = options->speeds + options->lanes + 2 + 3 * SIGHT;
  COH_NEW(world->features, n * world->n_features);
  COH_NEW(world->reward, n);
  COH_NEW(world->cell, n);
  for (int64_t s = 0; s < n; s++) {
    int64_t speed = s % options->speeds, cell = s / options->speeds;
    int64_t position = cell % options->length, lane = cell / options->length;
    world->cell[s] = (int32_t)cell;
    world->reward[s] = reward_of(road, position, lane, speed);
    describe(road, position, lane, speed, world->features + s * world->n_features);
  }
  world->picture_rows = options->lanes;
  world->picture_columns = options->length;
  return COH_OK;
}

// it begins anywhere on the ring, slowly
static coh_status set_start(const highway_options *options, coh_mdp *mdp) {
  double *start;
  COH_NEW(start, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s += options->speeds)
    start[s] = 1;
  coh_status status = coh_mdp_set_start(mdp, start);
  coh_free(start);
  return status;
}

static coh_status make(const void *pointer, double discount, uint64_t seed,
                       coh_irl_world *world) {
  const highway_options *options = pointer;
  highway_road road = {options, NULL};
  COH_NEW(road.car, options->length * options->lanes);
  draw_cars(&road, seed);
  coh_status status = fill(&road, world);
  coh_free(road.car);
  if (status != COH_OK) return status;
  coh_mdp_builder *builder = NULL;
  COH_TRY(
      coh_mdp_build(options->lanes * options->length * options->speeds, discount, &builder));
  status = build(options, world->reward, builder);
  if (status != COH_OK) {
    coh_mdp_discard(&builder);
    return status;
  }
  COH_TRY(coh_mdp_finish(&builder, &world->mdp));
  return set_start(options, world->mdp);
}

const coh_irl_world_type coh_irl_world_highway = {
    .kind =
        {"highway",
         "Drive fast on a ring of lanes, past cars and the police (after Abbeel and Ng 2004 "
         "and Levine et al. 2011).",
         table, sizeof(highway_options)},
    .make = make,
};
