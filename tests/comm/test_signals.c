/* Signals become requests that all ranks agree on, whoever was asked. */
#include "mpi_test.h"

#include <signal.h>

#include "comm/signals.h"

static void signals_of_one_rank_are_seen_by_all(void **state) {
  (void)state;
  coh_world *world = mpi_test_state.world;
  static const struct {
    int number;
    coh_request request;
  } table[] = {
      {SIGUSR1, COH_REQUEST_REQUEUE}, {SIGTERM, COH_REQUEST_STOP}, {SIGINT, COH_REQUEST_STOP}};
  for (int i = 0; i < 3; ++i)
    for (int asked = 0; asked < coh_world_size(world); ++asked) {
      coh_request request = COH_REQUEST_STOP;
      EXPECT(coh_signals_open() == COH_OK);
      EXPECT(coh_signals_agree(world, &request) == COH_OK);
      EXPECT(request == COH_REQUEST_NONE);
      if (coh_world_rank(world) == asked) EXPECT(raise(table[i].number) == 0);
      EXPECT(coh_signals_seen() ==
             (coh_world_rank(world) == asked ? table[i].request : COH_REQUEST_NONE));
      EXPECT(coh_signals_agree(world, &request) == COH_OK);
      EXPECT(request == table[i].request);
      coh_signals_close();
      EXPECT(coh_signals_seen() == COH_REQUEST_NONE);
    }
  assert_all_ranks();
}

static void signals_keep_the_gravest_request(void **state) {
  (void)state;
  EXPECT(coh_signals_open() == COH_OK);
  EXPECT(raise(SIGTERM) == 0);
  EXPECT(raise(SIGUSR1) == 0);
  EXPECT(coh_signals_seen() == COH_REQUEST_STOP);
  coh_signals_close();
  assert_all_ranks();
}

static void signals_are_given_back(void **state) {
  (void)state;
  struct sigaction before, after;
  sigaction(SIGUSR1, NULL, &before);
  EXPECT(coh_signals_open() == COH_OK);
  EXPECT(coh_signals_open() == COH_OK); // a run within a sweep
  EXPECT(raise(SIGUSR1) == 0);
  coh_signals_close();
  EXPECT(coh_signals_seen() == COH_REQUEST_REQUEUE);
  coh_signals_close();
  EXPECT(coh_signals_seen() == COH_REQUEST_NONE);
  sigaction(SIGUSR1, NULL, &after);
  EXPECT(before.sa_handler == after.sa_handler);
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signals_of_one_rank_are_seen_by_all),
      cmocka_unit_test(signals_keep_the_gravest_request),
      cmocka_unit_test(signals_are_given_back),
  };
  return mpi_test_main(tests);
}
