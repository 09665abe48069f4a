/* What every optimiser of the registry promises: the formula, the same bits for any split,
 * clipping, padding that stays zero, resuming, detection of gradients that are not finite. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "cohort/nn.h"
#include "cohort/random.h"

enum { N_FLOATS = 2 * COH_NORM_STRETCH + 1008, N_PADDED = N_FLOATS + 16 };

static const char *const configs[] = {
    "adam: {learning_rate: 0.01, weight_decay: 0.1, schedule: {shape: cosine, steps: 30}}",
    "adam: {learning_rate: 0.01, clip_norm: 20}",
    "rmsprop: {learning_rate: 0.01}",
    "rmsprop: {learning_rate: 0.01, centered: true, clip_value: 0.5}",
    "rmsprop: {learning_rate: 0.01, centered: true, momentum: 0.9}",
    "rmsprop: {learning_rate: 0.01, momentum: 0.9, clip_norm: 3}",
    "sgd: {learning_rate: 0.1, schedule: {warmup: 5}}",
    "sgd: {learning_rate: 0.1, momentum: 0.9, weight_decay: 0.01}",
    "sgd: {learning_rate: 0.1, momentum: 0.9, nesterov: true}",
    "rprop: {learning_rate: 0.01}",
};
enum { N_CONFIGS = sizeof configs / sizeof *configs };

typedef struct subject {
  choice_holder holder;
  coh_optimizer *optimizer;
  float *params, *grads;
} subject;

static void random_fill(float *block, const char *purpose, uint64_t step) {
  coh_stream stream = coh_stream_begin(coh_key_make(7, purpose), 0, step);
  for (int64_t i = 0; i < N_FLOATS; i++)
    block[i] = (float)coh_stream_normal(&stream);
}

static subject subject_make(const char *config) {
  subject s = {0};
  assert_ok(choice_from(&coh_optimizer_kinds, config, false, &s.holder));
  assert_ok(coh_optimizer_create(&s.holder.one, N_PADDED, &s.optimizer));
  s.params = coh_alloc_array(N_PADDED, sizeof *s.params);
  s.grads = coh_alloc_array(N_PADDED, sizeof *s.grads);
  assert_true(s.params && s.grads);
  random_fill(s.params, "params", 0);
  return s;
}

static void subject_clear(subject *s) {
  coh_optimizer_destroy(&s->optimizer);
  choice_holder_clear(&s->holder);
  coh_free(s->params);
  coh_free(s->grads);
}

static void assert_same_state(const subject *a, const subject *b) {
  assert_memory_equal(a->params, b->params, N_PADDED * sizeof(float));
  assert_int_equal(coh_optimizer_steps(a->optimizer), coh_optimizer_steps(b->optimizer));
  for (int64_t k = 0; k < coh_optimizer_n_moments(a->optimizer); k++)
    assert_memory_equal(coh_optimizer_moment_at(a->optimizer, k).data,
                        coh_optimizer_moment_at(b->optimizer, k).data,
                        N_PADDED * sizeof(float));
}

static void whole_split_and_threaded_steps_give_the_same_bits(void **state) {
  (void)state;
  int64_t live = coh_alloc_live();
  for (int c = 0; c < N_CONFIGS; c++) {
    subject a = subject_make(configs[c]), b = subject_make(configs[c]);
    float *params = b.params, *grads = b.grads;
    coh_optimizer *optimizer = b.optimizer;
    double partial[3];
    int64_t allocations = coh_alloc_total();
    for (uint64_t t = 0; t < 12; t++) {
      random_fill(a.grads, "grads", t);
      memcpy(grads, a.grads, N_PADDED * sizeof *grads);
      assert_ok(coh_optimizer_step(a.optimizer, a.params, a.grads, 0.5));
      coh_norm_partials(grads, N_PADDED, 0, 3, partial);
      assert_ok(coh_optimizer_begin(optimizer, 0.5, coh_norm_finish(partial, 3)));
      // an odd stretch, the rest by two threads in blocks, the last floats one by one
      coh_optimizer_range(optimizer, params, grads, 0, 5);
#pragma omp parallel for num_threads(2) default(none) shared(optimizer, params, grads)
      for (int64_t block = 0; block < 10; block++) {
        int64_t first = 5 + block * 901, last = block == 9 ? N_PADDED - 3 : first + 901;
        coh_optimizer_range(optimizer, params, grads, first, last - first);
      }
      for (int64_t i = N_PADDED - 3; i < N_PADDED; i++)
        coh_optimizer_range(optimizer, params, grads, i, 1);
      assert_ok(coh_optimizer_end(optimizer));
    }
    assert_int_equal(coh_alloc_total(), allocations);
    assert_same_state(&a, &b);
    for (int64_t i = N_FLOATS; i < N_PADDED; i++)
      for (int64_t k = 0; k < coh_optimizer_n_moments(a.optimizer); k++)
        assert_true(a.params[i] == 0 && coh_optimizer_moment_at(a.optimizer, k).data[i] == 0);
    subject_clear(&a);
    subject_clear(&b);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void resuming_from_moments_and_steps_gives_the_same_bits(void **state) {
  (void)state;
  for (int c = 0; c < N_CONFIGS; c++) {
    subject a = subject_make(configs[c]), b = subject_make(configs[c]);
    for (uint64_t t = 0; t < 10; t++) {
      if (t == 4) {
        memcpy(b.params, a.params, N_PADDED * sizeof(float));
        for (int64_t k = 0; k < coh_optimizer_n_moments(a.optimizer); k++) {
          coh_moment from = coh_optimizer_moment_at(a.optimizer, k),
                     to = coh_optimizer_moment_at(b.optimizer, k);
          assert_string_equal(from.name, to.name);
          memcpy(to.data, from.data, N_PADDED * sizeof(float));
        }
        coh_optimizer_set_steps(b.optimizer, coh_optimizer_steps(a.optimizer));
      }
      random_fill(a.grads, "grads", t);
      assert_ok(coh_optimizer_step(a.optimizer, a.params, a.grads, 1));
      if (t >= 4) assert_ok(coh_optimizer_step(b.optimizer, b.params, a.grads, 1));
    }
    assert_same_state(&a, &b);
    subject_clear(&a);
    subject_clear(&b);
  }
}

// the update of one number in double precision, written from the papers' formulas
typedef double (*scalar_rule)(double p, double g, double memory[3], int t);

static double adam_rule(double p, double g, double memory[3], int t) {
  memory[0] = 0.9 * memory[0] + 0.1 * g;
  memory[1] = 0.999 * memory[1] + 0.001 * g * g;
  double m = memory[0] / (1 - pow(0.9, t)), v = memory[1] / (1 - pow(0.999, t));
  return p - 0.01 * m / (sqrt(v) + 1e-8);
}

static double centred_rule(double p, double g, double memory[3], int t) {
  (void)t;
  memory[0] = 0.95 * memory[0] + 0.05 * g;
  memory[1] = 0.95 * memory[1] + 0.05 * g * g;
  return p - 0.01 * g / (sqrt(memory[1] - memory[0] * memory[0]) + 0.01);
}

static double nesterov_rule(double p, double g, double memory[3], int t) {
  (void)t;
  memory[0] = 0.9 * memory[0] + g;
  return p - 0.1 * (g + 0.9 * memory[0]);
}

static void steps_follow_the_formulas_in_double_precision(void **state) {
  (void)state;
  static const struct {
    const char *config;
    scalar_rule rule;
  } cases[] = {{"adam: 0.01", adam_rule},
               {"rmsprop: {learning_rate: 0.01, centered: true}", centred_rule},
               {"sgd: {learning_rate: 0.1, momentum: 0.9, nesterov: true}", nesterov_rule}};
  for (int c = 0; c < 3; c++) {
    subject s = subject_make(cases[c].config);
    double(*memory)[3] = coh_alloc_array(N_FLOATS, sizeof *memory);
    double *p = coh_alloc_array(N_FLOATS, sizeof *p);
    for (int64_t i = 0; i < N_FLOATS; i++)
      p[i] = s.params[i];
    for (int t = 1; t <= 20; t++) {
      random_fill(s.grads, "grads", (uint64_t)t);
      assert_ok(coh_optimizer_step(s.optimizer, s.params, s.grads, 0.25));
      for (int64_t i = 0; i < N_FLOATS; i++)
        p[i] = cases[c].rule(p[i], 0.25 * (double)s.grads[i], memory[i], t);
    }
    for (int64_t i = 0; i < N_FLOATS; i++)
      if (!(fabs(s.params[i] - p[i]) < 5e-6 * (1 + fabs(p[i]))))
        fail_msg("%s: %.9g, formula %.9g", cases[c].config, (double)s.params[i], p[i]);
    coh_free(memory);
    coh_free(p);
    subject_clear(&s);
  }
}

static void clipping_shortens_long_gradients_only(void **state) {
  (void)state;
  subject a = subject_make("sgd: {learning_rate: 1, clip_norm: 2}");
  random_fill(a.grads, "grads", 0);
  double square = 0, moved = 0;
  for (int64_t i = 0; i < N_FLOATS; i++)
    square += (double)a.grads[i] * (double)a.grads[i];
  memset(a.params, 0, N_PADDED * sizeof(float));
  assert_ok(coh_optimizer_step(a.optimizer, a.params, a.grads, 1));
  for (int64_t i = 0; i < N_FLOATS; i++)
    moved += (double)a.params[i] * (double)a.params[i];
  assert_true(fabs(sqrt(moved) - 2) < 1e-5);
  // a short gradient is left alone
  memset(a.params, 0, N_PADDED * sizeof(float));
  assert_ok(coh_optimizer_step(a.optimizer, a.params, a.grads, 1 / sqrt(square)));
  moved = 0;
  for (int64_t i = 0; i < N_FLOATS; i++)
    moved += (double)a.params[i] * (double)a.params[i];
  assert_true(fabs(sqrt(moved) - 1) < 1e-5);
  subject_clear(&a);

  subject b = subject_make("sgd: {learning_rate: 1, clip_value: 0.5}");
  random_fill(b.grads, "grads", 0);
  memset(b.params, 0, N_PADDED * sizeof(float));
  assert_ok(coh_optimizer_step(b.optimizer, b.params, b.grads, 1));
  for (int64_t i = 0; i < N_FLOATS; i++)
    assert_true(b.params[i] == -fmaxf(fminf(b.grads[i], 0.5f), -0.5f));
  subject_clear(&b);
}

static void gradients_that_are_not_finite_are_seen(void **state) {
  (void)state;
  const float bad[] = {NAN, INFINITY, -INFINITY};
  for (int c = 0; c < N_CONFIGS; c++)
    for (int k = 0; k < 3; k++) {
      subject s = subject_make(configs[c]);
      random_fill(s.grads, "grads", 0);
      assert_ok(coh_optimizer_step(s.optimizer, s.params, s.grads, 1));
      s.grads[(k * 4001) % N_FLOATS] = bad[k];
      float *before = coh_alloc_array(N_PADDED, sizeof *before);
      memcpy(before, s.params, N_PADDED * sizeof *before);
      assert_fails(coh_optimizer_step(s.optimizer, s.params, s.grads, 1), COH_E_DIVERGED,
                   "optimiser step 2: a gradient is not finite");
      // with a norm at hand nothing is touched
      if (coh_optimizer_needs_norm(s.optimizer)) {
        assert_memory_equal(before, s.params, N_PADDED * sizeof *before);
        assert_int_equal(coh_optimizer_steps(s.optimizer), 1);
      }
      coh_free(before);
      subject_clear(&s);
    }
}

static void large_gradients_are_used_or_refused_but_never_make_nan(void **state) {
  (void)state;
  for (int c = 0; c < N_CONFIGS; c++) {
    subject s = subject_make(configs[c]);
    s.grads[3] = 9e18f;
    assert_ok(coh_optimizer_step(s.optimizer, s.params, s.grads, 1));
    assert_true(isfinite(s.params[3]));
    s.grads[3] = -3e38f;
    if (coh_optimizer_needs_norm(s.optimizer)) {
      assert_ok(coh_optimizer_step(s.optimizer, s.params, s.grads, 1));
      assert_true(isfinite(s.params[3]));
    } else {
      assert_fails(coh_optimizer_step(s.optimizer, s.params, s.grads, 1), COH_E_DIVERGED,
                   "not finite, or 9e18 and more");
    }
    subject_clear(&s);
  }
}

static void centred_variance_never_falls_below_zero(void **state) {
  (void)state;
  // equal gradients: the variance tends to zero, where rounding could make it negative
  subject s = subject_make("rmsprop: {learning_rate: 1e-3, centered: true, epsilon: 1e-8}");
  for (int64_t i = 0; i < N_FLOATS; i++)
    s.grads[i] = 0.1f + 0.001f * (float)i;
  for (int t = 0; t < 1000; t++)
    assert_ok(coh_optimizer_step(s.optimizer, s.params, s.grads, 1));
  for (int64_t i = 0; i < N_FLOATS; i++)
    assert_true(isfinite(s.params[i]));
  subject_clear(&s);
}

static void moments_fade_to_zero_not_to_subnormals(void **state) {
  (void)state;
  subject s = subject_make("rmsprop: {learning_rate: 0.01, centered: true}");
  random_fill(s.grads, "grads", 0);
  assert_ok(coh_optimizer_step(s.optimizer, s.params, s.grads, 1e-10));
  memset(s.grads, 0, N_PADDED * sizeof(float));
  // 0.95^t times a square of 1e-20 passes 1e-38 after some 800 steps
  for (int t = 0; t < 4000; t++) {
    assert_ok(coh_optimizer_step(s.optimizer, s.params, s.grads, 1));
    for (int64_t k = 0; k < 2; k++) {
      float one = coh_optimizer_moment_at(s.optimizer, k).data[7];
      assert_true(one == 0 || isnormal(one));
    }
  }
  for (int64_t i = 0; i < N_FLOATS; i++)
    assert_true(coh_optimizer_moment_at(s.optimizer, 0).data[i] == 0);
  // the caller's own arithmetic is as it was
  volatile float small = 1e-38f, half = 0.5f;
  assert_true(small * half > 0);
  subject_clear(&s);
}

static void learning_rate_follows_the_schedule(void **state) {
  (void)state;
  subject s = subject_make(
      "sgd: {learning_rate: 0.5, schedule: {shape: linear, warmup: 2, steps: 12, final: 0}}");
  const double expected[] = {0.25, 0.5, 0.5, 0.45, 0.4};
  memset(s.params, 0, N_PADDED * sizeof(float));
  s.grads[0] = 1;
  for (int t = 0; t < 5; t++) {
    assert_true(fabs(coh_optimizer_learning_rate(s.optimizer) - expected[t]) < 1e-15);
    float before = s.params[0];
    assert_ok(coh_optimizer_step(s.optimizer, s.params, s.grads, 1));
    assert_true(fabs(before - s.params[0] - expected[t]) < 1e-6);
  }
  subject_clear(&s);
}

static void options_that_contradict_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *config, *message;
  } bad[] = {
      {"sgd: {nesterov: true}", "optimiser sgd: nesterov needs momentum above 0"},
      {"rprop: {smallest: 2, largest: 1}",
       "optimiser rprop: smallest (2) is above largest (1)"},
      {"adam: {schedule: {shape: linear}}", "optimiser adam: schedule: a decay that ends"},
  };
  int64_t live = coh_alloc_live();
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    choice_holder holder = {0};
    coh_optimizer *optimizer = NULL;
    assert_ok(choice_from(&coh_optimizer_kinds, bad[k].config, false, &holder));
    assert_fails(coh_optimizer_create(&holder.one, 16, &optimizer), COH_E_CONFIG,
                 bad[k].message);
    assert_null(optimizer);
    choice_holder_clear(&holder);
  }
  choice_holder holder = {0};
  assert_fails(choice_from(&coh_optimizer_kinds, "adam: {beta1: 1}", false, &holder),
               COH_E_CONFIG, "out of range");
  assert_fails(choice_from(&coh_optimizer_kinds, "rprop: {clip_norm: 1}", false, &holder),
               COH_E_CONFIG, "unknown key");
  assert_int_equal(coh_alloc_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whole_split_and_threaded_steps_give_the_same_bits),
      cmocka_unit_test(resuming_from_moments_and_steps_gives_the_same_bits),
      cmocka_unit_test(steps_follow_the_formulas_in_double_precision),
      cmocka_unit_test(clipping_shortens_long_gradients_only),
      cmocka_unit_test(gradients_that_are_not_finite_are_seen),
      cmocka_unit_test(large_gradients_are_used_or_refused_but_never_make_nan),
      cmocka_unit_test(centred_variance_never_falls_below_zero),
      cmocka_unit_test(moments_fade_to_zero_not_to_subnormals),
      cmocka_unit_test(learning_rate_follows_the_schedule),
      cmocka_unit_test(options_that_contradict_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
