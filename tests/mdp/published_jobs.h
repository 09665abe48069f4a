/* Energy-aware job scheduling, as Baier, Daum, Dubslaff, Klein and Klueppelholz (2014) model
 * it, "Energy-utility quantiles": two processes share a critical section that a scheduler
 * grants, plain or boosted, which halves the time for three times the energy. The first
 * process draws on a battery and is useful whenever it leaves the section within its
 * deadline. */
#ifndef COHORT_TESTS_MDP_PUBLISHED_JOBS_H
#define COHORT_TESTS_MDP_PUBLISHED_JOBS_H

#include "explored.h"

enum { JOBS_BATTERY = 100 };
typedef enum jobs_does { JOBS_WAITS, JOBS_WORKS, JOBS_RESTS } jobs_does;

typedef struct jobs_process {
  uint8_t does, time, late; /* time: left of its rest, deadline or work */
} jobs_process;

typedef struct jobs_state {
  jobs_process process[2];
  uint8_t user, boost;     /* who has the section: 0 nobody */
  uint8_t battery, useful; /* useful jobs so far, counted up to the variant */
} jobs_state;

/* where one process goes in a tick: one or two ways, share[] likely */
static inline int jobs_ways(const jobs_state *now, int k, jobs_process to[2], double share[2]) {
  const jobs_process one = now->process[k];
  to[0] = to[1] = one;
  share[0] = share[1] = 1.0 / 3.0;
  int speed = now->boost + 1;
  if (one.does == JOBS_WAITS && now->user == k + 1) { // 2 or 3 ticks of work
    for (uint8_t i = 0; i < 2; i++)
      to[i] = (jobs_process){JOBS_WORKS, (uint8_t)(2 + i),
                             (uint8_t)(k == 0 && 2 + i >= speed * one.time)};
    share[1] = 2.0 / 3.0;
    return 2;
  }
  if (one.does == JOBS_WORKS && one.time == 0) { // rests for 5 or 4
    to[0] = (jobs_process){.does = JOBS_RESTS, .time = 5};
    to[1] = (jobs_process){.does = JOBS_RESTS, .time = 4};
    share[1] = 2.0 / 3.0;
    return 2;
  }
  if (one.does == JOBS_RESTS && one.time == 0) { // asks for the section, due in 7 or 9
    to[0].does = to[1].does = JOBS_WAITS;
    if (k == 1) {
      share[0] = 1.0;
      return 1;
    }
    to[0].time = 7;
    to[1].time = 9;
    share[1] = 2.0 / 3.0;
    return 2;
  }
  int passes = one.does == JOBS_WORKS ? speed : 1;
  to[0].time = (uint8_t)(one.time > passes ? one.time - passes : 0);
  share[0] = 1.0;
  return 1;
}

static inline int jobs_draws(const jobs_state *now) {
  if (now->process[0].does == JOBS_RESTS) return 2;
  if (now->process[0].does == JOBS_WAITS) return 1;
  return now->boost ? 9 : 3;
}

/* a tick in which the section is next granted to `user` */
static inline void jobs_tick(explored *all, const jobs_state *now, int user, int boost) {
  jobs_process to[2][2];
  double share[2][2];
  int n[2];
  for (int k = 0; k < 2; k++)
    n[k] = jobs_ways(now, k, to[k], share[k]);
  const jobs_process *first = &now->process[0];
  bool useful =
      first->does == JOBS_WORKS && first->time == 0 && !first->late && now->battery > 0;
  explored_row(all, useful ? 1.0 : 0.0);
  int draws = jobs_draws(now);
  jobs_state next = *now;
  next.user = (uint8_t)user;
  next.boost = (uint8_t)boost;
  next.battery = (uint8_t)(now->battery > draws ? now->battery - draws : 0);
  if (useful && now->useful < all->variant) next.useful++;
  for (int i = 0; i < n[0]; i++)
    for (int j = 0; j < n[1]; j++) {
      next.process[0] = to[0][i];
      next.process[1] = to[1][j];
      explored_to(all, &next, share[0][i] * share[1][j]);
    }
}

static inline void jobs_moves(explored *all, const void *state) {
  const jobs_state *now = state;
  const jobs_process *user = now->user ? &now->process[now->user - 1] : NULL;
  if (user && !(user->does == JOBS_WORKS && user->time == 0)) {
    jobs_tick(all, now, now->user, now->boost);
    return;
  }
  bool asked = false;
  for (int k = 0; k < 2; k++)
    for (int boost = 0; boost < 2; boost++)
      if (now->process[k].does == JOBS_WAITS) {
        jobs_tick(all, now, k + 1, boost);
        asked = true;
      }
  if (!asked) jobs_tick(all, now, 0, 0);
}

/* spent: the battery is empty; enough: and `count` jobs were useful */
static inline coh_mdp *jobs(int count, explored *all, uint8_t **spent, uint8_t **enough) {
  const jobs_state first = {.process = {{.does = JOBS_RESTS}, {.does = JOBS_RESTS}},
                            .battery = JOBS_BATTERY};
  *all = (explored){.size = sizeof first, .moves = jobs_moves, .variant = count};
  coh_mdp *mdp = explore(all, &first);
  *spent = calloc((size_t)all->n, 1);
  *enough = calloc((size_t)all->n, 1);
  for (int64_t s = 0; s < all->n; s++) {
    const jobs_state *now = explored_state(all, s);
    (*spent)[s] = now->battery == 0;
    (*enough)[s] = now->battery == 0 && now->useful >= count;
  }
  return mdp;
}

#endif
