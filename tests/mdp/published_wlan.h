/* The two-way handshake of IEEE 802.11 between two stations and a medium, as Kwiatkowska,
 * Norman and Sproston (2002) model it in digital clocks, "Probabilistic model checking of the
 * IEEE 802.11 wireless local area network protocol". A unit of time is a slot of 50 us, a
 * frame lasts 4 to 10, the contention window never grows: a backoff is one of 16. */
#ifndef COHORT_TESTS_MDP_PUBLISHED_WLAN_H
#define COHORT_TESTS_MDP_PUBLISHED_WLAN_H

#include "explored.h"

enum {
  WLAN_DIFS = 3,  /* 2 or 3 slots, so free after either */
  WLAN_SIFS = 1,  /* 0 or 1 */
  WLAN_TURN = 1,  /* 0 or 1: from listening to sending */
  WLAN_SHORT = 4, /* a frame */
  WLAN_LONG = 10,
  WLAN_ACK = 4, /* 3 or 4 */
  WLAN_TIMEOUT = 6,
  WLAN_WINDOW = 16,
  WLAN_SLOT_US = 50
};
typedef enum wlan_does {
  WLAN_SENSES,
  WLAN_HOLDS, /* until the medium is free, then draws its backoff */
  WLAN_SPACES,
  WLAN_DRAWS,
  WLAN_BACKS_OFF,
  WLAN_FREEZES, /* its backoff, until the medium is free */
  WLAN_RESUMES,
  WLAN_TURNS,
  WLAN_SENDS,
  WLAN_ANSWERED, /* the frame came through: the other's acknowledgement */
  WLAN_UNANSWERED,
  WLAN_DONE
} wlan_does;
typedef enum wlan_air { WLAN_SILENT, WLAN_CLEAR, WLAN_GARBLED } wlan_air;
typedef enum wlan_pays { WLAN_TIME, WLAN_COST, WLAN_COLLISIONS } wlan_pays;

typedef struct wlan_state {
  uint8_t air[2]; /* of what either station sends */
  struct wlan_station {
    uint8_t does, clock, backoff;
  } station[2];
} wlan_state;

/* time passes for a station; false: it has to do something first */
static inline bool wlan_waits(const wlan_state *now, int k, struct wlan_station *one) {
  bool is_free = now->air[0] == WLAN_SILENT && now->air[1] == WLAN_SILENT;
  uint8_t air = now->air[k], clock = one->clock;
  bool may = false;
  switch ((wlan_does)one->does) {
  case WLAN_HOLDS:
  case WLAN_FREEZES:
    return !is_free;
  case WLAN_DONE:
    return true;
  case WLAN_DRAWS:
    return false;
  case WLAN_SENSES:
  case WLAN_SPACES:
  case WLAN_RESUMES:
    may = is_free && clock < WLAN_DIFS;
    break;
  case WLAN_BACKS_OFF:
    may = is_free && clock < 1;
    break;
  case WLAN_TURNS:
    may = clock < WLAN_TURN;
    break;
  case WLAN_SENDS:
    may = clock < WLAN_LONG;
    break;
  case WLAN_ANSWERED:
    may = air == WLAN_SILENT ? clock == 0 && is_free : air == WLAN_CLEAR && clock < WLAN_ACK;
    break;
  case WLAN_UNANSWERED:
    may = clock == 0 ? is_free : clock < WLAN_TIMEOUT;
    break;
  }
  one->clock = (uint8_t)(clock + may);
  return may;
}

/* one unit of time costs 50 in a free medium, 500 for every message on air */
static inline double wlan_slot_pays(wlan_pays pays, const wlan_state *now) {
  int n_on_air = (now->air[0] != WLAN_SILENT) + (now->air[1] != WLAN_SILENT);
  if (pays == WLAN_COLLISIONS) return 0.0;
  return WLAN_SLOT_US * (pays == WLAN_COST && n_on_air > 0 ? 10.0 * n_on_air : 1.0);
}

static inline void wlan_go(explored *all, const wlan_state *now, int k, wlan_does does) {
  wlan_state to = *now;
  to.station[k].does = (uint8_t)does;
  to.station[k].clock = 0;
  explored_move(all, 0.0, &to);
}

/* puts a message on air: two at once are garbled */
static inline void wlan_send(explored *all, const wlan_state *now, int k, wlan_does does) {
  wlan_state to = *now;
  if (now->air[k] != WLAN_SILENT) return;
  bool collides = now->air[1 - k] != WLAN_SILENT;
  to.air[k] = collides ? WLAN_GARBLED : WLAN_CLEAR;
  if (collides) to.air[1 - k] = WLAN_GARBLED;
  to.station[k].does = (uint8_t)does;
  to.station[k].clock = 0;
  explored_move(all, collides && all->variant == WLAN_COLLISIONS ? 1.0 : 0.0, &to);
}

static inline void wlan_end(explored *all, const wlan_state *now, int k, wlan_does does) {
  wlan_state to = *now;
  to.air[k] = WLAN_SILENT;
  wlan_go(all, &to, k, does);
}

static inline void wlan_backoff(explored *all, const wlan_state *now, int k) {
  wlan_state to = *now;
  struct wlan_station *one = &to.station[k];
  if (one->does == WLAN_DRAWS) {
    explored_row(all, 0.0);
    one->does = WLAN_BACKS_OFF;
    for (one->backoff = 0; one->backoff < WLAN_WINDOW; one->backoff++)
      explored_to(all, &to, 1.0 / WLAN_WINDOW);
  } else if (one->clock == 1 && one->backoff > 0) {
    one->backoff--;
    wlan_go(all, &to, k, WLAN_BACKS_OFF);
  } else if (one->clock == 1) {
    wlan_go(all, &to, k, WLAN_TURNS);
  }
}

static inline void wlan_station_moves(explored *all, const wlan_state *now, int k) {
  const struct wlan_station *one = &now->station[k];
  bool is_free = now->air[0] == WLAN_SILENT && now->air[1] == WLAN_SILENT;
  bool spaced = one->clock == WLAN_DIFS || one->clock == WLAN_DIFS - 1;
  wlan_state to = *now;
  switch ((wlan_does)one->does) {
  case WLAN_SENSES:
    if (spaced) wlan_go(all, now, k, WLAN_TURNS);
    if (!is_free) wlan_go(all, now, k, WLAN_HOLDS);
    break;
  case WLAN_HOLDS:
  case WLAN_FREEZES:
    to.station[k].does = one->does == WLAN_HOLDS ? WLAN_SPACES : WLAN_RESUMES;
    if (is_free) explored_move(all, 0.0, &to);
    break;
  case WLAN_SPACES:
    if (!is_free) wlan_go(all, now, k, WLAN_HOLDS);
    if (spaced) wlan_go(all, now, k, WLAN_DRAWS);
    break;
  case WLAN_DRAWS:
    wlan_backoff(all, now, k);
    break;
  case WLAN_BACKS_OFF:
    wlan_backoff(all, now, k);
    if (!is_free) wlan_go(all, now, k, WLAN_FREEZES);
    break;
  case WLAN_RESUMES:
    if (spaced) wlan_go(all, now, k, WLAN_BACKS_OFF);
    if (!is_free) wlan_go(all, now, k, WLAN_FREEZES);
    break;
  case WLAN_TURNS:
    wlan_send(all, now, k, WLAN_SENDS);
    break;
  case WLAN_SENDS:
    if (one->clock >= WLAN_SHORT)
      wlan_end(all, now, k, now->air[k] == WLAN_CLEAR ? WLAN_ANSWERED : WLAN_UNANSWERED);
    break;
  case WLAN_ANSWERED:
  case WLAN_UNANSWERED:
    to.station[k].does = WLAN_HOLDS;
    if (now->air[k] == WLAN_SILENT && one->clock == 0 && !is_free) explored_move(all, 0.0, &to);
    if (one->does == WLAN_UNANSWERED && one->clock == WLAN_TIMEOUT)
      wlan_go(all, now, k, WLAN_SPACES);
    if (one->does == WLAN_UNANSWERED) break;
    if (one->clock == WLAN_SIFS || (one->clock == WLAN_SIFS - 1 && is_free))
      wlan_send(all, now, k, WLAN_ANSWERED);
    if (now->air[k] == WLAN_CLEAR && (one->clock == WLAN_ACK || one->clock == WLAN_ACK - 1))
      wlan_end(all, now, k, WLAN_DONE);
    break;
  case WLAN_DONE:
    break;
  }
}

static inline void wlan_moves(explored *all, const void *state) {
  const wlan_state *now = state;
  wlan_state to = *now;
  if (wlan_waits(now, 0, &to.station[0]) && wlan_waits(now, 1, &to.station[1]))
    explored_move(all, wlan_slot_pays((wlan_pays)all->variant, now), &to);
  for (int k = 0; k < 2; k++)
    wlan_station_moves(all, now, k);
}

/* done: both have sent */
static inline coh_mdp *wlan(wlan_pays pays, explored *all, uint8_t **done) {
  const wlan_state first = {0};
  *all = (explored){.size = sizeof first, .moves = wlan_moves, .variant = (int)pays};
  coh_mdp *mdp = explore(all, &first);
  *done = calloc((size_t)all->n, 1);
  for (int64_t s = 0; s < all->n; s++) {
    const wlan_state *now = explored_state(all, s);
    (*done)[s] = now->station[0].does == WLAN_DONE && now->station[1].does == WLAN_DONE;
  }
  return mdp;
}

#endif
