/* Gridworld: a plain grid in macrocells, some of which pay; features say in which macrocell the
 * agent is. Source: Abbeel and Ng, "Apprenticeship learning via inverse reinforcement
 * learning", 2004, section 5.1. With as many macrocells as cells every state has a reward of
 * its own. */
#include "base/alloc.h"
#include "cohort/random.h"
#include "mdp/irl_world.h"

typedef struct gridworld_options {
  int64_t size, macrocells;
  double wind, paying;
} gridworld_options;

#define FIELD(member) .offset = offsetof(gridworld_options, member)
static const coh_option table[] = {
    {.name = "size",
     .type = COH_INT,
     FIELD(size),
     .initial = "128",
     .min = 2,
     .max = 8192,
     .unit = "cells",
     .doc = "Side of the square grid."},
    {.name = "macrocells",
     .type = COH_INT,
     FIELD(macrocells),
     .initial = "8",
     .min = 1,
     .max = 8192,
     .doc = "Macrocells along a side; each is one feature. As many as cells: a table."},
    {.name = "paying",
     .type = COH_REAL,
     FIELD(paying),
     .initial = "0.1",
     .min = 0,
     .max = 1,
     .doc = "Chance that a macrocell pays: uniform in 0 to 1, then divided by their sum."},
    {.name = "wind",
     .type = COH_REAL,
     FIELD(wind),
     .initial = "0.3",
     .min = 0,
     .max = 1,
     .doc = "Chance that an action is replaced by a random one."},
    {0},
};

static void draw_weights(const gridworld_options *options, uint64_t seed, int64_t n,
                         double *weight) {
  coh_key key = coh_key_make(seed, "gridworld");
  double sum = 0;
  for (int64_t k = 0; k < n; k++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)k, 0);
    bool pays = coh_stream_uniform(&stream) < options->paying;
    weight[k] = pays ? coh_stream_uniform(&stream) : 0;
    sum += weight[k];
  }
  if (sum == 0) sum = weight[n - 1] = 1; // one pays in any case
  for (int64_t k = 0; k < n; k++)
    weight[k] /= sum;
}

static coh_status make(const void *pointer, double discount, uint64_t seed,
                       coh_irl_world *world) {
  const gridworld_options *options = pointer;
  int64_t size = options->size, side = options->macrocells, n = size * size;
  COH_CHECK(side <= size, COH_E_CONFIG, "gridworld: %lld macrocells do not fit on %lld cells",
            (long long)side, (long long)size);
  world->n_features = side * side;
  COH_NEW(world->feature, n);
  COH_NEW(world->reward, n);
  double *weight;
  COH_NEW(weight, side * side);
  draw_weights(options, seed, side * side, weight);
  for (int64_t s = 0; s < n; s++) {
    int64_t macro = s / size * side / size * side + s % size * side / size;
    world->feature[s] = (int32_t)macro;
    world->reward[s] = weight[macro];
  }
  coh_free(weight);
  return coh_irl_grid_make(&(coh_irl_grid){size, size, options->wind, false, discount}, world);
}

const coh_irl_world_type coh_irl_world_gridworld_irl = {
    .kind = {"gridworld", "A grid in macrocells, a few of which pay (Abbeel and Ng 2004).",
             table, sizeof(gridworld_options)},
    .make = make,
};
