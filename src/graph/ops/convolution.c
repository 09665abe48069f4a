/* conv2d and its two transposes: a trio closed under differentiation.
 * With <.,.> the sum of products: <dy, conv(x,w)> = <data(dy,w), x> = <weights(x,dy), w>. */
#include "graph/sliding_window.h"
#include "la/dnnl_convolution.h"

static coh_value operand(const coh_graph *g, coh_value y, int k) {
  return g->nodes[y].input[k];
}

static coh_window window_of(const coh_graph *g, coh_value y) {
  return coh_window_unpack(&g->nodes[y].attributes);
}

static coh_value like_data(coh_graph *g, coh_value dy, coh_value w, coh_window window,
                           coh_value x) {
  coh_shape s = g->nodes[x].shape;
  return coh_op_conv2d_data(g, dy, w, window, s.size[1], s.size[2]);
}

static coh_value like_weights(coh_graph *g, coh_value x, coh_value dy, coh_window window,
                              coh_value w) {
  coh_shape s = g->nodes[w].shape;
  return coh_op_conv2d_weights(g, x, dy, window, s.size[0], s.size[1]);
}

/* y = conv(x,w): dx = data(dy,w), dw = weights(x,dy) */
static void derive_conv2d(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                          coh_value *dx) {
  coh_value x = operand(g, y, 0), w = operand(g, y, 1);
  coh_window window = window_of(g, y);
  if (needed[0]) dx[0] = like_data(g, dy, w, window, x);
  if (needed[1]) dx[1] = like_weights(g, x, dy, window, w);
}

/* y = data(e,w): de = conv(dy,w), dw = weights(dy,e) */
static void derive_conv2d_data(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                               coh_value *dx) {
  coh_value e = operand(g, y, 0), w = operand(g, y, 1);
  coh_window window = window_of(g, y);
  if (needed[0]) dx[0] = coh_op_conv2d(g, dy, w, window);
  if (needed[1]) dx[1] = like_weights(g, dy, e, window, w);
}

/* y = weights(x,e): dx = data(e,dy), de = conv(x,dy) */
static void derive_conv2d_weights(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                                  coh_value *dx) {
  coh_value x = operand(g, y, 0), e = operand(g, y, 1);
  coh_window window = window_of(g, y);
  if (needed[0]) dx[0] = like_data(g, e, dy, window, x);
  if (needed[1]) dx[1] = coh_op_conv2d(g, x, dy, window);
}

static coh_convolution_shape shape_of(coh_shape x, coh_shape w, coh_shape y,
                                      const coh_signature *signature) {
  coh_window window = coh_window_unpack(&signature->attributes);
  coh_convolution_shape s = {.n = x.size[0], .h = x.size[1], .w = x.size[2], .c = x.size[3]};
  s.kh = w.size[0];
  s.kw = w.size[1];
  s.groups = window.groups;
  s.bf16 = signature->precision == COH_PRECISION_BF16;
  s.o = y.size[3];
  s.oh = y.size[1];
  s.ow = y.size[2];
  for (int k = 0; k < 2; k++) {
    s.stride[k] = window.stride[k];
    s.dilation[k] = window.dilation[k];
    s.pad_before[k] = window.pad_before[k];
    s.pad_after[k] = window.pad_after[k];
  }
  return s;
}

static coh_status plan_kind(const coh_convolution_shape *s, coh_convolution_kind kind,
                            coh_kernel_plan *plan) {
  coh_convolution *convolution;
  COH_TRY(coh_convolution_create(s, kind, &convolution));
  plan->data = convolution;
  plan->scratch_floats = coh_convolution_scratch(convolution);
  plan->flops = 2 * s->n * s->oh * s->ow * s->o * s->kh * s->kw * (s->c / s->groups);
  return COH_OK;
}

static coh_status plan_conv2d(const coh_signature *s, coh_kernel_plan *plan) {
  coh_convolution_shape shape = shape_of(s->in[0], s->in[1], s->out, s);
  return plan_kind(&shape, COH_CONVOLUTION_FORWARD, plan);
}

static coh_status plan_conv2d_data(const coh_signature *s, coh_kernel_plan *plan) {
  coh_convolution_shape shape = shape_of(s->out, s->in[1], s->in[0], s);
  return plan_kind(&shape, COH_CONVOLUTION_DATA, plan);
}

static coh_status plan_conv2d_weights(const coh_signature *s, coh_kernel_plan *plan) {
  coh_convolution_shape shape = shape_of(s->in[0], s->out, s->in[1], s);
  return plan_kind(&shape, COH_CONVOLUTION_WEIGHTS, plan);
}

static void destroy_plan(coh_kernel_plan *plan) {
  coh_convolution *convolution = plan->data;
  coh_convolution_destroy(&convolution);
}

static coh_status create_state(const coh_kernel_plan *plan, void **state) {
  coh_convolution_state *made;
  COH_TRY(coh_convolution_state_create(plan->data, &made));
  *state = made;
  return COH_OK;
}

static void destroy_state(void *state) {
  coh_convolution_state *convolution_state = state;
  coh_convolution_state_destroy(&convolution_state);
}

static coh_status run_convolution(const coh_kernel_call *call) {
  return coh_convolution_run(call->plan->data, call->state, call->in[0], call->in[1], call->out,
                             call->scratch);
}

static const char *kernel_name(const coh_kernel_plan *plan) {
  return coh_convolution_kernel(plan->data);
}

#define CONVOLUTION(op)                    \
  const coh_operator coh_operator_##op = { \
      .name = #op,                         \
      .kind = COH_KIND_KERNEL,             \
      .n_inputs = 2,                       \
      .derive = derive_##op,               \
      .plan = plan_##op,                   \
      .destroy_plan = destroy_plan,        \
      .create_state = create_state,        \
      .destroy_state = destroy_state,      \
      .run = run_convolution,              \
      .kernel = kernel_name,               \
  };

CONVOLUTION(conv2d)
CONVOLUTION(conv2d_data)
CONVOLUTION(conv2d_weights)

// shapes of x, w and y agree; words the failure
static bool fits(coh_graph *g, const char *op, coh_value a, coh_value b, coh_shape x,
                 coh_shape w, coh_shape y, const coh_window *window) {
  bool ok = x.size[3] % window->groups == 0 && y.size[3] % window->groups == 0 &&
            x.size[3] / window->groups == w.size[2] && w.size[3] == y.size[3] &&
            x.size[0] == y.size[0];
  for (int k = 0; k < 2; k++) {
    int64_t places = coh_window_places(window, k, x.size[1 + k], w.size[k]);
    ok = ok && places >= 1 && places == y.size[1 + k];
  }
  if (!ok)
    coh_graph_fail(g,
                   "%s: '%s' %s and '%s' %s do not fit (images %s, weights %s, maps %s, %lld "
                   "groups)",
                   op, coh_graph_name_of(g, a), coh_shape_print(g->nodes[a].shape).text,
                   coh_graph_name_of(g, b), coh_shape_print(g->nodes[b].shape).text,
                   coh_shape_print(x).text, coh_shape_print(w).text, coh_shape_print(y).text,
                   (long long)window->groups);
  return ok;
}

// both operands have rank 4 and the window is sound
static bool ready(coh_graph *g, const char *op, coh_value a, coh_value b, coh_window *window) {
  if (!coh_graph_valid(g, a) || !coh_graph_valid(g, b)) return false;
  if (g->nodes[a].shape.rank != 4 || g->nodes[b].shape.rank != 4) {
    coh_graph_fail(g, "%s: '%s' %s and '%s' %s must both have 4 axes", op,
                   coh_graph_name_of(g, a), coh_shape_print(g->nodes[a].shape).text,
                   coh_graph_name_of(g, b), coh_shape_print(g->nodes[b].shape).text);
    return false;
  }
  return coh_window_complete(g, op, a, window);
}

static coh_value append(coh_graph *g, const coh_operator *op, coh_shape shape, coh_value a,
                        coh_value b, const coh_window *window) {
  coh_attributes attributes = coh_window_pack(window);
  coh_value inputs[2] = {a, b};
  return coh_graph_append(g, op, shape, inputs, 2, &attributes);
}

coh_value coh_op_conv2d(coh_graph *g, coh_value x, coh_value w, coh_window window) {
  if (!ready(g, "conv2d", x, w, &window)) return COH_NO_VALUE;
  coh_shape sx = g->nodes[x].shape, sw = g->nodes[w].shape, sy = sx;
  for (int k = 0; k < 2; k++)
    sy.size[1 + k] = coh_window_places(&window, k, sx.size[1 + k], sw.size[k]);
  sy.size[3] = sw.size[3];
  if (!fits(g, "conv2d", x, w, sx, sw, sy, &window)) return COH_NO_VALUE;
  return append(g, &coh_operator_conv2d, sy, x, w, &window);
}

coh_value coh_op_conv2d_data(coh_graph *g, coh_value dy, coh_value w, coh_window window,
                             int64_t height, int64_t width) {
  if (!ready(g, "conv2d_data", dy, w, &window)) return COH_NO_VALUE;
  coh_shape sy = g->nodes[dy].shape, sw = g->nodes[w].shape, sx = sy;
  sx.size[1] = height;
  sx.size[2] = width;
  sx.size[3] = sw.size[2] * window.groups;
  if (!fits(g, "conv2d_data", dy, w, sx, sw, sy, &window)) return COH_NO_VALUE;
  return append(g, &coh_operator_conv2d_data, sx, dy, w, &window);
}

coh_value coh_op_conv2d_weights(coh_graph *g, coh_value x, coh_value dy, coh_window window,
                                int64_t kernel_h, int64_t kernel_w) {
  if (!ready(g, "conv2d_weights", x, dy, &window)) return COH_NO_VALUE;
  coh_shape sx = g->nodes[x].shape, sy = g->nodes[dy].shape;
  coh_shape sw = COH_SHAPE(kernel_h, kernel_w, sx.size[3] / window.groups, sy.size[3]);
  if (!fits(g, "conv2d_weights", x, dy, sx, sw, sy, &window)) return COH_NO_VALUE;
  return append(g, &coh_operator_conv2d_weights, sw, x, dy, &window);
}
