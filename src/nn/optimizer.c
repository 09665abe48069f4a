/* Optimisers over flat blocks: the registry, and what all kinds share. A step is one pass of
 * the kind's kernel over parameters, gradients and moments; each float is updated by itself, so
 * shards and threads may split the blocks anywhere and get the same bits. */
#include <math.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/float_mode.h"
#include "nn/optimizer_type.h"

#define X(name) extern const coh_optimizer_type coh_optimizer_type_##name;
#include "nn/optimizers/optimizer.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_optimizer_type_##name.kind,
#include "nn/optimizers/optimizer.def"
#undef X
};

const coh_kind_set coh_optimizer_kinds = {
    .noun = "optimiser",
    .kinds = kinds,
    .n_kinds = (int64_t)(sizeof kinds / sizeof kinds[0]),
};

struct coh_optimizer {
  const coh_optimizer_type *type;
  const void *options; /* borrowed; begins with a coh_optimizer_common */
  int64_t n_floats, n_steps;
  int64_t n_moments;
  const char *name[COH_MAX_MOMENTS];
  float *moment[COH_MAX_MOMENTS];
  double *partial; /* of the norm; NULL without clip_norm */
  coh_optimizer_pass pass;
  atomic_bool bad; /* a gradient of the current step was not finite, or close to it */
};

static const coh_optimizer_common *common_of(const coh_optimizer *optimizer) {
  return optimizer->options;
}

static coh_status allocate(coh_optimizer *optimizer) {
  for (int64_t k = 0; k < optimizer->n_moments; k++)
    COH_NEW(optimizer->moment[k], optimizer->n_floats);
  if (coh_optimizer_needs_norm(optimizer))
    COH_NEW(optimizer->partial, coh_norm_stretches(optimizer->n_floats));
  return COH_OK;
}

coh_status coh_optimizer_create(const coh_choice *choice, int64_t n_floats,
                                coh_optimizer **out) {
  const coh_optimizer_type *type = (const coh_optimizer_type *)(const void *)choice->kind;
  const coh_optimizer_common *common = choice->options;
  coh_status status = coh_schedule_check(&common->schedule);
  if (status == COH_OK && type->check) status = type->check(choice->options);
  if (status != COH_OK) return coh_fail_within(status, "optimiser %s", choice->kind->name);
  coh_optimizer *optimizer;
  COH_NEW(optimizer, 1);
  optimizer->type = type;
  optimizer->options = choice->options;
  optimizer->n_floats = n_floats;
  optimizer->n_moments = type->moments(choice->options, optimizer->name);
  status = allocate(optimizer);
  if (status != COH_OK) {
    coh_optimizer_destroy(&optimizer);
    return status;
  }
  *out = optimizer;
  return COH_OK;
}

void coh_optimizer_destroy(coh_optimizer **optimizer) {
  if (!*optimizer) return;
  for (int64_t k = 0; k < COH_MAX_MOMENTS; k++)
    coh_free((*optimizer)->moment[k]);
  coh_free((*optimizer)->partial);
  COH_DELETE(*optimizer);
}

bool coh_optimizer_needs_norm(const coh_optimizer *optimizer) {
  return common_of(optimizer)->clip_norm > 0;
}

double coh_optimizer_learning_rate(const coh_optimizer *optimizer) {
  const coh_optimizer_common *common = common_of(optimizer);
  return common->learning_rate * coh_schedule_factor(&common->schedule, optimizer->n_steps);
}

static coh_status not_finite(const coh_optimizer *optimizer, int64_t step) {
  return coh_fail(
      COH_E_DIVERGED,
      "optimiser step %lld: a gradient is not finite, or 9e18 and more (learning rate %g)",
      (long long)step, coh_optimizer_learning_rate(optimizer));
}

coh_status coh_optimizer_begin(coh_optimizer *optimizer, double scale, double norm) {
  const coh_optimizer_common *common = common_of(optimizer);
  coh_optimizer_pass *pass = &optimizer->pass;
  double factor = scale;
  if (coh_optimizer_needs_norm(optimizer)) {
    if (!isfinite(norm)) return not_finite(optimizer, optimizer->n_steps + 1);
    double length = fabs(scale) * norm;
    if (length > common->clip_norm) factor = scale * (common->clip_norm / length);
  }
  pass->factor = (float)factor;
  pass->limit = common->clip_value > 0 ? (float)common->clip_value : INFINITY;
  optimizer->type->prepare(optimizer->options, optimizer->n_steps + 1,
                           coh_optimizer_learning_rate(optimizer), pass->constant);
  atomic_store_explicit(&optimizer->bad, false, memory_order_relaxed);
  return COH_OK;
}

void coh_optimizer_range(coh_optimizer *optimizer, float *params, const float *grads,
                         int64_t first, int64_t n) {
  coh_optimizer_stretch stretch = {.params = params + first, .grads = grads + first, .n = n};
  for (int64_t k = 0; k < optimizer->n_moments; k++)
    stretch.moment[k] = optimizer->moment[k] + first;
  coh_float_mode mode = coh_float_mode_begin();
  bool bad = optimizer->type->update(optimizer->options, &optimizer->pass, &stretch);
  coh_float_mode_end(mode);
  if (bad) atomic_store_explicit(&optimizer->bad, true, memory_order_relaxed);
}

coh_status coh_optimizer_end(coh_optimizer *optimizer) {
  optimizer->n_steps++;
  if (atomic_load_explicit(&optimizer->bad, memory_order_relaxed))
    return not_finite(optimizer, optimizer->n_steps);
  return COH_OK;
}

coh_status coh_optimizer_step(coh_optimizer *optimizer, float *params, const float *grads,
                              double scale) {
  double norm = 0;
  if (coh_optimizer_needs_norm(optimizer)) {
    int64_t n_stretches = coh_norm_stretches(optimizer->n_floats);
    coh_norm_partials(grads, optimizer->n_floats, 0, n_stretches, optimizer->partial);
    norm = coh_norm_finish(optimizer->partial, n_stretches);
  }
  COH_TRY(coh_optimizer_begin(optimizer, scale, norm));
  coh_optimizer_range(optimizer, params, grads, 0, optimizer->n_floats);
  return coh_optimizer_end(optimizer);
}

int64_t coh_optimizer_n_moments(const coh_optimizer *optimizer) {
  return optimizer->n_moments;
}

coh_moment coh_optimizer_moment_at(const coh_optimizer *optimizer, int64_t k) {
  return (coh_moment){.name = optimizer->name[k], .data = optimizer->moment[k]};
}

int64_t coh_optimizer_steps(const coh_optimizer *optimizer) {
  return optimizer->n_steps;
}

void coh_optimizer_set_steps(coh_optimizer *optimizer, int64_t n_steps) {
  optimizer->n_steps = n_steps;
}
