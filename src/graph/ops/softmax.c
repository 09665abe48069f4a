/* softmax and log_softmax over the last axis, each row shifted by its maximum. */
#include "graph/operator.h"
#include "la/elementary.h"
#include "la/vector.h"
#include "la/vectorise.h"

static coh_value row_sum(coh_graph *g, coh_value x) {
  return coh_op_sum(g, x, (int[]){-1}, 1, true);
}

/* y = e^x / sum e^x; dx = y (dy - sum(y dy)) */
static void derive_softmax(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                           coh_value *dx) {
  (void)needed;
  dx[0] = coh_op_mul(g, y, coh_op_sub(g, dy, row_sum(g, coh_op_mul(g, dy, y))));
}

/* y = x - log sum e^x; dx = dy - e^y sum(dy) */
static void derive_log_softmax(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                               coh_value *dx) {
  (void)needed;
  dx[0] = coh_op_sub(g, dy, coh_op_mul(g, coh_op_exp(g, y), row_sum(g, dy)));
}

static float row_maximum(const float *x, int64_t n) {
  enum { LANES = 16 };
  float lane[LANES], best = x[0];
  for (int j = 0; j < LANES; j++)
    lane[j] = best;
  int64_t i = 0;
  for (; i + LANES <= n; i += LANES)
    for (int j = 0; j < LANES; j++)
      lane[j] = x[i + j] > lane[j] ? x[i + j] : lane[j];
  for (; i < n; i++)
    best = x[i] > best ? x[i] : best;
  for (int j = 0; j < LANES; j++)
    best = lane[j] > best ? lane[j] : best;
  return best;
}

static coh_status run_softmax(const coh_kernel_call *call) {
  coh_shape from = call->signature->in[0];
  int64_t width = from.size[from.rank - 1], rows = coh_shape_count(from) / width;
  for (int64_t i = 0; i < rows; i++) {
    const float *x = call->in[0] + i * width;
    float *y = call->out + i * width;
    float largest = row_maximum(x, width);
    COH_VECTOR_LOOP for (int64_t j = 0; j < width; j++) y[j] = coh_expf(x[j] - largest);
    float scale = 1.0f / coh_la_sum(width, y);
    COH_VECTOR_LOOP for (int64_t j = 0; j < width; j++) y[j] *= scale;
  }
  return COH_OK;
}

static coh_status run_log_softmax(const coh_kernel_call *call) {
  coh_shape from = call->signature->in[0];
  int64_t width = from.size[from.rank - 1], rows = coh_shape_count(from) / width;
  for (int64_t i = 0; i < rows; i++) {
    const float *x = call->in[0] + i * width;
    float *y = call->out + i * width;
    float largest = row_maximum(x, width);
    COH_VECTOR_LOOP for (int64_t j = 0; j < width; j++) y[j] = coh_expf(x[j] - largest);
    float shift = coh_logf(coh_la_sum(width, y));
    COH_VECTOR_LOOP for (int64_t j = 0; j < width; j++) y[j] = (x[j] - largest) - shift;
  }
  return COH_OK;
}

const coh_operator coh_operator_softmax = {.name = "softmax",
                                           .kind = COH_KIND_KERNEL,
                                           .n_inputs = 1,
                                           .derive = derive_softmax,
                                           .run = run_softmax};
const coh_operator coh_operator_log_softmax = {.name = "log_softmax",
                                               .kind = COH_KIND_KERNEL,
                                               .n_inputs = 1,
                                               .derive = derive_log_softmax,
                                               .run = run_log_softmax};

static coh_value over_last_axis(coh_graph *g, const coh_operator *op, coh_value x) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  if (g->nodes[x].shape.rank < 1)
    return coh_graph_fail(g, "%s of '%s': a scalar has no last axis", op->name,
                          coh_graph_name_of(g, x));
  return coh_graph_unary(g, op, x, 0.0, 0.0);
}

coh_value coh_op_softmax(coh_graph *g, coh_value x) {
  return over_last_axis(g, &coh_operator_softmax, x);
}

coh_value coh_op_log_softmax(coh_graph *g, coh_value x) {
  return over_last_axis(g, &coh_operator_log_softmax, x);
}
