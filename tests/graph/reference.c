/* The reference evaluator: every operator again, in double, by its definition. */
#include "reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct context {
  const coh_graph *graph;
  const coh_node *node;
  const double *x[COH_MAX_OPERANDS];
  coh_shape in[COH_MAX_OPERANDS];
  double *y;
  int64_t n; /* elements of y */
} context;

/* ---- elementwise */

#define UNARY(op, formula)                                        \
  static void eval_##op(const context *c) {                       \
    const double c0 = (double)(float)c->node->attributes.real[0]; \
    const double c1 = (double)(float)c->node->attributes.real[1]; \
    (void)c0, (void)c1;                                           \
    for (int64_t i = 0; i < c->n; i++) {                          \
      const double a = c->x[0][i];                                \
      c->y[i] = (formula);                                        \
    }                                                             \
  }
#define BINARY(op, formula)                        \
  static void eval_##op(const context *c) {        \
    for (int64_t i = 0; i < c->n; i++) {           \
      const double a = c->x[0][i], b = c->x[1][i]; \
      c->y[i] = (formula);                         \
    }                                              \
  }

BINARY(add, a + b)
BINARY(sub, a - b)
BINARY(mul, a *b)
BINARY(div, a / b)
BINARY(max, fmax(a, b))
BINARY(min, fmin(a, b))
BINARY(greater, a > b)
BINARY(greater_equal, a >= b)
BINARY(equal, a == b)
UNARY(affine, c0 *a + c1)
UNARY(abs, fabs(a))
UNARY(sign, (a > 0) - (a < 0))
UNARY(sqrt, sqrt(a))
UNARY(rsqrt, 1 / sqrt(a))
UNARY(square, a *a)
UNARY(step, a > 0)
UNARY(relu, fmax(a, 0))
UNARY(leaky_relu, a > 0 ? a : c0 * a)
UNARY(clip, fmin(fmax(a, c0), c1))
UNARY(clip_mask, a >= c0 && a <= c1)
UNARY(exp, exp(a))
UNARY(log, log(a))
UNARY(pow, pow(a, c0))
UNARY(sigmoid, 1 / (1 + exp(-a)))
UNARY(tanh, tanh(a))
UNARY(softplus, fmax(a, 0) + log1p(exp(-fabs(a))))
UNARY(erf, erf(a))
UNARY(reshape, a)
UNARY(stop_gradient, a)
UNARY(lane_sum, a)
UNARY(rectify_gradient, a)

static void eval_select(const context *c) {
  for (int64_t i = 0; i < c->n; i++)
    c->y[i] = c->x[0][i] != 0 ? c->x[1][i] : c->x[2][i];
}

/* ---- movement: by multi-index */

static void unravel(coh_shape shape, int64_t at, int64_t *index) {
  for (int k = shape.rank - 1; k >= 0; k--) {
    index[k] = at % shape.size[k];
    at /= shape.size[k];
  }
}

static int64_t ravel(coh_shape shape, const int64_t *index) {
  int64_t at = 0;
  for (int k = 0; k < shape.rank; k++)
    at = at * shape.size[k] + index[k];
  return at;
}

static void eval_broadcast(const context *c) {
  int64_t index[COH_MAX_RANK];
  for (int64_t i = 0; i < c->n; i++) {
    unravel(c->node->shape, i, index);
    for (int k = 0; k < c->in[0].rank; k++)
      if (c->in[0].size[k] == 1) index[k] = 0;
    c->y[i] = c->x[0][ravel(c->in[0], index)];
  }
}

static void eval_transpose(const context *c) {
  int64_t index[COH_MAX_RANK], from[COH_MAX_RANK];
  for (int64_t i = 0; i < c->n; i++) {
    unravel(c->node->shape, i, index);
    for (int k = 0; k < c->in[0].rank; k++)
      from[c->node->attributes.integer[k]] = index[k];
    c->y[i] = c->x[0][ravel(c->in[0], from)];
  }
}

static void eval_concat(const context *c) {
  int axis = (int)c->node->attributes.integer[0];
  int64_t index[COH_MAX_RANK];
  for (int64_t i = 0; i < c->n; i++) {
    unravel(c->node->shape, i, index);
    int k = 0;
    while (index[axis] >= c->in[k].size[axis])
      index[axis] -= c->in[k++].size[axis];
    c->y[i] = c->x[k][ravel(c->in[k], index)];
  }
}

static void eval_slice(const context *c) {
  int64_t index[COH_MAX_RANK];
  for (int64_t i = 0; i < c->n; i++) {
    unravel(c->node->shape, i, index);
    index[c->node->attributes.integer[0]] += c->node->attributes.integer[1];
    c->y[i] = c->x[0][ravel(c->in[0], index)];
  }
}

static void eval_pad(const context *c) {
  int axis = (int)c->node->attributes.integer[0];
  int64_t index[COH_MAX_RANK];
  for (int64_t i = 0; i < c->n; i++) {
    unravel(c->node->shape, i, index);
    index[axis] -= c->node->attributes.integer[1];
    bool inside = index[axis] >= 0 && index[axis] < c->in[0].size[axis];
    c->y[i] = inside ? c->x[0][ravel(c->in[0], index)] : 0;
  }
}

/* ---- reductions */

static void eval_sum(const context *c) {
  int64_t index[COH_MAX_RANK];
  memset(c->y, 0, (size_t)c->n * sizeof *c->y);
  for (int64_t i = 0; i < coh_shape_count(c->in[0]); i++) {
    unravel(c->in[0], i, index);
    for (int k = 0; k < c->in[0].rank; k++)
      if (c->node->shape.size[k] == 1) index[k] = 0;
    c->y[ravel(c->node->shape, index)] += c->x[0][i];
  }
}

static int64_t width_of(const context *c) {
  return c->in[0].size[c->in[0].rank - 1];
}

static int64_t argmax(const double *x, int64_t n) {
  int64_t best = 0;
  for (int64_t j = 1; j < n; j++)
    if (x[j] > x[best]) best = j;
  return best;
}

static void eval_reduce_max(const context *c) {
  int64_t width = width_of(c);
  for (int64_t i = 0; i < c->n; i++)
    c->y[i] = c->x[0][i * width + argmax(c->x[0] + i * width, width)];
}

static void eval_argmax_onehot(const context *c) {
  int64_t width = width_of(c);
  for (int64_t i = 0; i < c->n; i++)
    c->y[i] = i % width == argmax(c->x[0] + i / width * width, width);
}

static void eval_softmax(const context *c) {
  int64_t width = width_of(c);
  for (int64_t i = 0; i < c->n; i++) {
    const double *row = c->x[0] + i / width * width;
    double sum = 0;
    for (int64_t j = 0; j < width; j++)
      sum += exp(row[j]);
    c->y[i] = exp(c->x[0][i]) / sum;
  }
}

static void eval_log_softmax(const context *c) {
  eval_softmax(c);
  for (int64_t i = 0; i < c->n; i++)
    c->y[i] = log(c->y[i]);
}

/* ---- products */

static void eval_matmul(const context *c) {
  bool ta = c->node->attributes.integer[0] != 0, tb = c->node->attributes.integer[1] != 0;
  int r = c->node->shape.rank;
  int64_t m = c->node->shape.size[r - 2], n = c->node->shape.size[r - 1];
  int64_t k = c->in[0].size[ta ? r - 2 : r - 1];
  for (int64_t e = 0; e < c->n; e++) {
    int64_t b = e / (m * n), i = e / n % m, j = e % n;
    const double *x = c->x[0] + b * m * k, *w = c->x[1] + b * k * n;
    c->y[e] = 0;
    for (int64_t p = 0; p < k; p++)
      c->y[e] += x[ta ? p * m + i : i * k + p] * w[tb ? j * k + p : p * n + j];
  }
}

typedef void (*tap)(const context *c, int64_t x, int64_t w, int64_t y);

// visit every (x, w, y) triple of a convolution
static void visit_taps(const context *c, coh_shape x, coh_shape w, coh_shape y, tap visit) {
  const int64_t *a = c->node->attributes.integer;
  int64_t groups = a[8], in_group = x.size[3] / groups, out_group = y.size[3] / groups;
  for (int64_t e = 0; e < coh_shape_count(y); e++) {
    int64_t at[COH_MAX_RANK];
    unravel(y, e, at);
    for (int64_t p = 0; p < w.size[0]; p++)
      for (int64_t q = 0; q < w.size[1]; q++)
        for (int64_t s = 0; s < in_group; s++) {
          int64_t from[4] = {at[0], at[1] * a[0] - a[2] + p * a[6],
                             at[2] * a[1] - a[3] + q * a[7], at[3] / out_group * in_group + s};
          int64_t weight[4] = {p, q, s, at[3]};
          if (from[1] < 0 || from[1] >= x.size[1] || from[2] < 0 || from[2] >= x.size[2])
            continue;
          visit(c, ravel(x, from), ravel(w, weight), e);
        }
  }
}

static void tap_y(const context *c, int64_t x, int64_t w, int64_t y) {
  c->y[y] += c->x[0][x] * c->x[1][w];
}
static void tap_x(const context *c, int64_t x, int64_t w, int64_t y) {
  c->y[x] += c->x[0][y] * c->x[1][w];
}
static void tap_w(const context *c, int64_t x, int64_t w, int64_t y) {
  c->y[w] += c->x[0][x] * c->x[1][y];
}

static void eval_conv2d(const context *c) {
  memset(c->y, 0, (size_t)c->n * sizeof *c->y);
  visit_taps(c, c->in[0], c->in[1], c->node->shape, tap_y);
}
static void eval_conv2d_data(const context *c) {
  memset(c->y, 0, (size_t)c->n * sizeof *c->y);
  visit_taps(c, c->node->shape, c->in[1], c->in[0], tap_x);
}
static void eval_conv2d_weights(const context *c) {
  memset(c->y, 0, (size_t)c->n * sizeof *c->y);
  visit_taps(c, c->in[0], c->node->shape, c->in[1], tap_w);
}

/* ---- poolings */

// the element of x that window and channel e of y select by maximum
static int64_t pool_argmax(const context *c, coh_shape x, coh_shape y, int64_t e) {
  const int64_t *a = c->node->attributes.integer;
  int64_t at[COH_MAX_RANK], best = -1;
  unravel(y, e, at);
  for (int64_t p = 0; p < a[9]; p++)
    for (int64_t q = 0; q < a[10]; q++) {
      int64_t from[4] = {at[0], at[1] * a[0] - a[2] + p, at[2] * a[1] - a[3] + q, at[3]};
      if (from[1] < 0 || from[1] >= x.size[1] || from[2] < 0 || from[2] >= x.size[2]) continue;
      int64_t i = ravel(x, from);
      if (best < 0 || c->x[0][i] > c->x[0][best]) best = i;
    }
  return best;
}

static void eval_max_pool(const context *c) {
  for (int64_t e = 0; e < c->n; e++)
    c->y[e] = c->x[0][pool_argmax(c, c->in[0], c->node->shape, e)];
}
static void eval_max_pool_gather(const context *c) {
  for (int64_t e = 0; e < c->n; e++)
    c->y[e] = c->x[1][pool_argmax(c, c->in[0], c->node->shape, e)];
}
static void eval_max_pool_scatter(const context *c) {
  memset(c->y, 0, (size_t)c->n * sizeof *c->y);
  for (int64_t e = 0; e < coh_shape_count(c->in[1]); e++)
    c->y[pool_argmax(c, c->in[0], c->in[1], e)] += c->x[1][e];
}

static void average(const context *c, coh_shape x, coh_shape y, bool spread) {
  const int64_t *a = c->node->attributes.integer;
  memset(c->y, 0, (size_t)c->n * sizeof *c->y);
  for (int64_t e = 0; e < coh_shape_count(y); e++) {
    int64_t at[COH_MAX_RANK];
    unravel(y, e, at);
    for (int64_t p = 0; p < a[9]; p++)
      for (int64_t q = 0; q < a[10]; q++) {
        int64_t from[4] = {at[0], at[1] * a[0] - a[2] + p, at[2] * a[1] - a[3] + q, at[3]};
        if (from[1] < 0 || from[1] >= x.size[1] || from[2] < 0 || from[2] >= x.size[2])
          continue;
        int64_t i = ravel(x, from);
        c->y[spread ? i : e] += c->x[0][spread ? e : i] / (double)(a[9] * a[10]);
      }
  }
}
static void eval_avg_pool(const context *c) {
  average(c, c->in[0], c->node->shape, false);
}
static void eval_avg_pool_spread(const context *c) {
  average(c, c->node->shape, c->in[0], true);
}

/* ---- resampling: the weight of small pixel `from` in large pixel `to`, edges repeating */

static double cubic(double t) {
  double s = fabs(t);
  if (s < 1) return 1.5 * s * s * s - 2.5 * s * s + 1;
  return s < 2 ? -0.5 * s * s * s + 2.5 * s * s - 4 * s + 2 : 0;
}

static double kernel_at(int method, int64_t factor, int64_t to, int64_t from) {
  double distance = ((double)to + 0.5) / (double)factor - 0.5 - (double)from;
  switch (method) {
  case COH_RESAMPLE_NEAREST:
    return to / factor == from;
  case COH_RESAMPLE_BILINEAR:
    return fmax(0, 1 - fabs(distance));
  case COH_RESAMPLE_BINOMIAL:
    return fmax(0, 1 - fabs((double)to / 2 - (double)from));
  default:
    return cubic(distance);
  }
}

static double resample_weight(const int64_t *a, int64_t to, int64_t from, int64_t size) {
  double sum = 0;
  for (int64_t i = -4; i < size + 4; i++) {
    int64_t inside = i < 0 ? 0 : i >= size ? size - 1 : i;
    if (inside == from) sum += kernel_at((int)a[0], a[1], to, i);
  }
  return sum;
}

static void resample(const context *c, coh_shape small, coh_shape large, bool transposed) {
  const int64_t *a = c->node->attributes.integer;
  memset(c->y, 0, (size_t)c->n * sizeof *c->y);
  for (int64_t e = 0; e < coh_shape_count(large); e++) {
    int64_t at[COH_MAX_RANK];
    unravel(large, e, at);
    for (int64_t p = 0; p < small.size[1]; p++)
      for (int64_t q = 0; q < small.size[2]; q++) {
        int64_t i = ravel(small, (int64_t[4]){at[0], p, q, at[3]});
        double weight = resample_weight(a, at[1], p, small.size[1]) *
                        resample_weight(a, at[2], q, small.size[2]);
        c->y[transposed ? i : e] += weight * c->x[0][transposed ? e : i];
      }
  }
}
static void eval_resample(const context *c) {
  resample(c, c->in[0], c->node->shape, false);
}
static void eval_resample_transpose(const context *c) {
  resample(c, c->node->shape, c->in[0], true);
}

/* ---- the table, from the registry: an operator without a reference does not compile */

static const struct {
  const char *name;
  void (*eval)(const context *c);
} table[] = {
#define X(family)
#define OP(name) {#name, eval_##name},
#include "graph/ops/op.def"
#undef OP
#undef X
};

bool reference_knows(const char *op) {
  for (size_t k = 0; k < sizeof table / sizeof *table; k++)
    if (strcmp(table[k].name, op) == 0) return true;
  return false;
}

void reference_init(reference *r, const coh_graph *graph) {
  r->graph = graph;
  r->value = calloc((size_t)graph->n_nodes, sizeof *r->value);
  for (int64_t i = 0; i < graph->n_nodes; i++) {
    int64_t n = coh_shape_count(graph->nodes[i].shape);
    r->value[i] = calloc((size_t)n, sizeof **r->value);
    for (int64_t j = 0; graph->nodes[i].data && j < n; j++)
      r->value[i][j] = (double)graph->nodes[i].data[j];
  }
}

void reference_fini(reference *r) {
  for (int64_t i = 0; i < r->graph->n_nodes; i++)
    free(r->value[i]);
  free(r->value);
}

void reference_set(reference *r, coh_value leaf, const double *data) {
  memcpy(r->value[leaf], data,
         (size_t)coh_shape_count(r->graph->nodes[leaf].shape) * sizeof *data);
}

void reference_evaluate(reference *r) {
  for (int64_t i = 0; i < r->graph->n_nodes; i++) {
    const coh_node *node = &r->graph->nodes[i];
    context c = {
        .graph = r->graph, .node = node, .y = r->value[i], .n = coh_shape_count(node->shape)};
    for (int k = 0; k < node->n_inputs; k++) {
      c.x[k] = r->value[node->input[k]];
      c.in[k] = r->graph->nodes[node->input[k]].shape;
    }
    for (size_t k = 0; k < sizeof table / sizeof *table; k++)
      if (strcmp(table[k].name, node->op->name) == 0) table[k].eval(&c);
  }
}
