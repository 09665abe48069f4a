/* Latency and bandwidth between the first and the last rank: MPI alone, and Cohort's exchange of
 * experience (coh_comm_alltoall_varied), which is what moves rows between nodes.
 *   launch/mpirun -n 2 build/bin/bench_wire [samples=21] [max_bytes=67108864]
 * latency: half of the time that a message takes there and back, in us. bandwidth: bytes a second
 * one way, 8 messages under way, in GB/s. JSON lines with medians, intervals and samples. */
#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "cohort/comm.h"
#include "sample.h"

enum { MAX_SAMPLES = 200, IN_FLIGHT = 8 };

typedef struct bench {
  coh_world *world;
  int64_t n_samples, max_bytes;
  int rank, last;
  char *send, *receive;
  size_t *to, *from;
} bench;

static void there_and_back(const bench *b, int n_bytes) {
  int peer = b->rank == 0 ? b->last : 0;
  if (b->rank == 0) MPI_Send(b->send, n_bytes, MPI_BYTE, peer, 1, MPI_COMM_WORLD);
  MPI_Recv(b->receive, n_bytes, MPI_BYTE, peer, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  if (b->rank != 0) MPI_Send(b->send, n_bytes, MPI_BYTE, peer, 1, MPI_COMM_WORLD);
}

// IN_FLIGHT messages one way, and an empty one back
static void one_way(const bench *b, int n_bytes) {
  MPI_Request requests[IN_FLIGHT];
  for (int k = 0; k < IN_FLIGHT; k++)
    if (b->rank == 0)
      MPI_Isend(b->send, n_bytes, MPI_BYTE, b->last, 2, MPI_COMM_WORLD, &requests[k]);
    else
      MPI_Irecv(b->receive + (size_t)k * (size_t)n_bytes, n_bytes, MPI_BYTE, 0, 2,
                MPI_COMM_WORLD, &requests[k]);
  MPI_Waitall(IN_FLIGHT, requests, MPI_STATUSES_IGNORE);
  if (b->rank == 0)
    MPI_Recv(NULL, 0, MPI_BYTE, b->last, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  else
    MPI_Send(NULL, 0, MPI_BYTE, 0, 3, MPI_COMM_WORLD);
}

// the first and the last rank swap n_bytes through the exchange; collective
static coh_status swap(const bench *b, int64_t n_bytes) {
  size_t n = (size_t)n_bytes;
  b->to[0] = b->from[0] = b->to[b->last] = b->from[b->last] = 0;
  if (b->rank == 0) b->to[b->last] = b->from[b->last] = n;
  if (b->rank == b->last) b->to[0] = b->from[0] = n;
  return coh_comm_alltoall_varied(b->world, b->send, b->to, b->receive, b->from);
}

static coh_status take(const bench *b, int how, int64_t n_bytes, int64_t n_repeats,
                       double *seconds) {
  COH_TRY(coh_comm_barrier(b->world));
  bool is_end = b->rank == 0 || b->rank == b->last;
  double begun = coh_clock_now();
  for (int64_t i = 0; i < n_repeats; i++) {
    if (how == 0 && is_end) there_and_back(b, (int)n_bytes);
    if (how == 1 && is_end) one_way(b, (int)n_bytes);
    if (how == 2) COH_TRY(swap(b, n_bytes));
  }
  *seconds = (coh_clock_now() - begun) / (double)n_repeats;
  return coh_comm_reduce_real(b->world, COH_REDUCE_MAX, seconds, 1);
}

static coh_status measure(const bench *b, int how, int64_t n_bytes) {
  static const char *const what[] = {"latency", "bandwidth", "latency"};
  static const char *const by[] = {"MPI", "MPI", "exchange"};
  double sample[MAX_SAMPLES], once;
  for (int warm_up = 0; warm_up < 3; warm_up++)
    COH_TRY(take(b, how, n_bytes, 1, &once));
  int64_t n_repeats = once < 2e-3 ? (int64_t)(2e-3 / once) + 1 : 1;
  if (n_repeats > 500) n_repeats = 500;
  for (int64_t i = 0; i < b->n_samples; i++) {
    COH_TRY(take(b, how, n_bytes, n_repeats, &sample[i]));
    if (how == 0) sample[i] *= 0.5e6;
    if (how == 1) sample[i] = (double)n_bytes * IN_FLIGHT / sample[i] * 1e-9;
    if (how == 2) sample[i] *= 1e6;
  }
  if (b->rank != 0) return COH_OK;
  printf("{\"bench\": \"wire\", \"what\": \"%s\", \"by\": \"%s\", \"ranks\": %d, \"nodes\": %d, "
         "\"bytes\": %" PRId64,
         what[how], by[how], coh_world_size(b->world), coh_world_n_nodes(b->world), n_bytes);
  bench_sample_print("value", sample, b->n_samples);
  printf("}\n");
  fflush(stdout);
  return COH_OK;
}

static coh_status run(bench *b, int n, char **argument) {
  const struct {
    const char *name;
    int64_t *value, min, max;
  } options[] = {{"samples=", &b->n_samples, 1, MAX_SAMPLES},
                 {"max_bytes=", &b->max_bytes, 4, 1 << 28}};
  for (int i = 1; i < n; i++) {
    bool is_known = false;
    for (int k = 0; k < 2; k++) {
      size_t length = strlen(options[k].name);
      if (strncmp(argument[i], options[k].name, length) == 0)
        is_known = coh_text_to_int(argument[i] + length, options[k].value) &&
                   *options[k].value >= options[k].min && *options[k].value <= options[k].max;
    }
    COH_CHECK(is_known, COH_E_CONFIG, "argument '%s' is unknown or out of range", argument[i]);
  }
  b->rank = coh_world_rank(b->world);
  b->last = coh_world_size(b->world) - 1;
  COH_CHECK(b->last > 0, COH_E_CONFIG, "two ranks at least");
  COH_NEW(b->send, b->max_bytes);
  COH_NEW(b->receive, b->max_bytes * IN_FLIGHT);
  COH_NEW(b->to, b->last + 1);
  COH_NEW(b->from, b->last + 1);
  for (int how = 0; how < 3; how++)
    for (int64_t n_bytes = 4; n_bytes <= b->max_bytes; n_bytes *= 4)
      COH_TRY(measure(b, how, n_bytes));
  return COH_OK;
}

int main(int n, char **argument) {
  bench b = {.n_samples = 21, .max_bytes = 64 << 20};
  if (coh_world_open(&b.world) != COH_OK) return 1;
  coh_status status = coh_comm_agree(b.world, run(&b, n, argument));
  if (status != COH_OK && b.rank == 0) fprintf(stderr, "bench_wire: %s\n", coh_error_message());
  coh_free(b.send), coh_free(b.receive), coh_free(b.to), coh_free(b.from);
  coh_world_close(&b.world);
  return coh_status_exit_code(status);
}
