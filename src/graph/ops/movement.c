/* Operators that copy elements to other places: transpose, concat, slice, pad. */
#include <string.h>

#include "graph/operator.h"

static const coh_node *operand(const coh_graph *g, coh_value y) {
  return &g->nodes[g->nodes[y].input[0]];
}

/* ---- transpose: y[i0,..] = x[..], out axis k is x's axis integer[k] */

static void derive_transpose(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                             coh_value *dx) {
  (void)needed;
  int inverse[COH_MAX_RANK] = {0};
  for (int k = 0; k < g->nodes[y].shape.rank; k++)
    inverse[g->nodes[y].attributes.integer[k]] = k;
  dx[0] = coh_op_transpose(g, dy, inverse);
}

// copy a (rows, columns) tile whose source runs with a stride along columns
static void copy_tiles(const float *x, float *y, int64_t rows, int64_t row_stride,
                       int64_t columns, int64_t column_stride) {
  enum { TILE = 16 };
  for (int64_t i0 = 0; i0 < rows; i0 += TILE)
    for (int64_t j0 = 0; j0 < columns; j0 += TILE) {
      int64_t i1 = i0 + TILE < rows ? i0 + TILE : rows;
      int64_t j1 = j0 + TILE < columns ? j0 + TILE : columns;
      for (int64_t i = i0; i < i1; i++)
        for (int64_t j = j0; j < j1; j++)
          y[i * columns + j] = x[i * row_stride + j * column_stride];
    }
}

static coh_status run_transpose(const coh_kernel_call *call) {
  coh_shape from = call->signature->in[0], to = call->signature->out;
  int64_t from_stride[COH_MAX_RANK + 1] = {0}, size[COH_MAX_RANK + 2], stride[COH_MAX_RANK + 2];
  int64_t step = 1;
  for (int k = from.rank - 1; k >= 0; k--) {
    from_stride[k] = step;
    step *= from.size[k];
  }
  // merge out axes that stay neighbours
  int rank = 0;
  for (int k = 0; k < to.rank; k++) {
    int64_t s = from_stride[call->signature->attributes.integer[k]], n = to.size[k];
    if (n == 1) continue;
    if (rank > 0 && stride[rank - 1] == s * n) {
      size[rank - 1] *= n;
      stride[rank - 1] = s;
    } else {
      size[rank] = n;
      stride[rank++] = s;
    }
  }
  while (rank < 2) { // the two innermost axes are the tile
    for (int k = rank; k > 0; k--) {
      size[k] = size[k - 1];
      stride[k] = stride[k - 1];
    }
    size[0] = 1;
    stride[0] = 0;
    rank++;
  }
  const float *x = call->in[0];
  float *y = call->out;
  int64_t tile = size[rank - 2] * size[rank - 1], index[COH_MAX_RANK] = {0}, at = 0;
  for (int64_t done = 0, n = coh_shape_count(to); done < n; done += tile, y += tile) {
    if (stride[rank - 1] == 1) {
      for (int64_t i = 0; i < size[rank - 2]; i++)
        memcpy(y + i * size[rank - 1], x + at + i * stride[rank - 2],
               (size_t)size[rank - 1] * sizeof *y);
    } else {
      copy_tiles(x + at, y, size[rank - 2], stride[rank - 2], size[rank - 1], stride[rank - 1]);
    }
    for (int k = rank - 3; k >= 0; k--) {
      at += stride[k];
      if (++index[k] < size[k]) break;
      at -= stride[k] * size[k];
      index[k] = 0;
    }
  }
  return COH_OK;
}

const coh_operator coh_operator_transpose = {.name = "transpose",
                                             .kind = COH_KIND_KERNEL,
                                             .n_inputs = 1,
                                             .derive = derive_transpose,
                                             .run = run_transpose};

coh_value coh_op_transpose(coh_graph *g, coh_value x, const int *axes) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  coh_shape from = g->nodes[x].shape, shape = {.rank = from.rank};
  coh_attributes attributes = {0};
  bool seen[COH_MAX_RANK] = {false}, still = true;
  for (int k = 0; k < from.rank; k++) {
    int axis = coh_shape_axis(from, axes[k]);
    if (axis < 0 || seen[axis])
      return coh_graph_fail(g, "transpose of '%s' %s: axis %d is out of range or named twice",
                            coh_graph_name_of(g, x), coh_shape_print(from).text, axes[k]);
    seen[axis] = true;
    still = still && axis == k;
    attributes.integer[k] = axis;
    shape.size[k] = from.size[axis];
  }
  return still ? x : coh_graph_append(g, &coh_operator_transpose, shape, &x, 1, &attributes);
}

/* ---- concat: y = x0, x1, .. one after the other along axis integer[0] */

static void derive_concat(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                          coh_value *dx) {
  int axis = (int)g->nodes[y].attributes.integer[0], n = g->nodes[y].n_inputs;
  int64_t at = 0;
  for (int k = 0; k < n; k++) {
    int64_t size = g->nodes[g->nodes[y].input[k]].shape.size[axis];
    if (needed[k]) dx[k] = coh_op_slice(g, dy, axis, at, at + size);
    at += size;
  }
}

static coh_status run_concat(const coh_kernel_call *call) {
  int axis = (int)call->signature->attributes.integer[0];
  coh_axis_split whole = coh_shape_split(call->signature->out, axis);
  int64_t row = whole.along * whole.inner, at = 0;
  for (int k = 0; k < call->signature->n_inputs; k++) {
    int64_t width = call->signature->in[k].size[axis] * whole.inner;
    for (int64_t i = 0; i < whole.outer; i++)
      memcpy(call->out + i * row + at, call->in[k] + i * width, (size_t)width * sizeof(float));
    at += width;
  }
  return COH_OK;
}

const coh_operator coh_operator_concat = {.name = "concat",
                                          .kind = COH_KIND_KERNEL,
                                          .n_inputs = -1,
                                          .derive = derive_concat,
                                          .run = run_concat};

static coh_value concat_few(coh_graph *g, const coh_value *x, int n, int axis) {
  if (n == 1) return x[0];
  coh_shape shape = g->nodes[x[0]].shape;
  for (int k = 1; k < n; k++)
    shape.size[axis] += g->nodes[x[k]].shape.size[axis];
  return coh_graph_append(g, &coh_operator_concat, shape, x, n,
                          &(coh_attributes){.integer = {axis}});
}

coh_value coh_op_concat(coh_graph *g, const coh_value *x, int64_t n, int axis) {
  if (n < 1) return coh_graph_fail(g, "concat: no operands");
  for (int64_t k = 0; k < n; k++)
    if (!coh_graph_valid(g, x[k])) return COH_NO_VALUE;
  coh_shape first = g->nodes[x[0]].shape;
  int at = coh_shape_axis(first, axis);
  if (at < 0)
    return coh_graph_fail(g, "concat of '%s' %s: axis %d is out of range",
                          coh_graph_name_of(g, x[0]), coh_shape_print(first).text, axis);
  for (int64_t k = 1; k < n; k++) {
    coh_shape other = g->nodes[x[k]].shape;
    if (other.rank == first.rank) other.size[at] = first.size[at];
    if (!coh_shape_equal(other, first))
      return coh_graph_fail(g, "concat along axis %d: '%s' %s does not fit to '%s' %s", at,
                            coh_graph_name_of(g, x[k]),
                            coh_shape_print(g->nodes[x[k]].shape).text,
                            coh_graph_name_of(g, x[0]), coh_shape_print(first).text);
  }
  // more than one node holds: from the left, each node a part of the next
  coh_value part[COH_MAX_OPERANDS] = {x[0]};
  int used = 1;
  for (int64_t k = 1; k < n && part[0] != COH_NO_VALUE; k++) {
    if (used == COH_MAX_OPERANDS) {
      part[0] = concat_few(g, part, used, at);
      used = 1;
    }
    part[used++] = x[k];
  }
  return part[0] == COH_NO_VALUE ? COH_NO_VALUE : concat_few(g, part, used, at);
}

/* ---- slice: y = x[.., begin:end, ..] along axis integer[0], begin = integer[1] */

static void derive_slice(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                         coh_value *dx) {
  (void)needed;
  int axis = (int)g->nodes[y].attributes.integer[0];
  int64_t begin = g->nodes[y].attributes.integer[1], kept = g->nodes[y].shape.size[axis];
  dx[0] = coh_op_pad(g, dy, axis, begin, operand(g, y)->shape.size[axis] - begin - kept);
}

static coh_status run_slice(const coh_kernel_call *call) {
  int axis = (int)call->signature->attributes.integer[0];
  coh_axis_split from = coh_shape_split(call->signature->in[0], axis);
  int64_t width = call->signature->out.size[axis] * from.inner, row = from.along * from.inner;
  const float *x = call->in[0] + call->signature->attributes.integer[1] * from.inner;
  for (int64_t i = 0; i < from.outer; i++)
    memcpy(call->out + i * width, x + i * row, (size_t)width * sizeof(float));
  return COH_OK;
}

const coh_operator coh_operator_slice = {.name = "slice",
                                         .kind = COH_KIND_KERNEL,
                                         .n_inputs = 1,
                                         .derive = derive_slice,
                                         .run = run_slice};

coh_value coh_op_slice(coh_graph *g, coh_value x, int axis, int64_t begin, int64_t end) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  coh_shape shape = g->nodes[x].shape;
  int at = coh_shape_axis(shape, axis);
  if (at < 0 || begin < 0 || end <= begin || end > shape.size[at])
    return coh_graph_fail(g, "slice of '%s' %s: [%lld, %lld) along axis %d is out of range",
                          coh_graph_name_of(g, x), coh_shape_print(shape).text,
                          (long long)begin, (long long)end, axis);
  if (end - begin == shape.size[at]) return x;
  shape.size[at] = end - begin;
  return coh_graph_append(g, &coh_operator_slice, shape, &x, 1,
                          &(coh_attributes){.integer = {at, begin}});
}

/* ---- pad: zeros before and after x along axis integer[0], integer[1] of them before */

static void derive_pad(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                       coh_value *dx) {
  (void)needed;
  int axis = (int)g->nodes[y].attributes.integer[0];
  int64_t begin = g->nodes[y].attributes.integer[1];
  dx[0] = coh_op_slice(g, dy, axis, begin, begin + operand(g, y)->shape.size[axis]);
}

static coh_status run_pad(const coh_kernel_call *call) {
  int axis = (int)call->signature->attributes.integer[0];
  coh_axis_split to = coh_shape_split(call->signature->out, axis);
  size_t bytes = sizeof(float) * (size_t)to.inner;
  size_t before = bytes * (size_t)call->signature->attributes.integer[1];
  size_t width = bytes * (size_t)call->signature->in[0].size[axis];
  size_t row = bytes * (size_t)to.along;
  for (int64_t i = 0; i < to.outer; i++) {
    char *y = (char *)call->out + (size_t)i * row;
    memset(y, 0, before);
    memcpy(y + before, (const char *)call->in[0] + (size_t)i * width, width);
    memset(y + before + width, 0, row - before - width);
  }
  return COH_OK;
}

const coh_operator coh_operator_pad = {.name = "pad",
                                       .kind = COH_KIND_KERNEL,
                                       .n_inputs = 1,
                                       .derive = derive_pad,
                                       .run = run_pad};

coh_value coh_op_pad(coh_graph *g, coh_value x, int axis, int64_t before, int64_t after) {
  if (!coh_graph_valid(g, x)) return COH_NO_VALUE;
  coh_shape shape = g->nodes[x].shape;
  int at = coh_shape_axis(shape, axis);
  if (at < 0 || before < 0 || after < 0)
    return coh_graph_fail(g,
                          "pad of '%s' %s: %lld and %lld zeros along axis %d is out of range",
                          coh_graph_name_of(g, x), coh_shape_print(shape).text,
                          (long long)before, (long long)after, axis);
  if (before + after == 0) return x;
  shape.size[at] += before + after;
  return coh_graph_append(g, &coh_operator_pad, shape, &x, 1,
                          &(coh_attributes){.integer = {at, before}});
}
