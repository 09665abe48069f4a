/* What moves the points, against finite differences of the Kullback-Leibler divergence that is
 * written out here in double precision; and the divergence that a run reports, against it. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "map_at_hand.h"
#include "world_at_hand.h"

enum { N = 200 };

static void open_mixture(const char *config, map *m) {
  char text[512];
  snprintf(text, sizeof text,
           "data: {gaussian_mixture: {n: %d, d: 6, k: 3}}\nperplexity: 10\n%s", N, config);
  open_map(world, text, m);
}

// all of p, dense
static double *gather_p(const coh_tsne *t) {
  double *p = coh_alloc_array(N * N, sizeof *p);
  for (int64_t i = 0; i < t->n_own; i++)
    if (t->p.begin) {
      for (int64_t e = t->p.begin[i]; e < t->p.begin[i + 1]; e++)
        p[(t->first + i) * N + t->p.column[e]] = (double)t->p.value[e];
    } else {
      for (int64_t j = 0; j < N; j++)
        if (j != t->first + i)
          p[(t->first + i) * N + j] = (double)t->p.value[i * ((N + 7) / 8 * 8) + j];
    }
  return p;
}

static double divergence_of(const coh_tsne *t, const double *p, const double *y) {
  double z = 0, sum = 0, a = t->options->freedom;
  for (int64_t i = 0; i < N; i++)
    for (int64_t j = 0; j < N; j++) {
      double squared = 0;
      if (i == j) continue;
      for (int64_t c = 0; c < t->dims; c++)
        squared += pow(y[i * t->dims + c] - y[j * t->dims + c], 2);
      z += pow(1 + squared / a, -a);
      if (p[i * N + j] > 0)
        sum += p[i * N + j] * (log(p[i * N + j]) + a * log(1 + squared / a));
    }
  return sum + log(z);
}

static void check(const char *config, double tolerance) {
  map m;
  open_mixture(config, &m);
  coh_tsne *t = m.t;
  for (int i = 0; i < 120; i++)
    assert_ok(coh_tsne_step(t));
  double *p = gather_p(t), *y = coh_alloc_array((size_t)(N * t->dims), sizeof *y), total = 0;
  for (int64_t i = 0; i < N * N; i++)
    total += p[i];
  assert_within(total, 1, 1e-5);
  for (int64_t i = 0; i < N; i++)
    for (int64_t c = 0; c < t->dims; c++)
      y[i * t->dims + c] = (double)t->y[i * t->stride + c];
  double reported, divergence = divergence_of(t, p, y);
  assert_ok(coh_tsne_divergence(t, &reported));
  assert_within(reported / divergence, 1, fmax(1e-5, 0.1 * tolerance));

  // forces of every eleventh point
  coh_tsne_attract(t);
  assert_ok(coh_tsne_repel(t));
  double error = 0, size = 0;
  for (int64_t i = 0; i < t->n_own; i += 11)
    for (int64_t c = 0; c < t->dims; c++) {
      const double step = 1e-4;
      double *at = y + (t->first + i) * t->dims + c, here = *at;
      *at = here + step;
      double after = divergence_of(t, p, y);
      *at = here - step;
      double slope = (after - divergence_of(t, p, y)) / (2 * step);
      *at = here;
      double force =
          4 * ((double)t->pull[i * t->stride + c] - (double)t->push[i * t->stride + c] / t->z);
      error += (force - slope) * (force - slope);
      // pull and push nearly cancel: what counts is the error beside one of them
      size += pow(4 * (double)t->pull[i * t->stride + c], 2);
    }
  if (sqrt(error / size) > tolerance)
    fail_msg("%s: off by %g of the attraction", config, sqrt(error / size));
  coh_free(p);
  coh_free(y);
  close_map(&m);
}

static void test_gradient_of_all_pairs(void **state) {
  (void)state;
  check("method: exact\ndims: 1\n", 1e-4);
  check("method: exact\n", 1e-4);
  check("method: exact\ndims: 3\n", 1e-4);
  check("method: exact\nfreedom: 0.5\n", 1e-4);
}

static void test_gradient_of_the_tree(void **state) {
  (void)state;
  check("method: barnes_hut\ntheta: 0\n", 1e-4);
  check("method: barnes_hut\ntheta: 0\ndims: 3\nfreedom: 2\n", 1e-4);
  check("method: barnes_hut\n", 2e-2);
}

static void test_gradient_of_the_grid(void **state) {
  (void)state;
  check("method: fft\n", 1e-2);
  check("method: fft\ndims: 1\nfreedom: 0.8\nperplexities: [5, 15]\n", 1e-2);
}

// it stops by itself where the divergence has stopped falling, not earlier
static void test_run_stops_where_it_no_longer_falls(void **state) {
  (void)state;
  map m;
  open_mixture("method: exact\nmin_progress: 0.01\npatience: 50\n", &m);
  const coh_task_type *type =
      (const coh_task_type *)(const void *)coh_kind_find(&coh_task_kinds, "tsne");
  double before = INFINITY, divergence = INFINITY;
  int i = 0;
  for (; i < 2000 && !type->finished(m.t); i++) {
    if (i % 100 == 0) {
      before = divergence;
      assert_ok(coh_tsne_divergence(m.t, &divergence));
    }
    assert_ok(coh_tsne_step(m.t));
  }
  assert_in_range(i, 300, 1999); // 250 of the beginning and 50 of patience
  double end;
  assert_ok(coh_tsne_divergence(m.t, &end));
  assert_true(end > 0.9 * before && end <= divergence * 1.01);
  close_map(&m);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_gradient_of_all_pairs),
      cmocka_unit_test(test_gradient_of_the_tree),
      cmocka_unit_test(test_gradient_of_the_grid),
      cmocka_unit_test(test_run_stops_where_it_no_longer_falls),
  };
  return cmocka_run_group_tests(tests, world_enter, world_leave);
}
