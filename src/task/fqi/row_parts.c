/* Parts of rows: lane i takes [i m, (i + 1) m), m = rows / lanes rounded up. */
#include "task/fqi/row_parts.h"

#include <string.h>

#include "base/alloc.h"
#include "task/lane_loop.h"

coh_status coh_row_parts_create(const coh_run_context *context, int64_t n_rows, int64_t width,
                                coh_row_parts *parts) {
  const coh_lanes *lanes = &context->lanes;
  *parts = (coh_row_parts){.context = context, .n_rows = n_rows, .width = width};
  parts->part = (n_rows + lanes->n_lanes - 1) / lanes->n_lanes;
  COH_NEW(parts->local, lanes->n_local * parts->part * width);
  COH_NEW(parts->all, lanes->n_lanes * parts->part * width);
  return COH_OK;
}

void coh_row_parts_clear(coh_row_parts *parts) {
  coh_free(parts->local), coh_free(parts->all);
  *parts = (coh_row_parts){0};
}

void coh_row_parts_range(const coh_row_parts *parts, int64_t local, int64_t *first,
                         int64_t *last) {
  *first = (parts->context->lanes.first + local) * parts->part;
  *last = *first + parts->part;
  if (*first > parts->n_rows) *first = parts->n_rows;
  if (*last > parts->n_rows) *last = parts->n_rows;
}

typedef struct one_run {
  coh_row_parts *parts;
  coh_row_function *function;
  void *context;
} one_run;

static coh_status run_lane(void *pointer, int64_t local) {
  one_run *run = pointer;
  int64_t first, last;
  coh_row_parts_range(run->parts, local, &first, &last);
  if (first == last) return COH_OK;
  return run->function(run->context, local, first, last,
                       run->parts->local + local * run->parts->part * run->parts->width);
}

coh_status coh_row_parts_run(coh_row_parts *parts, coh_row_function *function, void *context,
                             double *out) {
  const coh_run_context *run = parts->context;
  one_run one = {parts, function, context};
  COH_TRY(coh_comm_agree(run->world,
                         coh_lane_loop(run->n_threads, run->lanes.n_local, run_lane, &one)));
  size_t piece = (size_t)(parts->part * parts->width) * sizeof *out;
  COH_TRY(coh_lanes_gather(run->world, &run->lanes, parts->local, piece, parts->all));
  memcpy(out, parts->all, (size_t)(parts->n_rows * parts->width) * sizeof *out);
  return COH_OK;
}
