/* How good a map is, by the definitions written out; the method that a size gets; what late
 * exaggeration does. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "map_at_hand.h"
#include "world_at_hand.h"

enum { N = 240, K = 10 };
static const char config_of_mixture[] =
    "data: {gaussian_mixture: {n: 240, d: 2, k: 3}}\nperplexity: 10\nmethod: exact\n";

static void test_a_map_that_is_the_data_is_perfect(void **state) {
  (void)state;
  map m;
  double trust, kept;
  open_map(world, config_of_mixture, &m);
  for (int64_t i = 0; i < N; i++)
    for (int64_t a = 0; a < 2; a++)
      m.t->y[2 * i + a] = m.t->rows[2 * m.t->order[i] + a];
  assert_ok(coh_tsne_quality(m.t, K, &trust, &kept));
  assert_within(trust, 1, 0);
  assert_within(kept, 1, 0);
  close_map(&m);
}

// the others of a row by distance, then by number
typedef struct other {
  double distance;
  int64_t row;
} other;

static int by_distance(const void *a, const void *b) {
  const other *x = a, *y = b;
  if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
  return (x->row > y->row) - (x->row < y->row);
}

static void sort_others(const float *x, int64_t row, other *others) {
  int64_t n = 0;
  for (int64_t j = 0; j < N; j++) {
    double dx = (double)x[2 * row] - (double)x[2 * j];
    double dy = (double)x[2 * row + 1] - (double)x[2 * j + 1];
    if (j != row) others[n++] = (other){dx * dx + dy * dy, j};
  }
  qsort(others, (size_t)n, sizeof *others, by_distance);
}

// Venna, Kaski 2001: 1 - 2 / (n k (2n - 3k - 1)) sum of (rank - k) of the false neighbours
static void test_measures_match_their_definitions(void **state) {
  (void)state;
  map m;
  double trust, kept, penalty = 0, found = 0;
  static float y[2 * N];
  static other near[N - 1], truly[N - 1];
  open_map(world, config_of_mixture, &m);
  for (int64_t i = 0; i < N; i++) // the data, folded and blurred
    for (int64_t a = 0; a < 2; a++)
      m.t->y[2 * i + a] =
          fabsf(m.t->rows[2 * m.t->order[i] + a]) + 0.1f * (float)((i * 37 + a * 11) % 17) / 17;
  coh_tsne_positions(m.t, y);
  for (int64_t i = 0; i < N; i++) {
    sort_others(y, i, near);
    sort_others(m.t->rows, i, truly);
    for (int k = 0; k < K; k++) {
      int64_t rank = 0;
      while (truly[rank].row != near[k].row)
        rank++;
      if (rank >= K)
        penalty += (double)(rank + 1 - K);
      else
        found += 1;
    }
  }
  assert_ok(coh_tsne_quality(m.t, K, &trust, &kept));
  assert_within(trust, 1 - 2 * penalty / (N * K * (2.0 * N - 3 * K - 1)), 1e-12);
  assert_within(kept, found / (N * K), 1e-12);
  assert_true(trust < 0.99 && kept < 0.9); // or the comparison compares nothing
  close_map(&m);
}

static void test_method_is_chosen_by_size(void **state) {
  (void)state;
  const struct {
    int n, dims, method;
  } rows[] = {
      {COH_TSNE_EXACT_ROWS, 2, COH_TSNE_EXACT},   {COH_TSNE_EXACT_ROWS + 1, 2, COH_TSNE_TREE},
      {COH_TSNE_TREE_ROWS, 2, COH_TSNE_TREE},     {COH_TSNE_TREE_ROWS + 1, 2, COH_TSNE_GRID},
      {COH_TSNE_TREE_ROWS + 1, 1, COH_TSNE_GRID}, {COH_TSNE_TREE_ROWS + 1, 3, COH_TSNE_TREE}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    map m;
    char config[256];
    snprintf(config, sizeof config,
             "data: {gaussian_mixture: {n: %d, d: 3, k: 3}}\nperplexity: 3\ndims: %d\n"
             "start: random\n",
             rows[i].n, rows[i].dims);
    open_map(world, config, &m);
    assert_int_equal(m.t->method, rows[i].method);
    close_map(&m);
  }
}

// mean distance from the middle of the own class over that between middles
static double spread_of(const coh_tsne *t) {
  enum { CLASSES = 3 };
  const int32_t *label = coh_dataset_labels(t->dataset);
  double middle[CLASSES][2] = {{0}}, count[CLASSES] = {0}, own = 0, between = 0;
  static float y[2 * N];
  coh_tsne_positions(t, y);
  for (int64_t i = 0; i < N; i++) {
    count[label[i]]++;
    for (int a = 0; a < 2; a++)
      middle[label[i]][a] += (double)y[2 * i + a];
  }
  for (int c = 0; c < CLASSES; c++)
    for (int a = 0; a < 2; a++)
      middle[c][a] /= count[c];
  for (int64_t i = 0; i < N; i++)
    own += hypot((double)y[2 * i] - middle[label[i]][0],
                 (double)y[2 * i + 1] - middle[label[i]][1]) /
           N;
  for (int c = 0; c < CLASSES; c++)
    between += hypot(middle[c][0] - middle[(c + 1) % CLASSES][0],
                     middle[c][1] - middle[(c + 1) % CLASSES][1]) /
               CLASSES;
  return own / between;
}

static void test_late_exaggeration_tightens_clusters(void **state) {
  (void)state;
  double spread[2];
  for (int late = 0; late < 2; late++) {
    map m;
    char config[256];
    snprintf(config, sizeof config,
             "data: {gaussian_mixture: {n: 240, d: 10, k: 3}}\nperplexity: 10\n"
             "method: exact\nearly_steps: 100\nexaggeration: %d\n",
             late ? 4 : 1);
    open_map(world, config, &m);
    for (int i = 0; i < 400; i++)
      assert_ok(coh_tsne_step(m.t));
    spread[late] = spread_of(m.t);
    close_map(&m);
  }
  if (!(spread[1] < 0.8 * spread[0])) fail_msg("%g, then %g", spread[0], spread[1]);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_a_map_that_is_the_data_is_perfect),
      cmocka_unit_test(test_measures_match_their_definitions),
      cmocka_unit_test(test_method_is_chosen_by_size),
      cmocka_unit_test(test_late_exaggeration_tightens_clusters),
  };
  return cmocka_run_group_tests(tests, world_enter, world_leave);
}
