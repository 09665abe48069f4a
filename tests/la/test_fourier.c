/* Fast transforms against the definition in double precision. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "la/fourier.h"

enum { B = COH_FOURIER_BATCH };

static void test_fourier_matches_its_definition(void **state) {
  (void)state;
  static const int64_t lengths[] = {1, 2, 3, 4, 5, 6, 8, 15, 30, 64, 90, 100, 128, 360};
  for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
    int64_t n = lengths[l];
    coh_fourier *plan = NULL;
    assert_ok(coh_fourier_create(n, &plan));
    float *x = coh_alloc_array((size_t)(6 * B * n), sizeof *x);
    float *re = x + 2 * B * n, *im = x + 3 * B * n, *scratch = x + 4 * B * n;
    coh_stream stream = coh_stream_begin(coh_key_make(1, "test_fourier"), 0, (uint64_t)n);
    for (int64_t i = 0; i < 2 * B * n; i++)
      x[i] = (float)coh_stream_normal(&stream);
    for (int inverse = 0; inverse < 2; inverse++) {
      memcpy(re, x, (size_t)(2 * B * n) * sizeof *x);
      coh_fourier_run(plan, inverse, re, im, scratch);
      for (int64_t k = 0; k < n; k++)
        for (int64_t t = 0; t < B; t += 3) {
          double sum_re = 0, sum_im = 0;
          for (int64_t j = 0; j < n; j++) {
            double angle = (inverse ? 2 : -2) * acos(-1.0) * (double)(j * k % n) / (double)n;
            double a = (double)x[B * j + t], b = (double)x[B * n + B * j + t];
            sum_re += a * cos(angle) - b * sin(angle);
            sum_im += a * sin(angle) + b * cos(angle);
          }
          assert_within(re[B * k + t], sum_re, 1e-5 * sqrt((double)n));
          assert_within(im[B * k + t], sum_im, 1e-5 * sqrt((double)n));
        }
    }
    coh_free(x);
    coh_fourier_destroy(&plan);
  }
}

static void test_fourier_lengths(void **state) {
  (void)state;
  assert_int_equal(coh_fourier_length(97, 1), 100);
  assert_int_equal(coh_fourier_length(97, 16), 128);
  assert_int_equal(coh_fourier_length(1, 16), 16);
  coh_fourier *plan = NULL;
  assert_fails(coh_fourier_create(14, &plan), COH_E_INTERNAL, "14");
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fourier_matches_its_definition),
      cmocka_unit_test(test_fourier_lengths),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
