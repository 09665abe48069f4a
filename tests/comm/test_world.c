/* Ranks, nodes, lanes and agreement. */
#include "mpi_test.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static int rank(void) {
  return coh_world_rank(mpi_test_state.world);
}

static int size(void) {
  return coh_world_size(mpi_test_state.world);
}

static void world_numbers_ranks_and_nodes(void **state) {
  (void)state;
  const coh_world *world = mpi_test_state.world;
  EXPECT(rank() >= 0 && rank() < size());
  EXPECT(coh_world_node_of(world, rank()) == coh_world_node(world));
  EXPECT(coh_world_node_of(world, 0) == 0);
  int n_mates = 0, n_before = 0, highest = 0;
  for (int peer = 0; peer < size(); ++peer) {
    bool is_mate = coh_world_node_of(world, peer) == coh_world_node(world);
    n_mates += is_mate;
    n_before += is_mate && peer < rank();
    // nodes are numbered in order of their lowest rank
    EXPECT(coh_world_node_of(world, peer) <= highest);
    if (coh_world_node_of(world, peer) == highest) highest++;
  }
  EXPECT(highest == coh_world_n_nodes(world));
  EXPECT(n_mates == coh_world_local_size(world));
  EXPECT(n_before == coh_world_local_rank(world));
  EXPECT(strlen(coh_world_host(world)) > 0);
  // on the test cluster there are several
  const char *n_nodes = getenv("COHORT_NODES");
  int64_t n_expected = 1;
  if (n_nodes) EXPECT(coh_text_to_int(n_nodes, &n_expected));
  EXPECT(coh_world_n_nodes(world) == n_expected);
  assert_all_ranks();
}

static void world_opens_beside_an_open_one(void **state) {
  (void)state;
  coh_world *second = NULL;
  EXPECT_HERE_AND_THERE(coh_world_open(&second) == COH_OK);
  EXPECT(coh_world_rank(second) == rank());
  EXPECT(coh_comm_barrier(second) == COH_OK);
  coh_world_close(&second);
  EXPECT(second == NULL);
  coh_world_close(&second);
  EXPECT(coh_comm_barrier(mpi_test_state.world) == COH_OK); // MPI is not finalized
  assert_all_ranks();
}

static void world_splits_into_blocks_of_ranks(void **state) {
  (void)state;
  coh_world *world = mpi_test_state.world, *part = NULL;
  int group = -1;
  for (int n_groups = 1; n_groups <= size(); n_groups++) {
    EXPECT_HERE_AND_THERE(coh_world_split(world, n_groups, &group, &part) == COH_OK);
    int first = group * size() / n_groups, end = (group + 1) * size() / n_groups;
    EXPECT(rank() >= first && rank() < end);
    EXPECT(coh_world_rank(part) == rank() - first && coh_world_size(part) == end - first);
    // a group sums over its own ranks only, while the others do the same
    int64_t sum = rank();
    EXPECT(coh_comm_reduce_int(part, COH_REDUCE_SUM, &sum, 1) == COH_OK);
    EXPECT(sum == (int64_t)(first + end - 1) * (end - first) / 2);
    coh_world_close(&part);
    assert_all_ranks();
  }
  EXPECT(coh_world_split(world, size() + 1, &group, &part) == COH_E_CONFIG);
  EXPECT(coh_world_split(world, 0, &group, &part) == COH_E_CONFIG);
  EXPECT(part == NULL);
  assert_all_ranks();
}

static void lanes_are_contiguous_blocks_that_cover_the_run(void **state) {
  (void)state;
  static const int64_t counts[] = {8, 9, 12, 17, 1000003, INT64_C(1) << 62};
  for (size_t c = 0; c < sizeof counts / sizeof *counts; ++c) {
    int64_t n = counts[c];
    coh_lanes lanes;
    EXPECT(coh_lanes_split(mpi_test_state.world, n, &lanes) == COH_OK);
    EXPECT(lanes.n_lanes == n && lanes.n_local >= 1);
    EXPECT(lanes.first == coh_lanes_first_of(mpi_test_state.world, n, rank()));
    EXPECT(coh_lanes_first_of(mpi_test_state.world, n, 0) == 0);
    EXPECT(coh_lanes_first_of(mpi_test_state.world, n, size()) == n);
    if (n < INT64_MAX / 8) EXPECT(lanes.first == rank() * n / size());
    EXPECT(coh_lanes_owner(mpi_test_state.world, n, lanes.first) == rank());
    EXPECT(coh_lanes_owner(mpi_test_state.world, n, lanes.first + lanes.n_local - 1) == rank());
  }
  assert_all_ranks();
}

static void lanes_fewer_than_ranks_are_refused_in_words(void **state) {
  (void)state;
  coh_lanes lanes;
  EXPECT(coh_lanes_split(mpi_test_state.world, 0, &lanes) == COH_E_CONFIG);
  if (size() > 1) {
    EXPECT(coh_lanes_split(mpi_test_state.world, size() - 1, &lanes) == COH_E_CONFIG);
    EXPECT(strstr(coh_error_message(), "more ranks than lanes") != NULL);
    EXPECT(strstr(coh_error_message(), "give at most") != NULL);
  }
  assert_all_ranks();
}

static void agree_is_ok_when_all_are(void **state) {
  (void)state;
  EXPECT(coh_comm_agree(mpi_test_state.world, COH_OK) == COH_OK);
  assert_all_ranks();
}

static void agree_takes_the_lowest_failing_rank(void **state) {
  (void)state;
  // ranks from `lowest` on fail, each with words and a status of its own
  for (int lowest = 0; lowest < size(); ++lowest) {
    coh_status mine = COH_OK;
    if (rank() >= lowest)
      mine = coh_fail(rank() == lowest ? COH_E_DATA : COH_E_CONFIG, "words of rank %d", rank());
    EXPECT(coh_comm_agree(mpi_test_state.world, mine) == COH_E_DATA);
    char expected[96];
    if (size() > 1)
      snprintf(expected, sizeof expected, "rank %d of %d: words of rank %d", lowest, size(),
               lowest);
    else
      snprintf(expected, sizeof expected, "words of rank 0");
    EXPECT(strcmp(coh_error_message(), expected) == 0);
    // agreeing on what was agreed on names the rank once
    EXPECT(coh_comm_agree(mpi_test_state.world, COH_E_DATA) == COH_E_DATA);
    EXPECT(strcmp(coh_error_message(), expected) == 0);
  }
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(world_numbers_ranks_and_nodes),
      cmocka_unit_test(world_opens_beside_an_open_one),
      cmocka_unit_test(world_splits_into_blocks_of_ranks),
      cmocka_unit_test(lanes_are_contiguous_blocks_that_cover_the_run),
      cmocka_unit_test(lanes_fewer_than_ranks_are_refused_in_words),
      cmocka_unit_test(agree_is_ok_when_all_are),
      cmocka_unit_test(agree_takes_the_lowest_failing_rank),
  };
  return mpi_test_main(tests);
}
