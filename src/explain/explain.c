/* The registry of methods, and the two forms in which they answer. */
#include <string.h>

#include "base/alloc.h"
#include "explain/explainer.h"

#define X(name) extern const coh_explain_method coh_explain_method_##name;
#include "explain/methods/method.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_explain_method_##name.kind,
#include "explain/methods/method.def"
#undef X
};

const coh_kind_set coh_explain_kinds = {
    .noun = "explanation", .kinds = kinds, .n_kinds = (int64_t)(sizeof kinds / sizeof *kinds)};

static const coh_explain_method *method_of(const coh_choice *choice) {
  return (const coh_explain_method *)(const void *)choice->kind;
}

static coh_status check_targets(const coh_explainer *e, const int32_t *targets, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    COH_CHECK(targets[i] >= 0 && targets[i] < e->n_outputs, COH_E_CONFIG,
              "output %d cannot be explained: the network has %lld", targets[i],
              (long long)e->n_outputs);
  return COH_OK;
}

coh_status coh_explain(coh_explainer *e, const coh_choice *choice, const float *rows,
                       const int32_t *targets, int64_t n, float *maps) {
  const coh_explain_method *method = method_of(choice);
  COH_TRY(check_targets(e, targets, n));
  if (!method->is_per_value || e->size[2] == 1)
    return method->run(e, choice->options, rows, targets, n, maps);
  float *values;
  COH_NEW(values, n * e->n_values);
  coh_status status = method->run(e, choice->options, rows, targets, n, values);
  for (int64_t i = 0; status == COH_OK && i < n * e->n_pixels; i++) {
    maps[i] = 0;
    for (int64_t c = 0; c < e->size[2]; c++)
      maps[i] += values[i * e->size[2] + c];
  }
  coh_free(values);
  return status;
}

coh_status coh_explain_values(coh_explainer *e, const coh_choice *choice, const float *rows,
                              const int32_t *targets, int64_t n, float *values) {
  const coh_explain_method *method = method_of(choice);
  COH_TRY(check_targets(e, targets, n));
  if (method->is_per_value || e->size[2] == 1)
    return method->run(e, choice->options, rows, targets, n, values);
  float *maps;
  COH_NEW(maps, n * e->n_pixels);
  coh_status status = method->run(e, choice->options, rows, targets, n, maps);
  for (int64_t i = 0; status == COH_OK && i < n * e->n_values; i++)
    values[i] = maps[i / e->size[2]];
  coh_free(maps);
  return status;
}

void coh_explain_resize(const float *from, int64_t h, int64_t w, float *to, int64_t height,
                        int64_t width) {
  for (int64_t y = 0; y < height; y++) {
    double v = ((double)y + 0.5) * (double)h / (double)height - 0.5;
    v = v < 0 ? 0 : v > (double)(h - 1) ? (double)(h - 1) : v;
    int64_t y0 = (int64_t)v, y1 = y0 + 1 < h ? y0 + 1 : y0;
    float fy = (float)(v - (double)y0);
    for (int64_t x = 0; x < width; x++) {
      double u = ((double)x + 0.5) * (double)w / (double)width - 0.5;
      u = u < 0 ? 0 : u > (double)(w - 1) ? (double)(w - 1) : u;
      int64_t x0 = (int64_t)u, x1 = x0 + 1 < w ? x0 + 1 : x0;
      float fx = (float)(u - (double)x0);
      float top = from[y0 * w + x0] * (1 - fx) + from[y0 * w + x1] * fx;
      float low = from[y1 * w + x0] * (1 - fx) + from[y1 * w + x1] * fx;
      to[y * width + x] = top * (1 - fy) + low * fy;
    }
  }
}

coh_status coh_explain_cam(coh_explainer *e, coh_cam_function *cam, const float *rows,
                           const int32_t *targets, int64_t n, float *out) {
  int64_t n_map = e->map[0] * e->map[1], n_all = n_map * e->map[2];
  float *small;
  COH_NEW(small, e->layer < 0 ? 1 : n_map);
  coh_status status = COH_OK;
  for (int64_t first = 0; first < n && status == COH_OK; first += COH_EXPLAIN_BLOCK) {
    int64_t now = n - first < COH_EXPLAIN_BLOCK ? n - first : COH_EXPLAIN_BLOCK;
    const float *features, *gradient;
    status = coh_explainer_features(e, rows + first * e->n_values, targets + first, now,
                                    &features, &gradient);
    for (int64_t i = 0; status == COH_OK && i < now; i++) {
      cam(e, features + i * n_all, gradient + i * n_all, small);
      coh_explain_resize(small, e->map[0], e->map[1], out + (first + i) * e->n_pixels,
                         e->size[0], e->size[1]);
    }
  }
  coh_free(small);
  return status;
}
