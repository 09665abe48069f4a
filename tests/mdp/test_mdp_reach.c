/* Undiscounted bounds against closed forms. */
#include <string.h>

#include "base/choice.h"
#include "cohort/env.h"
#include "mdp/mdp_chain.h"
#include "published_jobs.h"
#include "published_models.h"
#include "published_wlan.h"
#include "published_zeroconf.h"
#include "tests_mdp.h"

static void assert_between(const coh_mdp_bounds *bounds, int64_t s, double truth) {
  assert_true(bounds->lower[s] <= truth && truth <= bounds->upper[s]);
}

/* 0.7 and 3 2^(n-1) - 2 steps: changes are tiny long before the answer is near. */
static void the_trap_is_inside_its_bound(void **state) {
  (void)state;
  coh_mdp *mdp;
  assert_ok(coh_mdp_make_haddad_monmege(20, 0.7, &mdp));
  coh_mdp_bounds bounds;
  coh_mdp_solve_options options = {.tolerance = 1e-2};
  assert_ok(coh_mdp_reach(mdp, coh_mdp_label_find(mdp, "target"), &options, &bounds));
  assert_between(&bounds, 20, 0.7);
  assert_true(bounds.width <= 1e-2);
  coh_mdp_bounds_clear(&bounds);
  assert_ok(coh_mdp_total_until(mdp, coh_mdp_label_find(mdp, "end"), &options, &bounds));
  assert_between(&bounds, 20, 1572862.0);
  assert_true(bounds.width <= 1e-2);
  coh_mdp_bounds_clear(&bounds);
  // one end alone is missed with probability 0.3
  assert_ok(coh_mdp_total_until(mdp, coh_mdp_label_find(mdp, "target"), &options, &bounds));
  assert_true(isinf(bounds.lower[20]) && isinf(bounds.upper[20]));
  coh_mdp_bounds_clear(&bounds);
  coh_mdp_destroy(&mdp);
}

static void gamblers_chances(void **state) {
  (void)state;
  const double p_win[2] = {0.4, 0.25};
  for (int k = 0; k < 2; k++) {
    coh_mdp *mdp;
    double p = p_win[k];
    assert_ok(coh_mdp_make_gambler(100, p, &mdp));
    uint8_t goal[101] = {0}, end[101] = {1};
    goal[100] = end[100] = 1;
    coh_mdp_bounds reach, total;
    coh_mdp_solve_options options = {.tolerance = 1e-10};
    assert_ok(coh_mdp_reach(mdp, goal, &options, &reach));
    assert_ok(coh_mdp_total_until(mdp, end, &options, &total));
    const double truth[3] = {p * p, p, p + (1.0 - p) * p};
    for (int q = 0; q < 3; q++) {
      int64_t s = 25 * (q + 1);
      assert_within(0.5 * (reach.lower[s] + reach.upper[s]), truth[q], 1e-9 * truth[q]);
      assert_within(0.5 * (total.lower[s] + total.upper[s]), truth[q], 1e-9 * truth[q]);
    }
    coh_mdp_bounds_clear(&reach);
    coh_mdp_bounds_clear(&total);
    coh_mdp_destroy(&mdp);
  }
}

/* State 0 may wait for ever (free or paid), or try for 2 with chance 1/2, else lose in 1. */
static coh_mdp *waiting_room(double wait) {
  coh_mdp *mdp;
  coh_mdp_builder *builder;
  assert_ok(coh_mdp_build(3, 1.0, &builder));
  assert_ok(coh_mdp_add_row(builder, 0, 0, wait));
  assert_ok(coh_mdp_add_entry(builder, 0, 1.0, 0.0));
  assert_ok(coh_mdp_add_row(builder, 0, 1, 3.0));
  assert_ok(coh_mdp_add_entry(builder, 1, 0.5, 0.0));
  assert_ok(coh_mdp_add_entry(builder, 2, 0.5, 0.0));
  assert_ok(coh_mdp_add_terminal(builder, 1));
  assert_ok(coh_mdp_add_terminal(builder, 2));
  assert_ok(coh_mdp_finish(&builder, &mdp));
  return mdp;
}

static void waiting_is_never_mistaken_for_an_answer(void **state) {
  (void)state;
  const uint8_t win[3] = {0, 0, 1}, end[3] = {0, 1, 1};
  coh_mdp *mdp = waiting_room(1.0), *free_room = waiting_room(0.0);
  coh_mdp_bounds bounds;
  coh_mdp_solve_options least = {.minimize = true};
  assert_ok(coh_mdp_reach(mdp, win, &least, &bounds));
  assert_true(bounds.lower[0] == 0.0 && bounds.upper[0] == 0.0 && bounds.lower[2] == 1.0);
  coh_mdp_bounds_clear(&bounds);
  // greatest: 1/2, though a loop that waits is always as good
  assert_ok(coh_mdp_reach(mdp, win, NULL, &bounds));
  assert_between(&bounds, 0, 0.5);
  assert_true(bounds.width <= 1e-6 && bounds.choice[0] == 1);
  coh_mdp_bounds_clear(&bounds);
  assert_ok(coh_mdp_total_until(mdp, end, &least, &bounds));
  assert_between(&bounds, 0, 3.0);
  coh_mdp_bounds_clear(&bounds);
  assert_ok(coh_mdp_total_until(mdp, end, NULL, &bounds));
  assert_true(isinf(bounds.lower[0]));
  coh_mdp_bounds_clear(&bounds);
  // waiting is free, but never ends: the end costs 3
  assert_ok(coh_mdp_total_until(free_room, end, &least, &bounds));
  assert_between(&bounds, 0, 3.0);
  assert_int_equal(bounds.choice[0], 1);
  coh_mdp_bounds_clear(&bounds);
  // with no end asked for, waiting is best, and trying is best when it pays
  assert_ok(coh_mdp_total_until(free_room, NULL, &least, &bounds));
  assert_true(bounds.upper[0] == 0.0 && bounds.choice[0] == 0);
  coh_mdp_bounds_clear(&bounds);
  assert_ok(coh_mdp_total_until(free_room, NULL, NULL, &bounds));
  assert_between(&bounds, 0, 3.0);
  assert_int_equal(bounds.choice[0], 1);
  coh_mdp_bounds_clear(&bounds);
  assert_ok(coh_mdp_total_until(mdp, NULL, NULL, &bounds));
  assert_true(isinf(bounds.lower[0]) && bounds.choice[0] == 0);
  coh_mdp_bounds_clear(&bounds);
  coh_mdp_destroy(&mdp);
  coh_mdp_destroy(&free_room);
}

/* the policy that comes with a bound reaches it, judged as a chain of its own */
static void check_policy(const coh_mdp *mdp, const uint8_t *target, bool pays,
                         const coh_mdp_bounds *bounds, bool minimize) {
  coh_mdp *chain;
  coh_mdp_bounds worth;
  assert_ok(coh_mdp_chain_make(mdp, (coh_mdp_policy){.choice = bounds->choice}, &chain));
  assert_ok((pays ? coh_mdp_total_until : coh_mdp_reach)(chain, target, NULL, &worth));
  for (int64_t s = 0; s < mdp->n_states; s++) {
    double scale = 2e-6 * fmax(1.0, pays ? bounds->upper[s] : 1.0);
    if (isinf(bounds->lower[s]))
      assert_true(isinf(worth.lower[s]) || minimize);
    else if (minimize)
      assert_true(worth.lower[s] <= bounds->upper[s] + scale);
    else
      assert_true(worth.upper[s] >= bounds->lower[s] - scale);
  }
  coh_mdp_bounds_clear(&worth);
  coh_mdp_destroy(&chain);
}

static void frozen_lake_undiscounted(void **state) {
  (void)state;
  static const char *const map[2] = {"{frozen_lake: {map: 4x4}}", "{frozen_lake: {map: 8x8}}"};
  const double truth[2] = {14.0 / 17.0, 1.0};
  for (int k = 0; k < 2; k++) {
    coh_choice choice;
    coh_mdp *mdp;
    coh_mdp_bounds bounds;
    assert_ok(coh_choice_parse("test", &coh_env_kinds, map[k], &choice));
    assert_ok(coh_mdp_from_env(&choice, 1.0, &mdp));
    coh_mdp_solve_options options = {.tolerance = 1e-10};
    const uint8_t *goal = coh_mdp_label_find(mdp, "goal");
    assert_ok(coh_mdp_reach(mdp, goal, &options, &bounds));
    assert_between(&bounds, 0, truth[k]);
    assert_true(bounds.upper[0] - bounds.lower[0] <= 1e-9 * truth[k]);
    check_policy(mdp, goal, false, &bounds, false);
    coh_mdp_bounds_clear(&bounds);
    // the goal pays 1: the same as a total
    assert_ok(coh_mdp_total_until(mdp, NULL, &options, &bounds));
    assert_between(&bounds, 0, truth[k]);
    coh_mdp_bounds_clear(&bounds);
    coh_mdp_destroy(&mdp);
    coh_choice_clear(&choice);
  }
}

static void assert_value(const coh_mdp_bounds *bounds, double truth) {
  assert_between(bounds, 0, truth);
  assert_true(bounds->upper[0] - bounds->lower[0] <= 2e-9 * truth);
}

static void check_coin(int n, int64_t n_states, double one, double apart, double most,
                       double least) {
  uint8_t *all_one, *differ, *done;
  coh_mdp *mdp = shared_coin(n, 2, &all_one, &differ, &done);
  assert_int_equal(mdp->n_states, n_states);
  coh_mdp_bounds bounds;
  coh_mdp_solve_options min = {.minimize = true, .tolerance = 1e-10},
                        max = {.tolerance = 1e-10};
  assert_ok(coh_mdp_reach(mdp, all_one, &min, &bounds));
  assert_value(&bounds, one);
  check_policy(mdp, all_one, false, &bounds, true);
  coh_mdp_bounds_clear(&bounds);
  assert_ok(coh_mdp_reach(mdp, differ, &max, &bounds));
  assert_value(&bounds, apart);
  check_policy(mdp, differ, false, &bounds, false);
  coh_mdp_bounds_clear(&bounds);
  max.tolerance = min.tolerance = 1e-9;
  assert_ok(coh_mdp_total_until(mdp, done, &max, &bounds));
  assert_value(&bounds, most);
  coh_mdp_bounds_clear(&bounds);
  assert_ok(coh_mdp_total_until(mdp, done, &min, &bounds));
  assert_value(&bounds, least);
  check_policy(mdp, done, true, &bounds, true);
  coh_mdp_bounds_clear(&bounds);
  coh_mdp_destroy(&mdp);
  free(all_one);
  free(differ);
  free(done);
}

static void shared_coins(void **state) {
  (void)state;
  check_coin(2, 272, 49.0 / 128.0, 13.0 / 120.0, 75.0, 48.0);
  check_coin(4, 22656, 325.0 / 1024.0, 170112531.0 / 577765376.0, 363.0, 192.0);
}

/* Herman's ring needs 4/27 n^2 steps from three tokens at equal distances, the worst start */
static void herman(void **state) {
  (void)state;
  uint8_t *stable;
  coh_mdp *mdp = herman_ring(15, &stable);
  coh_mdp_bounds bounds;
  assert_ok(
      coh_mdp_total_until(mdp, stable, &(coh_mdp_solve_options){.tolerance = 1e-10}, &bounds));
  double worst = 0.0;
  for (int64_t s = 0; s < mdp->n_states; s++)
    worst = fmax(worst, 0.5 * (bounds.lower[s] + bounds.upper[s]));
  assert_within(worst, 100.0 / 3.0, 1e-9 * 100.0 / 3.0);
  coh_mdp_bounds_clear(&bounds);
  coh_mdp_destroy(&mdp);
  free(stable);
}

/* a model as it is published: its size, as Storm counts it, and what is asked of it */
static void check_published(coh_mdp *mdp, explored *all, const int64_t size[3]) {
  assert_int_equal(mdp->n_states, size[0]);
  assert_int_equal(all->n_rows, size[1]);
  assert_int_equal(all->n_entries, size[2]);
  explored_clear(all);
}

typedef struct asked {
  bool pays, minimize;
  double tolerance, truth; /* tolerance: of totals relative */
} asked;

static void check_asked(const coh_mdp *mdp, const uint8_t *target, asked what) {
  coh_mdp_bounds bounds;
  coh_mdp_solve_options options = {.minimize = what.minimize, .tolerance = what.tolerance};
  assert_ok((what.pays ? coh_mdp_total_until : coh_mdp_reach)(mdp, target, &options, &bounds));
  assert_value(&bounds, what.truth);
  check_policy(mdp, target, what.pays, &bounds, what.minimize);
  coh_mdp_bounds_clear(&bounds);
}

/* the longest and the shortest time until both stations have sent, of any order of events */
static void colliding_stations(void **state) {
  (void)state;
  uint8_t *done;
  explored all;
  coh_mdp *mdp = csma_bus(&all, &done);
  check_published(mdp, &all, (int64_t[]){1038, 1054, 1282});
  check_asked(mdp, done, (asked){true, false, 1e-10, 227630345357.0 / 3221225472.0});
  check_asked(mdp, done, (asked){true, true, 1e-10, 53954981353.0 / 805306368.0});
  coh_mdp_destroy(&mdp);
  free(done);
}

/* the chance that a host ends with an address that is another's */
static void addresses_without_a_server(void **state) {
  (void)state;
  uint8_t *wrong;
  explored all;
  coh_mdp *mdp = zeroconf(&all, &wrong);
  check_published(mdp, &all, (int64_t[]){670, 827, 997});
  check_asked(mdp, wrong, (asked){false, false, 1e-13, 65341.0 / 64089341.0});
  check_asked(mdp, wrong, (asked){false, true, 1e-13, 6859.0 / 64030859.0});
  coh_mdp_destroy(&mdp);
  free(wrong);
}

/* microseconds, cost and collisions until both stations have sent */
static void stations_on_the_air(void **state) {
  (void)state;
  const struct {
    wlan_pays pays;
    asked what;
  } of[] = {
      {WLAN_TIME, {true, false, 1e-10, 79630.0 / 21.0}},
      {WLAN_TIME, {true, true, 1e-10, 1325.0}},
      {WLAN_COST, {true, false, 1e-10, 5852200.0 / 209.0}},
      {WLAN_COST, {true, true, 1e-10, 7625.0}},
      {WLAN_COLLISIONS, {true, false, 1e-10, 256.0 / 209.0}},
  };
  for (size_t k = 0; k < sizeof of / sizeof *of; k++) {
    uint8_t *done;
    explored all;
    coh_mdp *mdp = wlan(of[k].pays, &all, &done);
    check_published(mdp, &all, (int64_t[]){2954, 3972, 5202});
    check_asked(mdp, done, of[k].what);
    coh_mdp_destroy(&mdp);
    free(done);
  }
}

/* the most useful jobs that a battery is good for, and the chance of five */
static void jobs_on_a_battery(void **state) {
  (void)state;
  uint8_t *spent, *enough;
  explored all;
  coh_mdp *mdp = jobs(0, &all, &spent, &enough);
  check_published(mdp, &all, (int64_t[]){12828, 14649, 21795});
  check_asked(mdp, spent, (asked){true, false, 1e-10, 26428.0 / 6561.0});
  coh_mdp_destroy(&mdp);
  free(spent);
  free(enough);
  mdp = jobs(5, &all, &spent, &enough);
  explored_clear(&all);
  check_asked(mdp, enough, (asked){false, false, 1e-12, 184.0 / 6561.0});
  coh_mdp_destroy(&mdp);
  free(spent);
  free(enough);
}

/* costs are negative rewards: the shortest ways of a gridworld; both signs are refused */
static void totals_of_either_sign(void **state) {
  (void)state;
  coh_mdp *mdp = small_gridworld();
  coh_mdp_bounds bounds;
  assert_ok(coh_mdp_total_until(mdp, NULL, NULL, &bounds));
  assert_between(&bounds, 6, -3.0);
  assert_between(&bounds, 1, -1.0);
  assert_true(bounds.upper[0] == 0.0);
  coh_mdp_bounds_clear(&bounds);
  coh_mdp_solve_options least = {.minimize = true};
  assert_ok(coh_mdp_total_until(mdp, NULL, &least, &bounds));
  assert_true(bounds.lower[6] == -INFINITY); // walking into a wall for ever
  coh_mdp_bounds_clear(&bounds);
  mdp->reward[4] = 1.0;
  assert_fails(coh_mdp_total_until(mdp, NULL, NULL, &bounds), COH_E_DATA, "both signs");
  coh_mdp_destroy(&mdp);
}

/* the random policy of the same world: -14, -18, -20, -22 inside bounds */
static void a_policy_inside_bounds(void **state) {
  (void)state;
  coh_mdp *mdp = small_gridworld(), *chain;
  assert_ok(coh_mdp_chain_make(mdp, (coh_mdp_policy){0}, &chain));
  coh_mdp_bounds bounds;
  assert_ok(
      coh_mdp_total_until(chain, NULL, &(coh_mdp_solve_options){.tolerance = 1e-10}, &bounds));
  assert_between(&bounds, 1, -14.0);
  assert_between(&bounds, 2, -20.0);
  assert_between(&bounds, 3, -22.0);
  assert_between(&bounds, 5, -18.0);
  assert_true(bounds.width <= 1e-10);
  coh_mdp_bounds_clear(&bounds);
  coh_mdp_destroy(&chain);
  coh_mdp_destroy(&mdp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_trap_is_inside_its_bound),
      cmocka_unit_test(gamblers_chances),
      cmocka_unit_test(waiting_is_never_mistaken_for_an_answer),
      cmocka_unit_test(frozen_lake_undiscounted),
      cmocka_unit_test(totals_of_either_sign),
      cmocka_unit_test(a_policy_inside_bounds),
      cmocka_unit_test(herman),
      cmocka_unit_test(colliding_stations),
      cmocka_unit_test(addresses_without_a_server),
      cmocka_unit_test(stations_on_the_air),
      cmocka_unit_test(jobs_on_a_battery),
      cmocka_unit_test(shared_coins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
