/* Models of textbooks: forest, gambler, car rental, queue. */
#include <math.h>

#include "base/alloc.h"
#include "cohort/mdp.h"

/* Hand over what was built, or give up. */
static coh_status conclude(coh_status status, coh_mdp_builder **builder, coh_mdp **mdp) {
  if (status == COH_OK) return coh_mdp_finish(builder, mdp);
  coh_mdp_discard(builder);
  return status;
}

static coh_status add_forest(coh_mdp_builder *builder, int64_t n, double r1, double r2,
                             double p) {
  for (int64_t s = 0; s < n; s++) {
    bool oldest = s == n - 1;
    COH_TRY(coh_mdp_add_row(builder, s, 0, oldest ? r1 : 0.0));
    COH_TRY(coh_mdp_add_entry(builder, 0, p, 0.0));
    COH_TRY(coh_mdp_add_entry(builder, oldest ? s : s + 1, 1.0 - p, 0.0));
    COH_TRY(coh_mdp_add_row(builder, s, 1, s == 0 ? 0.0 : oldest ? r2 : 1.0));
    COH_TRY(coh_mdp_add_entry(builder, 0, 1.0, 0.0));
  }
  return COH_OK;
}

coh_status coh_mdp_make_forest(int64_t n_states, double r1, double r2, double p,
                               double discount, coh_mdp **mdp) {
  COH_CHECK(n_states >= 2, COH_E_DATA, "a forest has 2 states or more, not %lld",
            (long long)n_states);
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(n_states, discount, &builder));
  return conclude(add_forest(builder, n_states, r1, r2, p), &builder, mdp);
}

static coh_status add_gambler(coh_mdp_builder *builder, int64_t goal, double p_win) {
  COH_TRY(coh_mdp_add_terminal(builder, 0));
  for (int64_t s = 1; s < goal; s++) {
    int64_t most = s < goal - s ? s : goal - s;
    for (int64_t stake = 1; stake <= most; stake++) {
      COH_TRY(coh_mdp_add_row(builder, s, (int32_t)stake, 0.0));
      COH_TRY(coh_mdp_add_entry(builder, s - stake, 1.0 - p_win, 0.0));
      COH_TRY(coh_mdp_add_entry(builder, s + stake, p_win, s + stake == goal ? 1.0 : 0.0));
    }
  }
  return coh_mdp_add_terminal(builder, goal);
}

coh_status coh_mdp_make_gambler(int64_t goal, double p_win, coh_mdp **mdp) {
  COH_CHECK(goal >= 2 && goal <= 1 << 20, COH_E_DATA, "a gambler's goal is 2 to 2^20, not %lld",
            (long long)goal);
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(goal + 1, 1.0, &builder));
  return conclude(add_gambler(builder, goal, p_win), &builder, mdp);
}

/* ---------------------------------------------------------------------------- car rental -- */

/* One place's day: from n cars in the morning to m in the evening, and what renting earns. */
typedef struct car_place {
  double *chance; /* (capacity + 1) x (capacity + 1) */
  double *income; /* capacity + 1, in rentals */
} car_place;

static double poisson(double mean, int64_t k) {
  return exp((double)k * log(mean) - mean - lgamma((double)k + 1.0));
}

static coh_status plan_place(int64_t capacity, double requests, double returns,
                             car_place *place) {
  enum { FAR = 64 }; // beyond, Poisson's tail is below 1e-50
  int64_t side = capacity + 1;
  COH_NEW(place->chance, side * side);
  COH_NEW(place->income, side);
  for (int64_t n = 0; n < side; n++) {
    double before = 0.0;
    for (int64_t rented = 0; rented <= n; rented++) {
      // the last renting takes all requests that are left
      double chance = rented < n ? poisson(requests, rented) : 1.0 - before;
      before += chance;
      place->income[n] += chance * (double)rented;
      for (int64_t back = 0; back < capacity + FAR; back++) {
        int64_t evening = n - rented + back;
        place->chance[n * side + (evening < capacity ? evening : capacity)] +=
            chance * poisson(returns, back);
      }
    }
  }
  return COH_OK;
}

static coh_status add_cars(coh_mdp_builder *builder, int64_t capacity, int64_t max_move,
                           const car_place place[2]) {
  int64_t side = capacity + 1;
  for (int64_t state = 0; state < side * side; state++)
    for (int64_t move = -max_move; move <= max_move; move++) {
      int64_t cars[2] = {state / side, state % side};
      if (move > cars[0] || -move > cars[1]) continue;
      cars[0] -= move;
      cars[1] += move;
      for (int k = 0; k < 2; k++)
        if (cars[k] > capacity) cars[k] = capacity;
      double reward = 10.0 * (place[0].income[cars[0]] + place[1].income[cars[1]]) -
                      2.0 * (double)(move < 0 ? -move : move);
      COH_TRY(coh_mdp_add_row(builder, state, (int32_t)(move + max_move), reward));
      for (int64_t next = 0; next < side * side; next++)
        COH_TRY(coh_mdp_add_entry(builder, next,
                                  place[0].chance[cars[0] * side + next / side] *
                                      place[1].chance[cars[1] * side + next % side],
                                  0.0));
    }
  return COH_OK;
}

coh_status coh_mdp_make_car_rental(int64_t capacity, int64_t max_move, double discount,
                                   coh_mdp **mdp) {
  COH_CHECK(capacity >= 1 && capacity <= 100 && max_move >= 0 && max_move <= capacity,
            COH_E_DATA, "a car rental with room for %lld cars that moves %lld",
            (long long)capacity, (long long)max_move);
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build((capacity + 1) * (capacity + 1), discount, &builder));
  car_place place[2] = {{0}};
  coh_status status = plan_place(capacity, 3.0, 3.0, &place[0]);
  if (status == COH_OK) status = plan_place(capacity, 4.0, 2.0, &place[1]);
  if (status == COH_OK) status = add_cars(builder, capacity, max_move, place);
  for (int k = 0; k < 2; k++) {
    coh_free(place[k].chance);
    coh_free(place[k].income);
  }
  return conclude(status, &builder, mdp);
}

/* --------------------------------------------------------------------------------- queue -- */

static coh_status add_queue(coh_mdp_builder *builder, const coh_mdp_queue *given) {
  int64_t last = given->n_states - 1;
  for (int64_t s = 0; s <= last; s++)
    for (int32_t fast = 0; fast < 2; fast++) {
      double service = s == 0 ? 0.0 : fast ? given->fast : given->slow;
      double arrival = s == last ? 0.0 : given->arrival;
      double cost = given->hold_cost * (double)s + (fast ? given->fast_cost : 0.0);
      COH_TRY(coh_mdp_add_row(builder, s, fast, -cost));
      if (s > 0) COH_TRY(coh_mdp_add_entry(builder, s - 1, service, 0.0));
      COH_TRY(coh_mdp_add_entry(builder, s, 1.0 - service - arrival, 0.0));
      if (s < last) COH_TRY(coh_mdp_add_entry(builder, s + 1, arrival, 0.0));
    }
  return COH_OK;
}

coh_status coh_mdp_make_queue(const coh_mdp_queue *options, coh_mdp **mdp) {
  COH_CHECK(options->n_states >= 2, COH_E_DATA, "a queue has 2 states or more, not %lld",
            (long long)options->n_states);
  COH_CHECK(options->arrival >= 0.0 && options->slow >= 0.0 && options->slow <= options->fast &&
                options->arrival + options->fast <= 1.0,
            COH_E_DATA, "a queue's probabilities: arrival %g, slow %g, fast %g",
            options->arrival, options->slow, options->fast);
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(options->n_states, options->discount, &builder));
  return conclude(add_queue(builder, options), &builder, mdp);
}

/* ------------------------------------------------------------------------ haddad-monmege -- */

/* State n + k is k steps up (down where negative) from the middle; half of the time a step on a
 * side falls back to the middle. */
static coh_status add_chain(coh_mdp_builder *builder, int64_t n, double p_up) {
  COH_TRY(coh_mdp_add_terminal(builder, 0));
  for (int64_t s = 1; s < 2 * n; s++) {
    COH_TRY(coh_mdp_add_row(builder, s, 0, 1.0));
    COH_TRY(coh_mdp_add_entry(builder,
                              s == n  ? n - 1
                              : s < n ? s - 1
                                      : s + 1,
                              s == n ? 1.0 - p_up : 0.5, 0.0));
    COH_TRY(coh_mdp_add_entry(builder, s == n ? n + 1 : n, s == n ? p_up : 0.5, 0.0));
  }
  return coh_mdp_add_terminal(builder, 2 * n);
}

coh_status coh_mdp_make_haddad_monmege(int64_t n, double p_up, coh_mdp **mdp) {
  COH_CHECK(n >= 1 && n <= 1 << 20, COH_E_DATA, "a chain has 1 to 2^20 steps a side, not %lld",
            (long long)n);
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(2 * n + 1, 1.0, &builder));
  coh_mdp *made = NULL;
  COH_TRY(conclude(add_chain(builder, n, p_up), &builder, &made));
  uint8_t *holds = coh_alloc_array((size_t)(2 * n + 1), 1);
  coh_status status = holds ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  if (status == COH_OK) {
    holds[2 * n] = 1;
    status = coh_mdp_label_add(made, "target", holds);
  }
  if (status == COH_OK) {
    holds[0] = 1;
    status = coh_mdp_label_add(made, "end", holds);
  }
  coh_free(holds);
  if (status != COH_OK)
    coh_mdp_destroy(&made);
  else
    *mdp = made;
  return status;
}
