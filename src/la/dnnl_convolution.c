/* Convolutions through oneDNN 2.6: activations stay NHWC, weights are canonical (KH,KW,C,O)
 * outside and reordered inside the operator to the layout that the kernel prefers; with bf16,
 * what goes in is rounded on that way, and sums and results stay single. Scratch memory is the
 * caller's, so that one primitive serves several threads. */
#include "la/dnnl_convolution.h"

#include <oneapi/dnnl/dnnl.h>
#include <string.h>

#include "base/alloc.h"
#include "la/blas.h"
#include "la/product.h"
#include "la/thin_convolution.h"
#include "la/winograd_convolution.h"

enum { FIRST, SECOND, OUT, PAD, N_OPERANDS };
enum { LINE = 16 }; /* floats of a cache line */

struct coh_convolution {
  coh_convolution_kind kind;
  coh_convolution_shape shape;
  bool thin, whole, winograd; /* ours, and nothing below is used */
  dnnl_engine_t engine;
  dnnl_primitive_t primitive;
  dnnl_memory_desc_t operand[N_OPERANDS];
  int argument[N_OPERANDS]; /* DNNL_ARG_*, 0 where unused */
  // the way between the caller's layout and the kernel's; NULL where they are the same
  dnnl_primitive_t reorder[PAD];
  dnnl_memory_desc_t outside[PAD];
  int64_t packed_floats[PAD], pad_floats;
  char kernel[64];
};

struct coh_convolution_state {
  dnnl_stream_t stream;
  dnnl_memory_t memory[N_OPERANDS];
  dnnl_memory_t outside[PAD];
};

#define DNNL_TRY(call, what)                                                                \
  do {                                                                                      \
    dnnl_status_t dnnl_try_status_ = (call);                                                \
    COH_CHECK(dnnl_try_status_ == dnnl_success, COH_E_INTERNAL,                             \
              "convolution: oneDNN could not %s (status %d)", what, (int)dnnl_try_status_); \
  } while (0)

static int64_t round_up(int64_t floats) {
  return (floats + LINE - 1) / LINE * LINE;
}

static int64_t floats_of(const dnnl_memory_desc_t *desc) {
  return round_up(
      (int64_t)((dnnl_memory_desc_get_size(desc) + sizeof(float) - 1) / sizeof(float)));
}

// the weights' dimensions in oneDNN's order; 5 with groups
static int weight_dims(const coh_convolution_shape *s, dnnl_dims_t dims) {
  if (s->groups == 1) {
    const dnnl_dims_t plain = {s->o, s->c, s->kh, s->kw};
    memcpy(dims, plain, sizeof plain);
    return 4;
  }
  const dnnl_dims_t grouped = {s->groups, s->o / s->groups, s->c / s->groups, s->kh, s->kw};
  memcpy(dims, grouped, sizeof grouped);
  return 5;
}

// x, weights and y as the caller has them, or, where a kernel is wanted, as it may choose
static dnnl_status_t describe_operands(const coh_convolution_shape *s, bool outside,
                                       coh_convolution_kind kind, dnnl_memory_desc_t *x,
                                       dnnl_memory_desc_t *w, dnnl_memory_desc_t *y) {
  const dnnl_dims_t x_dims = {s->n, s->c, s->h, s->w}, y_dims = {s->n, s->o, s->oh, s->ow};
  dnnl_dims_t w_dims;
  int w_rank = weight_dims(s, w_dims);
  dnnl_format_tag_t w_tag = w_rank == 4 ? dnnl_hwio : dnnl_hwigo;
  // of the three, the one that comes out stays single
  dnnl_data_type_t in = s->bf16 && !outside ? dnnl_bf16 : dnnl_f32;
  dnnl_status_t status = dnnl_memory_desc_init_by_tag(
      x, 4, x_dims, kind == COH_CONVOLUTION_DATA ? dnnl_f32 : in, dnnl_nhwc);
  if (status == dnnl_success)
    status = dnnl_memory_desc_init_by_tag(
        y, 4, y_dims, kind == COH_CONVOLUTION_FORWARD ? dnnl_f32 : in, dnnl_nhwc);
  if (status == dnnl_success)
    status = dnnl_memory_desc_init_by_tag(w, w_rank, w_dims,
                                          kind == COH_CONVOLUTION_WEIGHTS ? dnnl_f32 : in,
                                          outside ? w_tag : dnnl_format_tag_any);
  return status;
}

static dnnl_status_t describe(const coh_convolution_shape *s, coh_convolution_kind kind,
                              dnnl_convolution_desc_t *desc) {
  const dnnl_dims_t stride = {s->stride[0], s->stride[1]};
  const dnnl_dims_t dilation = {s->dilation[0] - 1, s->dilation[1] - 1};
  const dnnl_dims_t before = {s->pad_before[0], s->pad_before[1]};
  // oneDNN wants the padding that the windows use, which rounding down may leave short
  dnnl_dims_t after = {0};
  const int64_t in[2] = {s->h, s->w}, out[2] = {s->oh, s->ow}, kernel[2] = {s->kh, s->kw};
  for (int k = 0; k < 2; k++)
    after[k] =
        (out[k] - 1) * stride[k] + (kernel[k] - 1) * s->dilation[k] + 1 - in[k] - before[k];
  dnnl_memory_desc_t x, w, y;
  dnnl_status_t status = describe_operands(s, false, kind, &x, &w, &y);
  if (status != dnnl_success) return status;
  const dnnl_alg_kind_t direct = dnnl_convolution_direct;
  switch (kind) {
  case COH_CONVOLUTION_FORWARD:
    return dnnl_dilated_convolution_forward_desc_init(
        desc, dnnl_forward_training, direct, &x, &w, NULL, &y, stride, dilation, before, after);
  case COH_CONVOLUTION_DATA:
    return dnnl_dilated_convolution_backward_data_desc_init(desc, direct, &x, &w, &y, stride,
                                                            dilation, before, after);
  case COH_CONVOLUTION_WEIGHTS:
    return dnnl_dilated_convolution_backward_weights_desc_init(desc, direct, &x, &w, NULL, &y,
                                                               stride, dilation, before, after);
  }
  return dnnl_invalid_arguments;
}

static dnnl_status_t make_attributes(dnnl_primitive_attr_t *attr) {
  dnnl_status_t status = dnnl_primitive_attr_create(attr);
  if (status != dnnl_success) return status;
  return dnnl_primitive_attr_set_scratchpad_mode(*attr, dnnl_scratchpad_mode_user);
}

static void set_operand(coh_convolution *plan, int k, const_dnnl_primitive_desc_t pd,
                        dnnl_query_t query, int argument) {
  plan->operand[k] = *dnnl_primitive_desc_query_md(pd, query, 0);
  plan->argument[k] = argument;
}

// take from the chosen kernel which operands it wants, in which layouts
static void take_operands(coh_convolution *plan, const_dnnl_primitive_desc_t pd) {
  switch (plan->kind) {
  case COH_CONVOLUTION_FORWARD:
    set_operand(plan, FIRST, pd, dnnl_query_src_md, DNNL_ARG_SRC);
    set_operand(plan, SECOND, pd, dnnl_query_weights_md, DNNL_ARG_WEIGHTS);
    set_operand(plan, OUT, pd, dnnl_query_dst_md, DNNL_ARG_DST);
    break;
  case COH_CONVOLUTION_DATA:
    set_operand(plan, FIRST, pd, dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST);
    set_operand(plan, SECOND, pd, dnnl_query_weights_md, DNNL_ARG_WEIGHTS);
    set_operand(plan, OUT, pd, dnnl_query_diff_src_md, DNNL_ARG_DIFF_SRC);
    break;
  case COH_CONVOLUTION_WEIGHTS:
    set_operand(plan, FIRST, pd, dnnl_query_src_md, DNNL_ARG_SRC);
    set_operand(plan, SECOND, pd, dnnl_query_diff_dst_md, DNNL_ARG_DIFF_DST);
    set_operand(plan, OUT, pd, dnnl_query_diff_weights_md, DNNL_ARG_DIFF_WEIGHTS);
    break;
  }
  set_operand(plan, PAD, pd, dnnl_query_scratchpad_md, DNNL_ARG_SCRATCHPAD);
  plan->pad_floats = floats_of(&plan->operand[PAD]);
}

static dnnl_status_t describe_outside(coh_convolution *plan) {
  dnnl_memory_desc_t *o = plan->outside;
  switch (plan->kind) {
  case COH_CONVOLUTION_FORWARD:
    return describe_operands(&plan->shape, true, plan->kind, &o[FIRST], &o[SECOND], &o[OUT]);
  case COH_CONVOLUTION_DATA:
    return describe_operands(&plan->shape, true, plan->kind, &o[OUT], &o[SECOND], &o[FIRST]);
  case COH_CONVOLUTION_WEIGHTS:
    return describe_operands(&plan->shape, true, plan->kind, &o[FIRST], &o[OUT], &o[SECOND]);
  }
  return dnnl_invalid_arguments;
}

static coh_status make_reorder(coh_convolution *plan, int k) {
  const dnnl_memory_desc_t *inside = &plan->operand[k], *outside = &plan->outside[k];
  if (dnnl_memory_desc_equal(inside, outside)) return COH_OK;
  plan->packed_floats[k] = floats_of(inside);
  dnnl_primitive_desc_t pd;
  dnnl_primitive_attr_t attr;
  DNNL_TRY(make_attributes(&attr), "make attributes");
  dnnl_status_t status =
      dnnl_reorder_primitive_desc_create(&pd, k == OUT ? inside : outside, plan->engine,
                                         k == OUT ? outside : inside, plan->engine, attr);
  dnnl_primitive_attr_destroy(attr);
  DNNL_TRY(status, "find a reorder of an operand");
  const dnnl_memory_desc_t *pad = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
  bool plain = dnnl_memory_desc_get_size(pad) == 0;
  status = dnnl_primitive_create(&plan->reorder[k], pd);
  dnnl_primitive_desc_destroy(pd);
  DNNL_TRY(status, "make the reorder of an operand");
  COH_CHECK(plain, COH_E_INTERNAL,
            "convolution: the reorder of an operand wants scratch memory");
  return COH_OK;
}

/* oneDNN's first offer, but for forward convolutions of 2 to 15 channels its direct kernel,
 * where there is one: measured, 3x3 of 4 or 10 to 16 channels at 10x10, 150 and 173 GF/s
 * against 77 and 117, 8x8 of 4 to 32 channels at 84x84 178 against 161. */
static dnnl_status_t choose_kernel(const coh_convolution_shape *shape,
                                   coh_convolution_kind kind,
                                   const dnnl_convolution_desc_t *desc,
                                   const_dnnl_primitive_attr_t attr, dnnl_engine_t engine,
                                   const_dnnl_primitive_desc_t hint,
                                   dnnl_primitive_desc_t *pd) {
  int64_t channels = shape->c / shape->groups;
  dnnl_primitive_desc_iterator_t offers;
  if (kind == COH_CONVOLUTION_FORWARD && channels >= 2 && channels < 16 &&
      dnnl_primitive_desc_iterator_create(&offers, desc, attr, engine, hint) == dnnl_success) {
    bool found = false;
    do {
      const char *name = NULL;
      *pd = dnnl_primitive_desc_iterator_fetch(offers);
      dnnl_primitive_desc_query(*pd, dnnl_query_impl_info_str, 0, &name);
      found = name && strcmp(name, "jit:avx512_core") == 0;
      if (!found) dnnl_primitive_desc_destroy(*pd);
    } while (!found && dnnl_primitive_desc_iterator_next(offers) == dnnl_success);
    dnnl_primitive_desc_iterator_destroy(offers);
    if (found) return dnnl_success;
  }
  return dnnl_primitive_desc_create(pd, desc, attr, engine, hint);
}

static coh_status make_primitive(coh_convolution *plan, const coh_convolution_shape *shape) {
  DNNL_TRY(dnnl_engine_create(&plan->engine, dnnl_cpu, 0), "make an engine");
  dnnl_convolution_desc_t desc;
  DNNL_TRY(describe(shape, plan->kind, &desc), "describe the shape");
  DNNL_TRY(describe_outside(plan), "describe the operands");
  dnnl_primitive_attr_t attr;
  DNNL_TRY(make_attributes(&attr), "make attributes");
  dnnl_primitive_desc_t pd, hint = NULL;
  dnnl_status_t status = dnnl_success;
  if (plan->kind !=
      COH_CONVOLUTION_FORWARD) { // a backward kernel asks which forward one it undoes
    dnnl_convolution_desc_t forward;
    status = describe(shape, COH_CONVOLUTION_FORWARD, &forward);
    if (status == dnnl_success)
      status = dnnl_primitive_desc_create(&hint, &forward, attr, plan->engine, NULL);
  }
  if (status == dnnl_success)
    status = choose_kernel(shape, plan->kind, &desc, attr, plan->engine, hint, &pd);
  if (hint) dnnl_primitive_desc_destroy(hint);
  dnnl_primitive_attr_destroy(attr);
  DNNL_TRY(status, "find a kernel");
  take_operands(plan, pd);
  const char *info = NULL;
  dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &info);
  if (info) {
    strncpy(plan->kernel, info, sizeof plan->kernel - 1);
  }
  status = dnnl_primitive_create(&plan->primitive, pd);
  dnnl_primitive_desc_destroy(pd);
  DNNL_TRY(status, "make the kernel");
  for (int k = 0; k < PAD; k++)
    COH_TRY(make_reorder(plan, k));
  return COH_OK;
}

// one window that covers the image: a product of matrices
static bool is_whole(const coh_convolution_shape *s) {
  bool whole = s->groups == 1;
  for (int k = 0; k < 2; k++)
    whole = whole && s->pad_before[k] == 0 && s->pad_after[k] == 0 && s->dilation[k] == 1;
  return whole && s->kh == s->h && s->kw == s->w;
}

/* x (n, taps), w (taps, o), y (n, o) */
static void run_whole(const coh_convolution *plan, const float *first, const float *second,
                      float *out) {
  const coh_convolution_shape *s = &plan->shape;
  int64_t taps = s->kh * s->kw * s->c;
  switch (plan->kind) {
  case COH_CONVOLUTION_FORWARD:
    coh_la_matmul(false, false, s->n, s->o, taps, first, second, out);
    break;
  case COH_CONVOLUTION_DATA:
    coh_la_matmul(false, true, s->n, taps, s->o, first, second, out);
    break;
  case COH_CONVOLUTION_WEIGHTS:
    coh_la_matmul(true, false, taps, s->o, s->n, first, second, out);
    break;
  }
}

coh_status coh_convolution_create(const coh_convolution_shape *shape, coh_convolution_kind kind,
                                  coh_convolution **out) {
  coh_convolution *plan;
  COH_NEW(plan, 1);
  plan->kind = kind;
  plan->shape = *shape;
  if (kind == COH_CONVOLUTION_DATA && coh_convolution_thin_pays(shape) && !is_whole(shape)) {
    plan->thin = true;
    strncpy(plan->kernel, "thin", sizeof plan->kernel - 1);
    *out = plan;
    return COH_OK;
  }
  if (is_whole(shape)) {
    plan->whole = true;
    strncpy(plan->kernel, "gemm", sizeof plan->kernel - 1);
    *out = plan;
    return COH_OK;
  }
  if (coh_convolution_winograd_pays(shape)) {
    plan->winograd = true;
    strncpy(plan->kernel, "winograd", sizeof plan->kernel - 1);
    *out = plan;
    return COH_OK;
  }
  // kernels are laid out for the thread count that they see when they are made
  int before = coh_la_serial_begin();
  coh_status status = make_primitive(plan, shape);
  coh_la_serial_end(before);
  if (status != COH_OK) {
    coh_convolution_destroy(&plan);
    return status;
  }
  *out = plan;
  return COH_OK;
}

void coh_convolution_destroy(coh_convolution **plan) {
  coh_convolution *p = *plan;
  if (!p) return;
  for (int k = 0; k < PAD; k++)
    if (p->reorder[k]) dnnl_primitive_destroy(p->reorder[k]);
  if (p->primitive) dnnl_primitive_destroy(p->primitive);
  if (p->engine) dnnl_engine_destroy(p->engine);
  coh_free(p);
  *plan = NULL;
}

int64_t coh_convolution_scratch(const coh_convolution *plan) {
  if (plan->thin) return coh_convolution_thin_scratch(&plan->shape);
  if (plan->winograd) return coh_convolution_winograd_scratch(&plan->shape, plan->kind);
  if (plan->whole) return 0;
  int64_t floats = plan->pad_floats;
  for (int k = 0; k < PAD; k++)
    floats += plan->packed_floats[k];
  return floats;
}

const char *coh_convolution_kernel(const coh_convolution *plan) {
  return plan->kernel;
}

coh_status coh_convolution_state_create(const coh_convolution *plan,
                                        coh_convolution_state **out) {
  coh_convolution_state *state;
  COH_NEW(state, 1);
  if (plan->thin || plan->whole || plan->winograd) {
    *out = state;
    return COH_OK;
  }
  dnnl_status_t status = dnnl_stream_create(&state->stream, plan->engine, dnnl_stream_in_order);
  for (int k = 0; k < N_OPERANDS && status == dnnl_success; k++)
    if (plan->argument[k])
      status = dnnl_memory_create(&state->memory[k], &plan->operand[k], plan->engine,
                                  DNNL_MEMORY_NONE);
  for (int k = 0; k < PAD && status == dnnl_success; k++)
    if (plan->reorder[k])
      status = dnnl_memory_create(&state->outside[k], &plan->outside[k], plan->engine,
                                  DNNL_MEMORY_NONE);
  if (status != dnnl_success) {
    coh_convolution_state_destroy(&state);
    return coh_fail(COH_E_MEMORY, "convolution: oneDNN could not make its handles");
  }
  *out = state;
  return COH_OK;
}

void coh_convolution_state_destroy(coh_convolution_state **state) {
  coh_convolution_state *s = *state;
  if (!s) return;
  for (int k = 0; k < N_OPERANDS; k++)
    if (s->memory[k]) dnnl_memory_destroy(s->memory[k]);
  for (int k = 0; k < PAD; k++)
    if (s->outside[k]) dnnl_memory_destroy(s->outside[k]);
  if (s->stream) dnnl_stream_destroy(s->stream);
  coh_free(s);
  *state = NULL;
}

static coh_status run_reorder(const coh_convolution *plan, coh_convolution_state *state,
                              int k) {
  if (!plan->reorder[k]) return COH_OK;
  dnnl_memory_t inside = state->memory[k], outside = state->outside[k];
  dnnl_exec_arg_t args[2] = {{DNNL_ARG_FROM, k == OUT ? inside : outside},
                             {DNNL_ARG_TO, k == OUT ? outside : inside}};
  DNNL_TRY(dnnl_primitive_execute(plan->reorder[k], state->stream, 2, args),
           "reorder an operand");
  return COH_OK;
}

static coh_status run_primitive(const coh_convolution *plan, coh_convolution_state *state,
                                int n, const dnnl_exec_arg_t *args) {
  COH_TRY(run_reorder(plan, state, FIRST));
  COH_TRY(run_reorder(plan, state, SECOND));
  COH_CHECK(dnnl_primitive_execute(plan->primitive, state->stream, n, args) == dnnl_success,
            COH_E_INTERNAL, "convolution: %s failed", plan->kernel);
  return run_reorder(plan, state, OUT);
}

coh_status coh_convolution_run(const coh_convolution *plan, coh_convolution_state *state,
                               const float *first, const float *second, float *out,
                               float *scratch) {
  if (plan->thin) {
    coh_convolution_thin_run(&plan->shape, first, second, out, scratch);
    return COH_OK;
  }
  if (plan->whole) {
    run_whole(plan, first, second, out);
    return COH_OK;
  }
  if (plan->winograd) {
    coh_convolution_winograd_run(&plan->shape, plan->kind, first, second, out, scratch);
    return COH_OK;
  }
  // the library's handles are not const, its kernels only read the operands
  float *data[N_OPERANDS] = {(float *)(uintptr_t)first, (float *)(uintptr_t)second, out};
  for (int k = 0; k < PAD; k++) {
    if (!plan->reorder[k]) continue;
    DNNL_TRY(dnnl_memory_set_data_handle(state->outside[k], data[k]), "take an operand");
    data[k] = scratch;
    scratch += plan->packed_floats[k];
  }
  data[PAD] = scratch;
  dnnl_exec_arg_t args[N_OPERANDS];
  int n = 0;
  for (int k = 0; k < N_OPERANDS; k++) {
    if (!plan->argument[k]) continue;
    DNNL_TRY(dnnl_memory_set_data_handle(state->memory[k], data[k]), "take an operand");
    args[n++] = (dnnl_exec_arg_t){plan->argument[k], state->memory[k]};
  }
  int before = coh_la_serial_begin();
  coh_status status = run_primitive(plan, state, n, args);
  coh_la_serial_end(before);
  return status;
}
