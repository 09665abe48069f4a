/* Lane sums against MPI_Allreduce, 4 B to 64 MB of floats.
 *   launch/mpirun -n 4 build/bin/bench_lane_sum [method=auto|doubling|halving|whole|slices]
 *                      [lanes=L] [threads=T] [samples=N] [max_bytes=B] [bytes=B]
 * bytes: of one size only.
 * One lane a rank by default, as MPI_Allreduce has one vector a rank. JSON lines: medians of
 * the slowest rank's time with a nonparametric 95% interval and the raw samples, in
 * microseconds; busbw = bytes / time * 2 (n - 1) / n, in GB/s. */
#include <inttypes.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "comm/lane_rounds.h"
#include "comm/threads.h"
#include "sample.h"

enum { MAX_SAMPLES = 200 };

typedef struct bench {
  coh_world *world;
  coh_lanes lanes;
  coh_lane_sum *sum;
  const void **lane;
  float *data, *result;
  int64_t method, n_lanes, n_threads, n_samples, max_bytes, n_bytes;
} bench;

static const char *const method_names[] = {"auto",   "doubling",     "halving",      "whole",
                                           "slices", "window_whole", "window_slices"};

typedef coh_status one_sum(bench *b, int64_t count);

static coh_status by_lane_sum(bench *b, int64_t count) {
  return coh_lane_sum_run(b->sum, b->lane, count, b->result);
}

static coh_status by_mpi(bench *b, int64_t count) {
  return MPI_Allreduce(b->data, b->result, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD) ==
                 MPI_SUCCESS
             ? COH_OK
             : COH_E_COMM;
}

// seconds a sum, of the slowest rank
static coh_status time_once(bench *b, one_sum *sum, int64_t count, int64_t n_repeats,
                            double *seconds) {
  COH_TRY(coh_comm_barrier(b->world));
  double start = coh_clock_now();
  for (int64_t i = 0; i < n_repeats; ++i)
    COH_TRY(sum(b, count));
  *seconds = (coh_clock_now() - start) / (double)n_repeats;
  return coh_comm_reduce_real(b->world, COH_REDUCE_MAX, seconds, 1);
}

static coh_status measure(bench *b, const char *name, one_sum *sum, int64_t count) {
  double sample[MAX_SAMPLES], once;
  for (int warm_up = 0; warm_up < 3; ++warm_up)
    COH_TRY(time_once(b, sum, count, 1, &once));
  int64_t n_repeats = once < 1e-3 ? (int64_t)(1e-3 / once) + 1 : 1;
  if (n_repeats > 200) n_repeats = 200;
  for (int64_t i = 0; i < b->n_samples; ++i)
    COH_TRY(time_once(b, sum, count, n_repeats, &sample[i]));
  if (coh_world_rank(b->world) != 0) return COH_OK;

  for (int64_t i = 0; i < b->n_samples; ++i)
    sample[i] *= 1e6;
  double median = bench_summarise(sample, b->n_samples).median, size = coh_world_size(b->world);
  int64_t n_bytes = count * (int64_t)sizeof(float);
  printf("{\"bench\": \"lane_sum\", \"by\": \"%s\", \"method\": \"%s\", \"ranks\": %d, "
         "\"nodes\": %d, \"lanes\": %" PRId64 ", \"threads\": %" PRId64 ", \"bytes\": %" PRId64
         ", \"busbw_gbs\": %.3f",
         name, method_names[b->method], (int)size, coh_world_n_nodes(b->world),
         b->lanes.n_lanes, b->n_threads, n_bytes,
         (double)n_bytes / median * 2 * (size - 1) / size * 1e-3);
  bench_sample_print("us", sample, b->n_samples);
  printf("}\n");
  fflush(stdout);
  return COH_OK;
}

static coh_status read_arguments(bench *b, int argc, char **argv) {
  b->n_lanes = coh_world_size(b->world);
  b->n_threads = 1;
  b->n_samples = 21;
  b->max_bytes = 64 << 20;
  const struct {
    const char *name;
    int64_t *value;
  } numbers[] = {{"lanes=", &b->n_lanes},
                 {"threads=", &b->n_threads},
                 {"samples=", &b->n_samples},
                 {"max_bytes=", &b->max_bytes},
                 {"bytes=", &b->n_bytes}};
  for (int i = 1; i < argc; ++i) {
    bool is_known = false;
    for (int m = 0; m < 7 && strncmp(argv[i], "method=", 7) == 0; ++m)
      if (strcmp(argv[i] + 7, method_names[m]) == 0) {
        b->method = m;
        is_known = true;
      }
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; ++k) {
      size_t length = strlen(numbers[k].name);
      if (strncmp(argv[i], numbers[k].name, length) == 0)
        is_known = coh_text_to_int(argv[i] + length, numbers[k].value);
    }
    COH_CHECK(is_known, COH_E_CONFIG, "unknown argument '%s'", argv[i]);
  }
  COH_CHECK(b->n_samples >= 1 && b->n_samples <= MAX_SAMPLES, COH_E_CONFIG, "samples: 1 to %d",
            MAX_SAMPLES);
  COH_CHECK(b->n_bytes >= 0 && b->n_bytes % 4 == 0, COH_E_CONFIG, "bytes: of whole floats");
  if (b->n_bytes > 0) b->max_bytes = b->n_bytes;
  return COH_OK;
}

static coh_status run(bench *b, int argc, char **argv) {
  COH_TRY(read_arguments(b, argc, argv));
  COH_TRY(coh_lanes_split(b->world, b->n_lanes, &b->lanes));
  int64_t max_count = b->max_bytes / (int64_t)sizeof(float);
  COH_NEW(b->lane, b->lanes.n_local);
  COH_NEW(b->data, b->lanes.n_local * max_count);
  COH_NEW(b->result, max_count);
  for (int64_t i = 0; i < b->lanes.n_local * max_count; ++i)
    b->data[i] = 1.0f + (float)(i % 977) * 0x1p-10f;
  for (int64_t k = 0; k < b->lanes.n_local; ++k)
    b->lane[k] = b->data + k * max_count;
  COH_TRY(lane_sum_create_by(b->world, &b->lanes, COH_SUM_F32, max_count, (int)b->n_threads,
                             (lane_method)b->method, &b->sum));
  for (int64_t count = b->n_bytes > 0 ? max_count : 1; count <= max_count; count *= 4) {
    COH_TRY(measure(b, "cohort", by_lane_sum, count));
    COH_TRY(measure(b, "MPI_Allreduce", by_mpi, count));
  }
  return COH_OK;
}

int main(int argc, char **argv) {
  bench b = {0};
  if (coh_world_open(&b.world) != COH_OK) return 1;
  coh_status status = coh_comm_agree(b.world, run(&b, argc, argv));
  if (status != COH_OK && coh_world_rank(b.world) == 0)
    fprintf(stderr, "bench_lane_sum: %s\n", coh_error_message());
  coh_lane_sum_destroy(&b.sum);
  COH_DELETE(b.lane);
  COH_DELETE(b.data);
  COH_DELETE(b.result);
  coh_world_close(&b.world);
  return coh_status_exit_code(status);
}
