/* Prioritised sweeping: the state whose update may change most comes first. A round makes as
 * many updates as there are states, or stops when none is worth it. Sources: Moore and Atkeson
 * 1993; Wingate and Seppi 2005. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_incoming.h"
#include "mdp/mdp_state.h"
#include "mdp/plan.h"

typedef struct prioritized_options {
  double share;
} prioritized_options;

static const coh_option table[] = {
    {.name = "share",
     .type = COH_REAL,
     .offset = offsetof(prioritized_options, share),
     .initial = "1e-2",
     .min = 1e-12,
     .max = 0.999,
     .doc = "Updates below this share of the round's largest are left for the next round."},
    {0},
};

typedef struct prioritized_state {
  coh_mdp_incoming *incoming;
  double *priority; /* n_states */
  uint32_t *heap;   /* states, the greatest priority first */
  uint32_t *place;  /* n_states: where in the heap */
  int64_t n;
} prioritized_state;

static coh_status create(coh_mdp_plan *plan) {
  prioritized_state *own;
  COH_NEW(own, 1);
  plan->own = own;
  COH_NEW(own->priority, plan->mdp->n_states);
  COH_NEW(own->heap, plan->mdp->n_states);
  COH_NEW(own->place, plan->mdp->n_states);
  return coh_mdp_incoming_create(plan->mdp, &own->incoming);
}

static void destroy(coh_mdp_plan *plan) {
  prioritized_state *own = plan->own;
  if (!own) return;
  coh_mdp_incoming_destroy(&own->incoming);
  coh_free(own->priority);
  coh_free(own->heap);
  coh_free(own->place);
  coh_free(own);
}

static void put(prioritized_state *own, int64_t at, uint32_t s) {
  own->heap[at] = s;
  own->place[s] = (uint32_t)at;
}

static void sift_down(prioritized_state *own, int64_t at) {
  uint32_t s = own->heap[at];
  for (int64_t child; (child = 2 * at + 1) < own->n; at = child) {
    if (child + 1 < own->n &&
        own->priority[own->heap[child + 1]] > own->priority[own->heap[child]])
      child++;
    if (own->priority[s] >= own->priority[own->heap[child]]) break;
    put(own, at, own->heap[child]);
  }
  put(own, at, s);
}

static void sift_up(prioritized_state *own, int64_t at) {
  uint32_t s = own->heap[at];
  for (int64_t up; at > 0; at = up) {
    up = (at - 1) / 2;
    if (own->priority[own->heap[up]] >= own->priority[s]) break;
    put(own, at, own->heap[up]);
  }
  put(own, at, s);
}

static void update(coh_mdp_plan *plan, prioritized_state *own, uint32_t s) {
  const coh_mdp *mdp = plan->mdp;
  double value = coh_mdp_state_value(mdp, plan->minimize, s, plan->values);
  double change = mdp->discount * fabs(value - plan->values[s]);
  plan->values[s] = value;
  plan->n_transitions += coh_mdp_state_entries(mdp, s);
  own->priority[s] = 0.0;
  sift_down(own, own->place[s]);
  const coh_mdp_incoming *incoming = own->incoming;
  for (int64_t k = incoming->first[s]; k < incoming->first[s + (int64_t)1]; k++) {
    uint32_t row = incoming->row[k], from = incoming->state[row];
    double priority = coh_mdp_chance(mdp, row, s) * change;
    if (priority <= own->priority[from]) continue;
    own->priority[from] = priority;
    sift_up(own, own->place[from]);
  }
}

static coh_status advance(coh_mdp_plan *plan) {
  const prioritized_options *options = plan->options;
  prioritized_state *own = plan->own;
  int64_t n = plan->mdp->n_states;
  own->n = n;
  for (int64_t s = 0; s < n; s++) {
    own->priority[s] = fabs(plan->next[s] - plan->values[s]);
    put(own, s, (uint32_t)s);
  }
  for (int64_t at = n / 2 - 1; at >= 0; at--)
    sift_down(own, at);
  double least = options->share * own->priority[own->heap[0]];
  for (int64_t k = 0; k < n && own->priority[own->heap[0]] > least; k++)
    update(plan, own, own->heap[0]);
  return COH_OK;
}

const coh_mdp_method coh_mdp_prioritized = {
    .kind =
        {"prioritized",
         "Updates where they change most, by a heap (Moore and Atkeson 1993). Every rank holds "
         "the whole model.",
         table, sizeof(prioritized_options)},
    .whole = true,
    .create = create,
    .destroy = destroy,
    .advance = advance};
