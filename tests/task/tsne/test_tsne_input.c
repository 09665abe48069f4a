/* Neighbours, distances and places from files: the map of a search, and what is refused. */
#include "world_at_hand.h"

#include <math.h>

#include "neighbors/neighbors.h"
#include "task/tsne/tsne.h"

enum { N = 240, D = 6, K = 30 };

typedef struct map {
  coh_run_context context;
  coh_tsne_options options;
  coh_tsne *t;
} map;

static coh_status open_map(const char *config, map *m) {
  coh_config *root = NULL;
  char text[512];
  *m = (map){0};
  snprintf(
      text, sizeof text,
      "data: {gaussian_mixture: {n: %d, d: %d, k: 3}}\nperplexity: 10\nmethod: barnes_hut\n%s",
      N, D, config);
  assert_ok(coh_config_parse("test", text, strlen(text), &root));
  assert_ok(coh_options_fill(coh_tsne_option_table, root, &m->options));
  coh_config_destroy(&root);
  m->context =
      (coh_run_context){.world = world, .n_threads = 1, .seed = 3, .config_name = "test"};
  assert_ok(coh_lanes_split(world, 2, &m->context.lanes));
  void *task = NULL;
  coh_status status = coh_tsne_create(&m->context, &m->options, &task);
  m->t = task;
  return status;
}

static void close_map(map *m) {
  void *task = m->t;
  coh_tsne_destroy(&task);
  coh_options_clear(coh_tsne_option_table, &m->options);
}

static void write_table(const char *path, coh_dtype dtype, int64_t columns, void *data) {
  coh_array array = {dtype, 2, {N, columns}, data};
  assert_ok(coh_npy_write(path, &array));
}

// the rows of the dataset, their neighbours and all their distances, as files
static void write_files(void) {
  map m;
  static int32_t index[N * K];
  static float squared[N * K], distance[N * K];
  static double matrix[N * N];
  assert_ok(open_map("", &m));
  coh_neighbor_search search = {N, N, D, m.t->rows, m.t->rows, K, 0, 1};
  assert_ok(coh_neighbors_exact(&search, index, squared));
  for (int i = 0; i < N * K; i++)
    distance[i] = sqrtf(squared[i]);
  for (int64_t i = 0; i < N; i++)
    for (int64_t j = 0; j < N; j++) {
      double sum = 0;
      for (int64_t c = 0; c < D; c++)
        sum += pow((double)m.t->rows[i * D + c] - (double)m.t->rows[j * D + c], 2);
      matrix[i * N + j] = sqrt(sum);
    }
  write_table("index.npy", COH_DTYPE_I32, K, index);
  write_table("distance.npy", COH_DTYPE_F32, K, distance);
  write_table("matrix.npy", COH_DTYPE_F64, N, matrix);
  index[5 * K + 2] = N;
  write_table("bad_index.npy", COH_DTYPE_I32, K, index);
  index[5 * K + 2] = 5;
  write_table("self_index.npy", COH_DTYPE_I32, K, index);
  distance[7 * K] = NAN;
  write_table("bad_distance.npy", COH_DTYPE_F32, K, distance);
  write_table("few_index.npy", COH_DTYPE_I32, 4, index);
  write_table("few_distance.npy", COH_DTYPE_F32, 4, distance + 20 * K);
  matrix[3] = -1;
  write_table("bad_matrix.npy", COH_DTYPE_F64, N, matrix);
  static float place[N * 2];
  for (int i = 0; i < 2 * N; i++)
    place[i] = (float)(i * 37 % 101) / 10;
  write_table("start.npy", COH_DTYPE_F32, 2, place);
  place[9] = INFINITY;
  write_table("bad_start.npy", COH_DTYPE_F32, 2, place);
  close_map(&m);
}

static void test_given_neighbours_make_the_map_of_a_search(void **state) {
  (void)state;
  static const char *const configs[] = {"neighbors: index.npy\ndistances: distance.npy\n",
                                        "matrix: matrix.npy\n"};
  map searched, given;
  assert_ok(open_map("", &searched));
  for (int c = 0; c < 2; c++) {
    assert_ok(open_map(configs[c], &given));
    const coh_affinities *a = &searched.t->p, *b = &given.t->p;
    assert_int_equal(a->begin[N], b->begin[N]);
    for (int64_t e = 0; e < a->begin[N]; e++) {
      assert_int_equal(a->column[e], b->column[e]);
      assert_within(b->value[e] / a->value[e], 1, 1e-3);
    }
    close_map(&given);
  }
  close_map(&searched);
}

static void test_a_given_start_is_kept(void **state) {
  (void)state;
  map m;
  float place[N * 2];
  assert_ok(open_map("start: given\nstart_file: start.npy\n", &m));
  coh_tsne_positions(m.t, place);
  for (int i = 0; i < 2 * N; i++)
    assert_within(place[i], (i * 37 % 101) / 10.0, 1e-6);
  close_map(&m);
}

static void refused(const char *config, coh_status code, const char *text) {
  map m;
  assert_fails(open_map(config, &m), code, text);
  close_map(&m);
}

static void test_wrong_files_are_refused(void **state) {
  (void)state;
  refused("neighbors: bad_index.npy\ndistances: distance.npy\n", COH_E_DATA,
          "row 5, column 2: 240 is not the number of another row");
  refused("neighbors: self_index.npy\ndistances: distance.npy\n", COH_E_DATA,
          "row 5, column 2: 5 is not the number of another row");
  refused("neighbors: index.npy\ndistances: bad_distance.npy\n", COH_E_DATA,
          "row 7, column 0: nan is not a distance");
  refused("neighbors: few_index.npy\ndistances: few_distance.npy\n", COH_E_DATA,
          "needs 30 neighbours of a row; there are 4");
  refused("neighbors: index.npy\ndistances: few_distance.npy\n", COH_E_DATA, "has 30 columns");
  refused("neighbors: index.npy\n", COH_E_CONFIG, "belong together");
  refused("matrix: bad_matrix.npy\n", COH_E_DATA, "row 0, column 3: -1 is not a distance");
  refused("matrix: index.npy\n", COH_E_DATA, "30 columns instead of 240");
  refused("matrix: nothing.npy\n", COH_E_DATA, "nothing.npy");
  refused("start: given\nstart_file: bad_start.npy\n", COH_E_DATA, "row 4: inf is no place");
  refused("start: given\nstart_file: index.npy\n", COH_E_DATA, "240 x 2 floats are expected");
}

static int enter(void **state) {
  if (scratch_world_enter(state) != 0) return -1;
  write_files();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_given_neighbours_make_the_map_of_a_search),
      cmocka_unit_test(test_a_given_start_is_kept),
      cmocka_unit_test(test_wrong_files_are_refused),
  };
  return cmocka_run_group_tests(tests, enter, scratch_world_leave);
}
