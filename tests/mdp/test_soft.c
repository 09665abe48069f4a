/* Soft values against closed forms, sums over all trajectories, and finite differences. */
#include "cohort_test.h"

#include <stdlib.h>
#include <string.h>

#include "cohort/random.h"
#include "la/elementary_double.h"
#include "mdp/soft.h"
#include "mdp/soft_likelihood.h"

enum { N_STATES = 12, N_ACTIONS = 3, WIDTH = 4, N_ROWS = N_STATES * N_ACTIONS };

// a random model: every row leads to WIDTH distinct states (or to one, when deterministic)
typedef struct random_model {
  int64_t state_row[N_STATES + 1], row_begin[N_ROWS + 1];
  uint32_t successor[N_ROWS * WIDTH];
  double probability[N_ROWS * WIDTH];
  coh_soft_model model;
} random_model;

static void make_model(random_model *made, uint64_t seed, int width) {
  coh_key key = coh_key_make(seed, "model");
  for (int s = 0; s <= N_STATES; s++)
    made->state_row[s] = s * N_ACTIONS;
  for (int row = 0; row <= N_ROWS; row++)
    made->row_begin[row] = row * width;
  for (int row = 0; row < N_ROWS; row++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)row, 0);
    double sum = 0;
    int64_t first = coh_stream_below(&stream, N_STATES);
    for (int k = 0; k < width; k++) {
      made->successor[row * width + k] = (uint32_t)((first + 2 * k) % N_STATES);
      made->probability[row * width + k] = 0.1 + coh_stream_uniform(&stream);
      sum += made->probability[row * width + k];
    }
    for (int k = 0; k < width; k++)
      made->probability[row * width + k] /= sum;
  }
  made->model = (coh_soft_model){N_STATES,        N_ROWS,          made->state_row,
                                 made->row_begin, made->successor, made->probability};
}

static void make_reward(uint64_t seed, double *reward) {
  coh_stream stream = coh_stream_begin(coh_key_make(seed, "reward"), 0, 0);
  for (int row = 0; row < N_ROWS; row++)
    reward[row] = coh_stream_normal(&stream);
}

static void exp_and_log_are_those_of_the_c_library(void **state) {
  (void)state;
  for (double x = -707.3; x < 709; x += 0.317) {
    double wanted = exp(x);
    assert_within(coh_exp(x) / wanted, 1, 6e-16);
    if (fabs(x) > 1e-3) assert_within(coh_log(wanted) / log(wanted), 1, 6e-16);
  }
  for (double x = 0.5; x < 2; x += 1.7e-3)
    assert_within(coh_log(x), log(x), 3e-16);
  assert_true(coh_exp(-INFINITY) == 0);
  assert_true(isnan(coh_exp(NAN)));
}

// one state, n actions, reward r: V = r + log n + gamma V
static void a_loop_has_its_closed_form(void **state) {
  (void)state;
  int64_t state_row[2] = {0, 3}, row_begin[4] = {0, 1, 2, 3};
  uint32_t successor[3] = {0};
  double probability[3] = {1, 1, 1}, reward[3] = {-1, -1, -1}, value = 0;
  coh_soft_model model = {1, 3, state_row, row_begin, successor, probability};
  for (int backup = 0; backup < 2; backup++) {
    coh_soft *soft = NULL;
    value = 0;
    assert_ok(
        coh_soft_create(&model, &(coh_soft_config){(coh_soft_backup)backup, 0.9, 1}, &soft));
    assert_ok(coh_soft_solve(soft, reward, 1e-12, &value, NULL));
    assert_within(value, (log(3) - 1) / 0.1, 1e-10);
    coh_soft_destroy(&soft);
  }
}

static void newton_finds_what_sweeps_find(void **state) {
  (void)state;
  random_model made;
  double reward[N_ROWS], value[N_STATES] = {0}, plain[N_STATES] = {0}, next[N_STATES];
  make_model(&made, 1, WIDTH);
  make_reward(2, reward);
  for (int backup = 0; backup < 2; backup++) {
    coh_soft *soft = NULL;
    coh_soft_report report;
    memset(value, 0, sizeof value);
    memset(plain, 0, sizeof plain);
    assert_ok(coh_soft_create(&made.model, &(coh_soft_config){(coh_soft_backup)backup, 0.99, 2},
                              &soft));
    assert_ok(coh_soft_solve(soft, reward, 1e-11, value, &report));
    assert_true(report.n_sweeps < 60);
    for (int k = 0; k < 4000; k++) {
      coh_soft_sweep(soft, reward, 1, 0.99, plain, next, NULL);
      memcpy(plain, next, sizeof plain);
    }
    for (int s = 0; s < N_STATES; s++)
      assert_within(value[s], plain[s], 1e-8);
    coh_soft_destroy(&soft);
  }
}

static void visits_solve_their_equation(void **state) {
  (void)state;
  random_model made;
  double policy[N_ROWS], source[N_STATES] = {0}, visits[N_STATES] = {0}, sum = 0;
  make_model(&made, 3, WIDTH);
  for (int row = 0; row < N_ROWS; row++)
    policy[row] = 1.0 / N_ACTIONS;
  source[5] = 1;
  coh_soft *soft = NULL;
  assert_ok(coh_soft_create(&made.model, &(coh_soft_config){COH_SOFT_CAUSAL, 0.95, 1}, &soft));
  coh_soft_take_policy(soft, policy, NULL);
  assert_ok(coh_soft_visit(soft, source, 1e-12, visits, NULL));
  double expected[N_STATES] = {0}, mass[N_STATES] = {0}, moved[N_STATES];
  mass[5] = 1;
  for (int t = 0; t < 1000; t++) {
    memset(moved, 0, sizeof moved);
    for (int s = 0; s < N_STATES; s++) {
      expected[s] += mass[s];
      for (int row = s * N_ACTIONS; row < (s + 1) * N_ACTIONS; row++)
        for (int k = row * WIDTH; k < (row + 1) * WIDTH; k++)
          moved[made.successor[k]] += 0.95 * policy[row] * made.probability[k] * mass[s];
    }
    memcpy(mass, moved, sizeof mass);
  }
  for (int s = 0; s < N_STATES; s++) {
    assert_within(visits[s], expected[s], 1e-10);
    sum += visits[s];
  }
  assert_within(sum, 20, 1e-9);
  coh_soft_destroy(&soft);
}

// three trajectories of different lengths from the model, all their uses sorted by time
enum { N_TRAJECTORIES = 3, LONGEST = 7 };
typedef struct random_demos {
  coh_soft_use use[N_TRAJECTORIES * LONGEST], end[N_TRAJECTORIES];
  coh_soft_demos demos;
} random_demos;

static void make_demos(const random_model *made, int width, bool all_long,
                       random_demos *demos) {
  int n_uses = 0, n_ends = 0;
  int64_t at[N_TRAJECTORIES] = {0};
  for (int t = 0; t < LONGEST; t++)
    for (int k = 0; k < N_TRAJECTORIES; k++) {
      int length = all_long ? LONGEST : 3 + 2 * k;
      if (t >= length) continue;
      coh_stream stream = coh_stream_begin(coh_key_make(9, "demo"), (uint32_t)k, (uint64_t)t);
      if (t == 0) at[k] = coh_stream_below(&stream, N_STATES);
      int64_t row = at[k] * N_ACTIONS + coh_stream_below(&stream, N_ACTIONS);
      demos->use[n_uses++] = (coh_soft_use){t, row, 0.5 + 0.25 * k};
      at[k] = made->successor[row * width + coh_stream_below(&stream, width)];
    }
  for (int k = 0; k < N_TRAJECTORIES; k++) // lengths rise with k: ends are sorted
    demos->end[n_ends++] =
        (coh_soft_use){all_long ? LONGEST : 3 + 2 * k, at[k], 0.5 + 0.25 * k};
  demos->demos = (coh_soft_demos){demos->use, demos->end, n_uses, n_ends};
}

static void check_gradient(coh_soft_backup backup, coh_soft_goal goal, int64_t horizon,
                           int width) {
  random_model made;
  random_demos demos;
  double reward[N_ROWS], gradient[N_ROWS], objective;
  make_model(&made, 4, width);
  make_demos(&made, width, false, &demos);
  make_reward(5, reward);
  coh_soft *soft = NULL;
  coh_soft_likelihood *likelihood = NULL;
  assert_ok(coh_soft_create(&made.model, &(coh_soft_config){backup, 0.9, 1}, &soft));
  assert_ok(coh_soft_likelihood_create(soft, &demos.demos,
                                       &(coh_soft_likelihood_config){goal, 0.9, horizon, 1e-13},
                                       &likelihood));
  assert_ok(coh_soft_likelihood_run(likelihood, reward, &objective, gradient, NULL));
  for (int row = 0; row < N_ROWS; row++) {
    double at = reward[row], step = 1e-4, value[4];
    // central difference of fourth order
    for (int k = 0; k < 4; k++) {
      reward[row] = at + step * (k < 2 ? k - 2 : k - 1);
      assert_ok(coh_soft_likelihood_run(likelihood, reward, &value[k], NULL, NULL));
    }
    reward[row] = at;
    double slope = (8 * (value[2] - value[1]) - (value[3] - value[0])) / (12 * step);
    assert_within(gradient[row], slope, 1e-6 * fmax(1, fabs(slope)) * 0.1);
  }
  coh_soft_likelihood_destroy(&likelihood);
  coh_soft_destroy(&soft);
}

static void every_gradient_is_the_finite_difference(void **state) {
  (void)state;
  for (int backup = 0; backup < 2; backup++)
    for (int goal = 0; goal < 2; goal++)
      for (int horizon = 0; horizon < 20; horizon += 10)
        check_gradient((coh_soft_backup)backup, (coh_soft_goal)goal, horizon, WIDTH);
}

// log sum over every trajectory of LENGTH steps from a state of P(dynamics) e^(sum of rewards)
static double enumerate(const random_model *made, int width, const double *reward, double gamma,
                        int64_t at, int time, int length) {
  if (time == length) return 1;
  double sum = 0;
  for (int64_t row = at * N_ACTIONS; row < (at + 1) * N_ACTIONS; row++)
    for (int64_t k = row * width; k < (row + 1) * width; k++)
      sum += exp(pow(gamma, time) * reward[row]) * made->probability[k] *
             enumerate(made, width, reward, gamma, made->successor[k], time + 1, length);
  return sum;
}

// Ziebart 2008 by definition: P(trajectory) = e^(sum of rewards) P(dynamics) / Z
static void maximum_entropy_is_the_sum_over_all_trajectories(void **state) {
  (void)state;
  enum { NARROW = 2 };
  random_model made;
  random_demos demos;
  double reward[N_ROWS], objective, expected = 0, gamma = 0.8;
  make_model(&made, 6, NARROW);
  make_demos(&made, NARROW, true, &demos);
  make_reward(7, reward);
  coh_soft *soft = NULL;
  coh_soft_likelihood *likelihood = NULL;
  assert_ok(
      coh_soft_create(&made.model, &(coh_soft_config){COH_SOFT_TRAJECTORY, gamma, 1}, &soft));
  assert_ok(coh_soft_likelihood_create(
      soft, &demos.demos,
      &(coh_soft_likelihood_config){COH_SOFT_MATCHING, gamma, LONGEST, 1e-12}, &likelihood));
  assert_ok(coh_soft_likelihood_run(likelihood, reward, &objective, NULL, NULL));
  for (int64_t i = 0; i < demos.demos.n_uses; i++) {
    const coh_soft_use *use = &demos.use[i];
    expected += use->weight * pow(gamma, (double)use->time) * reward[use->row];
    if (use->time == 0)
      expected -= use->weight * log(enumerate(&made, NARROW, reward, gamma,
                                              use->row / N_ACTIONS, 0, LONGEST));
  }
  assert_within(objective, expected, 1e-10);
  coh_soft_likelihood_destroy(&likelihood);
  coh_soft_destroy(&soft);
}

static void with_deterministic_dynamics_both_backups_agree(void **state) {
  (void)state;
  random_model made;
  double reward[N_ROWS], value[2][N_STATES] = {{0}};
  make_model(&made, 8, 1);
  make_reward(9, reward);
  for (int backup = 0; backup < 2; backup++) {
    coh_soft *soft = NULL;
    assert_ok(coh_soft_create(&made.model, &(coh_soft_config){(coh_soft_backup)backup, 0.9, 1},
                              &soft));
    assert_ok(coh_soft_solve(soft, reward, 1e-12, value[backup], NULL));
    coh_soft_destroy(&soft);
  }
  for (int s = 0; s < N_STATES; s++)
    assert_within(value[0][s], value[1][s], 1e-10);
}

static void threads_do_not_change_a_bit(void **state) {
  (void)state;
  enum { N = 3000 };
  static int64_t state_row[N + 1], row_begin[2 * N + 1];
  static uint32_t successor[4 * N];
  static double probability[4 * N], reward[2 * N], source[N], value[2][N], visits[2][N];
  static double policy[2 * N], next[N];
  for (int s = 0; s <= N; s++)
    state_row[s] = 2 * s;
  for (int row = 0; row <= 2 * N; row++)
    row_begin[row] = 2 * row;
  for (int row = 0; row < 2 * N; row++) {
    coh_stream stream = coh_stream_begin(coh_key_make(1, "big"), (uint32_t)row, 0);
    successor[2 * row] = (uint32_t)((row / 2 + 1) % N);
    successor[2 * row + 1] = (uint32_t)((row / 2 + 7 + row % 2) % N);
    probability[2 * row] = coh_stream_uniform(&stream);
    probability[2 * row + 1] = 1 - probability[2 * row];
    reward[row] = -coh_stream_uniform(&stream);
  }
  for (int s = 0; s < N; s++)
    source[s] = 1.0 / N;
  coh_soft_model model = {N, 2 * N, state_row, row_begin, successor, probability};
  for (int k = 0; k < 2; k++) {
    coh_soft *soft = NULL;
    assert_ok(
        coh_soft_create(&model, &(coh_soft_config){COH_SOFT_CAUSAL, 0.999, 1 + 2 * k}, &soft));
    assert_ok(coh_soft_solve(soft, reward, 1e-9, value[k], NULL));
    coh_soft_sweep(soft, reward, 1, 0.999, value[k], next, policy);
    coh_soft_take_policy(soft, policy, NULL);
    assert_ok(coh_soft_visit(soft, source, 1e-9, visits[k], NULL));
    coh_soft_destroy(&soft);
  }
  assert_memory_equal(value[0], value[1], sizeof value[0]);
  assert_memory_equal(visits[0], visits[1], sizeof visits[0]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exp_and_log_are_those_of_the_c_library),
      cmocka_unit_test(a_loop_has_its_closed_form),
      cmocka_unit_test(newton_finds_what_sweeps_find),
      cmocka_unit_test(visits_solve_their_equation),
      cmocka_unit_test(every_gradient_is_the_finite_difference),
      cmocka_unit_test(maximum_entropy_is_the_sum_over_all_trajectories),
      cmocka_unit_test(with_deterministic_dynamics_both_backups_agree),
      cmocka_unit_test(threads_do_not_change_a_bit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
