/* Sums that travel while the program runs.
 *
 * Parameters lie in the block in the order of their layers, and backpropagation finishes the
 * last layer first, so buckets are cut from the block's end. A bucket's sum begins when every
 * lane of the rank has passed the step that makes it final, in the same order on all ranks.
 * Between two operators the thread that owns MPI tests for messages. A thread of its own for
 * them was measured slower (bench/README.md): without a core to spare it takes the learner's.
 * Source: Li et al., "PyTorch Distributed", VLDB 2020 (buckets). */
#include "task/learner_overlap.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/trace.h"

#include <omp.h>

/* Floats of a bucket: smaller ones pay more in latency than an earlier start gives back. But
 * nothing is left to hide the last one behind, so a bucket is no larger than all that comes
 * after it, down to what travels in about a latency. */
enum { BUCKET_FLOATS = 128 << 10, LAST_FLOATS = 16 << 10 };

/* Floats above which a bucket is cut again, although its parts are ready at the same time: one
 * travels while another is added. */
enum { PART_FLOATS = 48 << 10, UNIT = 16 };

/* ---------------------------------------------------------------- planning */

static int64_t later(int64_t a, int64_t b) {
  return a > b ? a : b;
}

// floats at which a bucket is closed, `left` of which come after it
static int64_t bucket_floats(int64_t n_floats, int64_t left) {
  int64_t most = later(n_floats / (COH_MAX_BUCKETS - 5), BUCKET_FLOATS);
  int64_t least = later(left, LAST_FLOATS);
  return least < most ? least : most;
}

// halve the largest buckets while there is room for more
static void divide(coh_learner *learner) {
  while (learner->n_buckets < COH_MAX_BUCKETS) {
    int largest = 0;
    for (int b = 1; b < learner->n_buckets; b++)
      if (learner->bucket[b].n_floats > learner->bucket[largest].n_floats) largest = b;
    coh_bucket *bucket = &learner->bucket[largest];
    if (bucket->n_floats <= PART_FLOATS) return;
    for (int b = learner->n_buckets++; b > largest; b--) {
      learner->bucket[b].first = learner->bucket[b - 1].first;
      learner->bucket[b].n_floats = learner->bucket[b - 1].n_floats;
      learner->bucket[b].ready = learner->bucket[b - 1].ready;
    }
    int64_t half = bucket->n_floats / 2 / UNIT * UNIT;
    bucket[1].n_floats = half; // the end of the block comes first
    bucket->first += half;
    bucket->n_floats -= half;
  }
}

coh_status coh_learner_overlap(coh_learner *learner, const coh_program *program,
                               const coh_graph *layout, const coh_value *gradient) {
  learner->program = program;
  learner->n_buckets = 0;
  int64_t n_floats = learner->n_floats;
  // within one node the sum is work for the same cores: there is nothing to hide
  if (coh_world_n_nodes(learner->context->world) == 1) return COH_OK;
  if (learner->late) { // all of it is ready when its sum begins
    learner->bucket[0] = (coh_bucket){.n_floats = n_floats, .ready = INT64_MAX};
    learner->n_buckets = 1;
    divide(learner);
    return COH_OK;
  }
  if (n_floats < BUCKET_FLOATS) return COH_OK;
  int64_t end = n_floats, ready = 0;
  for (int64_t k = coh_graph_n_parameters(layout) - 1; k >= 0; k--) {
    coh_parameter_view view = coh_graph_parameter_at(layout, k);
    ready = later(ready, coh_program_ready(program, gradient[k]));
    if (k > 0 && (end - view.offset < bucket_floats(n_floats, view.offset) ||
                  learner->n_buckets == COH_MAX_BUCKETS - 1))
      continue;
    coh_bucket *bucket = &learner->bucket[learner->n_buckets++];
    bucket->first = view.offset;
    bucket->n_floats = end - view.offset;
    bucket->ready = ready;
    end = view.offset;
  }
  divide(learner);
  return COH_OK;
}

static coh_status list_sources(coh_learner *learner) {
  int64_t n_local = learner->context->lanes.n_local;
  COH_NEW(learner->tail_sources, n_local);
  for (int64_t i = 0; i < n_local; i++)
    learner->tail_sources[i] = learner->gradient[i] + learner->n_floats;
  for (int b = 0; b < learner->n_buckets; b++) {
    coh_bucket *bucket = &learner->bucket[b];
    COH_NEW(bucket->sources, n_local);
    for (int64_t i = 0; i < n_local; i++)
      bucket->sources[i] = learner->gradient[i] + bucket->first;
  }
  return COH_OK;
}

coh_status coh_learner_connect_buckets(coh_learner *learner) {
  const coh_run_context *context = learner->context;
  COH_TRY(coh_comm_agree(context->world, list_sources(learner)));
  for (int b = 0; b < learner->n_buckets; b++)
    COH_TRY(coh_lane_sum_create(context->world, &context->lanes, COH_SUM_F32,
                                learner->bucket[b].n_floats, context->n_threads,
                                &learner->bucket[b].sum));
  return coh_lane_sum_create(context->world, &context->lanes, COH_SUM_F32, COH_LEARNER_TAIL, 1,
                             &learner->sum);
}

void coh_learner_destroy_buckets(coh_learner *learner) {
  for (int b = 0; b < learner->n_buckets; b++) {
    coh_lane_sum_destroy(&learner->bucket[b].sum);
    coh_free(learner->bucket[b].sources);
  }
  coh_free(learner->tail_sources);
}

/* ---------------------------------------------------------------- moving on */

static float *result_of(const coh_learner *learner) {
  return learner->late ? learner->late : learner->gradient[0];
}

static coh_status begin_next(coh_learner *learner) {
  coh_bucket *bucket = &learner->bucket[learner->n_begun++];
  bucket->begun = coh_clock_now();
  return coh_lane_sum_begin(bucket->sum, bucket->sources, bucket->n_floats,
                            result_of(learner) + bucket->first);
}

static void finish_bucket(coh_learner *learner) {
  const coh_bucket *bucket = &learner->bucket[learner->n_done++];
  if (coh_trace_is_on())
    coh_trace_note("gradient sum", COH_TRACK_MESSAGES, bucket->begun, coh_clock_now());
}

coh_status coh_learner_poll(coh_learner *learner) {
  int n_local = (int)learner->context->lanes.n_local;
  while (learner->n_begun < learner->n_buckets &&
         atomic_load(&learner->bucket[learner->n_begun].n_lanes) == n_local)
    COH_TRY(begin_next(learner));
  for (int b = learner->n_done; b < learner->n_begun; b++) {
    bool done;
    COH_TRY(coh_lane_sum_progress(learner->bucket[b].sum, &done));
    if (done && b == learner->n_done) finish_bucket(learner);
  }
  return learner->is_summing ? coh_lane_sum_progress(learner->sum, NULL) : COH_OK;
}

coh_status coh_learners_poll(coh_learner *const learner[], int n) {
  for (int q = 0; q < n; q++) {
    COH_TRY(coh_learner_poll(learner[q]));
    // sums begin in one order on all ranks: a learner's after all of the one before it
    if (learner[q]->n_begun < learner[q]->n_buckets) break;
  }
  return COH_OK;
}

static bool any_travels(coh_learner *const learner[], int n) {
  for (int q = 0; q < n; q++)
    if (learner[q]->n_done < learner[q]->n_begun) return true;
  return false;
}

/* Steps of one lane under way. */
typedef struct passage {
  coh_learner *const *learner;
  int n_learners;
  coh_workspace *workspace;
  bool is_owner;
  int64_t step;             /* the next one */
  int next[COH_MAX_JOINED]; /* bucket of each learner */
} passage;

static coh_status advance(passage *p, int64_t to) {
  const coh_program *program = p->learner[0]->program;
  if (!p->is_owner) {
    int64_t from = p->step;
    p->step = to;
    return coh_program_run_steps(program, p->workspace, from, to);
  }
  for (; p->step < to; p->step++) {
    COH_TRY(coh_program_run_steps(program, p->workspace, p->step, p->step + 1));
    if (any_travels(p->learner, p->n_learners))
      COH_TRY(coh_learners_poll(p->learner, p->n_learners));
  }
  return COH_OK;
}

// the bucket that is ready next and no later than `last`; NULL: none
static coh_bucket *next_bucket(passage *p, int64_t last) {
  int best = -1;
  for (int q = 0; q < p->n_learners; q++) {
    const coh_learner *l = p->learner[q];
    if (p->next[q] == l->n_buckets || l->bucket[p->next[q]].ready > last) continue;
    if (best < 0 || l->bucket[p->next[q]].ready < p->learner[best]->bucket[p->next[best]].ready)
      best = q;
  }
  return best < 0 ? NULL : &p->learner[best]->bucket[p->next[best]++];
}

static coh_status run_in_pieces(coh_learner *const learner[], int n, coh_workspace *workspace,
                                int64_t first, int64_t last) {
  passage p = {.learner = learner,
               .n_learners = n,
               .workspace = workspace,
               .is_owner = pthread_equal(pthread_self(), learner[0]->owner) != 0,
               .step = first};
  for (int q = 0; q < n; q++) // those of pieces before
    while (first > 0 && p.next[q] < learner[q]->n_buckets &&
           learner[q]->bucket[p.next[q]].ready <= first)
      p.next[q]++;
  for (coh_bucket *bucket; (bucket = next_bucket(&p, last));) {
    COH_TRY(advance(&p, bucket->ready));
    atomic_fetch_add(&bucket->n_lanes, 1);
    if (p.is_owner) COH_TRY(coh_learners_poll(learner, n));
  }
  return advance(&p, last);
}

coh_status coh_learners_run(coh_learner *const learner[], int n, coh_workspace *workspace,
                            int64_t first, int64_t last) {
  double begun = coh_trace_is_on() ? coh_clock_now() : 0;
  int64_t n_buckets = 0;
  for (int q = 0; q < n; q++)
    n_buckets += learner[q]->n_buckets;
  coh_status status = n_buckets == 0
                          ? coh_program_run_steps(learner[0]->program, workspace, first, last)
                          : run_in_pieces(learner, n, workspace, first, last);
  if (coh_trace_is_on())
    coh_trace_note("forward and backward", omp_get_thread_num(), begun, coh_clock_now());
  return status;
}

coh_status coh_learner_run(coh_learner *learner, coh_workspace *workspace, int64_t first,
                           int64_t last) {
  return coh_learners_run(&learner, 1, workspace, first, last);
}

coh_status coh_learner_run_beside(coh_learner *learner, const coh_program *program,
                                  coh_workspace *workspace) {
  if (!learner->is_summing || !pthread_equal(pthread_self(), learner->owner))
    return coh_program_run(program, workspace);
  for (int64_t k = 0; k < coh_program_n_steps(program); k++) {
    COH_TRY(coh_program_run_steps(program, workspace, k, k + 1));
    COH_TRY(coh_learner_poll(learner));
  }
  return COH_OK;
}

/* ---------------------------------------------------------------- the end of an update */

coh_status coh_learner_begin(coh_learner *learner) {
  while (learner->n_begun < learner->n_buckets)
    COH_TRY(begin_next(learner));
  learner->is_summing = true;
  if (learner->n_buckets > 0)
    return coh_lane_sum_begin(learner->sum, learner->tail_sources, COH_LEARNER_TAIL,
                              result_of(learner) + learner->n_floats);
  return coh_lane_sum_begin(learner->sum, (const void *const *)learner->gradient,
                            learner->n_floats + COH_LEARNER_TAIL, result_of(learner));
}

static coh_status end_sums(coh_learner *learner) {
  coh_lane_sum *sum[COH_MAX_BUCKETS + 1];
  int n = 0;
  for (int b = learner->n_done; b < learner->n_buckets; b++)
    sum[n++] = learner->bucket[b].sum;
  sum[n++] = learner->sum;
  COH_TRY(coh_lane_sums_end(sum, n));
  while (learner->n_done < learner->n_buckets)
    finish_bucket(learner);
  for (int b = 0; b < learner->n_buckets; b++)
    atomic_store(&learner->bucket[b].n_lanes, 0);
  learner->n_begun = learner->n_done = 0;
  learner->is_summing = false;
  return COH_OK;
}

coh_status coh_learner_sum(coh_learner *learner) {
  double begun = coh_clock_now();
  if (learner->n_buckets == 0 && !learner->is_summing) {
    // begun and ended at once it may read the lanes where they are
    COH_TRY(coh_lane_sum_run(learner->sum, (const void *const *)learner->gradient,
                             learner->n_floats + COH_LEARNER_TAIL, learner->gradient[0]));
  } else {
    if (!learner->is_summing) COH_TRY(coh_learner_begin(learner));
    COH_TRY(end_sums(learner));
  }
  double now = coh_clock_now();
  learner->reduce_seconds += now - begun;
  coh_trace_note("wait for the sum", 0, begun, now);
  return COH_OK;
}
