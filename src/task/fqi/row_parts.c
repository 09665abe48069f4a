/* Parts of rows: lane i takes [i m, (i + 1) m), m = rows / lanes rounded up. */
#include "task/fqi/row_parts.h"

#include <string.h>

#include "base/alloc.h"
#include "task/lane_loop.h"

// sent at once, so that what travels does not take the memory of all rows again
enum { MOST_SENT = 1 << 20 };

coh_status coh_row_parts_create(const coh_run_context *context, int64_t n_rows, int64_t width,
                                coh_row_parts *parts) {
  const coh_lanes *lanes = &context->lanes;
  *parts = (coh_row_parts){.context = context, .n_rows = n_rows, .width = width};
  parts->part = (n_rows + lanes->n_lanes - 1) / lanes->n_lanes;
  if (width == 0 || coh_world_size(context->world) == 1) return COH_OK;
  int64_t most = MOST_SENT / (lanes->n_lanes * width);
  parts->block = most < 1 ? 1 : most < parts->part ? most : parts->part;
  COH_NEW(parts->local, lanes->n_local * parts->block * width);
  COH_NEW(parts->all, lanes->n_lanes * parts->block * width);
  return COH_OK;
}

void coh_row_parts_clear(coh_row_parts *parts) {
  coh_free(parts->local), coh_free(parts->all);
  *parts = (coh_row_parts){0};
}

static int64_t least(int64_t a, int64_t b) {
  return a < b ? a : b;
}

static void range_of(const coh_row_parts *parts, int64_t lane, int64_t *first, int64_t *last) {
  *first = least(lane * parts->part, parts->n_rows);
  *last = least(*first + parts->part, parts->n_rows);
}

void coh_row_parts_range(const coh_row_parts *parts, int64_t local, int64_t *first,
                         int64_t *last) {
  range_of(parts, parts->context->lanes.first + local, first, last);
}

typedef struct one_run {
  coh_row_parts *parts;
  coh_row_function *function;
  void *context;
  double *out;
} one_run;

static coh_status run_lane(void *pointer, int64_t local) {
  one_run *run = pointer;
  int64_t first, last;
  coh_row_parts_range(run->parts, local, &first, &last);
  if (first == last) return COH_OK;
  return run->function(run->context, local, first, last, run->out + first * run->parts->width);
}

// rows `at` and on of a lane, between their place in `numbers` and a block
static size_t find_block(const coh_row_parts *parts, int64_t lane, int64_t at, double *numbers,
                         double **from) {
  int64_t first, last;
  range_of(parts, lane, &first, &last);
  int64_t begin = least(first + at, last);
  *from = numbers + begin * parts->width;
  return (size_t)(least(parts->block, last - begin) * parts->width) * sizeof **from;
}

// each rank has the rows of its lanes; then all have all
static coh_status spread(coh_row_parts *parts, double *out) {
  const coh_run_context *run = parts->context;
  const coh_lanes *lanes = &run->lanes;
  int64_t piece = parts->block * parts->width;
  double *rows;
  for (int64_t at = 0; at < parts->part; at += parts->block) {
    for (int64_t local = 0; local < lanes->n_local; local++) {
      size_t n_bytes = find_block(parts, lanes->first + local, at, out, &rows);
      memcpy(parts->local + local * piece, rows, n_bytes);
    }
    COH_TRY(coh_lanes_gather(run->world, lanes, parts->local, (size_t)piece * sizeof *rows,
                             parts->all));
    for (int64_t lane = 0; lane < lanes->n_lanes; lane++) {
      size_t n_bytes = find_block(parts, lane, at, out, &rows);
      memcpy(rows, parts->all + lane * piece, n_bytes);
    }
  }
  return COH_OK;
}

coh_status coh_row_parts_run(coh_row_parts *parts, coh_row_function *function, void *context,
                             double *out) {
  const coh_run_context *run = parts->context;
  one_run one = {parts, function, context, out};
  COH_TRY(coh_comm_agree(run->world,
                         coh_lane_loop(run->n_threads, run->lanes.n_local, run_lane, &one)));
  return parts->all ? spread(parts, out) : COH_OK;
}
