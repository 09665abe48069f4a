/* Shapes: counts, equality, axes, text. */
#include <stdio.h>

#include "graph/operator.h"

int64_t coh_shape_count(coh_shape shape) {
  int64_t count = 1;
  for (int k = 0; k < shape.rank; k++)
    count *= shape.size[k];
  return count;
}

bool coh_shape_equal(coh_shape a, coh_shape b) {
  if (a.rank != b.rank) return false;
  for (int k = 0; k < a.rank; k++)
    if (a.size[k] != b.size[k]) return false;
  return true;
}

int coh_shape_axis(coh_shape shape, int axis) {
  if (axis < 0) axis += shape.rank;
  return axis >= 0 && axis < shape.rank ? axis : -1;
}

coh_axis_split coh_shape_split(coh_shape shape, int axis) {
  coh_axis_split split = {1, shape.size[axis], 1};
  for (int k = 0; k < axis; k++)
    split.outer *= shape.size[k];
  for (int k = axis + 1; k < shape.rank; k++)
    split.inner *= shape.size[k];
  return split;
}

coh_shape_text coh_shape_print(coh_shape shape) {
  coh_shape_text out = {"("};
  size_t used = 1;
  for (int k = 0; k < shape.rank && k < COH_MAX_RANK; k++) {
    int n = snprintf(out.text + used, sizeof out.text - used, k ? ",%lld" : "%lld",
                     (long long)shape.size[k]);
    used += n > 0 ? (size_t)n : 0;
  }
  snprintf(out.text + used, sizeof out.text - used, ")");
  return out;
}
