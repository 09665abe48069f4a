/* A data-parallel update on simulated nodes: this tree's src/comm, compiled for SimGrid's SMPI, one
 * rank a node, with computing replaced by durations that were measured (`simulate` calls it).
 *
 *   simulate floats=133000 compute=5e-4 backward=2.5e-4 add=6e-11 buckets=2 [act=1e-4] [pings=1]
 *
 * tail: floats of a last bucket, whose siblings are ready when the share `early` of backpropagation
 * is done (a network with one large layer); 0: equal buckets, ready one by one.
 * compute: seconds of an update on one node, of which the last `backward` seconds are backpropagation;
 * add: seconds to add one byte of gradient; act: seconds of `compute` in which environments are
 * stepped. JSON lines: seconds of an update one after the other
 * (`blocking`) and with the gradient in buckets that travel while backpropagation goes on
 * (`overlapped`), the same with the acting after it (`pipelined`), with gradients that are applied one
 * update late (`late`), the sum alone (`sum`), and what messages take (`ping`), for the model to be
 * fitted. */
#include <mpi.h>
#include <smpi/smpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "comm/lane_rounds.h"
#include "comm/wait.h"

enum { MOST_BUCKETS = 64, OPERATORS = 24, TARGET_OPERATORS = 16, ACT_POLLS = 5 };

typedef struct problem {
  double floats, compute, backward, add, buckets, pings, tail, early, act;
} problem;

static double seconds_a_byte; /* of adding; the same in all ranks, which share one process */

/* Adding costs what was measured; the numbers themselves do not matter here, so that a thousand
 * gradients may lie in the same memory. */
void __wrap_coh_lane_tree_run(const coh_lane_tree *tree, const void *const leaf[], int64_t first,
                              int64_t n, void *out);
void __wrap_coh_lane_tree_run(const coh_lane_tree *tree, const void *const leaf[], int64_t first,
                              int64_t n, void *out) {
  (void)leaf, (void)first, (void)out;
  // a rank's only lane is already where its sum shall be
  if (coh_lane_tree_n_leaves(tree) > 1)
    smpi_execute((double)n * sizeof(float) * seconds_a_byte);
}

/* SMPI promises no thread level; a simulated rank has one thread. */
int __wrap_MPI_Query_thread(int *provided);
int __wrap_MPI_Query_thread(int *provided) {
  *provided = MPI_THREAD_FUNNELED;
  return MPI_SUCCESS;
}

/* SMPI's nonblocking collectives are all to all: a million messages to agree on a status. Setting up
 * is not what is measured, so its blocking ones do. */
int __wrap_MPI_Iallreduce(const void *send, void *receive, int count, MPI_Datatype type, MPI_Op op,
                          MPI_Comm comm, MPI_Request *request);
int __wrap_MPI_Iallreduce(const void *send, void *receive, int count, MPI_Datatype type, MPI_Op op,
                          MPI_Comm comm, MPI_Request *request) {
  *request = MPI_REQUEST_NULL;
  return MPI_Allreduce(send, receive, count, type, op, comm);
}

int __wrap_MPI_Ibcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm,
                      MPI_Request *request);
int __wrap_MPI_Ibcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm,
                      MPI_Request *request) {
  *request = MPI_REQUEST_NULL;
  return MPI_Bcast(data, count, type, root, comm);
}

int __wrap_MPI_Ibarrier(MPI_Comm comm, MPI_Request *request);
int __wrap_MPI_Ibarrier(MPI_Comm comm, MPI_Request *request) {
  *request = MPI_REQUEST_NULL;
  return MPI_Barrier(comm);
}

/* SMPI copies communicators with n^2 messages; nobody else sends anything here. */
int __wrap_MPI_Comm_dup(MPI_Comm comm, MPI_Comm *made);
int __wrap_MPI_Comm_dup(MPI_Comm comm, MPI_Comm *made) {
  *made = comm;
  return MPI_SUCCESS;
}

int __wrap_MPI_Comm_free(MPI_Comm *comm);
int __wrap_MPI_Comm_free(MPI_Comm *comm) {
  *comm = MPI_COMM_NULL;
  return MPI_SUCCESS;
}

/* Every rank is a node of its own; SMPI would ask all ranks a second time. */
int __wrap_MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made);
int __wrap_MPI_Comm_split_type(MPI_Comm comm, int type, int key, MPI_Info info, MPI_Comm *made) {
  (void)comm, (void)type, (void)key, (void)info;
  *made = MPI_COMM_SELF;
  return MPI_SUCCESS;
}

int __wrap_MPI_Iallgather(const void *send, int n_send, MPI_Datatype send_type, void *receive,
                          int n_receive, MPI_Datatype receive_type, MPI_Comm comm,
                          MPI_Request *request);
int __wrap_MPI_Iallgather(const void *send, int n_send, MPI_Datatype send_type, void *receive,
                          int n_receive, MPI_Datatype receive_type, MPI_Comm comm,
                          MPI_Request *request) {
  *request = MPI_REQUEST_NULL;
  return MPI_Allgather(send, n_send, send_type, receive, n_receive, receive_type, comm);
}

/* Waiting without looking at the clock: simulated time passes inside MPI_Waitall only. */
coh_status coh_wait_all(int n_requests, MPI_Request *requests, size_t n_bytes) {
  (void)n_bytes;
  COH_MPI(MPI_Waitall(n_requests, requests, MPI_STATUSES_IGNORE));
  return COH_OK;
}

/* One rank a node: no memory to share. */
bool lane_window_fits(const coh_lane_sum *sum) {
  (void)sum;
  return false;
}

coh_status lane_window_create(const coh_lane_sum *sum, int64_t whole_limit, lane_window **window) {
  (void)sum, (void)whole_limit, (void)window;
  return coh_fail(COH_E_INTERNAL, "no window");
}

void lane_window_begin(coh_lane_sum *sum, lane_window_way way, const void *const lane[],
                       bool lanes_stay) {
  (void)sum, (void)way, (void)lane, (void)lanes_stay;
}

bool lane_window_advance(coh_lane_sum *sum) {
  (void)sum;
  return true;
}

coh_status lane_window_finish(coh_lane_sum *sum) {
  (void)sum;
  return COH_OK;
}

void lane_window_destroy(lane_window **window) {
  (void)window;
}

typedef struct subject {
  coh_world *world;
  coh_lanes lanes;
  float *gradient;
  coh_lane_sum *whole, *part[MOST_BUCKETS];
  int64_t n_floats, first[MOST_BUCKETS + 1];
  int n_buckets;
} subject;

static coh_status prepare(subject *s, const problem *p) {
  s->n_floats = (int64_t)p->floats;
  s->n_buckets = (int)p->buckets;
  COH_CHECK(s->n_buckets >= 0 && s->n_buckets <= MOST_BUCKETS, COH_E_CONFIG, "0 to 64 buckets");
  COH_TRY(coh_lanes_split(s->world, coh_world_size(s->world), &s->lanes));
  s->gradient = SMPI_SHARED_MALLOC((size_t)s->n_floats * sizeof *s->gradient);
  COH_TRY(coh_lane_sum_create(s->world, &s->lanes, COH_SUM_F32, s->n_floats, 1, &s->whole));
  for (int b = 0; b <= s->n_buckets; b++)
    s->first[b] = s->n_buckets ? s->n_floats * b / s->n_buckets : 0;
  for (int b = 1; b < s->n_buckets && p->tail > 0; b++)
    s->first[b] = (s->n_floats - (int64_t)p->tail) * b / (s->n_buckets - 1);
  for (int b = 0; b < s->n_buckets; b++)
    COH_TRY(coh_lane_sum_create(s->world, &s->lanes, COH_SUM_F32, s->first[b + 1] - s->first[b], 1,
                                &s->part[b]));
  return COH_OK;
}

static coh_status sum_once(subject *s, const problem *p) {
  (void)p;
  const void *lane = s->gradient;
  return coh_lane_sum_run(s->whole, &lane, s->n_floats, s->gradient);
}

static coh_status blocking(subject *s, const problem *p) {
  smpi_execute(p->compute);
  return sum_once(s, p);
}

// the share of backpropagation after which a bucket is ready
static double ready_at(const subject *s, const problem *p, int bucket) {
  if (p->tail > 0 && bucket < s->n_buckets - 1) return p->early;
  return (double)(bucket + 1) / s->n_buckets;
}

// as task/learner_overlap.c does: buckets begin as backpropagation passes them, messages are tested
// for between operators
static coh_status begin_buckets(subject *s, const problem *p, double seconds, int *n_begun) {
  smpi_execute(seconds - p->backward);
  int n_operators = s->n_buckets > OPERATORS ? s->n_buckets : OPERATORS;
  for (int k = 1; k <= n_operators; k++) {
    smpi_execute(p->backward / n_operators);
    while (*n_begun < s->n_buckets &&
           ready_at(s, p, *n_begun) * n_operators <= (double)k + 1e-9) {
      int b = (*n_begun)++;
      const void *lane = s->gradient + s->first[b];
      COH_TRY(coh_lane_sum_begin(s->part[b], &lane, s->first[b + 1] - s->first[b],
                                 s->gradient + s->first[b]));
    }
    for (int b = 0; b < *n_begun; b++)
      COH_TRY(coh_lane_sum_progress(s->part[b], NULL));
  }
  return COH_OK;
}

static coh_status end_buckets(subject *s) {
  return coh_lane_sums_end(s->part, s->n_buckets);
}

static coh_status overlapped(subject *s, const problem *p) {
  int n_begun = 0;
  COH_TRY(begin_buckets(s, p, p->compute, &n_begun));
  return end_buckets(s);
}

// as a pipelined round of task/dqn in one thread: the rollout comes while sums travel, which are
// looked at between its operators
static coh_status pipelined(subject *s, const problem *p) {
  int n_begun = 0;
  COH_TRY(begin_buckets(s, p, p->compute - p->act, &n_begun));
  for (int k = 0; k < ACT_POLLS; k++) {
    smpi_execute(p->act / ACT_POLLS);
    for (int b = 0; b < n_begun; b++)
      COH_TRY(coh_lane_sum_progress(s->part[b], NULL));
  }
  return end_buckets(s);
}

// gradient_lag: 1: the sums of the update before travel while this one's targets and gradient are
// computed
static coh_status late(subject *s, const problem *p) {
  for (int b = 0; b < s->n_buckets; b++) {
    const void *lane = s->gradient + s->first[b];
    COH_TRY(coh_lane_sum_begin(s->part[b], &lane, s->first[b + 1] - s->first[b],
                               s->gradient + s->first[b]));
  }
  smpi_execute(p->act);
  for (int k = 0; k < TARGET_OPERATORS + OPERATORS; k++) {
    smpi_execute((p->compute - p->act) / (TARGET_OPERATORS + OPERATORS));
    for (int b = 0; b < s->n_buckets; b++)
      COH_TRY(coh_lane_sum_progress(s->part[b], NULL));
  }
  return end_buckets(s);
}

typedef coh_status update_function(subject *s, const problem *p);

static coh_status measure(subject *s, const problem *p, const char *name, update_function *update) {
  COH_TRY(coh_comm_barrier(s->world)); // nothing varies, so one update tells all
  double begun = MPI_Wtime();
  COH_TRY(update(s, p));
  double seconds = MPI_Wtime() - begun;
  COH_TRY(coh_comm_reduce_real(s->world, COH_REDUCE_MAX, &seconds, 1));
  if (coh_world_rank(s->world) == 0)
    printf("{\"what\": \"%s\", \"nodes\": %d, \"floats\": %lld, \"buckets\": %d, \"seconds\": %.9g}\n",
           name, coh_world_size(s->world), (long long)s->n_floats, s->n_buckets, seconds);
  return COH_OK;
}

// what a round of the sum does to the network: all ranks swap n bytes with partners at a distance
static void ping(subject *s, int distance, int n_bytes) {
  int rank = coh_world_rank(s->world), partner = rank ^ distance;
  char *box = SMPI_SHARED_MALLOC((size_t)n_bytes);
  double begun = 0;
  for (int k = 0; k < 5; k++) {
    if (k == 1) begun = MPI_Wtime();
    MPI_Sendrecv(box, n_bytes, MPI_BYTE, partner, 9, box, n_bytes, MPI_BYTE, partner, 9,
                 MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  }
  double seconds = (MPI_Wtime() - begun) / 4, slowest = 0;
  MPI_Allreduce(&seconds, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
  if (rank == 0)
    printf("{\"what\": \"ping\", \"nodes\": %d, \"distance\": %d, \"bytes\": %d, \"seconds\": %.9g}\n",
           coh_world_size(s->world), distance, n_bytes, slowest);
  SMPI_SHARED_FREE(box);
}

static coh_status run(subject *s, const problem *p) {
  if (p->pings > 0) {
    int size = coh_world_size(s->world);
    for (int distance = 1; distance < size; distance *= 4)
      for (int n_bytes = 64; n_bytes <= 1 << 20; n_bytes *= 16)
        ping(s, distance, n_bytes);
    return COH_OK;
  }
  COH_TRY(prepare(s, p));
  COH_TRY(measure(s, p, "sum", sum_once));
  COH_TRY(measure(s, p, "blocking", blocking));
  if (s->n_buckets == 0) return COH_OK;
  COH_TRY(measure(s, p, "overlapped", overlapped));
  if (p->act == 0) return COH_OK;
  COH_TRY(measure(s, p, "pipelined", pipelined));
  return measure(s, p, "late", late);
}

int main(int n, char **argument) {
  problem p = {.floats = 133000, .compute = 5e-4, .backward = 2.5e-4, .buckets = 1};
  const struct {
    const char *name;
    double *value;
  } options[] = {{"floats=", &p.floats}, {"compute=", &p.compute}, {"backward=", &p.backward},
                 {"add=", &p.add},       {"buckets=", &p.buckets}, {"pings=", &p.pings},
               {"tail=", &p.tail},     {"early=", &p.early},
                 {"act=", &p.act}};
  for (int i = 1; i < n; i++)
    for (size_t k = 0; k < sizeof options / sizeof *options; k++)
      if (strncmp(argument[i], options[k].name, strlen(options[k].name)) == 0)
        *options[k].value = strtod(argument[i] + strlen(options[k].name), NULL);
  seconds_a_byte = p.add;
  subject s = {0};
  MPI_Init(&n, &argument);
  if (coh_world_open(&s.world) != COH_OK) {
    fprintf(stderr, "simulate: %s\n", coh_error_message());
    return 1;
  }
  coh_status status = run(&s, &p);
  if (status != COH_OK) fprintf(stderr, "simulate: %s\n", coh_error_message());
  for (int b = 0; b < s.n_buckets; b++)
    coh_lane_sum_destroy(&s.part[b]);
  coh_lane_sum_destroy(&s.whole);
  coh_world_close(&s.world);
  MPI_Finalize();
  return coh_status_exit_code(status);
}
