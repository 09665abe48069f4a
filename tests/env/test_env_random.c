/* The randomness of environments: against NumPy's RandomState, and against plain streams. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort_test.h"
#include "env/env_random.h"

static coh_env_random legacy(coh_twister *twister, uint32_t seed) {
  coh_twister_seed(twister, seed);
  return (coh_env_random){.twister = twister};
}

/* The first outputs for 5489, the seed of the generator's published reference run. */
static void twister_gives_the_reference_outputs(void **state) {
  (void)state;
  static const uint32_t expected[] = {0xd091bb5cu, 0x22ae9ef6u, 0xe7e1faeeu, 0xd5c31f79u,
                                      0x2082352cu};
  coh_twister twister;
  coh_twister_seed(&twister, 5489);
  for (int k = 0; k < 5; k++)
    assert_int_equal(coh_twister_u32(&twister), expected[k]);
}

/* numpy.random.RandomState(12345): random_sample, randint(0, 10), (0, 1), (0, 7), ... */
static void twister_draws_like_numpy(void **state) {
  (void)state;
  coh_twister twister;
  coh_env_random random = legacy(&twister, 12345);
  static const double reals[] = {0.9296160928171479, 0.3163755545817859, 0.18391881167709445};
  static const int digits[] = {5, 2, 1, 6, 1, 9, 7, 6};
  // exact: both divide the same integers by 2^53
  for (int k = 0; k < 3; k++)
    assert_true(coh_env_uniform(&random) == reals[k]);
  for (int k = 0; k < 8; k++)
    assert_int_equal(coh_env_below(&random, 10), digits[k]);
  for (int k = 0; k < 2; k++)
    assert_int_equal(coh_env_below(&random, 1), 0);
  assert_int_equal(coh_env_below(&random, 7), 0);
  assert_true(coh_env_uniform(&random) == 0.8923437294461335);
  random = legacy(&twister, 0);
  for (int k = 0; k < 5000; k++)
    coh_env_uniform(&random);
  assert_true(coh_env_uniform(&random) == 0.3667802195520107);
}

/* The blocks computed ahead give what a stream gives that computes them one by one. */
static void env_random_equals_its_stream(void **state) {
  (void)state;
  enum { N = 37 };
  coh_env_head heads[N];
  uint32_t blocks[N][4];
  memset(heads, 0, sizeof heads);
  for (uint32_t i = 0; i < N; i++) {
    heads[i].key = coh_key_make(5 + i % 3, "env");
    heads[i].entity = 0xFFFFFFFFu - i;
    heads[i].tick = ((uint64_t)i << 31) + i;
  }
  coh_env_blocks(N, heads, blocks);
  coh_env_randomness source = {.heads = heads, .blocks = (const uint32_t(*)[4])blocks};
  for (int64_t i = 0; i < N; i++) {
    coh_env_random random = coh_env_random_of(&source, i);
    coh_stream stream = coh_stream_begin(heads[i].key, heads[i].entity, heads[i].tick);
    for (int k = 0; k < 12; k++) {
      if (k % 5 == 3)
        assert_int_equal(coh_env_below(&random, 8), coh_stream_below(&stream, 8));
      else
        assert_true(coh_env_uniform(&random) == coh_stream_uniform(&stream));
    }
  }
}

static void env_random_is_uniform(void **state) {
  (void)state;
  enum { N = 100000, FACES = 6 };
  int64_t count[FACES] = {0};
  double sum = 0.0;
  coh_env_head head = {.key = coh_key_make(3, "env")};
  for (int i = 0; i < N; i++) {
    uint32_t block[1][4];
    head.tick = (uint64_t)i;
    coh_env_blocks(1, &head, block);
    coh_env_randomness source = {.heads = &head, .blocks = (const uint32_t(*)[4])block};
    coh_env_random random = coh_env_random_of(&source, 0);
    sum += coh_env_uniform(&random);
    count[coh_env_below(&random, FACES)]++;
  }
  assert_within(sum / N, 0.5, 5.0 / sqrt(12.0 * N));
  double chi2 = 0.0;
  for (int f = 0; f < FACES; f++) {
    double away = (double)count[f] - (double)N / FACES;
    chi2 += away * away / ((double)N / FACES);
  }
  assert_true(chi2 < 20.5); // 99.9% point for 5 degrees of freedom
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(twister_gives_the_reference_outputs),
      cmocka_unit_test(twister_draws_like_numpy),
      cmocka_unit_test(env_random_equals_its_stream),
      cmocka_unit_test(env_random_is_uniform),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
