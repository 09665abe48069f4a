/* Repulsion by tree and by grid against all pairs in double precision. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "cohort_test.h"
#include "task/tsne/repulsion_grid.h"
#include "task/tsne/repulsion_tree.h"

enum { N = 1501, MOST_DIMS = 3 };

// a few clusters of very different sizes, two points at one place, one far away
static void make_points(int64_t dims, int64_t stride, double extent, float *y) {
  coh_stream stream = coh_stream_begin(coh_key_make(5, "test_tsne_forces"), (uint32_t)dims, 0);
  for (int64_t i = 0; i < N; i++)
    for (int64_t a = 0; a < dims; a++) {
      double centre = extent * ((double)((i % 5) * (a + 2) % 5) / 5 - 0.4);
      double spread = extent * pow(0.25, (double)(i % 3) + 1);
      y[i * stride + a] = (float)(centre + spread * coh_stream_normal(&stream));
    }
  for (int64_t a = 0; a < dims; a++) {
    y[7 * stride + a] = y[8 * stride + a];
    y[9 * stride + a] = (float)(2 * extent);
  }
}

// push (N, dims) and the sum of similarities, by their definition
static double all_pairs(int64_t dims, int64_t stride, double freedom, const float *y,
                        double *push) {
  double z = 0;
  memset(push, 0, (size_t)(N * dims) * sizeof *push);
  for (int64_t i = 0; i < N; i++)
    for (int64_t j = 0; j < N; j++) {
      double d[MOST_DIMS], squared = 0;
      if (i == j) continue;
      for (int64_t a = 0; a < dims; a++) {
        d[a] = (double)y[i * stride + a] - (double)y[j * stride + a];
        squared += d[a] * d[a];
      }
      double inverse = 1 / (1 + squared / freedom), w = pow(inverse, freedom);
      z += w;
      for (int64_t a = 0; a < dims; a++)
        push[i * dims + a] += w * inverse * d[a];
    }
  return z;
}

// root mean square of the error over that of the forces
static double error_of(int64_t dims, const float *push, const double *truth) {
  double error = 0, size = 0;
  for (int64_t i = 0; i < N * dims; i++) {
    error += pow((double)push[i] - truth[i], 2);
    size += truth[i] * truth[i];
  }
  return sqrt(error / size);
}

static double walk_tree(int64_t dims, int64_t stride, double theta, double freedom,
                        const float *y, float *push) {
  coh_tsne_tree *tree = NULL;
  assert_ok(coh_tsne_tree_create(N, dims, theta, freedom, 2, &tree));
  coh_tsne_tree_build(tree, y, stride);
  int64_t groups = coh_tsne_tree_groups(tree), width = (dims + 1) * COH_TREE_GROUP;
  float *out = coh_alloc_array((size_t)(groups * width), sizeof *out);
  coh_tsne_tree_walk(tree, 0, groups, out);
  double z = 0;
  for (int64_t i = 0; i < N; i++) {
    const float *from = out + i / COH_TREE_GROUP * width + i % COH_TREE_GROUP;
    for (int64_t a = 0; a < dims; a++)
      push[coh_tsne_tree_point(tree, i) * dims + a] = from[a * COH_TREE_GROUP];
    z += (double)from[dims * COH_TREE_GROUP];
  }
  coh_free(out);
  coh_tsne_tree_destroy(&tree);
  return z;
}

static const double freedoms[] = {1, 0.5, 3};

static void test_tree_with_theta_0_is_all_pairs(void **state) {
  (void)state;
  static float y[N * 4], push[N * MOST_DIMS];
  static double truth[N * MOST_DIMS];
  for (int64_t dims = 1; dims <= 3; dims++)
    for (size_t f = 0; f < 3; f++) {
      int64_t stride = dims == 3 ? 4 : dims;
      make_points(dims, stride, 20, y);
      double expected = all_pairs(dims, stride, freedoms[f], y, truth);
      double z = walk_tree(dims, stride, 0, freedoms[f], y, push);
      assert_within(z / expected, 1, 1e-5);
      assert_within(error_of(dims, push, truth), 0, 1e-5);
    }
}

// van der Maaten's angle: a percent or two of the forces at theta = 0.5, less when smaller
static void test_tree_error_falls_with_theta(void **state) {
  (void)state;
  static float y[N * 4], push[N * MOST_DIMS];
  static double truth[N * MOST_DIMS];
  for (int64_t dims = 1; dims <= 3; dims++) {
    int64_t stride = dims == 3 ? 4 : dims;
    make_points(dims, stride, 20, y);
    double expected = all_pairs(dims, stride, 1, y, truth);
    double z = walk_tree(dims, stride, 0.5, 1, y, push), coarse = error_of(dims, push, truth);
    assert_within(z / expected, 1, 0.01);
    assert_within(coarse, 0, 0.02);
    walk_tree(dims, stride, 0.2, 1, y, push);
    assert_true(error_of(dims, push, truth) < 0.5 * coarse + 1e-6);
  }
}

static void test_grid_matches_all_pairs(void **state) {
  (void)state;
  static float y[N * 2], push[N * 2], part[N * 2];
  static double truth[N * 2];
  static const double extents[] = {1e-3, 1, 30, 120};
  for (int64_t dims = 1; dims <= 2; dims++)
    for (size_t f = 0; f < 3; f++)
      for (size_t e = 0; e < 4; e++) {
        coh_tsne_grid *grid = NULL;
        double z;
        make_points(dims, dims, extents[e], y);
        double expected = all_pairs(dims, dims, freedoms[f], y, truth);
        assert_ok(
            coh_tsne_grid_create(N, dims, dims == 1 ? 0.125 : 0.5, freedoms[f], 2, &grid));
        assert_ok(coh_tsne_grid_run(grid, y, 0, N, push, &z));
        double error = error_of(dims, push, truth);
        // of the net force, in which most of what points exert cancels
        if (error > 0.02 || fabs(z / expected - 1) > 1e-3)
          fail_msg("dims %d, freedom %g, extent %g: forces off by %g, z by %g", (int)dims,
                   freedoms[f], extents[e], error, z / expected - 1);
        // a second time, for a part of the points: the same bits
        assert_ok(coh_tsne_grid_run(grid, y, 256, 512, part, &z));
        assert_memory_equal(part, push + 256 * dims, (size_t)(512 * dims) * sizeof *part);
        coh_tsne_grid_destroy(&grid);
      }
}

static void test_grid_finer_is_better(void **state) {
  (void)state;
  static float y[N * 2], push[N * 2];
  static double truth[N * 2];
  make_points(2, 2, 30, y);
  all_pairs(2, 2, 1, y, truth);
  double last = 1;
  for (double spacing = 1; spacing > 0.1; spacing /= 2) {
    coh_tsne_grid *grid = NULL;
    double z;
    assert_ok(coh_tsne_grid_create(N, 2, spacing, 1, 1, &grid));
    assert_ok(coh_tsne_grid_run(grid, y, 0, N, push, &z));
    double error = error_of(2, push, truth);
    assert_true(error < 0.5 * last || error < 1e-5);
    last = error;
    coh_tsne_grid_destroy(&grid);
  }
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tree_with_theta_0_is_all_pairs),
      cmocka_unit_test(test_tree_error_falls_with_theta),
      cmocka_unit_test(test_grid_matches_all_pairs),
      cmocka_unit_test(test_grid_finer_is_better),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
