/* Images larger or smaller by a whole factor: one linear map along each axis, and its
 * transpose.
 *
 *   resample            x (N,h,w,C) -> y (N,f h,f w,C), y = U x U^T
 *   resample_transpose  the transpose: dx = U^T dy U
 *
 * A row of U has a few taps: 1 (nearest), 2 (bilinear with centres of pixels half a pixel in),
 * 4 (bicubic, Keys 1981 with a = -1/2), or the binomial filter [1,2,1] / 2 over zeros put in
 * between, as networks that must not alias use it. Beyond the border the edge repeats. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/operator.h"

enum { METHOD, FACTOR, MAX_TAPS = 4 };

/* A sparse matrix by rows. */
typedef struct sparse {
  int64_t n_rows, n_columns;
  int32_t *begin;  /* n_rows + 1 */
  int32_t *column; /* of each tap */
  float *weight;
} sparse;

typedef struct resample_plan {
  sparse axis[2]; /* height, width: from the kernel's input to its output */
} resample_plan;

static double keys(double t) {
  double a = -0.5, s = fabs(t);
  if (s < 1) return ((a + 2) * s - (a + 3)) * s * s + 1;
  if (s < 2) return ((a * s - 5 * a) * s + 8 * a) * s - 4 * a;
  return 0;
}

// taps of one row of U before the border is folded in
static int taps_of(int method, int64_t factor, int64_t row, int64_t *at, double *weight) {
  double centre = ((double)row + 0.5) / (double)factor - 0.5;
  int64_t left = (int64_t)floor(centre);
  double way = centre - (double)left;
  switch (method) {
  case COH_RESAMPLE_NEAREST:
    at[0] = row / factor;
    weight[0] = 1;
    return 1;
  case COH_RESAMPLE_BILINEAR:
    for (int k = 0; k < 2; k++) {
      at[k] = left + k;
      weight[k] = k ? way : 1 - way;
    }
    return 2;
  case COH_RESAMPLE_BINOMIAL: // factor 2: pixels in place, means between them
    at[0] = row / 2;
    at[1] = (row + 1) / 2;
    weight[0] = weight[1] = 0.5;
    return 2;
  default:
    for (int k = 0; k < 4; k++) {
      at[k] = left - 1 + k;
      weight[k] = keys(way - (double)(k - 1));
    }
    return 4;
  }
}

static coh_status sparse_create(sparse *m, int64_t n_rows, int64_t n_columns, int64_t n_taps) {
  *m = (sparse){.n_rows = n_rows, .n_columns = n_columns};
  COH_NEW(m->begin, n_rows + 1);
  COH_NEW(m->column, n_taps);
  COH_NEW(m->weight, n_taps);
  return COH_OK;
}

static coh_status enlarge_axis(int method, int64_t factor, int64_t small, sparse *m) {
  int64_t large = small * factor;
  COH_TRY(sparse_create(m, large, small, large * MAX_TAPS));
  for (int64_t row = 0, used = 0; row < large; row++) {
    int64_t at[MAX_TAPS];
    double weight[MAX_TAPS];
    int n = taps_of(method, factor, row, at, weight);
    for (int k = 0; k < n; k++, used++) {
      int64_t inside = at[k] < 0 ? 0 : at[k] >= small ? small - 1 : at[k];
      m->column[used] = (int32_t)inside;
      m->weight[used] = (float)weight[k];
    }
    m->begin[row + 1] = (int32_t)used;
  }
  return COH_OK;
}

// the transpose, by counting the taps of each column
static coh_status transpose_axis(const sparse *m, sparse *t) {
  int32_t n_taps = m->begin[m->n_rows];
  COH_TRY(sparse_create(t, m->n_columns, m->n_rows, n_taps));
  for (int32_t k = 0; k < n_taps; k++)
    t->begin[m->column[k] + 1]++;
  for (int64_t row = 0; row < t->n_rows; row++)
    t->begin[row + 1] += t->begin[row];
  for (int64_t row = 0; row < m->n_rows; row++)
    for (int32_t k = m->begin[row]; k < m->begin[row + 1]; k++) {
      int32_t place = t->begin[m->column[k]]++;
      t->column[place] = (int32_t)row;
      t->weight[place] = m->weight[k];
    }
  memmove(t->begin + 1, t->begin, (size_t)t->n_rows * sizeof *t->begin);
  t->begin[0] = 0;
  return COH_OK;
}

static void sparse_clear(sparse *m) {
  coh_free(m->begin);
  coh_free(m->column);
  coh_free(m->weight);
}

static coh_status plan_axis(const coh_attributes *a, bool transposed, int64_t small,
                            sparse *m) {
  sparse up = {0};
  coh_status status = enlarge_axis((int)a->integer[METHOD], a->integer[FACTOR], small, &up);
  if (status == COH_OK && !transposed) {
    *m = up;
    return COH_OK;
  }
  if (status == COH_OK) status = transpose_axis(&up, m);
  sparse_clear(&up);
  return status;
}

static void destroy_plan(coh_kernel_plan *plan) {
  resample_plan *p = plan->data;
  if (!p) return;
  for (int k = 0; k < 2; k++)
    sparse_clear(&p->axis[k]);
  coh_free(p);
}

static coh_status plan_both(const coh_signature *s, bool transposed, coh_kernel_plan *plan) {
  resample_plan *p;
  COH_NEW(p, 1);
  plan->data = p;
  coh_shape small = transposed ? s->out : s->in[0];
  for (int k = 0; k < 2; k++)
    COH_TRY(plan_axis(&s->attributes, transposed, small.size[1 + k], &p->axis[k]));
  // one image between the two passes: height out, width in
  plan->scratch_floats = s->out.size[1] * s->in[0].size[2] * s->out.size[3];
  return COH_OK;
}

static coh_status plan_resample(const coh_signature *s, coh_kernel_plan *plan) {
  return plan_both(s, false, plan);
}

static coh_status plan_resample_transpose(const coh_signature *s, coh_kernel_plan *plan) {
  return plan_both(s, true, plan);
}

// y (outer, rows, inner) = m x (outer, columns, inner) along the middle axis
static void apply(const sparse *m, int64_t outer, int64_t inner, const float *restrict x,
                  float *restrict y) {
  for (int64_t o = 0; o < outer; o++, x += m->n_columns * inner)
    for (int64_t row = 0; row < m->n_rows; row++, y += inner) {
      int32_t k = m->begin[row], end = m->begin[row + 1];
      const float *from = x + m->column[k] * inner;
      float weight = m->weight[k];
      if (k + 1 < end) { // two taps at once: every method but nearest has at least two
        const float *next = x + m->column[k + 1] * inner;
        float other = m->weight[k + 1];
        for (int64_t i = 0; i < inner; i++)
          y[i] = weight * from[i] + other * next[i];
        k += 2;
      } else {
        for (int64_t i = 0; i < inner; i++)
          y[i] = weight * from[i];
        k++;
      }
      for (; k < end; k++) {
        from = x + m->column[k] * inner;
        weight = m->weight[k];
        for (int64_t i = 0; i < inner; i++)
          y[i] += weight * from[i];
      }
    }
}

static coh_status run_resample(const coh_kernel_call *call) {
  const resample_plan *p = call->plan->data;
  coh_shape in = call->signature->in[0], out = call->signature->out;
  int64_t channels = out.size[3];
  int64_t from = in.size[1] * in.size[2] * channels, to = out.size[1] * out.size[2] * channels;
  for (int64_t n = 0; n < out.size[0]; n++) {
    apply(&p->axis[0], 1, in.size[2] * channels, call->in[0] + n * from, call->scratch);
    apply(&p->axis[1], out.size[1], channels, call->scratch, call->out + n * to);
  }
  return COH_OK;
}

static coh_value append(coh_graph *g, const coh_operator *op, coh_value x, int64_t height,
                        int64_t width, const coh_attributes *attributes) {
  coh_shape shape = g->nodes[x].shape;
  shape.size[1] = height;
  shape.size[2] = width;
  return coh_graph_append(g, op, shape, &x, 1, attributes);
}

static void derive_as(coh_graph *g, const coh_operator *op, coh_value y, coh_value dy,
                      coh_value *dx) {
  coh_attributes attributes = g->nodes[y].attributes;
  coh_shape from = g->nodes[g->nodes[y].input[0]].shape;
  dx[0] = append(g, op, dy, from.size[1], from.size[2], &attributes);
}

/* y = U x U^T: dx = U^T dy U */
static void derive_resample(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                            coh_value *dx) {
  (void)needed;
  derive_as(g, &coh_operator_resample_transpose, y, dy, dx);
}

/* y = U^T x U: dx = U dy U^T */
static void derive_resample_transpose(coh_graph *g, coh_value y, coh_value dy,
                                      const bool *needed, coh_value *dx) {
  (void)needed;
  derive_as(g, &coh_operator_resample, y, dy, dx);
}

#define RESAMPLING(op)                                                  \
  const coh_operator coh_operator_##op = {.name = #op,                  \
                                          .kind = COH_KIND_KERNEL,      \
                                          .n_inputs = 1,                \
                                          .derive = derive_##op,        \
                                          .plan = plan_##op,            \
                                          .destroy_plan = destroy_plan, \
                                          .run = run_resample};
RESAMPLING(resample)
RESAMPLING(resample_transpose)

static bool fits(coh_graph *g, const char *what, coh_value x, int64_t factor,
                 coh_resample_method method, bool divides) {
  if (!coh_graph_valid(g, x)) return false;
  coh_shape shape = g->nodes[x].shape;
  bool ok = shape.rank == 4 && factor >= 2 && factor <= 64 &&
            (method != COH_RESAMPLE_BINOMIAL || factor == 2);
  if (ok && divides) ok = shape.size[1] % factor == 0 && shape.size[2] % factor == 0;
  if (!ok)
    coh_graph_fail(g, "%s of '%s' %s by %lld: %s", what, coh_graph_name_of(g, x),
                   coh_shape_print(shape).text, (long long)factor,
                   shape.rank != 4 ? "it is no batch of images"
                   : method == COH_RESAMPLE_BINOMIAL && factor != 2
                       ? "the binomial filter takes a factor of 2 only"
                       : "the factor must be 2 to 64 and divide height and width");
  return ok;
}

coh_value coh_op_enlarge(coh_graph *g, coh_value x, int64_t factor,
                         coh_resample_method method) {
  if (!fits(g, "enlarge", x, factor, method, false)) return COH_NO_VALUE;
  coh_shape from = g->nodes[x].shape;
  return append(g, &coh_operator_resample, x, from.size[1] * factor, from.size[2] * factor,
                &(coh_attributes){.integer = {method, factor}});
}

coh_value coh_op_shrink(coh_graph *g, coh_value x, int64_t factor, coh_resample_method method) {
  if (!fits(g, "shrink", x, factor, method, true)) return COH_NO_VALUE;
  coh_shape from = g->nodes[x].shape;
  coh_value y = append(g, &coh_operator_resample_transpose, x, from.size[1] / factor,
                       from.size[2] / factor, &(coh_attributes){.integer = {method, factor}});
  return coh_op_scale(g, y, 1 / (double)(factor * factor));
}
