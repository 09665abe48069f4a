/* Layer-CAM: every pixel of a feature map weighted by its own positive gradient, which works in
 * early layers too. Jiang et al., IEEE TIP 2021.   map = relu(sum over c of relu(g_c) A_c) */
#include "explain/explainer.h"

static void cam(const coh_explainer *e, const float *features, const float *gradient,
                float *out) {
  int64_t n = e->map[0] * e->map[1], channels = e->map[2];
  for (int64_t i = 0; i < n; i++) {
    float sum = 0;
    for (int64_t k = i * channels; k < (i + 1) * channels; k++)
      sum += (gradient[k] > 0 ? gradient[k] : 0) * features[k];
    out[i] = sum > 0 ? sum : 0;
  }
}

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  (void)options;
  return coh_explain_cam(e, cam, rows, targets, n, out);
}

const coh_explain_method coh_explain_method_layer_cam = {
    .kind = {.name = "layer_cam",
             .doc = "Feature maps weighted pixel by pixel (Jiang et al. 2021)."},
    .run = run,
};
