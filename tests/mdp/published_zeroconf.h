/* Zeroconf: a host picks an IPv4 address on its own, probes whether it is taken, and defends
 * it. Kwiatkowska, Norman, Parker and Sproston (2006), "Performance analysis of probabilistic
 * timed automata using digital clocks"; the variant whose host forgets its unsent messages
 * when it picks anew. Addresses are three: one of the host's former ones, the present one
 * where another host has it, the present one where nobody has. */
#ifndef COHORT_TESTS_MDP_PUBLISHED_ZEROCONF_H
#define COHORT_TESTS_MDP_PUBLISHED_ZEROCONF_H

#include "explored.h"

enum {
  ZEROCONF_OTHERS = 1000, /* hosts that have an address, of 65,024 */
  ZEROCONF_PROBES = 2,
  ZEROCONF_QUEUE = 8,    /* messages a host keeps to send */
  ZEROCONF_ANSWERS = 20, /* and all others together, to former addresses */
  ZEROCONF_APART = 2,    /* seconds between probes */
  ZEROCONF_DEFENDS = 10, /* seconds before it may defend again */
  ZEROCONF_COLLISIONS = 10,
  ZEROCONF_PAUSE = 60 /* seconds it waits after so many */
};
typedef enum zeroconf_address {
  ZEROCONF_FORMER,
  ZEROCONF_TAKEN,
  ZEROCONF_FRESH
} zeroconf_address;
typedef enum zeroconf_does {
  ZEROCONF_PICKS_ANEW,
  ZEROCONF_PICKS,
  ZEROCONF_ASKS,   /* sends probes */
  ZEROCONF_CLAIMS, /* sends two announcements */
  ZEROCONF_USES
} zeroconf_does;
typedef enum zeroconf_medium {
  ZEROCONF_IDLE,
  ZEROCONF_FROM_HOST,
  ZEROCONF_TO_HOST
} zeroconf_medium;

typedef struct zeroconf_state {
  uint8_t queue[ZEROCONF_QUEUE], n_queue; /* addresses the host asks for */
  uint8_t n_former, n_present;            /* answers on their way */
  uint8_t medium, on_air, sent_for;       /* what is on air, since when */
  uint8_t does, address, clock, since_defence, collisions, probes, answers, defends;
} zeroconf_state;

static inline uint8_t zeroconf_up(uint8_t value, int most) {
  return (uint8_t)(value < most ? value + 1 : most);
}

/* a second for the medium: an idle one has nothing to carry, a message takes one */
static inline bool zeroconf_carries(zeroconf_state *now) {
  if (now->medium == ZEROCONF_IDLE)
    return now->n_queue == 0 && now->n_former == 0 && now->n_present == 0;
  if (now->sent_for >= 1) return false;
  now->sent_for++;
  return true;
}

/* and for the host */
static inline bool zeroconf_waits(zeroconf_state *now) {
  bool may = false;
  if (now->does == ZEROCONF_PICKS)
    may = now->collisions == ZEROCONF_COLLISIONS && now->clock < ZEROCONF_PAUSE;
  else if (now->does == ZEROCONF_ASKS)
    may = now->clock < ZEROCONF_APART;
  else if (now->does == ZEROCONF_CLAIMS)
    may = !now->answers && now->clock < ZEROCONF_APART;
  if (may) now->clock++;
  if (may && now->does == ZEROCONF_CLAIMS && now->defends)
    now->since_defence = zeroconf_up(now->since_defence, ZEROCONF_DEFENDS);
  return may;
}

/* false: the host has nothing to say. A full queue loses it. */
static inline bool zeroconf_says(zeroconf_state *now) {
  bool due = now->clock == ZEROCONF_APART;
  if (now->does == ZEROCONF_CLAIMS && now->answers) {
    now->answers = 0;
  } else if (due && ((now->does == ZEROCONF_ASKS && now->probes < ZEROCONF_PROBES) ||
                     (now->does == ZEROCONF_CLAIMS && now->probes < 1))) {
    now->clock = 0;
    now->probes++;
  } else if (due && now->does == ZEROCONF_CLAIMS) {
    now->does = ZEROCONF_USES;
    now->clock = now->since_defence = now->probes = 0;
  } else {
    return false;
  }
  if (now->n_queue < ZEROCONF_QUEUE) now->queue[now->n_queue++] = now->address;
  return true;
}

/* give the address up */
static inline zeroconf_state zeroconf_yields(zeroconf_state now) {
  now.does = ZEROCONF_PICKS_ANEW;
  now.clock = now.probes = now.defends = now.since_defence = 0;
  return now;
}

static inline void zeroconf_hears(explored *all, zeroconf_state now) {
  bool mine = now.on_air == now.address;
  now.medium = ZEROCONF_IDLE;
  now.on_air = now.sent_for = 0;
  if (now.does == ZEROCONF_PICKS || (now.does == ZEROCONF_ASKS && !mine) ||
      (now.does == ZEROCONF_CLAIMS && !now.answers && !mine)) {
    explored_move(all, 0.0, &now);
  } else if (now.does == ZEROCONF_ASKS) {
    now.collisions = zeroconf_up(now.collisions, ZEROCONF_COLLISIONS);
    now = zeroconf_yields(now);
    explored_move(all, 0.0, &now);
  } else if (now.does == ZEROCONF_CLAIMS && !now.answers) {
    // the first time it may do either
    bool rested = now.since_defence >= ZEROCONF_DEFENDS;
    zeroconf_state defends = now, yields = zeroconf_yields(now);
    defends.defends = defends.answers = 1;
    defends.since_defence = 0;
    if (!now.defends || rested) explored_move(all, 0.0, &defends);
    if (!now.defends || !rested) explored_move(all, 0.0, &yields);
  }
}

static inline void zeroconf_host(explored *all, zeroconf_state now) {
  const double taken = ZEROCONF_OTHERS / 65024.0;
  if (now.does == ZEROCONF_PICKS &&
      (now.collisions < ZEROCONF_COLLISIONS || now.clock == ZEROCONF_PAUSE)) {
    explored_row(all, 0.0);
    now.does = ZEROCONF_ASKS;
    for (now.address = ZEROCONF_TAKEN; now.address <= ZEROCONF_FRESH; now.address++)
      for (now.clock = 0; now.clock <= 2; now.clock++)
        explored_to(all, &now, (now.address == ZEROCONF_TAKEN ? taken : 1.0 - taken) / 3.0);
  } else if (now.does == ZEROCONF_ASKS && now.clock == ZEROCONF_APART &&
             now.probes == ZEROCONF_PROBES) {
    now.does = ZEROCONF_CLAIMS;
    now.probes = now.collisions = now.clock = 0;
    explored_move(all, 0.0, &now);
  } else if (now.does == ZEROCONF_USES) {
    explored_move(all, 0.0, &now);
  }
}

/* a message goes on air, or is lost with chance 0.1 */
static inline void zeroconf_sends(explored *all, zeroconf_state left, zeroconf_medium way,
                                  uint8_t address) {
  zeroconf_state carried = left;
  carried.medium = (uint8_t)way;
  carried.on_air = address;
  explored_row(all, 0.0);
  explored_to(all, &carried, 0.9);
  explored_to(all, &left, 0.1);
}

static inline void zeroconf_on_air(explored *all, zeroconf_state now) {
  zeroconf_state left = now;
  if (now.medium == ZEROCONF_IDLE) {
    if (now.n_queue > 0) {
      memmove(left.queue, now.queue + 1, ZEROCONF_QUEUE - 1);
      left.queue[ZEROCONF_QUEUE - 1] = 0;
      left.n_queue--;
      zeroconf_sends(all, left, ZEROCONF_FROM_HOST, now.queue[0]);
    }
    left = now;
    left.n_former--;
    if (now.n_former > 0) zeroconf_sends(all, left, ZEROCONF_TO_HOST, ZEROCONF_FORMER);
    left = now;
    left.n_present--;
    if (now.n_present > 0) zeroconf_sends(all, left, ZEROCONF_TO_HOST, ZEROCONF_TAKEN);
  } else if (now.medium == ZEROCONF_FROM_HOST) { // whoever has the address will answer
    if (now.on_air == ZEROCONF_FORMER)
      left.n_former = zeroconf_up(left.n_former, ZEROCONF_ANSWERS);
    if (now.on_air == ZEROCONF_TAKEN)
      left.n_present = zeroconf_up(left.n_present, ZEROCONF_QUEUE);
    left.medium = left.sent_for = left.on_air = 0;
    explored_move(all, 0.0, &left);
  } else {
    zeroconf_hears(all, now);
  }
}

static inline void zeroconf_moves(explored *all, const void *state) {
  const zeroconf_state now = *(const zeroconf_state *)state;
  zeroconf_state to = now;
  if (now.does == ZEROCONF_PICKS_ANEW) { // what was its address is a former one
    int answers = now.n_former + now.n_present;
    memset(to.queue, 0, sizeof to.queue);
    to.n_queue = to.n_present = to.on_air = 0;
    to.n_former = (uint8_t)(answers < ZEROCONF_ANSWERS ? answers : ZEROCONF_ANSWERS);
    to.does = ZEROCONF_PICKS;
    explored_move(all, 0.0, &to);
    return;
  }
  if (zeroconf_carries(&to) && zeroconf_waits(&to)) explored_move(all, 0.0, &to);
  to = now;
  if (zeroconf_says(&to)) explored_move(all, 0.0, &to);
  zeroconf_host(all, now);
  zeroconf_on_air(all, now);
}

/* wrong: it uses an address that another host has */
static inline coh_mdp *zeroconf(explored *all, uint8_t **wrong) {
  const zeroconf_state first = {.does = ZEROCONF_PICKS, .address = ZEROCONF_TAKEN};
  *all = (explored){.size = sizeof first, .moves = zeroconf_moves};
  coh_mdp *mdp = explore(all, &first);
  *wrong = calloc((size_t)all->n, 1);
  for (int64_t s = 0; s < all->n; s++) {
    const zeroconf_state *now = explored_state(all, s);
    (*wrong)[s] = now->does == ZEROCONF_USES && now->address == ZEROCONF_TAKEN;
  }
  return mdp;
}

#endif
