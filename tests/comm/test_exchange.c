/* Exchange of bytes: pieces of every size, also cut into chunks, against what was sent. */
#include "mpi_test.h"

#include <float.h>
#include <string.h>

#include "comm/world.h"

enum { MAX_RANKS = 8, MAX_PIECE = 3000 };

static coh_world *world(void) {
  return mpi_test_state.world;
}

static int rank(void) {
  return coh_world_rank(world());
}

static int size(void) {
  return coh_world_size(world());
}

// byte i of what rank `from` sends to rank `to`
static unsigned char byte_of(int from, int to, size_t i) {
  return (unsigned char)(31 * from + 17 * to + 7 * (int)(i % 1009));
}

// sizes that include 0 and differ by pair
static size_t piece_of(int from, int to) {
  return (size_t)((from * 5 + to * 3) % 4) * 700 + (size_t)(from == to) * 13;
}

static void barrier_and_bcast_reach_all(void **state) {
  (void)state;
  for (int root = 0; root < size(); ++root) {
    unsigned char data[MAX_PIECE];
    for (size_t i = 0; i < sizeof data; ++i)
      data[i] = rank() == root ? byte_of(root, 0, i) : 0;
    EXPECT(coh_comm_bcast(world(), data, sizeof data, root) == COH_OK);
    for (size_t i = 0; i < sizeof data; ++i)
      EXPECT(data[i] == byte_of(root, 0, i));
    EXPECT(coh_comm_bcast(world(), data, 0, root) == COH_OK);
  }
  EXPECT(coh_comm_barrier(world()) == COH_OK);
  assert_all_ranks();
}

static void allgather_keeps_rank_order(void **state) {
  (void)state;
  unsigned char send[900], receive[MAX_RANKS * 900];
  for (size_t i = 0; i < sizeof send; ++i)
    send[i] = byte_of(rank(), 0, i);
  EXPECT(coh_comm_allgather(world(), send, sizeof send, receive) == COH_OK);
  for (int from = 0; from < size(); ++from)
    for (size_t i = 0; i < sizeof send; ++i)
      EXPECT(receive[(size_t)from * sizeof send + i] == byte_of(from, 0, i));
  assert_all_ranks();
}

static void varied_pieces_are_gathered_in_rank_order(void **state) {
  (void)state;
  static unsigned char send[MAX_PIECE], receive[MAX_RANKS * MAX_PIECE];
  size_t n_bytes[MAX_RANKS];
  for (int from = 0; from < size(); ++from)
    n_bytes[from] = piece_of(from, 1);
  for (size_t i = 0; i < n_bytes[rank()]; ++i)
    send[i] = byte_of(rank(), 1, i);
  for (int root = -1; root < size(); ++root) { // -1: on all ranks
    memset(receive, 0xee, sizeof receive);
    EXPECT((root < 0
                ? coh_comm_allgather_varied(world(), send, n_bytes, receive)
                : coh_comm_gather_varied(world(), send, n_bytes, receive, root)) == COH_OK);
    if (root >= 0 && root != rank()) continue;
    const unsigned char *at = receive;
    for (int from = 0; from < size(); ++from)
      for (size_t i = 0; i < n_bytes[from]; ++i)
        EXPECT(*at++ == byte_of(from, 1, i));
    EXPECT(*at == 0xee);
  }
  assert_all_ranks();
}

static void alltoall_delivers_each_piece(void **state) {
  (void)state;
  static unsigned char send[MAX_RANKS * MAX_PIECE], receive[MAX_RANKS * MAX_PIECE];
  size_t send_bytes[MAX_RANKS], receive_bytes[MAX_RANKS];
  unsigned char *at = send;
  for (int to = 0; to < size(); ++to) {
    send_bytes[to] = piece_of(rank(), to);
    for (size_t i = 0; i < send_bytes[to]; ++i)
      *at++ = byte_of(rank(), to, i);
  }
  // the counts travel first, as they do in use
  EXPECT(coh_comm_alltoall(world(), send_bytes, sizeof *send_bytes, receive_bytes) == COH_OK);
  for (int from = 0; from < size(); ++from)
    EXPECT(receive_bytes[from] == piece_of(from, rank()));
  EXPECT(coh_comm_alltoall_varied(world(), send, send_bytes, receive, receive_bytes) == COH_OK);
  at = receive;
  for (int from = 0; from < size(); ++from)
    for (size_t i = 0; i < receive_bytes[from]; ++i)
      EXPECT(*at++ == byte_of(from, rank(), i));
  assert_all_ranks();
}

static void messages_longer_than_a_chunk_arrive_whole(void **state) {
  (void)state;
  size_t chunk = world()->transfer.chunk;
  world()->transfer.chunk = 64;
  barrier_and_bcast_reach_all(state);
  allgather_keeps_rank_order(state);
  varied_pieces_are_gathered_in_rank_order(state);
  alltoall_delivers_each_piece(state);
  world()->transfer.chunk = 4;
  alltoall_delivers_each_piece(state);
  world()->transfer.chunk = chunk;
}

static void integers_reduce_exactly(void **state) {
  (void)state;
  int64_t low[2] = {rank() - 3, INT64_MAX - rank()}, high[2] = {rank() - 3, INT64_MIN + rank()};
  int64_t sum[2] = {rank() + 1, INT64_C(1) << 53};
  sum[1] += rank();
  EXPECT(coh_comm_reduce_int(world(), COH_REDUCE_MIN, low, 2) == COH_OK);
  EXPECT(coh_comm_reduce_int(world(), COH_REDUCE_MAX, high, 2) == COH_OK);
  EXPECT(coh_comm_reduce_int(world(), COH_REDUCE_SUM, sum, 2) == COH_OK);
  int64_t n = size();
  EXPECT(low[0] == -3 && low[1] == INT64_MAX - (n - 1));
  EXPECT(high[0] == n - 4 && high[1] == INT64_MIN + (n - 1));
  EXPECT(sum[0] == n * (n + 1) / 2 && sum[1] == n * (INT64_C(1) << 53) + n * (n - 1) / 2);
  assert_all_ranks();
}

static void reals_have_extremes_but_no_sum(void **state) {
  (void)state;
  double low[2] = {0.5 - rank(), DBL_MAX}, high[2] = {0.5 - rank(), -DBL_MAX};
  EXPECT(coh_comm_reduce_real(world(), COH_REDUCE_MIN, low, 2) == COH_OK);
  EXPECT(coh_comm_reduce_real(world(), COH_REDUCE_MAX, high, 2) == COH_OK);
  // halves and extremes are exact
  EXPECT(low[0] == 1.5 - size() && low[1] == DBL_MAX);
  EXPECT(high[0] == 0.5 && high[1] == -DBL_MAX);
  EXPECT(coh_comm_reduce_real(world(), COH_REDUCE_SUM, high, 2) == COH_E_INTERNAL);
  assert_all_ranks();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(barrier_and_bcast_reach_all),
      cmocka_unit_test(allgather_keeps_rank_order),
      cmocka_unit_test(varied_pieces_are_gathered_in_rank_order),
      cmocka_unit_test(alltoall_delivers_each_piece),
      cmocka_unit_test(messages_longer_than_a_chunk_arrive_whole),
      cmocka_unit_test(integers_reduce_exactly),
      cmocka_unit_test(reals_have_extremes_but_no_sum),
  };
  return mpi_test_main(tests);
}
