/* A queue with a service of two speeds. */
#include "mdp/model_kind.h"

typedef struct queue_options {
  int64_t states;
  double arrival, slow, fast, hold_cost, fast_cost;
} queue_options;

#define FIELD(member) .offset = offsetof(queue_options, member)
static const coh_option table[] = {
    {.name = "states",
     .type = COH_INT,
     FIELD(states),
     .initial = "1000",
     .min = 2,
     .max = 4e9,
     .doc = "Lengths of the queue, 0 among them."},
    {.name = "arrival",
     .type = COH_REAL,
     FIELD(arrival),
     .initial = "0.3",
     .max = 1,
     .doc = "Chance of an arrival in a step."},
    {.name = "slow",
     .type = COH_REAL,
     FIELD(slow),
     .initial = "0.25",
     .max = 1,
     .doc = "Chance that slow service ends."},
    {.name = "fast",
     .type = COH_REAL,
     FIELD(fast),
     .initial = "0.5",
     .max = 1,
     .doc = "Chance that fast service ends."},
    {.name = "hold_cost",
     .type = COH_REAL,
     FIELD(hold_cost),
     .initial = "1",
     .max = 1e100,
     .doc = "Cost of a step and of each who waits."},
    {.name = "fast_cost",
     .type = COH_REAL,
     FIELD(fast_cost),
     .initial = "20",
     .max = 1e100,
     .doc = "Cost of a step of fast service on top."},
    {0},
};

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  (void)seed;
  const queue_options *o = given;
  coh_mdp_queue queue = {o->states,    o->arrival,   o->slow, o->fast,
                         o->hold_cost, o->fast_cost, discount};
  return coh_mdp_make_queue(&queue, mdp);
}

const coh_mdp_model_kind coh_mdp_model_queue = {
    .kind = {"queue",
             "A queue whose service is slow or, for a price, fast; rewards are costs, "
             "negated.",
             table, sizeof(queue_options)},
    .make = make};
