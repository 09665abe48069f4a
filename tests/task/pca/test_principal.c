/* Principal components against the eigenvectors of a covariance taken in double precision. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "la/lapack.h"
#include "task/pca/principal.h"
#include "world_at_hand.h"

enum { N = 5000, D = 24, K = 5 };

// rows with a spectrum that falls by a factor a column, turned by mixing neighbours, far from 0
static coh_dataset *make_rows(int64_t n, double offset) {
  coh_array rows = {.dtype = COH_DTYPE_F32, .n_dims = 2, .shape = {n, D}};
  float *x = coh_alloc_array((size_t)(n * D), sizeof *x);
  rows.data = x;
  coh_key key = coh_key_make(3, "test_principal");
  for (int64_t i = 0; i < n; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)i, 0);
    double before = 0;
    for (int64_t j = 0; j < D; j++) {
      double value = pow(0.8, (double)j) * coh_stream_normal(&stream);
      x[i * D + j] = (float)(offset + value + 0.3 * before);
      before = value;
    }
  }
  coh_dataset *dataset = NULL;
  assert_ok(coh_dataset_of_arrays("rows", &rows, NULL, &dataset));
  return dataset;
}

static coh_principal_problem problem_of(const coh_dataset *dataset, int method) {
  coh_principal_problem p = {
      .world = world,
      .n_threads = 2,
      .seed = 1,
      .dataset = dataset,
      .affine = {1, 0},
      .options = {
          .components = K, .method = method, .oversample = 6, .powers = 100, .center = true}};
  assert_ok(coh_lanes_split(world, 4, &p.lanes));
  return p;
}

// the covariance (or correlation) in double, by its definition
static void reference(const coh_dataset *dataset, bool scale, double *values, double *vectors) {
  int64_t n = coh_dataset_spec_of(dataset)->n_rows;
  double mean[D] = {0}, c[D * D] = {0};
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < D; j++)
      mean[j] += (double)((const float *)coh_dataset_row(dataset, i))[j] / (double)n;
  for (int64_t i = 0; i < n; i++) {
    const float *x = coh_dataset_row(dataset, i);
    for (int64_t a = 0; a < D; a++)
      for (int64_t b = 0; b < D; b++)
        c[a * D + b] += ((double)x[a] - mean[a]) * ((double)x[b] - mean[b]) / (double)(n - 1);
  }
  double deviation[D];
  for (int64_t j = 0; j < D; j++)
    deviation[j] = scale ? sqrt(c[j * D + j]) : 1;
  for (int64_t a = 0; a < D; a++)
    for (int64_t b = 0; b < D; b++)
      c[a * D + b] /= deviation[a] * deviation[b];
  assert_ok(coh_la_eigen_symmetric(D, c, K, values, vectors));
}

static void compare(const coh_principal *p, const double *values, double *vectors,
                    double tolerance) {
  for (int64_t k = 0; k < K; k++) {
    assert_within(p->variances[k] / values[k], 1, tolerance);
    coh_la_fix_sign(D, vectors + k * D);
    for (int64_t j = 0; j < D; j++)
      assert_within(p->components[k * D + j], vectors[k * D + j], tolerance);
  }
}

static void test_principal_matches_the_covariance(void **state) {
  (void)state;
  coh_dataset *dataset = make_rows(N, 1000);
  double values[K], vectors[K * D];
  for (int scale = 0; scale < 2; scale++) {
    reference(dataset, scale, values, vectors);
    for (int method = COH_PRINCIPAL_EXACT; method <= COH_PRINCIPAL_RANDOMISED; method++) {
      coh_principal_problem problem = problem_of(dataset, method);
      problem.options.scale = scale;
      coh_principal p;
      assert_ok(coh_principal_compute(&problem, &p));
      compare(&p, values, vectors, method == COH_PRINCIPAL_EXACT ? 2e-5 : 2e-3);
      if (scale) assert_within(p.total, D, 1e-6);
      coh_principal_fini(&p);
    }
  }
  coh_dataset_destroy(&dataset);
}

static void test_principal_goes_there_and_back(void **state) {
  (void)state;
  coh_dataset *dataset = make_rows(400, 2);
  coh_principal_problem problem = problem_of(dataset, COH_PRINCIPAL_EXACT);
  problem.options.components = D;
  problem.options.whiten = problem.options.scale = true;
  coh_principal p;
  coh_projector *projector = NULL;
  static float y[400 * D], back[400 * D];
  assert_ok(coh_principal_compute(&problem, &p));
  assert_ok(coh_projector_create(&p, &projector));
  assert_ok(coh_projector_run(projector, world, &problem.lanes, 2, dataset, problem.affine, y));
  coh_projector_inverse(projector, 400, y, back);
  for (int64_t j = 0; j < D; j++) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < 400; i++) {
      sum += (double)y[i * D + j];
      squares += (double)y[i * D + j] * (double)y[i * D + j];
      assert_within(back[i * D + j], ((const float *)coh_dataset_row(dataset, i))[j], 1e-4);
    }
    assert_within(sum / 400, 0, 1e-3);
    assert_within(squares / 399, 1, 1e-3);
  }
  coh_projector_destroy(&projector);
  coh_principal_fini(&p);
  coh_dataset_destroy(&dataset);
}

// the dataset of a config
typedef struct data_options {
  coh_choice data;
} data_options;

static coh_dataset *open_dataset(const char *config) {
  static const coh_option table[] = {{.name = "data",
                                      .type = COH_KIND,
                                      .offset = offsetof(data_options, data),
                                      .kinds = &coh_dataset_kinds,
                                      .doc = "Rows."},
                                     {0}};
  coh_config *root = NULL;
  data_options options;
  coh_dataset *dataset = NULL;
  assert_ok(coh_config_parse("test", config, strlen(config), &root));
  assert_ok(coh_options_fill(table, root, &options));
  coh_config_destroy(&root);
  assert_ok(coh_dataset_create(&options.data, &dataset));
  coh_options_clear(table, &options);
  return dataset;
}

// a file that is mapped and read a panel at a time gives what the same rows in memory give
static void test_principal_streams_a_file(void **state) {
  (void)state;
  char path[64], config[128];
  snprintf(path, sizeof path, "/tmp/cohort-principal-%d.npy", (int)getpid());
  snprintf(config, sizeof config, "data: {npy: {rows: %s}}", path);
  coh_dataset *held = make_rows(N, 5);
  coh_array rows = {COH_DTYPE_F32, 2, {N, D}, (void *)coh_dataset_row(held, 0)};
  assert_ok(coh_npy_write(path, &rows));
  coh_dataset *mapped = open_dataset(config);
  for (int method = COH_PRINCIPAL_EXACT; method <= COH_PRINCIPAL_RANDOMISED; method++) {
    coh_principal_problem one = problem_of(held, method), two = problem_of(mapped, method);
    coh_principal a, b;
    assert_ok(coh_principal_compute(&one, &a));
    assert_ok(coh_principal_compute(&two, &b));
    for (int64_t k = 0; k < K; k++) {
      assert_within(a.variances[k] / b.variances[k], 1, 1e-10);
      for (int64_t j = 0; j < D; j++)
        assert_within(a.components[k * D + j], b.components[k * D + j], 1e-10);
    }
    coh_principal_fini(&a);
    coh_principal_fini(&b);
  }
  coh_dataset_destroy(&held);
  coh_dataset_destroy(&mapped);
  remove(path);
}

// rows of bytes, whose products are integers, and the same values as floats
static void test_principal_of_bytes_is_exact(void **state) {
  (void)state;
  enum { ROWS = 3001 }; // more than a panel, and an odd number
  coh_dataset *floats = make_rows(ROWS, 5), *bytes = NULL, *values = NULL;
  coh_array stored = {.dtype = COH_DTYPE_U8, .n_dims = 2, .shape = {ROWS, D}};
  coh_array scaled = {.dtype = COH_DTYPE_F32, .n_dims = 2, .shape = {ROWS, D}};
  uint8_t *b = coh_alloc_array(ROWS * D, sizeof *b);
  float *v = coh_alloc_array(ROWS * D, sizeof *v);
  for (int64_t i = 0; i < ROWS * D; i++) {
    float x = 24 * ((const float *)coh_dataset_row(floats, 0))[i];
    b[i] = (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x);
    v[i] = (float)b[i] * 0.25f - 3;
  }
  stored.data = b;
  scaled.data = v;
  assert_ok(coh_dataset_of_arrays("bytes", &stored, NULL, &bytes));
  assert_ok(coh_dataset_of_arrays("values", &scaled, NULL, &values));
  double eigenvalues[K], vectors[K * D];
  for (int scale = 0; scale < 2; scale++) {
    reference(values, scale, eigenvalues, vectors);
    coh_principal_problem problem = problem_of(bytes, COH_PRINCIPAL_EXACT);
    problem.affine = (coh_affine){0.25f, -3};
    problem.options.scale = scale;
    coh_principal p;
    assert_ok(coh_principal_compute(&problem, &p));
    compare(&p, eigenvalues, vectors, 1e-10);
    coh_principal_fini(&p);
  }
  coh_dataset_destroy(&floats);
  coh_dataset_destroy(&bytes);
  coh_dataset_destroy(&values);
}

// bytes that the process has for itself, of /proc/self/statm: all but the files that it maps
static int64_t own_bytes(void) {
  long long pages = 0, resident, shared, text, library, data = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  assert_non_null(file);
  int n = fscanf(file, "%lld %lld %lld %lld %lld %lld", &pages, &resident, &shared, &text,
                 &library, &data);
  fclose(file);
  assert_int_equal(n, 6);
  return data * sysconf(_SC_PAGESIZE);
}

// a file far larger than the memory that the process may take: only a panel a thread is held
static void test_principal_takes_no_memory_for_a_large_file(void **state) {
  (void)state;
  enum { ROWS = 1 << 17, WIDTH = 256, ROOM = 12 << 20 }; // 128 MiB of floats
  char path[64], config[128];
  snprintf(path, sizeof path, "/tmp/cohort-large-%d.npy", (int)getpid());
  snprintf(config, sizeof config, "data: {npy: {rows: %s}}", path);
  coh_array rows = {COH_DTYPE_F32, 2, {ROWS, WIDTH}, NULL};
  float *x = coh_alloc_array((size_t)ROWS * WIDTH, sizeof *x);
  for (int64_t i = 0; i < ROWS * (int64_t)WIDTH; i++)
    x[i] = (float)((uint32_t)i * 2654435761u >> 16) / 65536 + (float)(i % WIDTH == 3 ? i : 0);
  rows.data = x;
  assert_ok(coh_npy_write(path, &rows));
  coh_free(x);
  coh_dataset *mapped = open_dataset(config);
  remove(path); // the mapping keeps it
  coh_principal_problem problem = problem_of(mapped, COH_PRINCIPAL_EXACT);
  coh_principal_fit *fit = NULL;
  struct rlimit before, tight;
  assert_ok(coh_principal_fit_create(&problem, &fit));
  assert_ok(coh_principal_fit_pass(fit)); // what the libraries keep, they have now
  coh_principal_fit_destroy(&fit);
  assert_int_equal(getrlimit(RLIMIT_DATA, &before), 0);
  tight = before;
  tight.rlim_cur = (rlim_t)(own_bytes() + ROOM);
  assert_int_equal(setrlimit(RLIMIT_DATA, &tight), 0);
  coh_status status = coh_principal_fit_create(&problem, &fit);
  if (status == COH_OK) status = coh_principal_fit_pass(fit);
  assert_int_equal(setrlimit(RLIMIT_DATA, &before), 0);
  assert_ok(status);
  // the one column that grows
  assert_within(coh_principal_fit_result(fit)->components[3], 1, 1e-6);
  coh_principal_fit_destroy(&fit);
  coh_dataset_destroy(&mapped);
}

// a dataset of 3 columns from numbers
static coh_dataset *small_rows(int64_t n, const float *values) {
  coh_array rows = {.dtype = COH_DTYPE_F32, .n_dims = 2, .shape = {n, 3}};
  rows.data = coh_alloc_array((size_t)n * 3, sizeof(float));
  memcpy(rows.data, values, (size_t)n * 3 * sizeof(float));
  coh_dataset *dataset = NULL;
  assert_ok(coh_dataset_of_arrays("small", &rows, NULL, &dataset));
  return dataset;
}

static void test_principal_answers_bad_rows(void **state) {
  (void)state;
  static const float constant[] = {1, 5, 0, 2, 5, 1, 4, 5, 7, 3, 5, 2};
  static const float equal[] = {1, 2, 3, 1, 2, 3, 1, 2, 3};
  coh_principal p;
  coh_dataset *dataset = small_rows(4, constant);
  coh_principal_problem problem = problem_of(dataset, COH_PRINCIPAL_EXACT);
  problem.options.components = 2;
  problem.options.scale = true;
  assert_ok(coh_principal_compute(&problem, &p));
  assert_int_equal(p.n_constant, 1);
  assert_within(p.total, 2, 1e-6);
  assert_true(isfinite(p.components[1]) && fabs(p.components[1]) < 1e-6);
  coh_principal_fini(&p);
  problem.options.components = 4;
  assert_fails(coh_principal_compute(&problem, &p), COH_E_CONFIG, "at most 3");
  coh_dataset_destroy(&dataset);

  dataset = small_rows(3, equal);
  problem = problem_of(dataset, COH_PRINCIPAL_EXACT);
  problem.options.components = 1;
  assert_fails(coh_principal_compute(&problem, &p), COH_E_DATA, "all rows are equal");
  coh_dataset_destroy(&dataset);

  dataset = small_rows(1, equal);
  assert_fails(coh_principal_compute(&(coh_principal_problem){.world = world,
                                                              .lanes = problem.lanes,
                                                              .n_threads = 1,
                                                              .dataset = dataset,
                                                              .options = problem.options},
                                     &p),
               COH_E_DATA, "one row");
  coh_dataset_destroy(&dataset);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_principal_matches_the_covariance),
      cmocka_unit_test(test_principal_goes_there_and_back),
      cmocka_unit_test(test_principal_streams_a_file),
      cmocka_unit_test(test_principal_of_bytes_is_exact),
      cmocka_unit_test(test_principal_takes_no_memory_for_a_large_file),
      cmocka_unit_test(test_principal_answers_bad_rows),
  };
  return cmocka_run_group_tests(tests, world_enter, world_leave);
}
