/* Regression trees against what their definitions say: grown to the end they return every
 * target; the best cut is the one that trying all finds; rows that move down while a tree grows
 * get what walking it gives. */
#include "cohort_test.h"

#include <string.h>

#include "base/alloc.h"
#include "task/fqi/regression_tree.h"

enum { N = 600, D = 5, N_ASKED = 257 };

typedef struct problem {
  float x[N * D], columns[D * N]; // row by row, and column by column
  double y[N];
  coh_tree_sample sample;
} problem;

static void make(problem *p) {
  coh_stream stream = coh_stream_begin(coh_key_make(7, "test"), 0, 0);
  for (int i = 0; i < N; i++) {
    for (int k = 0; k < D; k++)
      p->x[i * D + k] = (float)coh_stream_below(&stream, k == 0 ? 3 : 1000) / 10 - 20;
    p->y[i] = (double)p->x[i * D + 1] + sin((double)p->x[i * D + 2]) +
              0.1 * coh_stream_uniform(&stream);
  }
  for (int i = 0; i < N * D; i++)
    p->columns[i % D * N + i / D] = p->x[i];
  p->sample = (coh_tree_sample){
      .n_rows = N, .n_features = D, .n_stride = N, .features = p->columns, .targets = p->y};
}

static coh_stream draws(void) {
  return coh_stream_begin(coh_key_make(1, "trees"), 3, 4);
}

static void trees_grown_to_the_end_return_every_target(void **state) {
  (void)state;
  problem *p = test_malloc(sizeof *p);
  make(p);
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(N, 0, D, &grower));
  for (int split = 0; split < 3; split++) {
    coh_tree tree = {0};
    coh_tree_options options = {.split = (coh_tree_split)split, .n_min = 2};
    coh_stream stream = draws();
    assert_ok(coh_tree_grow(grower, &options, &p->sample, NULL, &stream, &tree));
    assert_int_equal(tree.n_nodes, 2 * tree.n_leaves - 1);
    double sums[N] = {0};
    coh_tree_add(&tree, N, D, p->x, sums);
    for (int i = 0; i < N; i++)
      assert_within(sums[i], p->y[i], 1e-12);
    coh_tree_clear(&tree);
  }
  coh_tree_grower_destroy(&grower);
  test_free(p);
}

// leaves hold the mean of their rows, so the values' mean is the targets'
static void leaves_of_many_rows_hold_their_mean(void **state) {
  (void)state;
  problem *p = test_malloc(sizeof *p);
  make(p);
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(N, 0, D, &grower));
  double mean = 0;
  for (int i = 0; i < N; i++)
    mean += p->y[i] / N;
  for (int split = 0; split < 3; split++) {
    coh_tree tree = {0};
    coh_tree_options options = {.split = (coh_tree_split)split, .n_min = 40};
    coh_stream stream = draws();
    assert_ok(coh_tree_grow(grower, &options, &p->sample, NULL, &stream, &tree));
    assert_true(tree.n_leaves > 10 && tree.n_leaves < N / 2);
    double sums[N] = {0}, found = 0;
    coh_tree_add(&tree, N, D, p->x, sums);
    for (int i = 0; i < N; i++)
      found += sums[i] / N;
    assert_within(found, mean, 1e-9);
    coh_tree_clear(&tree);
  }
  coh_tree_grower_destroy(&grower);
  test_free(p);
}

// squared error that a cut of all rows leaves
static double error_of(const problem *p, int feature, float threshold) {
  double sum[2] = {0}, square[2] = {0};
  int n[2] = {0};
  for (int i = 0; i < N; i++) {
    int side = p->x[i * D + feature] >= threshold;
    sum[side] += p->y[i];
    square[side] += p->y[i] * p->y[i];
    n[side]++;
  }
  double error = 0;
  for (int side = 0; side < 2; side++)
    if (n[side]) error += square[side] - sum[side] * sum[side] / n[side];
  return n[0] && n[1] ? error : INFINITY;
}

static void the_best_cut_is_the_best_of_all(void **state) {
  (void)state;
  problem *p = test_malloc(sizeof *p);
  make(p);
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(N, 0, D, &grower));
  coh_tree tree = {0};
  coh_tree_options options = {.split = COH_SPLIT_BEST, .n_min = N};
  coh_stream stream = draws();
  assert_ok(coh_tree_grow(grower, &options, &p->sample, NULL, &stream, &tree));
  assert_int_equal(tree.n_nodes, 3);
  double best = INFINITY;
  for (int feature = 0; feature < D; feature++)
    for (int i = 0; i < N; i++)
      best = fmin(best, error_of(p, feature, p->x[i * D + feature]));
  double found = error_of(p, (int)tree.node[0].feature, tree.node[0].threshold);
  assert_within(found, best, 1e-6 * best);
  coh_tree_clear(&tree);
  coh_tree_grower_destroy(&grower);
  test_free(p);
}

static void rows_that_move_get_what_walking_gives(void **state) {
  (void)state;
  problem *p = test_malloc(sizeof *p);
  make(p);
  float columns[D * N_ASKED], plain[N_ASKED * D];
  coh_stream random = coh_stream_begin(coh_key_make(9, "ask"), 0, 0);
  for (int i = 0; i < N_ASKED * D; i++) {
    plain[i] = (float)(coh_stream_uniform(&random) * 130 - 30);
    columns[i % D * N_ASKED + i / D] = plain[i];
  }
  coh_tree_grower *grower = NULL;
  assert_ok(coh_tree_grower_create(N, N_ASKED, D, &grower));
  for (int split = 0; split < 3; split++) {
    coh_tree tree = {0};
    coh_tree_options options = {.split = (coh_tree_split)split, .n_min = 5};
    double moved[N_ASKED] = {0}, many[N_ASKED] = {0}, walked[N_ASKED] = {0};
    double own[N] = {0}, own_walked[N] = {0};
    coh_tree_queries queries = {N_ASKED, columns, moved, own};
    coh_stream stream = draws();
    assert_ok(coh_tree_grow(grower, &options, &p->sample, &queries, &stream, &tree));
    queries.sums = many;
    assert_ok(coh_tree_add_many(grower, &tree, &queries));
    coh_tree_add(&tree, N_ASKED, D, plain, walked);
    coh_tree_add(&tree, N, D, p->x, own_walked);
    assert_memory_equal(moved, walked, sizeof walked);
    assert_memory_equal(many, walked, sizeof walked);
    assert_memory_equal(own, own_walked, sizeof own);
    coh_tree_clear(&tree);
  }
  coh_tree_grower_destroy(&grower);
  test_free(p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(trees_grown_to_the_end_return_every_target),
      cmocka_unit_test(leaves_of_many_rows_hold_their_mean),
      cmocka_unit_test(the_best_cut_is_the_best_of_all),
      cmocka_unit_test(rows_that_move_get_what_walking_gives),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed || coh_alloc_live() != 0;
}
