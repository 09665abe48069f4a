/* Grad-CAM++: each pixel's gradient has a weight of its own. Chattopadhay et al., WACV 2018.
 *   a = g^2 / (2 g^2 + g^3 sum A),   w_c = sum over pixels of a relu(g) */
#include "explain/explainer.h"

static float weight_of(const float *features, const float *gradient, int64_t n,
                       int64_t channels) {
  double sum = 0, weight = 0;
  for (int64_t i = 0; i < n; i++)
    sum += (double)features[i * channels];
  for (int64_t i = 0; i < n; i++) {
    double g = (double)gradient[i * channels];
    if (g <= 0) continue;
    weight += g * (g * g / (2 * g * g + sum * g * g * g + 1e-6));
  }
  return (float)weight;
}

static void cam(const coh_explainer *e, const float *features, const float *gradient,
                float *out) {
  int64_t n = e->map[0] * e->map[1], channels = e->map[2];
  for (int64_t i = 0; i < n; i++)
    out[i] = 0;
  for (int64_t c = 0; c < channels; c++) {
    float weight = weight_of(features + c, gradient + c, n, channels);
    for (int64_t i = 0; i < n; i++)
      out[i] += weight * features[i * channels + c];
  }
  for (int64_t i = 0; i < n; i++)
    out[i] = out[i] > 0 ? out[i] : 0;
}

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  (void)options;
  return coh_explain_cam(e, cam, rows, targets, n, out);
}

const coh_explain_method coh_explain_method_grad_cam_pp = {
    .kind = {.name = "grad_cam_pp",
             .doc = "Grad-CAM++: pixel-wise weights (Chattopadhay et al. 2018)."},
    .run = run,
};
