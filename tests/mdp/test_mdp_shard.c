/* Rows over ranks: the same bits as one rank's sweeps, halos as counted on paper, a share of
 * the memory, and every method inside the bound. */
#include "../comm/mpi_test.h"

#include <malloc.h>
#include <math.h>
#include <string.h>

#include "base/choice.h"
#include "cohort/mdp_rows.h"
#include "mdp/mdp_free.h"
#include "mdp/plan.h"

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
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &source, 0, 1, &shard) == COH_OK);
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
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &source, 0, 2, &shard) == COH_OK);
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

/* Matrix-free sweeps, of which ranks do some: sweep by sweep the bits of one rank. */
static void check_free(const coh_mdp_source *source, int n_sweeps) {
  coh_mdp_free *alone, *shared;
  coh_mdp_solve_options options = {.n_threads = 2};
  EXPECT_HERE_AND_THERE(coh_mdp_free_create(NULL, source, NULL, &alone) == COH_OK);
  EXPECT_HERE_AND_THERE(coh_mdp_free_create(world(), source, &options, &shared) == COH_OK);
  size_t n_bytes = (size_t)source->n_states * sizeof(double);
  for (int k = 1; k <= n_sweeps; k++) {
    EXPECT(coh_mdp_free_sweep(alone, k == n_sweeps) == COH_OK);
    EXPECT(coh_mdp_free_sweep(shared, k == n_sweeps) == COH_OK);
    EXPECT(memcmp(alone->values, shared->values, n_bytes) == 0);
    EXPECT(alone->width == shared->width && alone->is_done == shared->is_done);
  }
  EXPECT(isfinite(shared->width));
  coh_mdp_free_destroy(&alone);
  coh_mdp_free_destroy(&shared);
}

static void sweeps_without_rows_have_the_bits_of_one_rank(void **state) {
  (void)state;
  enum { SIDE = 210 }; // eleven stretches; the band has two, some ranks none
  coh_mdp_grid options = {
      .n_rows = SIDE, .n_cols = SIDE, .slip = 0.2, .goal_reward = 1, .discount = 0.95};
  coh_mdp_grid_source *grid;
  coh_mdp_source source;
  EXPECT_HERE_AND_THERE(coh_mdp_grid_source_create(&options, &grid, &source) == COH_OK);
  check_free(&source, 13);
  coh_mdp_grid_source_destroy(&grid);
  coh_mdp_random_source(&banded, &source);
  check_free(&source, 13);
  assert_all_ranks();
}

/* ---- every method, order of sweeps, number of threads and of ranks: one answer */

static const char *const methods[] = {
    "{value_iteration: {sweep: jacobi}}",
    "{value_iteration: {sweep: gauss_seidel}}",
    "{value_iteration: {sweep: sor}}",
    "{modified_policy_iteration: {sweep: jacobi}}",
    "{modified_policy_iteration: {sweep: gauss_seidel}}",
    "{modified_policy_iteration: {sweep: sor}}",
    "{policy_iteration: {solver: jacobi}}",
    "{policy_iteration: {solver: gauss_seidel}}",
    "{policy_iteration: {solver: sor}}",
    "{inexact_policy_iteration: {solver: jacobi}}",
    "{inexact_policy_iteration: {solver: gauss_seidel}}",
    "{inexact_policy_iteration: {solver: sor}}",
    "policy_iteration",
    "{policy_iteration: {solver: gmres}}",
    "inexact_policy_iteration",
    "{inexact_policy_iteration: {solver: gmres}}",
    "aggregation",
    "{policy_iteration: {solver: aggregation}}",
    "{inexact_policy_iteration: {solver: aggregation}}",
    "anderson",
};
enum { N_METHODS = sizeof methods / sizeof *methods };

/* A model's source, its optimum, and where lanes end only so many of them. */
typedef struct trial {
  coh_mdp_source source;
  coh_mdp_solution exact;
  bool minimize;
  double *all, *first; /* n_states: values of all ranks; of the first layout */
} trial;

static void run_method(const trial *t, const char *method, int64_t n_lanes, int n_threads) {
  coh_mdp_shard *shard;
  coh_mdp_solution found;
  coh_mdp_solve_options options = {t->minimize, 1e-3, 1};
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &t->source, n_lanes, n_threads, &shard) ==
                        COH_OK);
  EXPECT_HERE_AND_THERE(coh_mdp_shard_solve(shard, method, &options, &found) == COH_OK);
  EXPECT(found.width <= 1e-3);
  EXPECT(coh_mdp_shard_gather(shard, found.values, t->all) == COH_OK);
  double furthest = 0.0;
  for (int64_t s = 0; s < t->source.n_states; s++)
    furthest = fmax(furthest, fabs(t->all[s] - t->exact.values[s]));
  EXPECT(furthest <= 0.5 * (found.width + t->exact.width));
  coh_mdp_solution_clear(&found);
  coh_mdp_shard_destroy(&shard);
}

/* On four lanes with two threads, and with one; plain sweeps on as many lanes as ranks too. */
static void try_methods(const coh_mdp *mdp, bool minimize, bool with_one) {
  size_t n = (size_t)mdp->n_states;
  trial t = {.minimize = minimize};
  coh_mdp_solve_options tight = {minimize, 1e-9, 1};
  coh_mdp_source_of(mdp, &t.source);
  EXPECT_HERE_AND_THERE(coh_mdp_solve(mdp, &tight, &t.exact) == COH_OK);
  t.all = coh_alloc_array(n, sizeof *t.all);
  t.first = coh_alloc_array(n, sizeof *t.first);
  for (int k = 0; k < N_METHODS; k++) {
    run_method(&t, methods[k], 4, 2);
    memcpy(t.first, t.all, n * sizeof *t.all);
    if (with_one) run_method(&t, methods[k], 4, 1);
    EXPECT(memcmp(t.first, t.all, n * sizeof *t.all) == 0);
    if (k > 0) continue;
    run_method(&t, methods[k], 0, 1); // Jacobi: whatever the lanes
    EXPECT(memcmp(t.first, t.all, n * sizeof *t.all) == 0);
  }
  coh_free(t.all);
  coh_free(t.first);
  coh_mdp_solution_clear(&t.exact);
}

static void methods_stay_inside_the_bound_in_a_band(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_random options = banded;
  options.n_states = 1500;
  options.band = 100;
  options.discount = 0.5;
  EXPECT_HERE_AND_THERE(coh_mdp_make_random(&options, &mdp) == COH_OK);
  try_methods(mdp, true, true);
  coh_mdp_destroy(&mdp);
  assert_all_ranks();
}

/* Rows from anywhere: every rank reads nearly all states of the others. */
static void methods_stay_inside_the_bound_anywhere(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_random options = banded;
  options.n_states = 300;
  options.band = 0;
  options.discount = 0.5;
  EXPECT_HERE_AND_THERE(coh_mdp_make_random(&options, &mdp) == COH_OK);
  try_methods(mdp, false, false);
  coh_mdp_destroy(&mdp);
  assert_all_ranks();
}

static void methods_stay_inside_the_bound_on_a_grid(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_grid options = {.n_rows = 20,
                          .n_cols = 20,
                          .slip = 0.3,
                          .step_reward = -1,
                          .obstacles = 0.1,
                          .seed = 3,
                          .discount = 0.6};
  EXPECT_HERE_AND_THERE(coh_mdp_make_grid(&options, &mdp) == COH_OK);
  try_methods(mdp, false, false);
  coh_mdp_destroy(&mdp);
  assert_all_ranks();
}

/* More lanes than states leave ranks without any. */
static void a_rank_may_have_no_state(void **state) {
  (void)state;
  coh_mdp *mdp;
  coh_mdp_source source;
  coh_mdp_shard *shard;
  coh_mdp_solution found;
  double all[3];
  coh_mdp_solve_options options = {.tolerance = 1e-4};
  EXPECT_HERE_AND_THERE(coh_mdp_make_forest(3, 4.0, 2.0, 0.1, 0.9, &mdp) == COH_OK);
  coh_mdp_source_of(mdp, &source);
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &source, 8, 1, &shard) == COH_OK);
  for (int k = 2; k < N_METHODS; k += 5) {
    EXPECT_HERE_AND_THERE(coh_mdp_shard_solve(shard, methods[k], &options, &found) == COH_OK);
    EXPECT(coh_mdp_shard_gather(shard, found.values, all) == COH_OK);
    EXPECT(fabs(all[0] - 26.244) < 1e-4 && fabs(all[1] - 29.484) < 1e-4 &&
           fabs(all[2] - 33.484) < 1e-4);
    coh_mdp_solution_clear(&found);
  }
  coh_mdp_shard_destroy(&shard);
  coh_mdp_destroy(&mdp);
  assert_all_ranks();
}

static void methods_that_need_the_whole_say_so(void **state) {
  (void)state;
  coh_mdp_source source;
  coh_mdp_shard *shard;
  coh_mdp_solution found;
  coh_mdp_random_source(&banded, &source);
  EXPECT_HERE_AND_THERE(coh_mdp_shard_create(world(), &source, 0, 1, &shard) == COH_OK);
  EXPECT(coh_mdp_shard_solve(shard, "topological", NULL, &found) == COH_E_CONFIG);
  EXPECT(strstr(coh_error_message(), "topological needs the whole model") != NULL);
  EXPECT(coh_mdp_shard_solve(shard, "prioritized", NULL, &found) == COH_E_CONFIG);
  coh_mdp_shard_destroy(&shard);
  assert_all_ranks();
}

/* ---- memory: what the allocator has given out, measured */

static size_t in_use(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

/* What a rank holds for a solve in progress: its rows, the halo, the method's vectors. */
static size_t held(coh_world *by, const coh_mdp_source *source, const char *method) {
  size_t before = in_use(), most = 0;
  coh_mdp_shard *shard = NULL;
  coh_mdp_plan *plan = NULL;
  coh_choice choice = {0};
  EXPECT(coh_choice_parse("test", &coh_mdp_method_kinds, method, &choice) == COH_OK);
  EXPECT(coh_mdp_shard_create(by, source, 4, 1, &shard) == COH_OK);
  coh_mdp_solve_options options = {.tolerance = 1e-6};
  EXPECT(coh_mdp_plan_create_on(shard, &choice, &options, &plan) == COH_OK);
  for (int k = 0; k < 2 && !plan->is_done; k++) {
    EXPECT(coh_mdp_plan_step(plan) == COH_OK);
    if (in_use() - before > most) most = in_use() - before;
  }
  coh_mdp_plan_destroy(&plan);
  coh_choice_clear(&choice);
  coh_mdp_shard_destroy(&shard);
  return most;
}

/* Four ranks hold at most 30% each of what one does. */
static void four_ranks_hold_a_quarter(void **state) {
  (void)state;
#ifdef __SANITIZE_ADDRESS__
  skip(); // its allocator does not tell what is in use
#endif
  coh_mdp_grid options = {
      .n_rows = 300, .n_cols = 100, .slip = 0.2, .goal_reward = 1, .discount = 0.9};
  coh_mdp_grid_source *grid;
  coh_mdp_source source;
  coh_world *alone;
  EXPECT_HERE_AND_THERE(coh_mdp_grid_source_create(&options, &grid, &source) == COH_OK);
  int group;
  EXPECT_HERE_AND_THERE(coh_world_split(world(), coh_world_size(world()), &group, &alone) ==
                        COH_OK);
  for (int k = 1; k < N_METHODS; k += 3) {
    size_t one = held(alone, &source, methods[k]), share = held(world(), &source, methods[k]);
    EXPECT(one > (size_t)30000 * 11 * 12);
    if (coh_world_size(world()) == 4) EXPECT(share <= one * 3 / 10);
    if (coh_world_size(world()) == 1) EXPECT(share <= one * 11 / 10);
  }
  coh_world_close(&alone);
  coh_mdp_grid_source_destroy(&grid);
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
  EXPECT(coh_mdp_shard_create(world(), &source, 0, 1, &shard) == COH_E_DATA);
  EXPECT(strstr(coh_error_message(), "state 90, row 0: probabilities sum to 0.5") != NULL);
  coh_mdp_free *free_of_rows;
  EXPECT_HERE_AND_THERE(coh_mdp_free_create(world(), &source, NULL, &free_of_rows) == COH_OK);
  EXPECT(coh_mdp_free_sweep(free_of_rows, false) == COH_E_DATA);
  EXPECT(strstr(coh_error_message(), "state 90: its rows") != NULL);
  coh_mdp_free_destroy(&free_of_rows);
  source.n_states = 0;
  EXPECT(coh_mdp_shard_create(world(), &source, 0, 1, &shard) == COH_E_DATA);
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest shard_tests[] = {
      cmocka_unit_test(halo_of_a_grid_is_its_edges),
      cmocka_unit_test(sweeps_have_the_bits_of_one_rank),
      cmocka_unit_test(sweeps_without_rows_have_the_bits_of_one_rank),
      cmocka_unit_test(methods_stay_inside_the_bound_in_a_band),
      cmocka_unit_test(methods_stay_inside_the_bound_anywhere),
      cmocka_unit_test(methods_stay_inside_the_bound_on_a_grid),
      cmocka_unit_test(a_rank_may_have_no_state),
      cmocka_unit_test(methods_that_need_the_whole_say_so),
      cmocka_unit_test(four_ranks_hold_a_quarter),
      cmocka_unit_test(a_bad_row_fails_everywhere),
  };
  return mpi_test_main(shard_tests);
}
