/* Lanes in contiguous blocks: rank r of n owns [r * L / n, (r + 1) * L / n). */
#include "base/alloc.h"
#include "comm/world.h"

int64_t coh_lanes_first_among(int n_ranks, int64_t n_lanes, int rank) {
  // r * L / n without overflow: L = q * n + m gives r * q + r * m / n
  int64_t n = n_ranks;
  return rank * (n_lanes / n) + rank * (n_lanes % n) / n;
}

int64_t coh_lanes_first_of(const coh_world *world, int64_t n_lanes, int rank) {
  return coh_lanes_first_among(world->size, n_lanes, rank);
}

int coh_lanes_owner(const coh_world *world, int64_t n_lanes, int64_t lane) {
  int low = 0, high = world->size; // the owner is in [low, high)
  while (high - low > 1) {
    int middle = low + (high - low) / 2;
    if (coh_lanes_first_of(world, n_lanes, middle) <= lane)
      low = middle;
    else
      high = middle;
  }
  return low;
}

coh_status coh_lanes_split(const coh_world *world, int64_t n_lanes, coh_lanes *lanes) {
  COH_CHECK(n_lanes >= 1, COH_E_CONFIG, "lanes: %lld; a run has at least one lane",
            (long long)n_lanes);
  COH_CHECK(n_lanes >= world->size, COH_E_CONFIG,
            "more ranks than lanes (%d ranks, lanes: %lld); give at most %lld ranks or set "
            "lanes to %d or more",
            world->size, (long long)n_lanes, (long long)n_lanes, world->size);
  int64_t first = coh_lanes_first_of(world, n_lanes, world->rank);
  *lanes = (coh_lanes){
      .n_lanes = n_lanes,
      .first = first,
      .n_local = coh_lanes_first_of(world, n_lanes, world->rank + 1) - first,
  };
  return COH_OK;
}

coh_status coh_lanes_gather(coh_world *world, const coh_lanes *lanes, const void *local,
                            size_t n_bytes, void *all) {
  size_t *pieces;
  COH_NEW(pieces, world->size);
  for (int rank = 0; rank < world->size; rank++)
    pieces[rank] = (size_t)(coh_lanes_first_of(world, lanes->n_lanes, rank + 1) -
                            coh_lanes_first_of(world, lanes->n_lanes, rank)) *
                   n_bytes;
  coh_status status = coh_comm_allgather_varied(world, local, pieces, all);
  coh_free(pieces);
  return status;
}
