/* Grad-CAM: feature maps weighted by the mean of their gradients, the positive part. Selvaraju
 * et al., ICCV 2017.   map = relu(sum over c of w_c A_c),  w_c = mean over pixels of dA_c */
#include "explain/explainer.h"

// channels that are taken side by side
enum { SIDE = 16 };

// add `side` channels' part of the map: n pixels, `stride` between them
static inline void add(int64_t n, int64_t side, int64_t stride, const float *features,
                       const float *gradient, float *out) {
  float weight[SIDE] = {0};
  for (int64_t i = 0; i < n; i++)
    for (int64_t c = 0; c < side; c++)
      weight[c] += gradient[i * stride + c];
  for (int64_t i = 0; i < n; i++) {
    float product[SIDE] = {0};
    for (int64_t c = 0; c < side; c++)
      product[c] = weight[c] * features[i * stride + c];
    for (int64_t half = SIDE / 2; half > 0; half /= 2)
      for (int64_t c = 0; c < half; c++)
        product[c] += product[c + half];
    out[i] += product[0] / (float)n;
  }
}

static void cam(const coh_explainer *e, const float *features, const float *gradient,
                float *out) {
  int64_t n = e->map[0] * e->map[1], channels = e->map[2], c = 0;
  for (int64_t i = 0; i < n; i++)
    out[i] = 0;
  for (; c + SIDE <= channels; c += SIDE)
    add(n, SIDE, channels, features + c, gradient + c, out);
  if (c < channels) add(n, channels - c, channels, features + c, gradient + c, out);
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
