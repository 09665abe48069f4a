/* Signals become requests that all ranks agree on, whoever was asked. */
#include "mpi_test.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "comm/signals.h"
#include "la/product.h"

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

typedef struct asking {
  pthread_t whom;
  _Atomic bool ends;
  int64_t n;
} asking;

static void *ask_again_and_again(void *pointer) {
  asking *a = pointer;
  sigset_t mine;
  sigfillset(&mine);
  pthread_sigmask(SIG_BLOCK, &mine, NULL);
  for (; !atomic_load(&a->ends); a->n++) {
    pthread_kill(a->whom, SIGUSR1);
    nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
  }
  return NULL;
}

// compiled kernels may keep data further below the stack pointer than a signal's frame leaves
// alone
static void signals_leave_products_alone(void **state) {
  (void)state;
  enum { M = 256, N = 128, K = 128, TURNS = 4000 };
  static float a[M * K], at[M * K], b[K * N], c[M * N], wanted[M * N];
  for (int i = 0; i < M * K; i++)
    a[i] = at[i % K * M + i / K] = (float)(i % 17 - 8);
  for (int i = 0; i < K * N; i++)
    b[i] = (float)(i % 13 - 6);
  for (int i = 0; i < M; i++)
    for (int j = 0; j < N; j++)
      for (int k = 0; k < K; k++)
        wanted[i * N + j] += a[i * K + k] * b[k * N + j];
  EXPECT(coh_signals_open() == COH_OK);
  asking asked = {.whom = pthread_self()};
  pthread_t thread;
  EXPECT(pthread_create(&thread, NULL, ask_again_and_again, &asked) == 0);
  bool same = true;
  for (int turn = 0; turn < TURNS; turn++) {
    coh_la_matmul(turn % 2, false, M, N, K, turn % 2 ? at : a, b, c);
    same = same && memcmp(c, wanted, sizeof c) == 0; // whole numbers: exact in any order
  }
  atomic_store(&asked.ends, true);
  pthread_join(thread, NULL);
  EXPECT(same && asked.n > 10);
  EXPECT(coh_signals_seen() == COH_REQUEST_REQUEUE);
  coh_signals_close();
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signals_leave_products_alone),
      cmocka_unit_test(signals_of_one_rank_are_seen_by_all),
      cmocka_unit_test(signals_keep_the_gravest_request),
      cmocka_unit_test(signals_are_given_back),
  };
  return mpi_test_main(tests);
}
