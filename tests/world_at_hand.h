/* The world of a test program, opened once: group setups and teardowns with and without a
 * scratch folder. Every allocation must be gone at the end. */
#ifndef COHORT_TESTS_WORLD_AT_HAND_H
#define COHORT_TESTS_WORLD_AT_HAND_H

#include "scratch.h"

#include "cohort/comm.h"

static coh_world *world;

static inline int world_enter(void **state) {
  (void)state;
  return coh_world_open(&world) == COH_OK ? 0 : -1;
}

static inline int world_leave(void **state) {
  (void)state;
  coh_world_close(&world);
  if (coh_alloc_live() != 0) print_error("%lld blocks leak\n", (long long)coh_alloc_live());
  return coh_alloc_live() == 0 ? 0 : -1;
}

static inline int scratch_world_enter(void **state) {
  return coh_world_open(&world) == COH_OK ? scratch_enter(state) : -1;
}

static inline int scratch_world_leave(void **state) {
  coh_world_close(&world);
  return scratch_leave(state);
}

#endif
