/* Philox against the known answers of Random123, and the draws against their definitions. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "cohort/random.h"

static void philox_gives_the_known_answers(void **state) {
  (void)state;
  // kat_vectors of the Random123 distribution, philox4x32 10
  static const struct {
    uint32_t counter[4], key[2], answer[4];
  } kat[] = {
      {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
      {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
      {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
       {0xa4093822, 0x299f31d0},
       {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
  };
  for (size_t i = 0; i < sizeof kat / sizeof *kat; i++) {
    uint32_t out[4];
    coh_philox((coh_key){{kat[i].key[0], kat[i].key[1]}}, kat[i].counter, out);
    assert_memory_equal(out, kat[i].answer, sizeof out);
  }
}

static void streams_are_functions_of_their_coordinates(void **state) {
  (void)state;
  coh_key key = coh_key_make(7, "epsilon");
  coh_stream a = coh_stream_begin(key, 3, 1ull << 40);
  uint32_t first[10];
  for (int i = 0; i < 10; i++)
    first[i] = coh_stream_u32(&a);
  coh_stream b = coh_stream_begin(key, 3, 1ull << 40);
  for (int i = 0; i < 10; i++)
    assert_int_equal(coh_stream_u32(&b), first[i]);
  // any other coordinate gives another stream
  coh_stream others[] = {
      coh_stream_begin(key, 4, 1ull << 40),
      coh_stream_begin(key, 3, (1ull << 40) + 1),
      coh_stream_begin(coh_key_make(8, "epsilon"), 3, 1ull << 40),
      coh_stream_begin(coh_key_make(7, "sample"), 3, 1ull << 40),
  };
  for (int k = 0; k < 4; k++)
    assert_true(coh_stream_u32(&others[k]) != first[0]);
}

static void many_draws_at_once_are_the_same(void **state) {
  (void)state;
  enum { MOST = 700 };
  static uint32_t out[MOST];
  for (int64_t before = 0; before < 6; before++) // words of a block that are left over
    for (int64_t n = 0; n <= MOST; n += 1 + n / 3) {
      coh_stream one = coh_stream_begin(coh_key_make(3, "test"), 5, 1ull << 33), many;
      for (int64_t i = 0; i < before; i++)
        coh_stream_u32(&one);
      many = one;
      coh_stream_fill(&many, n, out);
      for (int64_t i = 0; i < n; i++)
        assert_int_equal(out[i], coh_stream_u32(&one));
      assert_int_equal(coh_stream_u32(&many), coh_stream_u32(&one));
    }
}

static void below_is_uniform_and_in_range(void **state) {
  (void)state;
  coh_stream stream = coh_stream_begin(coh_key_make(1, "test"), 0, 0);
  enum { N = 7, DRAWS = 70000 };
  int counts[N] = {0};
  for (int i = 0; i < DRAWS; i++) {
    int64_t draw = coh_stream_below(&stream, N);
    assert_in_range(draw, 0, N - 1);
    counts[draw]++;
  }
  double chi_square = 0, expected = (double)DRAWS / N;
  for (int k = 0; k < N; k++)
    chi_square += pow(counts[k] - expected, 2) / expected;
  assert_true(chi_square < 22.46); // 6 degrees of freedom, p = 0.001
}

static void uniform_and_normal_have_their_moments(void **state) {
  (void)state;
  coh_stream stream = coh_stream_begin(coh_key_make(2, "test"), 0, 0);
  enum { DRAWS = 200000 };
  double sum = 0, normal_sum = 0, normal_square = 0;
  for (int i = 0; i < DRAWS; i++) {
    double u = coh_stream_uniform(&stream);
    assert_true(u >= 0 && u < 1);
    sum += u;
    double z = coh_stream_normal(&stream);
    normal_sum += z;
    normal_square += z * z;
  }
  // five standard errors
  assert_true(fabs(sum / DRAWS - 0.5) < 5 * sqrt(1.0 / 12 / DRAWS));
  assert_true(fabs(normal_sum / DRAWS) < 5 * sqrt(1.0 / DRAWS));
  assert_true(fabs(normal_square / DRAWS - 1) < 5 * sqrt(2.0 / DRAWS));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(philox_gives_the_known_answers),
      cmocka_unit_test(streams_are_functions_of_their_coordinates),
      cmocka_unit_test(many_draws_at_once_are_the_same),
      cmocka_unit_test(below_is_uniform_and_in_range),
      cmocka_unit_test(uniform_and_normal_have_their_moments),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
