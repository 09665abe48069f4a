/* Rows over ranks: the same bits as one rank's sweeps, halos as counted on paper, a share of
 * the memory, and every method inside the bound. */
#include "../comm/mpi_test.h"

#include <math.h>
#include <string.h>

#include "cohort/mdp_rows.h"

static coh_world *world(void) {
  return mpi_test_state.world;
}

/* A grid's halo: a rank of whole rows reads one row of cells above and one below. */
static void halo_of_a_grid_is_its_edges(void **state) {
  (void)state;
  enum { SIDE = 48 };
  int rank = coh_world_rank(world()), size = coh_world_size(world());
  coh_mdp_grid options = {
      .n_rows = SIDE, .n_cols = SIDE, .slip = 0.2, .goal_reward = 1, .discount = 0.9};
  coh_mdp_grid_source *grid;
  coh_mdp_source source;
  EXPECT_HERE_AND_THERE(coh_mdp_grid_source_create(&options, &grid, &source) == COH_OK);
  coh_mdp_shard *shard;
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &source, 1, &shard) == COH_OK);
  coh_mdp_shard_info info = coh_mdp_shard_describe(shard);
  // cells within a row's length of the other side of an edge, both ways
  int64_t edges = (rank > 0) + (rank + 1 < size);
  EXPECT(info.n_ghost == edges * SIDE);
  EXPECT(info.received == (size_t)(edges * SIDE) * 8 && info.sent == info.received);
  EXPECT(info.n_neighbours == edges);
  EXPECT(info.n_interior == info.n_own - edges * SIDE);
  int64_t sum[2] = {info.n_own, info.n_entries};
  EXPECT(coh_comm_reduce_int(world(), COH_REDUCE_SUM, sum, 2) == COH_OK);
  EXPECT(sum[0] == SIDE * SIDE);
  // cut by transitions: no rank has more than a row of cells beyond its part
  EXPECT(info.n_entries <= sum[1] / size + 12 * SIDE);
  coh_mdp_shard_destroy(&shard);
  coh_mdp_grid_source_destroy(&grid);
  assert_all_ranks();
}

static const coh_mdp_random banded = {.n_states = 6000,
                                      .n_actions = 3,
                                      .n_successors = 5,
                                      .band = 300,
                                      .seed = 7,
                                      .discount = 0.95};

/* Sweep by sweep the bits of a model that is whole. */
static void sweeps_have_the_bits_of_one_rank(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_source source;
  coh_mdp_shard *shard;
  EXPECT_HERE_AND_THERE(coh_mdp_make_random(&banded, &mdp) == COH_OK);
  coh_mdp_random_source(&banded, &source);
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &source, 2, &shard) == COH_OK);
  coh_mdp_shard_info info = coh_mdp_shard_describe(shard);
  size_t n_all = (size_t)mdp->n_states, n_here = (size_t)(info.n_own + info.n_ghost);
  double *whole = coh_alloc_array(2 * n_all, 8), *part = coh_alloc_array(2 * n_here, 8);
  int32_t *choice = coh_alloc_array(n_all + n_here, 4);
  double *values = whole, *next = whole + n_all, *own = part, *after = part + n_here;
  for (int k = 0; k < 30; k++) {
    double low[2], high[2];
    coh_mdp_sweep(mdp, k % 2, 1, values, next, choice, &low[0], &high[0]);
    EXPECT(coh_mdp_shard_sweep(shard, k % 2, own, after, choice + n_all, &low[1], &high[1]) ==
           COH_OK);
    EXPECT(low[0] == low[1] && high[0] == high[1]);
    EXPECT(memcmp(next + info.first, after, (size_t)info.n_own * 8) == 0);
    EXPECT(memcmp(choice + info.first, choice + n_all, (size_t)info.n_own * 4) == 0);
    double *swap = values;
    values = next, next = swap;
    swap = own, own = after, after = swap;
  }
  coh_free(whole);
  coh_free(part);
  coh_free(choice);
  coh_mdp_shard_destroy(&shard);
  coh_mdp_destroy(&mdp);
  assert_all_ranks();
}

/* All methods against the optimum of the whole model. */
static void methods_stay_inside_the_bound(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_source source;
  coh_mdp_shard *shard;
  coh_mdp_solution exact, found;
  coh_mdp_solve_options tight = {.tolerance = 1e-9, .n_threads = 1};
  EXPECT_HERE_AND_THERE(coh_mdp_make_random(&banded, &mdp) == COH_OK);
  EXPECT_HERE_AND_THERE(coh_mdp_solve(mdp, &tight, &exact) == COH_OK);
  coh_mdp_source_of(mdp, &source);
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &source, 1, &shard) == COH_OK);
  double *all = coh_alloc_array((size_t)mdp->n_states, 8);
  for (int method = 0; method < 3; method++) {
    coh_mdp_solve_options options = {.tolerance = 1e-6};
    EXPECT_HERE_AND_THERE(
        coh_mdp_shard_solve(shard, (coh_mdp_shard_method)method, &options, &found) == COH_OK);
    EXPECT(found.width <= 1e-6);
    EXPECT(coh_mdp_shard_gather(shard, found.values, all) == COH_OK);
    for (int64_t s = 0; s < mdp->n_states; s++)
      EXPECT(fabs(all[s] - exact.values[s]) <= 0.5 * (found.width + exact.width));
    coh_mdp_solution_clear(&found);
  }
  coh_free(all);
  coh_mdp_solution_clear(&exact);
  coh_mdp_shard_destroy(&shard);
  coh_mdp_destroy(&mdp);
  assert_all_ranks();
}

/* Four ranks hold at most 30% each of what one would. */
static void four_ranks_hold_a_quarter(void **state) {
  (void)state;
  coh_mdp_random options = banded;
  options.n_states = 40000;
  coh_mdp_source source;
  coh_mdp_shard *shard;
  coh_mdp_random_source(&options, &source);
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &source, 1, &shard) == COH_OK);
  coh_mdp_shard_info info = coh_mdp_shard_describe(shard);
  // the same arrays for all states, as one rank holds them
  size_t states = 40000, rows = 3 * states;
  size_t alone = (states + 1) * 8 + (rows + 1) * 8 + rows * 8 + rows * 5 * 12 + states * 4 +
                 2 * states * 8 + states * 4;
  if (coh_world_size(world()) == 1) EXPECT(info.bytes == alone);
  if (coh_world_size(world()) == 4) EXPECT(info.bytes <= 3 * alone / 10);
  coh_mdp_shard_destroy(&shard);
  assert_all_ranks();
}

/* One rank's source is wrong in one state: all ranks hear of it. */
static void spoiled_rows(const void *context, int64_t s, coh_mdp_state_rows *rows) {
  (void)context;
  rows->n_rows = 1;
  rows->first_entry[0] = 0, rows->first_entry[1] = 1;
  rows->next[0] = (uint32_t)s;
  rows->probability[0] = s == 90 ? 0.5 : 1.0;
  rows->reward[0] = 0.0;
  rows->action[0] = 0;
}

static void a_bad_row_fails_everywhere(void **state) {
  (void)state;
  coh_mdp_source source = {NULL, 100, 0.9, 1, 1, spoiled_rows};
  coh_mdp_shard *shard;
  EXPECT(coh_mdp_shard_create(world(), &source, 1, &shard) == COH_E_DATA);
  EXPECT(strstr(coh_error_message(), "state 90, row 0: probabilities sum to 0.5") != NULL);
  source.n_states = 0;
  EXPECT(coh_mdp_shard_create(world(), &source, 1, &shard) == COH_E_CONFIG);
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest shard_tests[] = {
      cmocka_unit_test(halo_of_a_grid_is_its_edges),
      cmocka_unit_test(sweeps_have_the_bits_of_one_rank),
      cmocka_unit_test(methods_stay_inside_the_bound),
      cmocka_unit_test(four_ranks_hold_a_quarter),
      cmocka_unit_test(a_bad_row_fails_everywhere),
  };
  return mpi_test_main(shard_tests);
}
