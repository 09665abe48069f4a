/* The gradient of the target's output in the input: Simonyan, Vedaldi, Zisserman, ICLR 2014. */
#include "explain/explainer.h"

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  (void)options;
  return coh_explainer_gradient(e, false, rows, targets, n, out, NULL);
}

const coh_explain_method coh_explain_method_saliency = {
    .kind = {.name = "saliency",
             .doc = "Gradient of the output in the input (Simonyan et al. 2014)."},
    .is_per_value = true,
    .run = run,
};
