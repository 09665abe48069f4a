/* Car on the hill against known answers: its dynamics from Newton's law on the curve, and the
 * best returns from the 289 start states by a search that knows nothing of the environment's
 * code. Published for it: the mean of J* is 0.36 (Ernst et al. 2005, figure 8); -0.5 at rest
 * needs 19 steps, so J* = 0.95^18 there. */
#include "cohort_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/env.h"

// the hill's height, differentiated by differences
static double height(double p) {
  return p < 0 ? p * p + p : p / sqrt(1 + 5 * p * p);
}

static double slope_of(double p) {
  const double h = 1e-6;
  return p < 0 && p > -h ? 1 : (height(p + h) - height(p - h)) / (2 * h);
}

static double bend_of(double p) {
  const double h = 1e-4;
  if (p < 0) return 2;
  double at = p < h ? h : p;
  return (height(at + h) - 2 * height(at) + height(at - h)) / (h * h);
}

// against the equation of motion with derivatives of the height by differences, fine steps
static void car_on_the_hill_obeys_newton(void **state) {
  (void)state;
  coh_env *env = NULL;
  assert_ok(coh_env_create_named("car_on_the_hill", 1, 0, 1, &env));
  float row[2], reward;
  uint8_t terminated, truncated;
  coh_env_reset(env, row);
  assert_within(row[0], -0.5, 0);
  for (int k = 0; k < 12; k++) {
    int32_t action = k / 3 % 2;
    double p = (double)row[0], s = (double)row[1], u = action ? 4 : -4;
    assert_ok(coh_env_step(env, &action, row, &reward, &terminated, &truncated));
    for (int i = 0; i < 10000; i++) {
      double slope = slope_of(p), bend = bend_of(p);
      double change = (u - 9.81 * slope - s * s * slope * bend) / (1 + slope * slope);
      p += 1e-5 * s;
      s += 1e-5 * change;
    }
    assert_within(row[0], p, 3e-3);
    assert_within(row[1], s, 3e-2);
  }
  coh_env_destroy(&env);
}

// ---- the best return, by breadth-first search over small cells ------------------------------

enum { P_CELLS = 160, S_CELLS = 240, N_CELLS = P_CELLS * S_CELLS, MOST_STEPS = 60 };

typedef struct point {
  double p, s;
} point;

static point move(point x, double u) {
  for (int k = 0; k < 100; k++) {
    double slope, bend;
    if (x.p < 0) {
      slope = 2 * x.p + 1;
      bend = 2;
    } else {
      double w = 1 + 5 * x.p * x.p, root = sqrt(w);
      slope = 1 / (w * root);
      bend = -15 * x.p / (w * w * root);
    }
    double change = (u - 9.81 * slope - x.s * x.s * slope * bend) / (1 + slope * slope);
    x.s += 0.001 * change;
    x.p += 0.001 * x.s;
  }
  return x;
}

// gamma^(steps - 1) of the fewest steps to the goal; minus gamma^(steps - 1) of the most steps
// to an end where there is no way to the goal
static double best_return(point start, point *from, point *to, uint8_t *seen) {
  memset(seen, 0, N_CELLS);
  int64_t n_from = 1;
  from[0] = start;
  for (int steps = 1; steps <= MOST_STEPS; steps++) {
    int64_t n_to = 0;
    for (int64_t i = 0; i < n_from; i++)
      for (int a = 0; a < 2; a++) {
        point next = move(from[i], a ? 4 : -4);
        bool lost = next.p < -1 || fabs(next.s) > 3;
        if (!lost && next.p > 1) return pow(0.95, steps - 1);
        if (lost) continue;
        int64_t row = (int64_t)((next.p + 1) / 2 * P_CELLS);
        int64_t column = (int64_t)((next.s + 3) / 6 * S_CELLS);
        if (row == P_CELLS) row--;
        if (column == S_CELLS) column--;
        uint8_t *mark = &seen[row * S_CELLS + column];
        if (*mark) continue;
        *mark = 1;
        to[n_to++] = next;
      }
    if (n_to == 0) return -pow(0.95, steps - 1);
    memcpy(from, to, (size_t)n_to * sizeof *to);
    n_from = n_to;
  }
  return 0;
}

static void car_on_the_hill_has_the_known_optimum(void **state) {
  (void)state;
  point *from = malloc(N_CELLS * sizeof *from), *to = malloc(N_CELLS * sizeof *to);
  uint8_t *seen = malloc(N_CELLS);
  assert_non_null(from);
  assert_non_null(to);
  assert_non_null(seen);
  assert_within(best_return((point){-0.5, 0}, from, to, seen), pow(0.95, 18), 1e-12);
  double sum = 0;
  int n_doomed = 0;
  for (int i = 0; i < 289; i++) {
    point start = {-1 + 0.125 * (i / 17), -3 + 0.375 * (i % 17)};
    double value = best_return(start, from, to, seen);
    sum += value;
    n_doomed += value < 0;
  }
  assert_within(sum / 289, 0.3569, 1e-4);
  assert_int_equal(n_doomed, 47);
  free(from);
  free(to);
  free(seen);
}

static void car_on_the_hill_starts_on_the_grid(void **state) {
  (void)state;
  coh_env *env = NULL;
  coh_choice choice = {0};
  coh_config *config = NULL;
  const char text[] = "env: {car_on_the_hill: {start: grid}}";
  const coh_option table[] = {
      {.name = "env", .type = COH_KIND, .kinds = &coh_env_kinds, .doc = "."}, {0}};
  assert_ok(coh_config_parse("test", text, sizeof text - 1, &config));
  assert_ok(coh_options_fill(table, config, &choice));
  coh_config_destroy(&config);
  assert_ok(coh_env_create(&choice, 289, 0, 1, &env));
  coh_choice_clear(&choice);
  float rows[289][2];
  for (int again = 0; again < 2; again++) {
    coh_env_reset(env, rows);
    for (int i = 0; i < 289; i++) {
      assert_within(rows[i][0], -1 + 0.125 * (i / 17), 1e-7);
      assert_within(rows[i][1], -3 + 0.375 * (i % 17), 1e-6);
    }
  }
  coh_env_destroy(&env);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(car_on_the_hill_obeys_newton),
      cmocka_unit_test(car_on_the_hill_starts_on_the_grid),
      cmocka_unit_test(car_on_the_hill_has_the_known_optimum),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
