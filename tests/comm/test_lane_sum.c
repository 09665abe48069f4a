/* Lane sums on any number of ranks: bits against the tree from its definition, every method,
 * every type, split and scattered, and nothing allocated while summing. */
#include "mpi_test.h"

#include <string.h>

#include "base/alloc.h"
#include "comm/lane_rounds.h"
#include "lane_data.h"

DEFINE_LANE_NODE(node_f32, float)
DEFINE_LANE_NODE(node_f64, double)
DEFINE_LANE_NODE(node_u64, uint64_t)

enum { MAX_LANES = 17 };

typedef struct problem {
  coh_lanes lanes;
  coh_sum_type type;
  int64_t count;
  char *data;                  /* this rank's lanes */
  const void *lane[MAX_LANES]; /* into data */
  char *result, *expected;
  int64_t n_naive_differs; /* elements whose sum in lane order is another */
} problem;

static void set_element(const problem *p, char *vector, int64_t lane, int64_t i) {
  if (p->type == COH_SUM_F32)
    ((float *)vector)[i] = (float)lane_real(lane, i);
  else if (p->type == COH_SUM_F64)
    ((double *)vector)[i] = lane_real(lane, i);
  else
    ((uint64_t *)vector)[i] = lane_bits(lane, i);
}

static void expect_element(problem *p, int64_t i) {
  int64_t n = p->lanes.n_lanes;
  int levels = lane_levels(n);
  if (p->type == COH_SUM_F32) {
    float value[MAX_LANES], naive = 0;
    for (int64_t lane = 0; lane < n; ++lane)
      naive += value[lane] = (float)lane_real(lane, i);
    ((float *)p->expected)[i] = node_f32(value, n, levels, 0);
    p->n_naive_differs += naive != ((float *)p->expected)[i];
  } else if (p->type == COH_SUM_F64) {
    double value[MAX_LANES];
    for (int64_t lane = 0; lane < n; ++lane)
      value[lane] = lane_real(lane, i);
    ((double *)p->expected)[i] = node_f64(value, n, levels, 0);
  } else {
    uint64_t value[MAX_LANES];
    for (int64_t lane = 0; lane < n; ++lane)
      value[lane] = lane_bits(lane, i);
    ((uint64_t *)p->expected)[i] = node_u64(value, n, levels, 0);
  }
}

static void make_problem(problem *p, int64_t n_lanes, coh_sum_type type, int64_t count) {
  *p = (problem){.type = type, .count = count};
  EXPECT(coh_lanes_split(mpi_test_state.world, n_lanes, &p->lanes) == COH_OK);
  size_t vector = (size_t)count * coh_sum_type_bytes(type);
  p->data = coh_alloc_array((size_t)p->lanes.n_local, vector);
  p->result = coh_alloc_array(1, vector);
  p->expected = coh_alloc_array(1, vector);
  for (int64_t k = 0; k < p->lanes.n_local; ++k) {
    p->lane[k] = p->data + (size_t)k * vector;
    for (int64_t i = 0; i < count; ++i)
      set_element(p, p->data + (size_t)k * vector, p->lanes.first + k, i);
  }
  for (int64_t i = 0; i < count; ++i)
    expect_element(p, i);
}

static void free_problem(problem *p) {
  COH_DELETE(p->data);
  COH_DELETE(p->result);
  COH_DELETE(p->expected);
}

static int is_expected(const problem *p, int64_t count) {
  return memcmp(p->result, p->expected, (size_t)count * coh_sum_type_bytes(p->type)) == 0;
}

// run, begin/progress/end, scatter and gather of the first `count` elements
static void check_sums(coh_lane_sum *sum, problem *p, int64_t count) {
  size_t bytes = coh_sum_type_bytes(p->type);
  int64_t n_allocations = coh_alloc_total();
  memset(p->result, 0xff, (size_t)p->count * bytes);
  EXPECT(coh_lane_sum_run(sum, p->lane, count, p->result) == COH_OK);
  EXPECT(is_expected(p, count));

  memset(p->result, 0xff, (size_t)p->count * bytes);
  bool done = false;
  EXPECT(coh_lane_sum_begin(sum, p->lane, count, p->result) == COH_OK);
  while (!done)
    if (coh_lane_sum_progress(sum, &done) != COH_OK) break;
  EXPECT(done);
  EXPECT(coh_lane_sum_end(sum) == COH_OK);
  EXPECT(is_expected(p, count));

  memset(p->result, 0xff, (size_t)p->count * bytes);
  int64_t first, n_items;
  coh_lane_sum_shard(sum, count, &first, &n_items);
  EXPECT(coh_lane_sum_scatter_begin(sum, p->lane, count, p->result) == COH_OK);
  EXPECT(coh_lane_sum_end(sum) == COH_OK);
  size_t at = (size_t)first * bytes, shard = (size_t)n_items * bytes;
  EXPECT(memcmp(p->result + at, p->expected + at, shard) == 0);
  memset(p->result, 0xff, at);
  memset(p->result + at + shard, 0xff, (size_t)count * bytes - at - shard);
  EXPECT(coh_lane_sum_gather_begin(sum, count, p->result) == COH_OK);
  EXPECT(coh_lane_sum_end(sum) == COH_OK);
  EXPECT(is_expected(p, count));
  EXPECT(coh_alloc_total() == n_allocations);
}

static const int64_t counts[] = {0, 1, 2, 15, 16, 17, 33, 100, 257, 1000, 4097, 20011};
enum { N_COUNTS = sizeof counts / sizeof *counts, MOST = 20011 };

static int lanes_from(void) {
  return coh_world_size(mpi_test_state.world);
}

static void lane_sum_has_the_bits_of_the_tree(void **state) {
  (void)state;
  for (int64_t n_lanes = lanes_from(); n_lanes <= MAX_LANES; ++n_lanes) {
    problem p;
    make_problem(&p, n_lanes, COH_SUM_F32, MOST);
    if (n_lanes >= 4) EXPECT(p.n_naive_differs > MOST / 10);
    coh_lane_sum *sum = NULL;
    EXPECT_HERE_AND_THERE(
        coh_lane_sum_create(mpi_test_state.world, &p.lanes, p.type, MOST, 1, &sum) == COH_OK);
    for (int c = 0; c < N_COUNTS; ++c)
      check_sums(sum, &p, counts[c]);
    coh_lane_sum_destroy(&sum);
    free_problem(&p);
  }
  assert_all_ranks();
}

static void lane_sum_agrees_by_every_method(void **state) {
  (void)state;
  static const int64_t some[] = {0, 1, 17, 100, 1000, 2999};
  for (int64_t n_lanes = lanes_from(); n_lanes <= MAX_LANES; ++n_lanes) {
    problem p;
    make_problem(&p, n_lanes, COH_SUM_F32, 2999);
    for (int method = LANE_DOUBLING; method <= LANE_WINDOW_SLICES; ++method) {
      coh_lane_sum *sum = NULL;
      coh_status status = lane_sum_create_by(mpi_test_state.world, &p.lanes, p.type, 2999, 1,
                                             (lane_method)method, &sum);
      if (status == COH_E_INTERNAL) continue; // ranks not aligned; all ranks see the same
      EXPECT_HERE_AND_THERE(status == COH_OK);
      for (size_t c = 0; c < sizeof some / sizeof *some; ++c)
        check_sums(sum, &p, some[c]);
      coh_lane_sum_destroy(&sum);
    }
    free_problem(&p);
  }
  assert_all_ranks();
}

static void lane_sum_serves_every_type(void **state) {
  (void)state;
  static const int64_t lane_counts[] = {8, 13, 16};
  for (int n = 0; n < 3; ++n)
    for (int type = COH_SUM_F32; type <= COH_SUM_U64; ++type) {
      problem p;
      make_problem(&p, lane_counts[n], (coh_sum_type)type, MOST);
      coh_lane_sum *sum = NULL;
      EXPECT_HERE_AND_THERE(
          coh_lane_sum_create(mpi_test_state.world, &p.lanes, p.type, MOST, 1, &sum) == COH_OK);
      for (int c = 0; c < N_COUNTS; ++c)
        check_sums(sum, &p, counts[c]);
      coh_lane_sum_destroy(&sum);
      free_problem(&p);
    }
  assert_all_ranks();
}

static void lane_sum_is_the_same_for_large_vectors_and_two_threads(void **state) {
  (void)state;
  enum { LARGE = 1000003 };
  static const int64_t lane_counts[] = {8, 11};
  for (int n = 0; n < 2; ++n) {
    problem p;
    make_problem(&p, lane_counts[n], COH_SUM_F32, LARGE);
    for (int n_threads = 1; n_threads <= 2; ++n_threads) {
      coh_lane_sum *sum = NULL;
      EXPECT_HERE_AND_THERE(coh_lane_sum_create(mpi_test_state.world, &p.lanes, p.type, LARGE,
                                                n_threads, &sum) == COH_OK);
      check_sums(sum, &p, LARGE);
      coh_lane_sum_destroy(&sum);
    }
    free_problem(&p);
  }
  assert_all_ranks();
}

static void lane_sum_may_write_over_its_first_lane(void **state) {
  (void)state;
  for (int64_t n_lanes = lanes_from(); n_lanes <= MAX_LANES; ++n_lanes) {
    problem p;
    make_problem(&p, n_lanes, COH_SUM_F32, MOST);
    coh_lane_sum *sum = NULL;
    EXPECT_HERE_AND_THERE(
        coh_lane_sum_create(mpi_test_state.world, &p.lanes, p.type, MOST, 1, &sum) == COH_OK);
    EXPECT(coh_lane_sum_run(sum, p.lane, MOST, p.data) == COH_OK);
    EXPECT(memcmp(p.data, p.expected, MOST * sizeof(float)) == 0);
    coh_lane_sum_destroy(&sum);
    free_problem(&p);
  }
  assert_all_ranks();
}

static void lane_sum_cuts_messages_longer_than_a_chunk(void **state) {
  (void)state;
  problem p;
  make_problem(&p, 13, COH_SUM_F32, 2999);
  size_t chunk = mpi_test_state.world->transfer.chunk;
  mpi_test_state.world->transfer.chunk = 1000;
  coh_lane_sum *sum = NULL;
  EXPECT_HERE_AND_THERE(
      coh_lane_sum_create(mpi_test_state.world, &p.lanes, p.type, 2999, 1, &sum) == COH_OK);
  for (int repeat = 0; repeat < 2; ++repeat) {
    EXPECT(coh_lane_sum_run(sum, p.lane, 2999, p.result) == COH_OK);
    EXPECT(is_expected(&p, 2999));
  }
  mpi_test_state.world->transfer.chunk = chunk;
  coh_lane_sum_destroy(&sum);
  free_problem(&p);
  assert_all_ranks();
}

static void lane_sums_of_two_plans_may_be_under_way_at_once(void **state) {
  (void)state;
  problem p, q;
  make_problem(&p, 12, COH_SUM_F32, MOST);
  make_problem(&q, 16, COH_SUM_F64, MOST);
  coh_lane_sum *one = NULL, *two = NULL;
  EXPECT_HERE_AND_THERE(
      coh_lane_sum_create(mpi_test_state.world, &p.lanes, p.type, MOST, 1, &one) == COH_OK &&
      coh_lane_sum_create(mpi_test_state.world, &q.lanes, q.type, MOST, 1, &two) == COH_OK);
  EXPECT(coh_lane_sum_begin(one, p.lane, MOST, p.result) == COH_OK);
  EXPECT(coh_lane_sum_begin(two, q.lane, MOST, q.result) == COH_OK);
  EXPECT(coh_lane_sum_end(two) == COH_OK);
  EXPECT(coh_lane_sum_end(one) == COH_OK);
  EXPECT(is_expected(&p, MOST));
  EXPECT(is_expected(&q, MOST));
  coh_lane_sum_destroy(&one);
  coh_lane_sum_destroy(&two);
  free_problem(&p);
  free_problem(&q);
  assert_all_ranks();
}

// sums of every method at once, of lengths that differ, moved on a little by some ranks before
static void many_sums_end_together(void **state) {
  (void)state;
  enum { N = 6, LONGEST = 4097 };
  static const int64_t lengths[N] = {LONGEST, 16, 2999, 0, LONGEST, 257};
  for (int method = LANE_AUTO; method <= LANE_WINDOW_SLICES; ++method)
    for (int64_t n_lanes = 12; n_lanes <= 16; n_lanes += 4) {
      problem p[N];
      coh_lane_sum *sum[N] = {NULL};
      coh_status status = COH_OK;
      for (int i = 0; i < N; ++i) {
        make_problem(&p[i], n_lanes, COH_SUM_F32, LONGEST);
        if (status == COH_OK)
          status = lane_sum_create_by(mpi_test_state.world, &p[i].lanes, COH_SUM_F32, LONGEST,
                                      1, (lane_method)method, &sum[i]);
      }
      EXPECT(status == COH_OK || status == COH_E_INTERNAL); // INTERNAL: ranks are not aligned
      for (int again = 0; again < 3 && status == COH_OK; ++again) {
        for (int i = 0; i < N; ++i)
          EXPECT(coh_lane_sum_begin(sum[i], p[i].lane, lengths[i], p[i].result) == COH_OK);
        for (int k = 0; k < coh_world_rank(mpi_test_state.world) * again; ++k)
          EXPECT(coh_lane_sum_progress(sum[(k + again) % N], NULL) == COH_OK);
        EXPECT(coh_lane_sums_end(sum, N) == COH_OK);
        for (int i = 0; i < N; ++i)
          EXPECT(is_expected(&p[i], lengths[i]));
      }
      for (int i = 0; i < N; ++i) {
        coh_lane_sum_destroy(&sum[i]);
        free_problem(&p[i]);
      }
    }
  assert_all_ranks();
}

static void lane_sum_refuses_what_its_plan_has_no_room_for(void **state) {
  (void)state;
  problem p;
  make_problem(&p, 8, COH_SUM_F32, 10);
  coh_lane_sum *sum = NULL;
  EXPECT_HERE_AND_THERE(
      coh_lane_sum_create(mpi_test_state.world, &p.lanes, p.type, 9, 1, &sum) == COH_OK);
  EXPECT(coh_lane_sum_run(sum, p.lane, 10, p.result) == COH_E_INTERNAL);
  EXPECT(coh_lane_sum_run(sum, p.lane, 9, p.result) == COH_OK);
  EXPECT(is_expected(&p, 9));
  coh_lane_sum_destroy(&sum);
  free_problem(&p);
  assert_all_ranks();
}

static void lane_sum_leaves_no_allocation_behind(void **state) {
  (void)state;
  EXPECT(coh_alloc_live() == 3); // the world, its node table, its requests
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lane_sum_has_the_bits_of_the_tree),
      cmocka_unit_test(lane_sum_agrees_by_every_method),
      cmocka_unit_test(lane_sum_serves_every_type),
      cmocka_unit_test(lane_sum_is_the_same_for_large_vectors_and_two_threads),
      cmocka_unit_test(lane_sum_may_write_over_its_first_lane),
      cmocka_unit_test(lane_sum_cuts_messages_longer_than_a_chunk),
      cmocka_unit_test(lane_sums_of_two_plans_may_be_under_way_at_once),
      cmocka_unit_test(many_sums_end_together),
      cmocka_unit_test(lane_sum_refuses_what_its_plan_has_no_room_for),
      cmocka_unit_test(lane_sum_leaves_no_allocation_behind),
  };
  return mpi_test_main(tests);
}
