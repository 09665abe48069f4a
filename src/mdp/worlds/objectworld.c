/* Objectworld: coloured objects on a grid; what pays is to be near one colour and nearer
 * another. Source: Levine, Popovic and Koltun, "Nonlinear inverse reinforcement learning with
 * Gaussian processes", 2011; as used by Wulfmeier et al. 2015. */
#include <math.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "mdp/irl_world.h"

typedef struct objectworld_options {
  int64_t size, objects, colors;
  double wind;
  int features;
} objectworld_options;

enum { CONTINUOUS, DISCRETE };

#define FIELD(member) .offset = offsetof(objectworld_options, member)
static const coh_option table[] = {
    {.name = "size",
     .type = COH_INT,
     FIELD(size),
     .initial = "32",
     .min = 2,
     .max = 1024,
     .unit = "cells",
     .doc = "Side of the square grid."},
    {.name = "objects",
     .type = COH_INT,
     FIELD(objects),
     .initial = "50",
     .min = 1,
     .max = 100000,
     .doc = "Objects, on cells drawn at random, with an inner and an outer colour each."},
    {.name = "colors",
     .type = COH_INT,
     FIELD(colors),
     .initial = "2",
     .min = 2,
     .max = 16,
     .doc = "Colours; the reward is of outer colours 0 and 1, all others distract."},
    {.name = "wind",
     .type = COH_REAL,
     FIELD(wind),
     .initial = "0.3",
     .min = 0,
     .max = 1,
     .doc = "Chance that an action is replaced by a random one."},
    {.name = "features",
     .type = COH_CHOICE,
     FIELD(features),
     .initial = "continuous",
     .choices = "continuous|discrete",
     .doc = "Distances to the nearest object of every inner and outer colour, or for every "
            "distance below the side whether it is larger."},
    {0},
};

typedef struct object {
  int64_t row, column, inner, outer;
} object;

static void place_objects(const objectworld_options *options, uint64_t seed, object *objects,
                          uint8_t *taken) {
  coh_stream stream = coh_stream_begin(coh_key_make(seed, "objectworld"), 0, 0);
  for (int64_t k = 0; k < options->objects; k++) {
    int64_t cell;
    do
      cell = coh_stream_below(&stream, options->size * options->size);
    while (taken[cell]);
    taken[cell] = 1;
    objects[k].row = cell / options->size;
    objects[k].column = cell % options->size;
    objects[k].inner = coh_stream_below(&stream, options->colors);
    objects[k].outer = coh_stream_below(&stream, options->colors);
  }
}

// distance[c]: to the nearest object of inner colour c; [colors + c]: of outer colour c
static void measure(const objectworld_options *options, const object *objects, int64_t state,
                    double *distance) {
  int64_t row = state / options->size, column = state % options->size;
  for (int64_t c = 0; c < 2 * options->colors; c++)
    distance[c] = 2 * (double)options->size; // no such object: farther than any
  for (int64_t k = 0; k < options->objects; k++) {
    double away = hypot((double)(objects[k].row - row), (double)(objects[k].column - column));
    double *inner = &distance[objects[k].inner];
    double *outer = &distance[options->colors + objects[k].outer];
    *inner = fmin(*inner, away);
    *outer = fmin(*outer, away);
  }
}

static void describe(const objectworld_options *options, const double *distance, float *row) {
  for (int64_t c = 0; c < 2 * options->colors; c++)
    if (options->features == CONTINUOUS)
      row[c] = (float)(distance[c] / (double)options->size);
    else
      for (int64_t d = 1; d <= options->size; d++)
        row[c * options->size + d - 1] = distance[c] < (double)d;
}

static coh_status fill(const objectworld_options *options, const object *objects,
                       coh_irl_world *world) {
  int64_t n = options->size * options->size;
  double distance[32];
  world->n_features =
      2 * options->colors * (options->features == CONTINUOUS ? 1 : options->size);
  COH_NEW(world->features, n * world->n_features);
  COH_NEW(world->reward, n);
  for (int64_t s = 0; s < n; s++) {
    measure(options, objects, s, distance);
    describe(options, distance, world->features + s * world->n_features);
    bool near_first = distance[options->colors] <= 3;
    bool near_second = distance[options->colors + 1] <= 2;
    world->reward[s] = near_first ? (near_second ? 1 : -1) : 0;
  }
  return COH_OK;
}

static coh_status make(const void *pointer, double discount, uint64_t seed,
                       coh_irl_world *world) {
  const objectworld_options *options = pointer;
  int64_t n = options->size * options->size;
  COH_CHECK(options->objects <= n, COH_E_CONFIG,
            "objectworld: %lld objects do not fit on %lld cells", (long long)options->objects,
            (long long)n);
  object *objects;
  uint8_t *taken;
  COH_NEW(objects, options->objects);
  taken = coh_alloc_array((size_t)n, 1);
  coh_status status = taken ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for objectworld");
  if (status == COH_OK) {
    place_objects(options, seed, objects, taken);
    status = fill(options, objects, world);
  }
  coh_free(objects);
  coh_free(taken);
  if (status != COH_OK) return status;
  return coh_irl_grid_make(
      &(coh_irl_grid){options->size, options->size, options->wind, true, discount}, world);
}

const coh_irl_world_type coh_irl_world_objectworld = {
    .kind = {"objectworld",
             "Coloured objects on a grid: near colour 0 pays where colour 1 is near too "
             "(Levine et al. 2011).",
             table, sizeof(objectworld_options)},
    .make = make,
};
