/* Binaryworld: every cell is blue or red; four blue cells in the 3 x 3 around the agent pay,
 * five cost. The reward is no linear function of the nine features. Source: Wulfmeier, Ondruska
 * and Posner, "Maximum entropy deep inverse reinforcement learning", 2015. */
#include "base/alloc.h"
#include "cohort/random.h"
#include "mdp/irl_world.h"

typedef struct binaryworld_options {
  int64_t size;
  double wind;
} binaryworld_options;

#define FIELD(member) .offset = offsetof(binaryworld_options, member)
static const coh_option table[] = {
    {.name = "size",
     .type = COH_INT,
     FIELD(size),
     .initial = "32",
     .min = 2,
     .max = 1024,
     .unit = "cells",
     .doc = "Side of the square grid."},
    {.name = "wind",
     .type = COH_REAL,
     FIELD(wind),
     .initial = "0.3",
     .min = 0,
     .max = 1,
     .doc = "Chance that an action is replaced by a random one."},
    {0},
};

static bool is_blue(coh_key key, int64_t cell) {
  coh_stream stream = coh_stream_begin(key, (uint32_t)cell, 0);
  return coh_stream_u32(&stream) >> 31;
}

static coh_status make(const void *pointer, double discount, uint64_t seed,
                       coh_irl_world *world) {
  const binaryworld_options *options = pointer;
  int64_t size = options->size, n = size * size;
  coh_key key = coh_key_make(seed, "binaryworld");
  world->n_features = 9;
  COH_NEW(world->features, n * 9);
  COH_NEW(world->reward, n);
  for (int64_t s = 0; s < n; s++) {
    int n_blue = 0;
    for (int k = 0; k < 9; k++) { // cells beyond the border are red
      int64_t row = s / size + k / 3 - 1, column = s % size + k % 3 - 1;
      bool inside = row >= 0 && row < size && column >= 0 && column < size;
      bool blue = inside && is_blue(key, row * size + column);
      world->features[s * 9 + k] = blue;
      n_blue += blue;
    }
    world->reward[s] = n_blue == 4 ? 1 : n_blue == 5 ? -1 : 0;
  }
  return coh_irl_grid_make(&(coh_irl_grid){size, size, options->wind, true, discount}, world);
}

const coh_irl_world_type coh_irl_world_binaryworld = {
    .kind = {"binaryworld",
             "Blue and red cells: four blue ones in the 3 x 3 around pay, five cost "
             "(Wulfmeier et al. 2015).",
             table, sizeof(binaryworld_options)},
    .make = make,
};
