/* Products of bytes against sums written out, in 64-bit integers. */
#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "la/byte_gram.h"

static void compare(int64_t n, int64_t d, int value) {
  int64_t pitch = coh_la_byte_gram_pitch(d);
  uint8_t *x = coh_alloc_array((size_t)(n * d), sizeof *x);
  int32_t *c = coh_alloc_array((size_t)coh_la_byte_gram_size(d), sizeof *c);
  int32_t *scratch = coh_alloc_array((size_t)coh_la_byte_gram_scratch(d), sizeof *scratch);
  int32_t *sums = coh_alloc_array((size_t)d, sizeof *sums);
  coh_stream stream = coh_stream_begin(coh_key_make(1, "test_byte_gram"), 0, 0);
  for (int64_t i = 0; i < n * d; i++)
    x[i] = (uint8_t)(value < 0 ? coh_stream_below(&stream, 256) : value);
  // in two parts: the second is added
  int64_t first = n / 3;
  coh_la_byte_gram(first, d, x, c, sums, scratch);
  coh_la_byte_gram(n - first, d, x + first * d, c, sums, scratch);
  for (int64_t i = 0; i < d; i++) {
    int64_t column = 0;
    for (int64_t r = 0; r < n; r++)
      column += x[r * d + i];
    assert_int_equal(sums[i], column);
    for (int64_t j = 0; j <= i; j++) {
      int64_t sum = 0;
      for (int64_t r = 0; r < n; r++)
        sum += (int64_t)x[r * d + i] * x[r * d + j];
      assert_int_equal(c[i * pitch + j], sum);
    }
  }
  coh_free(x);
  coh_free(c);
  coh_free(sums);
  coh_free(scratch);
}

static void test_byte_gram_is_exact(void **state) {
  (void)state;
  static const int64_t shape[][2] = {{1, 1},     {2, 3},   {7, 24},    {513, 25},
                                     {1500, 53}, {90, 96}, {1023, 97}, {259, 200}};
  for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
    compare(shape[s][0], shape[s][1], -1);
}

static void test_byte_gram_has_room_for_the_largest_sums(void **state) {
  (void)state;
  compare(COH_BYTE_GRAM_ROWS, 2, 255);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_byte_gram_is_exact),
      cmocka_unit_test(test_byte_gram_has_room_for_the_largest_sums),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
