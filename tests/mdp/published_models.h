/* Models of the quantitative verification benchmark set, built from their published
 * descriptions: breadth first from where they begin. */
#ifndef COHORT_TESTS_MDP_PUBLISHED_MODELS_H
#define COHORT_TESTS_MDP_PUBLISHED_MODELS_H

#include <stdlib.h>
#include <string.h>

#include "explored.h"

/* ---- Aspnes and Herlihy's shared coin, as Kwiatkowska, Norman and Segala (2001) model it:
 * n processes flip coins and walk a counter; a step pays 1. */

typedef struct coin_model {
  int n, range, left, right; /* processes; counter 0..range; where it is decided */
  int64_t n_codes, n_states;
  int32_t *number; /* by code: -1 not met */
  int64_t *code;   /* by number */
} coin_model;

/* a process: 0 flips, 1 writes, 2 checks, 3 is done; with its coin */
static inline int coin_process(const coin_model *m, int64_t code, int k) {
  (void)m;
  return (int)(code >> 3 * k & 7);
}

static inline int64_t coin_counter(const coin_model *m, int64_t code) {
  return code >> 3 * m->n;
}

static inline int64_t coin_with(const coin_model *m, int64_t code, int k, int pc, int coin,
                                int64_t counter) {
  int64_t processes = code & ~((int64_t)7 << 3 * k) & (((int64_t)1 << 3 * m->n) - 1);
  return counter << 3 * m->n | processes | (int64_t)(pc | coin << 2) << 3 * k;
}

/* where process k may go next: at most two codes, as likely; 0: it is done */
static inline int coin_moves(const coin_model *m, int64_t code, int k, int64_t to[2]) {
  int pc = coin_process(m, code, k) & 3, coin = coin_process(m, code, k) >> 2;
  int64_t counter = coin_counter(m, code);
  if (pc == 3) return 0;
  if (pc == 0) {
    to[0] = coin_with(m, code, k, 1, 0, counter);
    to[1] = coin_with(m, code, k, 1, 1, counter);
    return 2;
  }
  if (pc == 1)
    to[0] = coin_with(m, code, k, 2, 0, counter + (coin ? 1 : -1));
  else if (counter <= m->left || counter >= m->right)
    to[0] = coin_with(m, code, k, 3, counter >= m->right, counter);
  else
    to[0] = coin_with(m, code, k, 0, coin, counter);
  return 1;
}

static inline int64_t coin_meet(coin_model *m, int64_t code) {
  if (m->number[code] < 0) {
    m->number[code] = (int32_t)m->n_states;
    m->code[m->n_states++] = code;
  }
  return m->number[code];
}

/* all[v]: every coin shows v, all done; differ: done, coins differ; done: all are done */
static inline coh_mdp *shared_coin(int n, int bound, uint8_t **all_one, uint8_t **differ,
                                   uint8_t **done) {
  coin_model m = {.n = n, .range = 2 * (bound + 1) * n, .left = n};
  m.right = m.range - n;
  m.n_codes = (int64_t)(m.range + 1) << 3 * n;
  m.number = malloc((size_t)m.n_codes * sizeof *m.number);
  m.code = malloc((size_t)m.n_codes * sizeof *m.code);
  memset(m.number, -1, (size_t)m.n_codes * sizeof *m.number);
  coin_meet(&m, (int64_t)((bound + 1) * n) << 3 * n);
  for (int64_t s = 0; s < m.n_states; s++)
    for (int k = 0; k < n; k++) {
      int64_t to[2];
      int n_to = coin_moves(&m, m.code[s], k, to);
      for (int i = 0; i < n_to; i++)
        coin_meet(&m, to[i]);
    }
  *all_one = calloc((size_t)m.n_states, 1);
  *differ = calloc((size_t)m.n_states, 1);
  *done = calloc((size_t)m.n_states, 1);
  coh_mdp_builder *builder;
  coh_mdp *mdp;
  assert_ok(coh_mdp_build(m.n_states, 1.0, &builder));
  for (int64_t s = 0; s < m.n_states; s++) {
    int n_done = 0, n_ones = 0;
    for (int k = 0; k < n; k++) {
      int64_t to[2];
      int n_to = coin_moves(&m, m.code[s], k, to);
      n_done += n_to == 0;
      n_ones += coin_process(&m, m.code[s], k) >> 2;
      if (n_to == 0) continue;
      assert_ok(coh_mdp_add_row(builder, s, k, 1.0));
      for (int i = 0; i < n_to; i++)
        assert_ok(coh_mdp_add_entry(builder, m.number[to[i]], 1.0 / n_to, 0.0));
    }
    if (n_done < n) continue;
    assert_ok(coh_mdp_add_terminal(builder, s));
    (*done)[s] = 1;
    (*all_one)[s] = n_ones == n;
    (*differ)[s] = n_ones > 0 && n_ones < n;
  }
  assert_ok(coh_mdp_finish(&builder, &mdp));
  free(m.number);
  free(m.code);
  return mdp;
}

/* ---- Herman's self-stabilising ring: tokens stay or move on, as likely; two that meet are
 * gone. States are rings of an odd number of tokens, up to rotation; a step pays 1. */

static inline int ring_least(int n, int ring) {
  int least = ring;
  for (int k = 1; k < n; k++) {
    ring = (ring >> 1 | (ring & 1) << (n - 1)) & ((1 << n) - 1);
    if (ring < least) least = ring;
  }
  return least;
}

static inline coh_mdp *herman_ring(int n, uint8_t **stable) {
  int n_rings = 1 << n;
  int64_t n_states = 0;
  int64_t *number = calloc((size_t)n_rings, sizeof *number);
  for (int ring = 0; ring < n_rings; ring++)
    if (__builtin_popcount((unsigned)ring) % 2 == 1 && ring_least(n, ring) == ring)
      number[ring] = n_states++;
  *stable = calloc((size_t)n_states, 1);
  double *share = calloc((size_t)n_states, sizeof *share);
  coh_mdp_builder *builder;
  coh_mdp *mdp;
  assert_ok(coh_mdp_build(n_states, 1.0, &builder));
  int64_t s = 0;
  for (int ring = 0; ring < n_rings; ring++) {
    if (__builtin_popcount((unsigned)ring) % 2 == 0 || ring_least(n, ring) != ring) continue;
    int n_tokens = __builtin_popcount((unsigned)ring);
    (*stable)[s] = n_tokens == 1;
    memset(share, 0, (size_t)n_states * sizeof *share);
    // every subset of the tokens moves
    for (int moving = ring;; moving = (moving - 1) & ring) {
      int moved = (moving << 1 | moving >> (n - 1)) & (n_rings - 1);
      share[number[ring_least(n, (ring & ~moving) ^ moved)]] += ldexp(1.0, -n_tokens);
      if (moving == 0) break;
    }
    assert_ok(coh_mdp_add_row(builder, s, 0, n_tokens == 1 ? 0.0 : 1.0));
    for (int64_t to = 0; to < n_states; to++)
      if (share[to] > 0.0) assert_ok(coh_mdp_add_entry(builder, to, share[to], 0.0));
    s++;
  }
  assert_ok(coh_mdp_finish(&builder, &mdp));
  free(number);
  free(share);
  return mdp;
}

/* ---- CSMA/CD between two stations, as Kwiatkowska, Norman and Sproston (2003) model IEEE
 * 802.3 in digital clocks: one unit of time crosses the bus, a message takes 30, a backoff
 * slot 2. Backoff counters and exponents end at 2. A unit of time pays 1. */

enum { CSMA_CROSSES = 1, CSMA_SENDS = 30, CSMA_SLOT = 2, CSMA_EXPONENT = 2 };
typedef enum csma_does {
  CSMA_BEGINS,
  CSMA_TRANSMITS,
  CSMA_DRAWS, /* its backoff */
  CSMA_WAITS,
  CSMA_DONE
} csma_does;

typedef struct csma_station {
  uint8_t does, clock, counter, slots;
} csma_station;

/* the bus: 0 free, 1 one message, 2 a collision; time since the first and the second */
typedef struct csma_state {
  uint8_t bus, since_first, since_second;
  csma_station station[2];
} csma_state;

static inline void csma_back_off(csma_station *station) {
  station->does = CSMA_DRAWS;
  station->clock = 0;
  if (station->counter < CSMA_EXPONENT) station->counter++;
}

/* false: something has to happen first */
static inline bool csma_pass_time(csma_state *now) {
  if (now->bus == 2 && now->since_second >= CSMA_CROSSES) return false;
  if (now->bus >= 1 && now->since_first <= CSMA_CROSSES) now->since_first++;
  if (now->bus == 2) now->since_second++;
  for (int k = 0; k < 2; k++) {
    csma_station *one = &now->station[k];
    if (one->does == CSMA_BEGINS || one->does == CSMA_DRAWS) return false;
    if (one->does == CSMA_DONE) continue;
    if (one->does == CSMA_TRANSMITS ? one->clock < CSMA_SENDS : one->clock < CSMA_SLOT) {
      one->clock++;
    } else if (one->does == CSMA_WAITS && one->slots > 0) {
      one->clock = 1;
      one->slots--;
    } else {
      return false;
    }
  }
  return true;
}

static inline void csma_station_moves(explored *all, const csma_state *now, int k) {
  csma_state to = *now;
  csma_station here = now->station[k], *one = &to.station[k];
  bool wants = here.does == CSMA_BEGINS ||
               (here.does == CSMA_WAITS && here.clock == CSMA_SLOT && here.slots == 0);
  if (wants && now->bus >= 1 && now->since_first >= CSMA_CROSSES) { // hears that it is taken
    csma_back_off(one);
    explored_move(all, 0.0, &to);
  } else if (wants) {
    to.bus = now->bus == 0 ? 1 : 2;
    one->does = CSMA_TRANSMITS;
    one->clock = 0;
    explored_move(all, 0.0, &to);
  }
  if (here.does == CSMA_TRANSMITS && here.clock == CSMA_SENDS && now->bus == 1) {
    to.bus = to.since_first = 0;
    one->does = CSMA_DONE;
    one->clock = 0;
    explored_move(all, 0.0, &to);
  }
  if (here.does != CSMA_DRAWS) return;
  int n = 1 << here.counter;
  explored_row(all, 0.0);
  one->does = CSMA_WAITS;
  for (one->slots = 0; one->slots < n; one->slots++)
    explored_to(all, &to, 1.0 / n);
}

static inline void csma_moves(explored *all, const void *state) {
  const csma_state *now = state;
  csma_state to = *now;
  if (csma_pass_time(&to)) explored_move(all, 1.0, &to);
  for (int k = 0; k < 2; k++)
    csma_station_moves(all, now, k);
  to = *now;
  if (to.bus < 2) return;
  to.bus = to.since_first = to.since_second = 0; // the collision is heard
  for (int k = 0; k < 2; k++)
    if (to.station[k].does == CSMA_TRANSMITS) csma_back_off(&to.station[k]);
  explored_move(all, 0.0, &to);
}

/* done: both have sent */
static inline coh_mdp *csma_bus(explored *all, uint8_t **done) {
  const csma_state first = {0};
  *all = (explored){.size = sizeof first, .moves = csma_moves};
  coh_mdp *mdp = explore(all, &first);
  *done = calloc((size_t)all->n, 1);
  for (int64_t s = 0; s < all->n; s++) {
    const csma_state *now = explored_state(all, s);
    (*done)[s] = now->station[0].does == CSMA_DONE && now->station[1].does == CSMA_DONE;
  }
  return mdp;
}

#endif
