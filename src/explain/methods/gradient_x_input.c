/* Gradient times input, black being zero: Shrikumar et al., 2016. Exact for linear networks. */
#include "explain/explainer.h"

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  (void)options;
  COH_TRY(coh_explainer_gradient(e, false, rows, targets, n, out, NULL));
  for (int64_t i = 0; i < n * e->n_values; i++)
    out[i] *= rows[i] - e->black;
  return COH_OK;
}

const coh_explain_method coh_explain_method_gradient_x_input = {
    .kind = {.name = "gradient_x_input",
             .doc = "Gradient times input (Shrikumar et al. 2016)."},
    .is_per_value = true,
    .run = run,
};
