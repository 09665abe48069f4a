/* Guided backpropagation: activations pass on positive gradients only. Springenberg et al.,
 * ICLR workshop 2015. Sharp pictures, but see the sanity check: they hardly depend on the
 * weights above. */
#include "explain/explainer.h"

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  (void)options;
  return coh_explainer_gradient(e, true, rows, targets, n, out, NULL);
}

const coh_explain_method coh_explain_method_guided_backprop = {
    .kind = {.name = "guided_backprop",
             .doc = "Backpropagation of positive gradients only (Springenberg et al. 2015)."},
    .is_per_value = true,
    .run = run,
};
