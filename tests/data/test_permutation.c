/* Shuffling: permutations are bijections, differ by epoch and seed, and are uniform as far as
 * chi-square sees. Bounds are about 5 standard deviations of the statistic: mean f, sqrt(2 f).
 */
#include "data_test.h"

static void check_bijection(int64_t n, uint64_t epoch, uint8_t *seen) {
  memset(seen, 0, (size_t)n);
  coh_permutation p = coh_permutation_make(n, 3, "shuffle", epoch);
  for (int64_t i = 0; i < n; i++) {
    int64_t at = coh_permutation_at(&p, i);
    if (at < 0 || at >= n) fail_msg("n = %lld: %lld", (long long)n, (long long)at);
    if (seen[at]++) fail_msg("n = %lld: %lld twice", (long long)n, (long long)at);
  }
}

static void permutation_is_a_bijection(void **state) {
  (void)state;
  uint8_t *seen = coh_alloc_array(1 << 17, 1);
  for (int64_t n = 1; n <= 2000; n++)
    check_bijection(n, (uint64_t)n % 5, seen);
  static const int64_t larger[] = {60000, 65535, 65536, 65537, 70000, 131072};
  for (int i = 0; i < 6; i++)
    for (uint64_t epoch = 0; epoch < 3; epoch++)
      check_bijection(larger[i], epoch, seen);
  coh_free(seen);
}

static void permutation_reaches_far_beyond_memory(void **state) {
  (void)state;
  int64_t n = (INT64_C(1) << 61) + 12345, most = 0;
  coh_permutation p = coh_permutation_make(n, 3, "shuffle", 0);
  for (int64_t i = 0; i < 1000; i++) {
    int64_t at = coh_permutation_at(&p, i);
    assert_true(at >= 0 && at < n);
    if (at > most) most = at;
  }
  assert_true(most > n / 10 * 9);
}

static int64_t agreements(int64_t n, coh_permutation p, coh_permutation q) {
  int64_t same = 0;
  for (int64_t i = 0; i < n; i++)
    same += coh_permutation_at(&p, i) == coh_permutation_at(&q, i);
  return same;
}

static void permutation_differs_by_epoch_seed_and_purpose(void **state) {
  (void)state;
  const int64_t n = 60000;
  coh_permutation p = coh_permutation_make(n, 3, "shuffle", 0);
  // two random permutations agree in one place on average (Poisson)
  assert_in_range(agreements(n, p, coh_permutation_make(n, 3, "shuffle", 1)), 0, 8);
  assert_in_range(agreements(n, p, coh_permutation_make(n, 4, "shuffle", 0)), 0, 8);
  assert_in_range(agreements(n, p, coh_permutation_make(n, 3, "other", 0)), 0, 8);
  assert_in_range(agreements(n, p, coh_permutation_make(n, 3, "shuffle", UINT64_C(1) << 32)), 0,
                  8);
  assert_int_equal(agreements(n, p, coh_permutation_make(n, 3, "shuffle", 0)), n);
}

static void permutation_puts_every_row_everywhere(void **state) {
  (void)state;
  enum { N = 10, EPOCHS = 20000 };
  int64_t count[N * N] = {0};
  for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
    coh_permutation p = coh_permutation_make(N, 1, "shuffle", epoch);
    for (int64_t i = 0; i < N; i++)
      count[i * N + coh_permutation_at(&p, i)]++;
  }
  double statistic = chi_square(count, N * N, EPOCHS / (double)N); // f = 81
  assert_true(statistic > 81 - 60 && statistic < 81 + 64);
}

static void permutation_takes_every_order(void **state) {
  (void)state;
  enum { EPOCHS = 48000 };
  int64_t count[24] = {0};
  for (uint64_t epoch = 0; epoch < EPOCHS; epoch++) {
    coh_permutation p = coh_permutation_make(4, 1, "shuffle", epoch);
    int64_t at[4], code = 0;
    for (int64_t i = 0; i < 4; i++)
      at[i] = coh_permutation_at(&p, i);
    for (int i = 0; i < 4; i++) { // Lehmer code
      int64_t smaller = 0;
      for (int j = i + 1; j < 4; j++)
        smaller += at[j] < at[i];
      code = code * (4 - i) + smaller;
    }
    count[code]++;
  }
  assert_true(chi_square(count, 24, EPOCHS / 24.0) < 23 + 34); // f = 23
}

static void permutation_leaves_no_trace_of_neighbours(void **state) {
  (void)state;
  const int64_t n = 60000;
  int64_t pairs[256] = {0}, places[256] = {0};
  coh_permutation p = coh_permutation_make(n, 7, "shuffle", 2);
  for (int64_t i = 0; i < n; i++) {
    int64_t at = coh_permutation_at(&p, i), next = coh_permutation_at(&p, (i + 1) % n);
    pairs[at * 16 / n * 16 + next * 16 / n]++;
    places[i * 16 / n * 16 + at * 16 / n]++;
  }
  assert_true(chi_square(pairs, 256, (double)n / 256) < 225 + 106); // f = 225
  assert_true(chi_square(places, 256, (double)n / 256) < 225 + 106);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(permutation_is_a_bijection),
      cmocka_unit_test(permutation_reaches_far_beyond_memory),
      cmocka_unit_test(permutation_differs_by_epoch_seed_and_purpose),
      cmocka_unit_test(permutation_puts_every_row_everywhere),
      cmocka_unit_test(permutation_takes_every_order),
      cmocka_unit_test(permutation_leaves_no_trace_of_neighbours),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
