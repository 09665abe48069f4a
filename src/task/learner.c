/* One data-parallel gradient step for all tasks: sum over lanes, norm, optimiser, state. */
#include "task/learner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/trace.h"
#include "task/learner_overlap.h"
#include "task/tensor_visit.h"

// floats below which one thread steps the optimiser faster than several
enum { SHARED_OPTIMIZER_FLOATS = 1 << 18, N_COUNTS = 3, N_SUMS = COH_LEARNER_TAIL + 1 };

coh_status coh_learner_create(coh_learner *learner, const coh_run_context *context,
                              const char *name, const coh_choice *optimizer, int64_t n_floats) {
  *learner = (coh_learner){.context = context, .name = name, .n_floats = n_floats};
  COH_TRY(coh_optimizer_create(optimizer, n_floats, &learner->optimizer));
  COH_NEW(learner->norm_partials, coh_norm_stretches(n_floats));
  COH_NEW(learner->gradient, context->lanes.n_local);
  for (int64_t i = 0; i < context->lanes.n_local; i++)
    COH_NEW(learner->gradient[i], n_floats + COH_LEARNER_TAIL);
  return COH_OK;
}

coh_status coh_learner_delay(coh_learner *learner) {
  COH_NEW(learner->late, learner->n_floats + COH_LEARNER_TAIL);
  return COH_OK;
}

coh_status coh_learner_connect(coh_learner *learner) {
  const coh_run_context *context = learner->context;
  learner->owner = pthread_self();
  if (learner->n_buckets > 0) return coh_learner_connect_buckets(learner);
  return coh_lane_sum_create(context->world, &context->lanes, COH_SUM_F32,
                             learner->n_floats + COH_LEARNER_TAIL, context->n_threads,
                             &learner->sum);
}

void coh_learner_destroy(coh_learner *learner) {
  coh_lane_sum_destroy(&learner->sum);
  coh_learner_destroy_buckets(learner);
  coh_optimizer_destroy(&learner->optimizer);
  for (int64_t i = 0; learner->gradient && i < learner->context->lanes.n_local; i++)
    coh_free(learner->gradient[i]);
  coh_free(learner->gradient), coh_free(learner->norm_partials), coh_free(learner->late);
  *learner = (coh_learner){0};
}

float *coh_learner_gradient(const coh_learner *learner, int64_t local) {
  return learner->gradient[local];
}

static void range_of_all(coh_learner *learner, float *params, const float *gradient) {
  coh_optimizer *optimizer = learner->optimizer;
  int64_t n_floats = learner->n_floats;
  int n_threads = learner->context->n_threads;
  if (n_threads == 1 || n_floats < SHARED_OPTIMIZER_FLOATS) {
    coh_optimizer_range(optimizer, params, gradient, 0, n_floats);
    return;
  }
  int64_t block = (n_floats / n_threads + 63) / 64 * 64;
  int64_t n_blocks = (n_floats + block - 1) / block;
#pragma omp parallel for num_threads(n_threads) schedule(static) default(none) \
    shared(optimizer, params, gradient, n_floats, block, n_blocks)
  for (int64_t k = 0; k < n_blocks; k++) {
    int64_t first = k * block, left = n_floats - first;
    coh_optimizer_range(optimizer, params, gradient, first, left < block ? left : block);
  }
}

static coh_status step_optimizer(coh_learner *learner, float *params, double scale,
                                 const float *gradient) {
  double norm = 0;
  bool is_sampled = learner->n_updates % COH_LEARNER_NORM_EVERY == 0;
  if (is_sampled || coh_optimizer_needs_norm(learner->optimizer)) {
    int64_t n = coh_norm_stretches(learner->n_floats);
    coh_norm_partials(gradient, learner->n_floats, 0, n, learner->norm_partials);
    norm = coh_norm_finish(learner->norm_partials, n);
  }
  if (is_sampled) {
    learner->norm_sum += norm * scale;
    learner->n_norms++;
  }
  COH_TRY(coh_optimizer_begin(learner->optimizer, scale, norm));
  range_of_all(learner, params, gradient);
  return coh_optimizer_end(learner->optimizer);
}

// step with a sum of gradient and tail that is complete
static coh_status apply(coh_learner *learner, float *params, double scale, const float *sum) {
  const float *tail = sum + learner->n_floats;
  int64_t update = learner->n_updates - (learner->late ? 1 : 0);
  COH_CHECK(isfinite(tail[0]), COH_E_DIVERGED, "the %s%sloss is not finite at update %lld",
            learner->name, *learner->name ? " " : "", (long long)update);
  double begun = coh_clock_now();
  COH_TRY(step_optimizer(learner, params, scale, sum));
  coh_trace_note("optimiser", 0, begun, coh_clock_now());
  for (int k = 0; k < COH_LEARNER_TAIL; k++)
    learner->tail[k] += (double)tail[k];
  learner->n_window++;
  return COH_OK;
}

coh_status coh_learner_settle(coh_learner *learner, const float **sum) {
  if (learner->late && learner->is_summing) {
    COH_TRY(coh_learner_sum(learner));
    learner->is_late = true;
  }
  if (sum) *sum = learner->late ? learner->late : learner->gradient[0];
  return COH_OK;
}

static coh_status step_late(coh_learner *learner, float *params, double scale) {
  COH_TRY(coh_learner_settle(learner, NULL));
  if (learner->is_late) COH_TRY(apply(learner, params, scale, learner->late));
  learner->is_late = false;
  return coh_learner_begin(learner);
}

coh_status coh_learner_step(coh_learner *learner, float *params, double scale) {
  if (learner->late) {
    COH_TRY(step_late(learner, params, scale));
  } else {
    COH_TRY(coh_learner_sum(learner));
    COH_TRY(apply(learner, params, scale, learner->gradient[0]));
  }
  learner->n_updates++;
  return COH_OK;
}

double coh_learner_norm(const coh_learner *learner) {
  return learner->n_norms ? learner->norm_sum / (double)learner->n_norms : NAN;
}

void coh_learner_restart(coh_learner *learner) {
  memset(learner->tail, 0, sizeof learner->tail);
  learner->norm_sum = learner->reduce_seconds = 0;
  learner->n_window = learner->n_norms = 0;
}

// visit every state tensor, to save or to load it
static coh_status visit_state(coh_learner *learner, int64_t counts[N_COUNTS],
                              double sums[N_SUMS], coh_tensor_visit *visit, void *context) {
  char name[128];
  for (int64_t k = 0; k < coh_optimizer_n_moments(learner->optimizer); k++) {
    coh_moment moment = coh_optimizer_moment_at(learner->optimizer, k);
    snprintf(name, sizeof name, "%soptimizer.%s", learner->name, moment.name);
    COH_TRY(visit(context, COH_STORE_STATE, name,
                  &(coh_array){.dtype = COH_DTYPE_F32,
                               .n_dims = 1,
                               .shape = {learner->n_floats},
                               .data = moment.data}));
  }
  snprintf(name, sizeof name, "%slearner.counts", learner->name);
  COH_TRY(visit(
      context, COH_STORE_STATE, name,
      &(coh_array){.dtype = COH_DTYPE_I64, .n_dims = 1, .shape = {N_COUNTS}, .data = counts}));
  snprintf(name, sizeof name, "%slearner.window", learner->name);
  COH_TRY(visit(
      context, COH_STORE_STATE, name,
      &(coh_array){.dtype = COH_DTYPE_F64, .n_dims = 1, .shape = {N_SUMS}, .data = sums}));
  if (!learner->late) return COH_OK;
  snprintf(name, sizeof name, "%slearner.late", learner->name);
  return visit(context, COH_STORE_STATE, name,
               &(coh_array){.dtype = COH_DTYPE_F32,
                            .n_dims = 1,
                            .shape = {learner->n_floats + COH_LEARNER_TAIL},
                            .data = learner->late});
}

coh_status coh_learner_save(coh_learner *learner, coh_saver *saver) {
  COH_TRY(coh_learner_settle(learner, NULL));
  // the saver borrows data until the save has ended, so the copies live in the learner
  learner->saved_counts[0] = learner->n_updates;
  learner->saved_counts[1] = learner->n_window;
  learner->saved_counts[2] = learner->n_norms;
  memcpy(learner->saved_sums, learner->tail, sizeof learner->tail);
  learner->saved_sums[COH_LEARNER_TAIL] = learner->norm_sum;
  return visit_state(learner, learner->saved_counts, learner->saved_sums, coh_visit_save,
                     saver);
}

coh_status coh_learner_load(coh_learner *learner, coh_loader *loader) {
  int64_t counts[N_COUNTS];
  double sums[N_SUMS];
  COH_TRY(visit_state(learner, counts, sums, coh_visit_load, loader));
  for (int k = 0; k < N_COUNTS; k++)
    COH_CHECK(counts[k] >= 0, COH_E_CHECKPOINT, "state.safetensors: a counter is negative");
  learner->n_updates = counts[0];
  learner->n_window = counts[1];
  learner->n_norms = counts[2];
  memcpy(learner->tail, sums, sizeof learner->tail);
  learner->norm_sum = sums[COH_LEARNER_TAIL];
  learner->is_late = learner->late && learner->n_updates > 0;
  coh_optimizer_set_steps(learner->optimizer, learner->n_updates - (learner->is_late ? 1 : 0));
  return COH_OK;
}
