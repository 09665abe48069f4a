/* The reachable states of a model that is given by its moves: breadth first from where it
 * begins, once to count them and once to build the rows. A state is a plain struct of bytes
 * without padding; a model's `moves` says every row of one state. */
#ifndef COHORT_TESTS_MDP_EXPLORED_H
#define COHORT_TESTS_MDP_EXPLORED_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cohort/mdp.h"
#include "cohort_test.h"

enum { EXPLORED_MOST = 1 << 15, EXPLORED_SLOTS = 1 << 17 };

typedef struct explored {
  size_t size; /* bytes a state */
  int variant; /* of the model, as its moves understand it */
  void (*moves)(struct explored *all, const void *state);
  int64_t n, n_rows, n_entries;
  uint8_t *states;
  int32_t *slot;            /* by hash: number of a state, -1 free */
  int64_t from;             /* the state whose rows are being said */
  int32_t action;           /* its next row's */
  coh_mdp_builder *builder; /* none in the first pass */
} explored;

static inline const void *explored_state(const explored *all, int64_t s) {
  return all->states + (size_t)s * all->size;
}

/* the number of a state, new or met before (FNV-1a, open addressing) */
static inline int64_t explored_meet(explored *all, const void *state) {
  const uint8_t *bytes = state;
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < all->size; i++)
    hash = (hash ^ bytes[i]) * 0x100000001b3u;
  size_t at = (size_t)(hash >> 32) % EXPLORED_SLOTS;
  while (all->slot[at] >= 0 &&
         memcmp(explored_state(all, all->slot[at]), state, all->size) != 0)
    at = (at + 1) % EXPLORED_SLOTS;
  if (all->slot[at] < 0) {
    assert_true(all->n < EXPLORED_MOST);
    memcpy(all->states + (size_t)all->n * all->size, state, all->size);
    all->slot[at] = (int32_t)all->n++;
  }
  return all->slot[at];
}

/* begin a row; where it leads follows */
static inline void explored_row(explored *all, double pays) {
  if (!all->builder) return;
  assert_ok(coh_mdp_add_row(all->builder, all->from, all->action++, pays));
  all->n_rows++;
}

static inline void explored_to(explored *all, const void *state, double probability) {
  int64_t next = explored_meet(all, state);
  if (!all->builder) return;
  assert_ok(coh_mdp_add_entry(all->builder, next, probability, 0.0));
  all->n_entries++;
}

/* a row that is certain */
static inline void explored_move(explored *all, double pays, const void *to) {
  explored_row(all, pays);
  explored_to(all, to, 1.0);
}

/* all: size, moves and variant are set */
static inline coh_mdp *explore(explored *all, const void *first) {
  coh_mdp *mdp;
  size_t size = all->size;
  all->states = malloc(EXPLORED_MOST * size);
  all->slot = malloc(EXPLORED_SLOTS * sizeof *all->slot);
  uint8_t *now = malloc(size);
  memset(all->slot, -1, EXPLORED_SLOTS * sizeof *all->slot);
  explored_meet(all, first);
  for (int pass = 0; pass < 2; pass++) {
    if (pass == 1) assert_ok(coh_mdp_build(all->n, 1.0, &all->builder));
    for (all->from = 0; all->from < all->n; all->from++) {
      all->action = 0;
      memcpy(now, explored_state(all, all->from), size);
      all->moves(all, now);
    }
  }
  assert_ok(coh_mdp_finish(&all->builder, &mdp));
  free(now);
  return mdp;
}

static inline void explored_clear(explored *all) {
  free(all->states);
  free(all->slot);
}

#endif
