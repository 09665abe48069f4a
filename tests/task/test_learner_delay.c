/* Gradients that are applied one update late: the recurrence written out, also where every sum
 * is settled at once, as a save does. */
#include "world_at_hand.h"

#include "nn/choice_text.h"
#include "task/learner.h"

enum { N = 48, N_UPDATES = 12 };
static const double rate = 0.25, curvature = 0.5;

// x[k + 1] = x[k] - rate * slope(x[k - 1]) with slope(x) = curvature * (x - i); all is exact in
// floats
static void expected(int i, double x[N_UPDATES + 1]) {
  x[0] = x[1] = 64 * i;
  for (int k = 1; k < N_UPDATES; k++)
    x[k + 1] = (double)(float)(x[k] - rate * (double)(float)(curvature * (x[k - 1] - i)));
}

static void compute(const coh_learner *learner, const float *params) {
  float *gradient = coh_learner_gradient(learner, 0);
  for (int i = 0; i < N; i++)
    gradient[i] = (float)(curvature * ((double)params[i] - i));
  for (int k = 0; k < COH_LEARNER_TAIL; k++)
    gradient[N + k] = (float)(learner->n_updates + 1);
}

static void run(bool settles) {
  coh_run_context context = {.world = world, .lanes = {1, 0, 1}, .n_threads = 1};
  choice_holder holder = {0};
  coh_learner learner;
  assert_ok(choice_from(&coh_optimizer_kinds, "sgd: {learning_rate: 0.25}", false, &holder));
  assert_ok(coh_learner_create(&learner, &context, "", &holder.one, N));
  assert_ok(coh_learner_delay(&learner));
  assert_ok(coh_learner_connect(&learner));
  float params[N];
  double x[N][N_UPDATES + 1];
  for (int i = 0; i < N; i++) {
    expected(i, x[i]);
    params[i] = (float)x[i][0];
  }
  for (int k = 0; k < N_UPDATES; k++) {
    compute(&learner, params);
    assert_ok(coh_learner_step(&learner, params, 1));
    const float *sum;
    if (settles) {
      assert_ok(coh_learner_settle(&learner, &sum));
      assert_float_equal(sum[N], k + 1, 0);
    }
    for (int i = 0; i < N; i++)
      assert_float_equal(params[i], x[i][k + 1], 0);
    assert_int_equal(learner.n_window, k);
  }
  // the tails that were applied: of all updates but the last
  assert_float_equal(learner.tail[0], N_UPDATES * (N_UPDATES - 1) / 2, 0);
  assert_ok(coh_learner_settle(&learner, NULL));
  coh_learner_destroy(&learner);
  choice_holder_clear(&holder);
}

static void every_gradient_is_applied_one_update_late(void **state) {
  (void)state;
  run(false);
}

static void settling_changes_nothing(void **state) {
  (void)state;
  run(true);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_gradient_is_applied_one_update_late),
      cmocka_unit_test(settling_changes_nothing),
  };
  return cmocka_run_group_tests(tests, world_enter, world_leave);
}
