/* Grad-CAM: feature maps weighted by the mean of their gradients, the positive part. Selvaraju
 * et al., ICCV 2017.   map = relu(sum over c of w_c A_c),  w_c = mean over pixels of dA_c */
#include "explain/explainer.h"

static void cam(const coh_explainer *e, const float *features, const float *gradient,
                float *out) {
  int64_t n = e->map[0] * e->map[1], channels = e->map[2];
  for (int64_t i = 0; i < n; i++)
    out[i] = 0;
  for (int64_t c = 0; c < channels; c++) {
    float weight = 0;
    for (int64_t i = 0; i < n; i++)
      weight += gradient[i * channels + c];
    weight /= (float)n;
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

const coh_explain_method coh_explain_method_grad_cam = {
    .kind = {.name = "grad_cam",
             .doc = "Feature maps weighted by their mean gradient (Selvaraju et al. 2017)."},
    .run = run,
};
