/* Data-parallel updates on simulated nodes: Cohort's own lane sums (src/comm, built with SMPI),
 * computing replaced by measured durations.
 *
 *     smpirun ... simulate_update updates=N [overlap=0|1] [bucket=FLOATS:SECONDS ...]
 *                 [rest=SECONDS] [optimizer=SECONDS]
 *
 * An update: for each bucket so many seconds of computing until its gradient is final, then its
 * sum begins; `rest` of computing; the end of all sums; the optimiser. One JSON line: simulated
 * seconds an update. The loop is the learner's (src/task/learner_overlap.c). */
#include <mpi.h>
#include <smpi/smpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/comm.h"

enum { MAX_BUCKETS = 16, TAIL = 16 };
static const double operator_seconds = 100e-6; /* between two looks at messages */

typedef struct bucket {
  int64_t n_floats;
  double seconds;
  coh_lane_sum *sum;
  char *vector;
} bucket;

typedef struct update {
  coh_world *world;
  coh_lanes lanes;
  bucket bucket[MAX_BUCKETS];
  int n_buckets, n_updates, overlap;
  double rest, optimizer;
  coh_lane_sum *tail;
  float tail_data[TAIL];
} update;

static coh_status compute(update *u, double seconds, int n_begun) {
  while (seconds > 0) {
    double piece = seconds < operator_seconds ? seconds : operator_seconds;
    smpi_execute(piece);
    seconds -= piece;
    for (int b = 0; b < n_begun; ++b)
      COH_TRY(coh_lane_sum_progress(u->bucket[b].sum, NULL));
  }
  return COH_OK;
}

static coh_status begin_sum(bucket *b) {
  const void *lane[1] = {b->vector};
  return coh_lane_sum_begin(b->sum, lane, b->n_floats, b->vector);
}

static coh_status do_update(update *u) {
  int n_begun = 0;
  for (int b = 0; b < u->n_buckets; ++b) {
    COH_TRY(compute(u, u->bucket[b].seconds, n_begun));
    if (u->overlap) COH_TRY(begin_sum(&u->bucket[n_begun++]));
  }
  COH_TRY(compute(u, u->rest, n_begun));
  while (n_begun < u->n_buckets)
    COH_TRY(begin_sum(&u->bucket[n_begun++]));
  const void *lane[1] = {u->tail_data};
  COH_TRY(coh_lane_sum_begin(u->tail, lane, TAIL, u->tail_data));
  for (int b = 0; b < u->n_buckets; ++b)
    COH_TRY(coh_lane_sum_end(u->bucket[b].sum));
  COH_TRY(coh_lane_sum_end(u->tail));
  smpi_execute(u->optimizer);
  return COH_OK;
}

static coh_status prepare(update *u) {
  COH_TRY(coh_lanes_split(u->world, coh_world_size(u->world), &u->lanes));
  for (int b = 0; b < u->n_buckets; ++b) {
    COH_NEW(u->bucket[b].vector, (size_t)u->bucket[b].n_floats * sizeof(float));
    COH_TRY(coh_lane_sum_create(u->world, &u->lanes, COH_SUM_F32, u->bucket[b].n_floats, 1,
                                &u->bucket[b].sum));
  }
  return coh_lane_sum_create(u->world, &u->lanes, COH_SUM_F32, TAIL, 1, &u->tail);
}

static coh_status run(update *u) {
  COH_TRY(prepare(u));
  COH_TRY(do_update(u));
  MPI_Barrier(MPI_COMM_WORLD);
  double begun = MPI_Wtime();
  for (int k = 0; k < u->n_updates; ++k)
    COH_TRY(do_update(u));
  double seconds = (MPI_Wtime() - begun) / u->n_updates, slowest = 0;
  MPI_Reduce(&seconds, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
  if (coh_world_rank(u->world) == 0)
    printf("{\"ranks\": %d, \"overlap\": %d, \"seconds\": %.9f}\n", coh_world_size(u->world),
           u->overlap, slowest);
  return COH_OK;
}

static void read_arguments(update *u, int n, char **argument) {
  u->n_updates = 1;
  u->overlap = 1;
  for (int i = 1; i < n; ++i) {
    const char *value = strchr(argument[i], '=');
    if (!value) continue;
    ++value;
    if (strncmp(argument[i], "updates=", 8) == 0) u->n_updates = (int)strtol(value, NULL, 10);
    if (strncmp(argument[i], "overlap=", 8) == 0) u->overlap = (int)strtol(value, NULL, 10);
    if (strncmp(argument[i], "rest=", 5) == 0) u->rest = strtod(value, NULL);
    if (strncmp(argument[i], "optimizer=", 10) == 0) u->optimizer = strtod(value, NULL);
    if (strncmp(argument[i], "bucket=", 7) == 0 && u->n_buckets < MAX_BUCKETS) {
      char *end;
      u->bucket[u->n_buckets].n_floats = strtoll(value, &end, 10);
      u->bucket[u->n_buckets++].seconds = *end == ':' ? strtod(end + 1, NULL) : 0;
    }
  }
}

int main(int n, char **argument) {
  update *u = calloc(1, sizeof *u);
  if (!u) return 1;
  read_arguments(u, n, argument);
  coh_status status = coh_world_open(&u->world);
  if (status == COH_OK) status = run(u);
  if (status != COH_OK) fprintf(stderr, "simulate_update: %s\n", coh_error_message());
  for (int b = 0; b < u->n_buckets; ++b) {
    coh_lane_sum_destroy(&u->bucket[b].sum);
    coh_free(u->bucket[b].vector);
  }
  coh_lane_sum_destroy(&u->tail);
  coh_world_close(&u->world);
  free(u);
  return coh_status_exit_code(status);
}
