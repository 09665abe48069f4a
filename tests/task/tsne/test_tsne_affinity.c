/* Affinities: bandwidths against a bisection of the definition in double precision, and the
 * symmetric table against p_ij = (p(j|i) + p(i|j)) / 2n over all pairs. */
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "task/tsne/tsne_affinity.h"

static coh_stream numbers(uint32_t entity) {
  return coh_stream_begin(coh_key_make(11, "test_tsne_affinity"), entity, 0);
}

// p ~ exp(-b d) and its entropy in nats
static double entropy_of(int64_t k, const float *d, double b, double *p) {
  double sum = 0, entropy = 0, least = INFINITY;
  for (int64_t j = 0; j < k; j++)
    least = fmin(least, (double)d[j]);
  for (int64_t j = 0; j < k; j++)
    sum += p[j] = exp(-b * ((double)d[j] - least));
  for (int64_t j = 0; j < k; j++) {
    p[j] /= sum;
    if (p[j] > 0) entropy -= p[j] * log(p[j]);
  }
  return entropy;
}

// the bandwidth by plain bisection over 60 powers of ten
static void reference(int64_t k, const float *d, double perplexity, double *p) {
  double lo = -30, hi = 30;
  for (int i = 0; i < 200; i++) {
    double middle = 0.5 * (lo + hi);
    if (entropy_of(k, d, pow(10, middle), p) > log(perplexity))
      lo = middle;
    else
      hi = middle;
  }
}

static void test_affinity_bandwidths_match_a_bisection(void **state) {
  (void)state;
  enum { K = 90 };
  static const double scales[] = {1e-8, 1, 1e8}, perplexities[] = {2, 5, 30, 80};
  float d[K], p[K], scratch[2 * K];
  double expected[K];
  coh_stream stream = numbers(1);
  for (size_t s = 0; s < 3; s++)
    for (size_t q = 0; q < 4; q++) {
      for (int64_t j = 0; j < K; j++)
        d[j] = (float)(scales[s] * (20 + 10 * coh_stream_uniform(&stream)));
      coh_affinity_row(K, d, 1, &perplexities[q], p, scratch);
      reference(K, d, perplexities[q], expected);
      double sum = 0, entropy = 0;
      for (int64_t j = 0; j < K; j++) {
        assert_within(p[j], expected[j], 5e-4 * expected[j] + 1e-9);
        sum += (double)p[j];
        if (p[j] > 0) entropy -= (double)p[j] * log((double)p[j]);
      }
      assert_within(sum, 1, 1e-5);
      assert_within(exp(entropy) / perplexities[q], 1, 1e-4);
    }
}

// m neighbours at one distance, the others at another: with x = e^(-b (D - d)) the entropy is
// log(m + n x) - n x log(x) / (m + n x), which grows with x
static void test_affinity_of_two_shells_has_a_closed_form(void **state) {
  (void)state;
  enum { K = 40, NEAR = 10 };
  float d[K], p[K], scratch[2 * K];
  const double perplexity = 25, n = K - NEAR;
  for (int64_t j = 0; j < K; j++)
    d[j] = j < NEAR ? 3 : 7;
  coh_affinity_row(K, d, 1, &perplexity, p, scratch);
  double lo = 0, hi = 1, x = 0.5;
  for (int i = 0; i < 60; i++, x = 0.5 * (lo + hi)) {
    double whole = NEAR + n * x;
    if (log(whole) - n * x * log(x) / whole > log(perplexity))
      hi = x;
    else
      lo = x;
  }
  for (int64_t j = 0; j < K; j++)
    assert_within(p[j], (j < NEAR ? 1 : x) / (NEAR + n * x), 1e-6);
}

static void test_affinity_of_several_perplexities_is_their_mean(void **state) {
  (void)state;
  enum { K = 60 };
  float d[K], p[K], one[K], two[K], scratch[2 * K];
  static const double perplexities[] = {4, 19};
  coh_stream stream = numbers(2);
  for (int64_t j = 0; j < K; j++)
    d[j] = (float)coh_stream_uniform(&stream);
  coh_affinity_row(K, d, 2, perplexities, p, scratch);
  coh_affinity_row(K, d, 1, &perplexities[0], one, scratch);
  coh_affinity_row(K, d, 1, &perplexities[1], two, scratch);
  for (int64_t j = 0; j < K; j++)
    assert_within(p[j], 0.5 * ((double)one[j] + (double)two[j]), 1e-7);
}

static void test_affinity_of_equal_distances_is_equal(void **state) {
  (void)state;
  enum { K = 12 };
  static const float distances[] = {0, 5, 1e30f};
  const double perplexity = 4;
  float d[K], p[K], scratch[2 * K];
  for (size_t i = 0; i < 3; i++) {
    for (int64_t j = 0; j < K; j++)
      d[j] = distances[i];
    coh_affinity_row(K, d, 1, &perplexity, p, scratch);
    for (int64_t j = 0; j < K; j++)
      assert_within(p[j], 1.0 / K, 1e-7);
  }
  // more twins than the perplexity: what bisection cannot reach stays finite
  for (int64_t j = 0; j < K; j++)
    d[j] = j < 9 ? 0 : 1;
  coh_affinity_row(K, d, 1, &perplexity, p, scratch);
  for (int64_t j = 0; j < K; j++)
    assert_within(p[j], j < 9 ? 1.0 / 9 : 0, 1e-6);
}

// a table of n rows, each with k different others, and rows in a mixed order
typedef struct table {
  coh_affinity_table t;
  int32_t *index, *place, *order;
  float *conditional;
  double *dense; /* (n, n), of points */
} table;

static table make_table(int64_t n, int64_t k) {
  table m = {.t = {.n = n, .k = k}};
  m.index = coh_alloc_array((size_t)(n * k), sizeof *m.index);
  m.conditional = coh_alloc_array((size_t)(n * k), sizeof *m.conditional);
  m.place = coh_alloc_array((size_t)n, sizeof *m.place);
  m.order = coh_alloc_array((size_t)n, sizeof *m.order);
  m.dense = coh_alloc_array((size_t)(n * n), sizeof *m.dense);
  coh_stream stream = numbers(3);
  for (int64_t i = 0; i < n; i++) {
    m.order[i] = (int32_t)(i * 7 % n); // n is no multiple of 7
    m.place[m.order[i]] = (int32_t)i;
  }
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < k; j++) {
      int32_t row = 0;
      for (bool taken = true; taken;) {
        row = (int32_t)coh_stream_below(&stream, n);
        taken = row == i;
        for (int64_t before = 0; before < j; before++)
          taken |= m.index[i * k + before] == row;
      }
      m.index[i * k + j] = row;
      m.conditional[i * k + j] = (float)coh_stream_uniform(&stream);
    }
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < k; j++) {
      int64_t a = m.place[i], b = m.place[m.index[i * k + j]];
      double half = (double)m.conditional[i * k + j] / (2.0 * (double)n);
      m.dense[a * n + b] += half;
      m.dense[b * n + a] += half;
    }
  m.t.index = m.index;
  m.t.conditional = m.conditional;
  m.t.place = m.place;
  m.t.order = m.order;
  return m;
}

static void free_table(table *m) {
  coh_free(m->index);
  coh_free(m->conditional);
  coh_free(m->place);
  coh_free(m->order);
  coh_free(m->dense);
}

static void test_affinities_join_both_directions(void **state) {
  (void)state;
  enum { N = 100, K = 9 };
  table m = make_table(N, K);
  static const int64_t parts[] = {0, 31, 100};
  for (int p = 0; p < 2; p++) {
    int64_t first = parts[p], n_own = parts[p + 1] - first, edges = 0;
    coh_affinities a;
    assert_ok(coh_affinities_join(&m.t, first, n_own, 2, &a));
    for (int64_t i = 0; i < n_own; i++) {
      for (int64_t e = a.begin[i]; e < a.begin[i + 1]; e++) {
        assert_true(e == a.begin[i] || a.column[e] > a.column[e - 1]);
        assert_within(a.value[e], m.dense[(first + i) * N + a.column[e]], 1e-9);
      }
      for (int64_t j = 0; j < N; j++)
        edges += m.dense[(first + i) * N + j] > 0;
    }
    assert_int_equal(a.begin[n_own], edges);
    coh_affinities_fini(&a);
  }
  free_table(&m);
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_affinity_bandwidths_match_a_bisection),
      cmocka_unit_test(test_affinity_of_two_shells_has_a_closed_form),
      cmocka_unit_test(test_affinity_of_several_perplexities_is_their_mean),
      cmocka_unit_test(test_affinity_of_equal_distances_is_equal),
      cmocka_unit_test(test_affinities_join_both_directions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
