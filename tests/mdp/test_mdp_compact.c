/* Compact rows: patterns give the bits of plain rows, single precision stays inside a bound
 * that knows of it, and what does not fit is said. */
#include "tests_mdp.h"

#include <string.h>

#include "base/alloc.h"
#include "base/choice.h"
#include "cohort/random.h"
#include "mdp/mdp_compact.h"
#include "mdp/plan.h"

typedef struct swept {
  double *next, low, high;
  int32_t *choice;
} swept;

static swept sweep(const coh_mdp *mdp, bool minimize, bool choose, const double *values) {
  swept s = {.next = coh_alloc_array((size_t)mdp->n_states, sizeof(double)),
             .choice = coh_alloc_array((size_t)mdp->n_states, sizeof(int32_t))};
  coh_mdp_sweep(mdp, minimize, 2, values, s.next, choose ? s.choice : NULL, &s.low, &s.high);
  return s;
}

static void clear(swept *s) {
  coh_free(s->next);
  coh_free(s->choice);
}

static double *some_values(const coh_mdp *mdp) {
  double *values = coh_alloc_array((size_t)mdp->n_states, sizeof *values);
  coh_stream stream = coh_stream_begin(coh_key_make(5, "test"), 0, 0);
  for (int64_t s = 0; s < mdp->n_states; s++)
    values[s] = 20.0 * coh_stream_uniform(&stream) - 10.0;
  return values;
}

/* by hand, from the definition */
static double value_of(const coh_mdp *mdp, bool minimize, int64_t s, const double *values) {
  double best = minimize ? INFINITY : -INFINITY;
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
    double sum = 0.0;
    for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++)
      sum += mdp->probability[e] * values[mdp->next[e]];
    double q = mdp->reward[r] + mdp->discount * sum;
    best = minimize ? fmin(best, q) : fmax(best, q);
  }
  return best;
}

static void patterns_give_the_same_bits_in(coh_mdp *mdp) {
  double *values = some_values(mdp);
  size_t n = (size_t)mdp->n_states;
  for (int minimize = 0; minimize < 2; minimize++) {
    assert_ok(coh_mdp_compress(mdp, COH_MDP_PLAIN));
    swept plain = sweep(mdp, minimize, true, values);
    for (int64_t s = 0; s < mdp->n_states; s++)
      assert_true(fabs(plain.next[s] - value_of(mdp, minimize, s, values)) < 1e-12);
    for (int choose = 0; choose < 2; choose++)
      for (int form = 0; form < 2; form++) {
        assert_ok(coh_mdp_compress(mdp, (coh_mdp_form)form));
        swept other = sweep(mdp, minimize, choose, values);
        assert_memory_equal(plain.next, other.next, n * sizeof(double));
        if (choose) assert_memory_equal(plain.choice, other.choice, n * sizeof(int32_t));
        assert_true(plain.low == other.low && plain.high == other.high);
        clear(&other);
      }
    clear(&plain);
  }
  coh_free(values);
}

/* rows of every length from 1 to 9, one to six actions, eight patterns of each length */
static coh_mdp *mixed_model(void) {
  enum { N = 3000 };
  coh_mdp_builder *builder;
  coh_mdp *mdp;
  coh_stream stream = coh_stream_begin(coh_key_make(3, "test"), 0, 0);
  assert_ok(coh_mdp_build(N, 0.95, &builder));
  for (int64_t s = 0; s < N; s++)
    for (int32_t a = 0; a < 1 + (int32_t)(s % 6); a++) {
      int64_t n = 1 + coh_stream_below(&stream, 9), kind = coh_stream_below(&stream, 8);
      assert_ok(coh_mdp_add_row(builder, s, a, coh_stream_uniform(&stream)));
      for (int64_t k = 0; k < n; k++) {
        int64_t weight = 1 + (k + kind) % n, next = s + 11 * k - 40;
        assert_ok(coh_mdp_add_entry(builder,
                                    next < 0    ? next + 200
                                    : next >= N ? next - 200
                                                : next,
                                    (double)(2 * weight) / (double)(n * (n + 1)), 0.0));
      }
    }
  assert_ok(coh_mdp_finish(&builder, &mdp));
  return mdp;
}

static void patterns_give_the_same_bits(void **state) {
  (void)state;
  coh_mdp_grid grid = {.n_rows = 60,
                       .n_cols = 70,
                       .slip = 0.2,
                       .step_reward = -1,
                       .seed = 4,
                       .obstacles = 0.2,
                       .discount = 0.97};
  coh_mdp *mdp;
  assert_ok(coh_mdp_make_grid(&grid, &mdp));
  patterns_give_the_same_bits_in(mdp);
  coh_mdp_destroy(&mdp);
  mdp = mixed_model();
  assert_int_equal(mdp->row_length, 0);
  patterns_give_the_same_bits_in(mdp);
  coh_mdp_destroy(&mdp);
  // rows of eight have a loop of their own
  assert_ok(coh_mdp_make_random(&(coh_mdp_random){5000, 5, 8, 300, 1, 0.9}, &mdp));
  assert_int_equal(mdp->row_length, 8);
  for (int64_t r = 64; r < mdp->n_rows; r++)
    memcpy(mdp->probability + 8 * r, mdp->probability + 8 * (r % 64), 8 * sizeof(double));
  patterns_give_the_same_bits_in(mdp);
  coh_mdp_destroy(&mdp);
}

static void single_precision_errs_by_what_it_says(void **state) {
  (void)state;
  coh_mdp *models[] = {NULL, mixed_model()};
  assert_ok(coh_mdp_make_random(&(coh_mdp_random){5000, 3, 8, 300, 1, 0.9}, &models[0]));
  for (int k = 0; k < 2; k++) {
    coh_mdp *mdp = models[k];
    double *values = some_values(mdp);
    swept plain = sweep(mdp, false, true, values);
    assert_ok(coh_mdp_compress(mdp, COH_MDP_SINGLE));
    assert_true(mdp->compact->error > 0.0 && mdp->compact->error < 1e-7);
    swept single = sweep(mdp, false, true, values);
    double furthest = 0.0;
    for (int64_t s = 0; s < mdp->n_states; s++)
      furthest = fmax(furthest, fabs(single.next[s] - plain.next[s]));
    assert_true(furthest > 0.0);
    assert_true(furthest <= mdp->discount * mdp->compact->error * 10.0 + 1e-14);
    clear(&plain);
    clear(&single);
    coh_free(values);
    coh_mdp_destroy(&mdp);
  }
}

/* a tolerance that single precision can reach, and one that needs the rows as they are */
static void single_precision_stays_inside_the_bound(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_choice method;
  assert_ok(coh_mdp_make_random(&(coh_mdp_random){3000, 3, 8, 200, 2, 0.95}, &mdp));
  coh_mdp_solution truth;
  assert_ok(coh_mdp_solve(mdp, &(coh_mdp_solve_options){.tolerance = 1e-11}, &truth));
  assert_ok(coh_mdp_compress(mdp, COH_MDP_SINGLE));
  assert_ok(coh_choice_parse("test", &coh_mdp_method_kinds, "value_iteration", &method));
  const double tolerance[2] = {1e-3, 1e-9};
  for (int k = 0; k < 2; k++) {
    coh_mdp_plan *plan;
    coh_mdp_solve_options options = {.tolerance = tolerance[k], .n_threads = 2};
    assert_ok(coh_mdp_plan_create(mdp, &method, &options, &plan));
    while (!plan->is_done)
      assert_ok(coh_mdp_plan_step(plan));
    assert_true(plan->width <= tolerance[k]);
    assert_int_equal(plan->is_exact, k == 1);
    for (int64_t s = 0; s < mdp->n_states; s++)
      assert_true(fabs(plan->values[s] - truth.values[s]) <= 0.5 * plan->width + 1e-11);
    coh_mdp_plan_destroy(&plan);
  }
  coh_choice_clear(&method);
  coh_mdp_solution_clear(&truth);
  coh_mdp_destroy(&mdp);
}

static void what_does_not_fit_is_said(void **state) {
  (void)state;
  coh_mdp *mdp;
  assert_ok(coh_mdp_make_random(&(coh_mdp_random){40000, 2, 4, 50, 2, 0.95}, &mdp));
  assert_fails(coh_mdp_compress(mdp, COH_MDP_PATTERNS), COH_E_DATA, "too many patterns");
  assert_null(mdp->compact);
  coh_mdp_destroy(&mdp);
  assert_ok(coh_mdp_make_random(&(coh_mdp_random){80000, 1, 2, 0, 2, 0.95}, &mdp));
  assert_fails(coh_mdp_compress(mdp, COH_MDP_SINGLE), COH_E_DATA, "reach 32767 states far");
  assert_null(mdp->compact);
  coh_mdp_destroy(&mdp);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(patterns_give_the_same_bits),
      cmocka_unit_test(single_precision_errs_by_what_it_says),
      cmocka_unit_test(single_precision_stays_inside_the_bound),
      cmocka_unit_test(what_does_not_fit_is_said),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
