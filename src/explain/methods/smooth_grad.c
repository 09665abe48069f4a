/* SmoothGrad: the mean gradient over noisy copies of the input. Smilkov et al., 2017. */
#include "base/alloc.h"
#include "cohort/random.h"
#include "explain/explainer.h"

typedef struct smooth_options {
  int64_t samples, seed;
  double noise;
} smooth_options;

static const coh_option table[] = {
    {.name = "samples",
     .type = COH_INT,
     .offset = offsetof(smooth_options, samples),
     .initial = "64",
     .min = 1,
     .max = 1 << 20,
     .doc = "Noisy copies."},
    {.name = "noise",
     .type = COH_REAL,
     .offset = offsetof(smooth_options, noise),
     .initial = "0.15",
     .min = 0,
     .max = 100,
     .doc = "Standard deviation of the noise, as a share of the input's range."},
    {.name = "seed",
     .type = COH_INT,
     .offset = offsetof(smooth_options, seed),
     .initial = "1",
     .max = 0x1p62,
     .doc = "Seed of the noise."},
    {0},
};

static float range_of(const float *row, int64_t n) {
  float low = row[0], high = row[0];
  for (int64_t i = 1; i < n; i++) {
    low = row[i] < low ? row[i] : low;
    high = row[i] > high ? row[i] : high;
  }
  return high - low;
}

static coh_status smooth_row(coh_explainer *e, const smooth_options *o, const float *row,
                             int32_t target, int64_t index, float *memory, float *out) {
  float *noisy = memory, *gradient = memory + COH_EXPLAIN_BLOCK * e->n_values;
  int32_t targets[COH_EXPLAIN_BLOCK];
  coh_key key = coh_key_make((uint64_t)o->seed, "smooth_grad");
  float deviation = (float)o->noise * range_of(row, e->n_values);
  for (int64_t i = 0; i < e->n_values; i++)
    out[i] = 0;
  for (int64_t first = 0; first < o->samples; first += COH_EXPLAIN_BLOCK) {
    int64_t left = o->samples - first,
            now = left < COH_EXPLAIN_BLOCK ? left : COH_EXPLAIN_BLOCK;
    for (int64_t s = 0; s < now; s++) {
      coh_stream stream = coh_stream_begin(key, (uint32_t)index, (uint64_t)(first + s));
      targets[s] = target;
      for (int64_t i = 0; i < e->n_values; i++)
        noisy[s * e->n_values + i] = row[i] + deviation * (float)coh_stream_normal(&stream);
    }
    COH_TRY(coh_explainer_gradient(e, false, noisy, targets, now, gradient, NULL));
    for (int64_t s = 0; s < now; s++)
      for (int64_t i = 0; i < e->n_values; i++)
        out[i] += gradient[s * e->n_values + i] / (float)o->samples;
  }
  return COH_OK;
}

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  float *memory;
  COH_NEW(memory, 2 * COH_EXPLAIN_BLOCK * e->n_values);
  coh_status status = COH_OK;
  for (int64_t i = 0; i < n && status == COH_OK; i++)
    status = smooth_row(e, options, rows + i * e->n_values, targets[i], i, memory,
                        out + i * e->n_values);
  coh_free(memory);
  return status;
}

const coh_explain_method coh_explain_method_smooth_grad = {
    .kind = {.name = "smooth_grad",
             .doc = "Mean gradient over noisy copies of the input (Smilkov et al. 2017).",
             .options = table,
             .options_size = sizeof(smooth_options)},
    .is_per_value = true,
    .run = run,
};
