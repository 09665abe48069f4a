/* Score-CAM: a feature map's weight is what the network says of the input seen through it, not
 * a gradient. Wang et al., CVPR workshops 2020.
 *   w = softmax over channels of the target's output for x masked by A_c scaled to 0..1 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "explain/explainer.h"

typedef struct scoring {
  coh_explainer *e;
  float *features, *masks, *rows, *outputs, *small;
  double *weight;
} scoring;

// one feature map, enlarged and scaled to 0..1 (all 0 when it is flat)
static void mask_of(const scoring *s, int64_t channel, float *mask) {
  coh_explainer *e = s->e;
  int64_t n = e->map[0] * e->map[1];
  for (int64_t i = 0; i < n; i++)
    s->small[i] = s->features[i * e->map[2] + channel];
  coh_explain_resize(s->small, e->map[0], e->map[1], mask, e->size[0], e->size[1]);
  float low = mask[0], high = mask[0];
  for (int64_t i = 1; i < e->n_pixels; i++) {
    low = mask[i] < low ? mask[i] : low;
    high = mask[i] > high ? mask[i] : high;
  }
  float range = high - low + 1e-8f;
  for (int64_t i = 0; i < e->n_pixels; i++)
    mask[i] = (mask[i] - low) / range;
}

static coh_status weigh(const scoring *s, const float *row, int32_t target) {
  coh_explainer *e = s->e;
  double top = -INFINITY, sum = 0;
  for (int64_t first = 0; first < e->map[2]; first += COH_EXPLAIN_BLOCK) {
    int64_t left = e->map[2] - first;
    int64_t now = left < COH_EXPLAIN_BLOCK ? left : COH_EXPLAIN_BLOCK;
    for (int64_t k = 0; k < now; k++) {
      mask_of(s, first + k, s->masks);
      for (int64_t i = 0; i < e->n_values; i++)
        s->rows[k * e->n_values + i] =
            e->black + (row[i] - e->black) * s->masks[i / e->size[2]];
    }
    COH_TRY(coh_explainer_outputs(e, s->rows, now, s->outputs));
    for (int64_t k = 0; k < now; k++) {
      s->weight[first + k] = (double)s->outputs[k * e->n_outputs + target];
      top = fmax(top, s->weight[first + k]);
    }
  }
  for (int64_t c = 0; c < e->map[2]; c++)
    sum += s->weight[c] = exp(s->weight[c] - top);
  for (int64_t c = 0; c < e->map[2]; c++)
    s->weight[c] /= sum;
  return COH_OK;
}

static coh_status explain_row(const scoring *s, const float *row, int32_t target, float *out) {
  coh_explainer *e = s->e;
  int64_t n = e->map[0] * e->map[1];
  const float *features, *gradient;
  COH_TRY(coh_explainer_features(e, row, &target, 1, &features, &gradient));
  memcpy(s->features, features, (size_t)(n * e->map[2]) * sizeof *features);
  COH_TRY(weigh(s, row, target));
  for (int64_t i = 0; i < n; i++) {
    double sum = 0;
    for (int64_t c = 0; c < e->map[2]; c++)
      sum += s->weight[c] * (double)s->features[i * e->map[2] + c];
    s->small[i] = sum > 0 ? (float)sum : 0;
  }
  coh_explain_resize(s->small, e->map[0], e->map[1], out, e->size[0], e->size[1]);
  return COH_OK;
}

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  (void)options;
  size_t n_map = e->layer < 0 ? 1 : (size_t)(e->map[0] * e->map[1]);
  size_t channels = e->layer < 0 ? 1 : (size_t)e->map[2];
  scoring s = {.e = e};
  s.features = coh_alloc_array(n_map * channels, sizeof *s.features);
  s.small = coh_alloc_array(n_map, sizeof *s.small);
  s.weight = coh_alloc_array(channels, sizeof *s.weight);
  s.masks = coh_alloc_array((size_t)e->n_pixels, sizeof *s.masks);
  s.rows = coh_alloc_array((size_t)(COH_EXPLAIN_BLOCK * e->n_values), sizeof *s.rows);
  s.outputs = coh_alloc_array((size_t)(COH_EXPLAIN_BLOCK * e->n_outputs), sizeof *s.outputs);
  coh_status status = COH_OK;
  if (!s.features || !s.small || !s.weight || !s.masks || !s.rows || !s.outputs)
    status = coh_fail(COH_E_MEMORY, "out of memory for Score-CAM");
  for (int64_t i = 0; i < n && status == COH_OK; i++)
    status = explain_row(&s, rows + i * e->n_values, targets[i], out + i * e->n_pixels);
  coh_free(s.features), coh_free(s.small), coh_free(s.weight);
  coh_free(s.masks), coh_free(s.rows), coh_free(s.outputs);
  return status;
}

const coh_explain_method coh_explain_method_score_cam = {
    .kind = {.name = "score_cam",
             .doc = "Feature maps weighted by what is seen through them (Wang et al. 2020)."},
    .run = run,
};
