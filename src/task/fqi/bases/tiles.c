/* Tile coding: several grids laid over the box, each shifted against the others by odd
 * multiples of a fraction of a tile; a state has one tile of each. Source: Sutton and Barto,
 * section 9.5.4; the shifts after Miller and Glanz 1996. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "task/fqi/basis.h"

typedef struct tiles_options {
  int64_t tilings, tiles;
} tiles_options;

static const coh_option table[] = {
    {.name = "tilings",
     .type = COH_INT,
     .offset = offsetof(tiles_options, tilings),
     .initial = "8",
     .min = 1,
     .max = 256,
     .doc = "Grids."},
    {.name = "tiles",
     .type = COH_INT,
     .offset = offsetof(tiles_options, tiles),
     .initial = "8",
     .min = 1,
     .max = 1000,
     .doc = "Tiles along each value of the state."},
    {0},
};

// a shifted grid reaches one tile further
static int64_t count(const void *options, int64_t n_values) {
  const tiles_options *o = options;
  double n = (double)o->tilings * pow((double)(o->tiles + 1), (double)n_values);
  return n > COH_MOST_FEATURES ? COH_MOST_FEATURES + 1 : (int64_t)n;
}

static void fill(const void *options, int64_t d, int64_t n, const double *x, double *phi) {
  const tiles_options *o = options;
  int64_t n_features = count(options, d), side = o->tiles + 1, grid = n_features / o->tilings;
  memset(phi, 0, (size_t)(n * n_features) * sizeof *phi);
  for (int64_t i = 0; i < n; i++)
    for (int64_t t = 0; t < o->tilings; t++) {
      int64_t tile = 0;
      for (int64_t k = 0; k < d; k++) {
        double shift = fmod((double)(t * (2 * k + 1)) / (double)o->tilings, 1);
        double at = floor(x[i * d + k] * (double)o->tiles + shift);
        int64_t along = at < 0 ? 0 : at > (double)o->tiles ? o->tiles : (int64_t)at;
        tile = tile * side + along;
      }
      phi[i * n_features + t * grid + tile] = 1;
    }
}

const coh_basis_type coh_basis_type_tiles = {
    .kind = {.name = "tiles",
             .doc = "Tile coding (Sutton and Barto).",
             .options = table,
             .options_size = sizeof(tiles_options)},
    .count = count,
    .fill = fill,
};
