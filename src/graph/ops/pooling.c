/* Poolings of x (N,H,W,C), closed under differentiation.
 * Maximum: y = x at the first maximum of each window; scatter puts y's gradient back there;
 * gather takes any v (x's shape) from there. Average: spread is the transpose of the average.
 */
#include <string.h>

#include "graph/sliding_window.h"

enum { KERNEL_H = COH_WINDOW_INTEGERS, KERNEL_W };

static coh_value operand(const coh_graph *g, coh_value y, int k) {
  return g->nodes[y].input[k];
}

typedef struct pool_shape {
  int64_t n, h, w, c, oh, ow, kernel[2];
  coh_window window;
} pool_shape;

static pool_shape pool_of(coh_shape x, coh_shape y, const coh_attributes *attributes) {
  return (pool_shape){.n = x.size[0],
                      .h = x.size[1],
                      .w = x.size[2],
                      .c = x.size[3],
                      .oh = y.size[1],
                      .ow = y.size[2],
                      .kernel = {attributes->integer[KERNEL_H], attributes->integer[KERNEL_W]},
                      .window = coh_window_unpack(attributes)};
}

// the part of a window that lies inside the image
typedef struct pool_span {
  int64_t begin, end;
} pool_span;

static pool_span span_of(const pool_shape *p, int axis, int64_t place) {
  int64_t at = place * p->window.stride[axis] - p->window.pad_before[axis];
  int64_t size = axis == 0 ? p->h : p->w, end = at + p->kernel[axis];
  return (pool_span){at > 0 ? at : 0, end < size ? end : size};
}

typedef enum max_pool_mode { POOL, SCATTER, GATHER } max_pool_mode;

// channels that are compared side by side
enum { SIDE = 8 };
typedef float numbers __attribute__((vector_size(SIDE * sizeof(float))));
typedef int32_t integers __attribute__((vector_size(SIDE * sizeof(int32_t))));

// one window in one image, for n <= SIDE channels
typedef struct pool_site {
  pool_span rows, columns;
  int64_t width, stride, n; // of the image, between pixels, channels
} pool_site;

static inline numbers load(const float *from, int64_t n) {
  numbers x = {0};
  memcpy(&x, from, n == SIDE ? sizeof x : (size_t)n * sizeof *from);
  return x;
}

static inline void store(float *to, numbers x, int64_t n) {
  memcpy(to, &x, n == SIDE ? sizeof x : (size_t)n * sizeof *to);
}

static inline numbers choose(integers yes, numbers a, numbers b) {
  return (numbers)((yes & (integers)a) | (~yes & (integers)b));
}

// each channel's maximum and which pixel of the window is its first; 0 and -1 when all of it is
// padding; NaN counts as larger than every number
static inline integers find_maxima(const pool_site *s, const float *x, numbers *maxima) {
  numbers best = {0};
  integers where = -1 - (integers){0}, pixel = {0};
  for (int64_t i = s->rows.begin; i < s->rows.end; i++)
    for (int64_t j = s->columns.begin; j < s->columns.end; j++, pixel += 1) {
      numbers value = load(x + (i * s->width + j) * s->stride, s->n);
      integers larger = (pixel == 0) | ((best == best) & ~(value <= best));
      best = choose(larger, value, best);
      where = (larger & pixel) | (~larger & where);
    }
  *maxima = best;
  return where;
}

static inline numbers take_maxima(const pool_site *s, integers where, const float *from) {
  numbers taken = {0};
  integers pixel = {0};
  for (int64_t i = s->rows.begin; i < s->rows.end; i++)
    for (int64_t j = s->columns.begin; j < s->columns.end; j++, pixel += 1)
      taken = choose(where == pixel, load(from + (i * s->width + j) * s->stride, s->n), taken);
  return taken;
}

static inline void put_maxima(const pool_site *s, integers where, numbers dy, float *dx) {
  integers pixel = {0};
  for (int64_t i = s->rows.begin; i < s->rows.end; i++)
    for (int64_t j = s->columns.begin; j < s->columns.end; j++, pixel += 1) {
      float *to = dx + (i * s->width + j) * s->stride;
      store(to, load(to, s->n) + choose(where == pixel, dy, (numbers){0}), s->n);
    }
}

static inline void visit_maximum(const pool_site *s, max_pool_mode mode, const float *x,
                                 const float *from, float *out) {
  numbers maxima;
  integers where = find_maxima(s, x, &maxima);
  if (mode == SCATTER)
    put_maxima(s, where, load(from, s->n), out);
  else
    store(out, mode == POOL ? maxima : take_maxima(s, where, from), s->n);
}

// visit every window and channel; `from` is dy for SCATTER, v for GATHER
static void visit_maxima(const pool_shape *p, max_pool_mode mode, const float *x,
                         const float *from, float *out) {
  int64_t image_size = p->h * p->w * p->c;
  for (int64_t n = 0, y = 0; n < p->n; n++)
    for (int64_t oi = 0; oi < p->oh; oi++)
      for (int64_t oj = 0; oj < p->ow; oj++, y += p->c) {
        pool_site site = {span_of(p, 0, oi), span_of(p, 1, oj), p->w, p->c, SIDE};
        for (int64_t c = 0; c < p->c; c += SIDE) {
          int64_t at = n * image_size + c;
          if (p->c - c < SIDE) site.n = p->c - c;
          const float *source = mode == SCATTER  ? from + y + c
                                : mode == GATHER ? from + at
                                                 : NULL;
          visit_maximum(&site, mode, x + at, source, out + (mode == SCATTER ? at : y + c));
        }
      }
}

static coh_status run_max_pool(const coh_kernel_call *call) {
  const coh_signature *s = call->signature;
  pool_shape p = pool_of(s->in[0], s->out, &s->attributes);
  visit_maxima(&p, POOL, call->in[0], NULL, call->out);
  return COH_OK;
}

static coh_status run_max_pool_scatter(const coh_kernel_call *call) {
  const coh_signature *s = call->signature;
  pool_shape p = pool_of(s->in[0], s->in[1], &s->attributes);
  memset(call->out, 0, (size_t)coh_shape_count(s->out) * sizeof *call->out);
  visit_maxima(&p, SCATTER, call->in[0], call->in[1], call->out);
  return COH_OK;
}

static coh_status run_max_pool_gather(const coh_kernel_call *call) {
  const coh_signature *s = call->signature;
  pool_shape p = pool_of(s->in[0], s->out, &s->attributes);
  visit_maxima(&p, GATHER, call->in[0], call->in[1], call->out);
  return COH_OK;
}

static void average(const pool_shape *p, bool spread, const float *from, float *out) {
  float scale = 1.0f / (float)(p->kernel[0] * p->kernel[1]);
  for (int64_t n = 0, place = 0; n < p->n; n++)
    for (int64_t oi = 0; oi < p->oh; oi++)
      for (int64_t oj = 0; oj < p->ow; oj++, place++) {
        pool_span rows = span_of(p, 0, oi), columns = span_of(p, 1, oj);
        if (!spread) memset(out + place * p->c, 0, (size_t)p->c * sizeof *out);
        for (int64_t i = rows.begin; i < rows.end; i++)
          for (int64_t j = columns.begin; j < columns.end; j++) {
            int64_t at = (n * p->h + i) * p->w + j;
            const float *source = from + (spread ? place : at) * p->c;
            float *target = out + (spread ? at : place) * p->c;
            for (int64_t c = 0; c < p->c; c++)
              target[c] += scale * source[c];
          }
      }
}

static coh_status run_avg_pool(const coh_kernel_call *call) {
  const coh_signature *s = call->signature;
  pool_shape p = pool_of(s->in[0], s->out, &s->attributes);
  average(&p, false, call->in[0], call->out);
  return COH_OK;
}

static coh_status run_avg_pool_spread(const coh_kernel_call *call) {
  const coh_signature *s = call->signature;
  pool_shape p = pool_of(s->out, s->in[0], &s->attributes);
  memset(call->out, 0, (size_t)coh_shape_count(s->out) * sizeof *call->out);
  average(&p, true, call->in[0], call->out);
  return COH_OK;
}

static coh_value scatter(coh_graph *g, coh_value x, coh_value dy, const coh_attributes *a) {
  coh_value inputs[2] = {x, dy};
  return coh_graph_append(g, &coh_operator_max_pool_scatter, g->nodes[x].shape, inputs, 2, a);
}

static coh_value gather(coh_graph *g, coh_value x, coh_value v, coh_shape shape,
                        const coh_attributes *a) {
  coh_value inputs[2] = {x, v};
  return coh_graph_append(g, &coh_operator_max_pool_gather, shape, inputs, 2, a);
}

/* y = max_pool(x): dx = scatter(x, dy) */
static void derive_max_pool(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                            coh_value *dx) {
  (void)needed;
  coh_attributes a = g->nodes[y].attributes;
  dx[0] = scatter(g, operand(g, y, 0), dy, &a);
}

/* y = scatter(x, e): de = gather(x, dy), nothing to x */
static void derive_max_pool_scatter(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                                    coh_value *dx) {
  coh_attributes a = g->nodes[y].attributes;
  coh_value e = operand(g, y, 1);
  if (needed[1]) dx[1] = gather(g, operand(g, y, 0), dy, g->nodes[e].shape, &a);
}

/* y = gather(x, v): dv = scatter(x, dy), nothing to x */
static void derive_max_pool_gather(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                                   coh_value *dx) {
  coh_attributes a = g->nodes[y].attributes;
  if (needed[1]) dx[1] = scatter(g, operand(g, y, 0), dy, &a);
}

/* y = avg_pool(x): dx = spread(dy) */
static void derive_avg_pool(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                            coh_value *dx) {
  (void)needed;
  coh_attributes a = g->nodes[y].attributes;
  dx[0] = coh_graph_append(g, &coh_operator_avg_pool_spread, g->nodes[operand(g, y, 0)].shape,
                           &dy, 1, &a);
}

/* y = spread(e): de = avg_pool(dy) */
static void derive_avg_pool_spread(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                                   coh_value *dx) {
  (void)needed;
  coh_attributes a = g->nodes[y].attributes;
  dx[0] =
      coh_graph_append(g, &coh_operator_avg_pool, g->nodes[operand(g, y, 0)].shape, &dy, 1, &a);
}

#define POOLING(op, n_operands)                                    \
  const coh_operator coh_operator_##op = {.name = #op,             \
                                          .kind = COH_KIND_KERNEL, \
                                          .n_inputs = n_operands,  \
                                          .derive = derive_##op,   \
                                          .run = run_##op};
POOLING(max_pool, 1)
POOLING(max_pool_scatter, 2)
POOLING(max_pool_gather, 2)
POOLING(avg_pool, 1)
POOLING(avg_pool_spread, 1)

static coh_value pool(coh_graph *g, const coh_operator *op, coh_value x, int64_t kernel_h,
                      int64_t kernel_w, coh_window window) {
  if (!coh_graph_valid(g, x) || !coh_window_complete(g, op->name, x, &window))
    return COH_NO_VALUE;
  coh_shape from = g->nodes[x].shape, shape = from;
  const int64_t kernel[2] = {kernel_h, kernel_w};
  bool fits = from.rank == 4;
  for (int k = 0; fits && k < 2; k++) {
    shape.size[1 + k] = coh_window_places(&window, k, from.size[1 + k], kernel[k]);
    fits = shape.size[1 + k] >= 1 && window.dilation[k] == 1 && window.groups == 1 &&
           window.pad_before[k] < kernel[k] && window.pad_after[k] < kernel[k];
  }
  if (!fits)
    return coh_graph_fail(g, "%s of '%s' %s: a window of %lld x %lld does not fit", op->name,
                          coh_graph_name_of(g, x), coh_shape_print(from).text,
                          (long long)kernel_h, (long long)kernel_w);
  coh_attributes attributes = coh_window_pack(&window);
  attributes.integer[KERNEL_H] = kernel_h;
  attributes.integer[KERNEL_W] = kernel_w;
  return coh_graph_append(g, op, shape, &x, 1, &attributes);
}

coh_value coh_op_max_pool(coh_graph *g, coh_value x, int64_t kernel_h, int64_t kernel_w,
                          coh_window window) {
  return pool(g, &coh_operator_max_pool, x, kernel_h, kernel_w, window);
}

coh_value coh_op_avg_pool(coh_graph *g, coh_value x, int64_t kernel_h, int64_t kernel_w,
                          coh_window window) {
  return pool(g, &coh_operator_avg_pool, x, kernel_h, kernel_w, window);
}
