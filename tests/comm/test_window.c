/* Node-shared windows: every rank of the node reads what every other wrote. */
#include "mpi_test.h"

#include <string.h>

#include "comm/window.h"

// sizes that differ by rank; rank 1 of a node has none
static size_t bytes_of(int local_rank) {
  return local_rank == 1 ? 0 : (size_t)(1000 + 777 * local_rank);
}

static void window_shows_every_rank_of_the_node_the_same(void **state) {
  (void)state;
  coh_world *world = mpi_test_state.world;
  int mine = coh_world_local_rank(world), n_mates = coh_world_local_size(world);
  coh_window *window = NULL;
  EXPECT_HERE_AND_THERE(coh_window_create(world, bytes_of(mine), &window) == COH_OK);
  size_t n_bytes;
  unsigned char *segment = coh_window_segment(window, mine, &n_bytes);
  EXPECT(n_bytes == bytes_of(mine));
  EXPECT((segment == NULL) == (n_bytes == 0));
  EXPECT((uintptr_t)segment % 64 == 0);
  for (size_t i = 0; i < n_bytes; ++i)
    EXPECT(segment[i] == 0);
  if (n_bytes > 0) memset(segment, 100 + mine, n_bytes);
  EXPECT(coh_window_sync(window) == COH_OK);
  for (int mate = 0; mate < n_mates; ++mate) {
    const unsigned char *theirs = coh_window_segment(window, mate, &n_bytes);
    EXPECT(n_bytes == bytes_of(mate));
    for (size_t i = 0; i < n_bytes; ++i)
      EXPECT(theirs[i] == 100 + mate);
  }
  EXPECT(coh_window_sync(window) == COH_OK);
  coh_window_destroy(&window);
  EXPECT(window == NULL);
  assert_all_ranks();
}

static void window_larger_than_shared_memory_is_refused_in_words(void **state) {
  (void)state;
  coh_window *window = NULL;
  EXPECT(coh_window_create(mpi_test_state.world, (size_t)1 << 50, &window) == COH_E_MEMORY);
  EXPECT(window == NULL);
  EXPECT(strstr(coh_error_message(), "/dev/shm has ") != NULL);
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(window_shows_every_rank_of_the_node_the_same),
      cmocka_unit_test(window_larger_than_shared_memory_is_refused_in_words),
  };
  return mpi_test_main(tests);
}
