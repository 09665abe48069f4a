/* Spans of all ranks on one time axis, as a file for trace viewers and as a picture. */
#include "run/run_trace.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/trace.h"
#include "draw/figure.h"
#include "io/file.h"

enum { NAME_BYTES = 32, MAX_NAMES = 8, MAX_ROWS = 16, ROUNDS_SHOWN = 3 };

// a span as it travels: names are pointers within a process only
typedef struct packed_span {
  char name[NAME_BYTES];
  int32_t rank, track;
  double begin, end; /* s since the ranks began together */
} packed_span;

typedef struct timeline {
  packed_span *span;
  int64_t n;
} timeline;

coh_status coh_run_trace_begin(coh_run *run) {
  if (run->config.run->trace == 0) return COH_OK;
  COH_TRY(coh_comm_agree(run->world, coh_trace_start(run->config.run->trace)));
  COH_TRY(coh_comm_barrier(run->world));
  run->trace_origin = coh_clock_now();
  return COH_OK;
}

/* ---------------------------------------------------------------- from all ranks to root */

static coh_status pack(const coh_run *run, packed_span **packed, int64_t *n) {
  const coh_span *spans = coh_trace_spans(n);
  COH_NEW(*packed, *n);
  for (int64_t i = 0; i < *n; i++) {
    packed_span *to = &(*packed)[i];
    snprintf(to->name, sizeof to->name, "%s", spans[i].name);
    to->rank = coh_world_rank(run->world);
    to->track = spans[i].track;
    to->begin = spans[i].begin - run->trace_origin;
    to->end = spans[i].end - run->trace_origin;
  }
  return COH_OK;
}

static coh_status gather(coh_run *run, timeline *all) {
  int size = coh_world_size(run->world);
  packed_span *mine = NULL;
  size_t *n_bytes = coh_alloc_array((size_t)size, sizeof *n_bytes);
  int64_t n = 0;
  coh_status status = n_bytes ? pack(run, &mine, &n) : coh_fail(COH_E_MEMORY, "out of memory");
  status = coh_comm_agree(run->world, status);
  size_t own = (size_t)n * sizeof *mine, total = 0;
  if (status == COH_OK) status = coh_comm_allgather(run->world, &own, sizeof own, n_bytes);
  for (int rank = 0; rank < size && status == COH_OK; rank++)
    total += n_bytes[rank];
  if (status == COH_OK && run->root) {
    all->n = (int64_t)(total / sizeof *all->span);
    all->span = coh_alloc_array((size_t)all->n, sizeof *all->span);
    if (!all->span) status = coh_fail(COH_E_MEMORY, "out of memory for the timeline");
  }
  status = coh_comm_agree(run->world, status);
  if (status == COH_OK)
    status = coh_comm_gather_varied(run->world, mine, n_bytes, all->span, 0);
  coh_free(n_bytes);
  coh_free(mine);
  return status;
}

/* ---------------------------------------------------------------- the file */

// the trace format of Chrome: complete events, microseconds, a process a rank
static coh_status write_file(const coh_run *run, const timeline *all) {
  coh_text text = {0};
  coh_text_add(&text, "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n");
  for (int rank = 0; rank < coh_world_size(run->world); rank++)
    coh_text_add(
        &text,
        "{\"ph\": \"M\", \"pid\": %d, \"name\": \"process_name\", \"args\": {\"name\": "
        "\"rank %d\"}},\n{\"ph\": \"M\", \"pid\": %d, \"tid\": %d, \"name\": "
        "\"thread_name\", \"args\": {\"name\": \"messages\"}},\n",
        rank, rank, rank, COH_TRACK_MESSAGES);
  for (int64_t i = 0; i < all->n; i++) {
    const packed_span *s = &all->span[i];
    coh_text_add(&text,
                 "{\"ph\": \"X\", \"pid\": %d, \"tid\": %d, \"name\": \"%s\", \"ts\": %.3f, "
                 "\"dur\": %.3f}%s\n",
                 s->rank, s->track, s->name, s->begin * 1e6, (s->end - s->begin) * 1e6,
                 i + 1 < all->n ? "," : "");
  }
  coh_text_add(&text, "]}\n");
  char *data = NULL, path[COH_PATH_BYTES];
  COH_TRY(coh_text_take(&text, &data));
  snprintf(path, sizeof path, "%s/results", run->folder);
  coh_status status = coh_folder_make(path);
  snprintf(path, sizeof path, "%s/results/timeline.json", run->folder);
  if (status == COH_OK) status = coh_file_save(path, data, strlen(data));
  coh_free(data);
  return status;
}

/* ---------------------------------------------------------------- the picture */

// the stretch shown: up to the end of rank 0's last optimiser step, a few updates back
static void choose_stretch(const timeline *all, double *from, double *to) {
  double ends[ROUNDS_SHOWN + 1] = {0};
  int n_ends = 0;
  for (int64_t i = all->n - 1; i >= 0 && n_ends <= ROUNDS_SHOWN; i--)
    if (all->span[i].rank == 0 && strcmp(all->span[i].name, "optimiser") == 0)
      ends[n_ends++] = all->span[i].end;
  *from = *to = all->n > 0 ? all->span[all->n - 1].end : 0;
  if (n_ends > 1) {
    *to = ends[0];
    *from = ends[n_ends - 1];
  } else if (all->n > 0) {
    *from = all->span[0].begin;
  }
}

typedef struct picture {
  const char *name[MAX_NAMES];
  coh_series series[MAX_NAMES];
  double *x[MAX_NAMES], *y[MAX_NAMES], *lo[MAX_NAMES], *hi[MAX_NAMES];
  int64_t n_names;
  struct row {
    int32_t rank, track;
    char label[NAME_BYTES];
  } row[MAX_ROWS];
  int64_t n_rows;
} picture;

static int64_t name_of(picture *p, const char *name) {
  for (int64_t k = 0; k < p->n_names; k++)
    if (strcmp(p->name[k], name) == 0) return k;
  if (p->n_names == MAX_NAMES) return MAX_NAMES - 1;
  p->name[p->n_names] = name;
  return p->n_names++;
}

static int64_t row_of(picture *p, const packed_span *span) {
  for (int64_t k = 0; k < p->n_rows; k++)
    if (p->row[k].rank == span->rank && p->row[k].track == span->track) return k;
  if (p->n_rows == MAX_ROWS) return -1;
  struct row *row = &p->row[p->n_rows];
  row->rank = span->rank;
  row->track = span->track;
  return p->n_rows++;
}

static int by_rank_and_track(const void *a, const void *b) {
  const struct row *x = a, *y = b;
  return x->rank != y->rank ? x->rank - y->rank : x->track - y->track;
}

static bool is_shown(const packed_span *span, double from, double to) {
  return span->end > from && span->begin < to;
}

static coh_status fill(picture *p, const timeline *all, double from, double to) {
  for (int64_t i = 0; i < all->n; i++) {
    if (!is_shown(&all->span[i], from, to)) continue;
    row_of(p, &all->span[i]);
    p->series[name_of(p, all->span[i].name)].n++;
  }
  qsort(p->row, (size_t)p->n_rows, sizeof *p->row, by_rank_and_track);
  for (int64_t k = 0; k < p->n_names; k++) {
    COH_NEW(p->x[k], p->series[k].n);
    COH_NEW(p->y[k], p->series[k].n);
    COH_NEW(p->lo[k], p->series[k].n);
    COH_NEW(p->hi[k], p->series[k].n);
    p->series[k] = (coh_series){.label = p->name[k],
                                .style = COH_SERIES_SPANS,
                                .x = p->x[k],
                                .y = p->y[k],
                                .lo = p->lo[k],
                                .hi = p->hi[k]};
  }
  for (int64_t i = 0; i < all->n; i++) {
    const packed_span *span = &all->span[i];
    if (!is_shown(span, from, to)) continue;
    int64_t k = name_of(p, span->name), row = row_of(p, span), at = p->series[k].n++;
    p->lo[k][at] = ((span->begin > from ? span->begin : from) - from) * 1e3;
    p->hi[k][at] = ((span->end < to ? span->end : to) - from) * 1e3;
    p->x[k][at] = (p->lo[k][at] + p->hi[k][at]) / 2;
    p->y[k][at] = (double)-row; // the first row on top
  }
  return COH_OK;
}

static coh_status draw(const coh_run *run, const timeline *all) {
  double from, to;
  choose_stretch(all, &from, &to);
  picture *p;
  COH_NEW(p, 1);
  coh_status status = fill(p, all, from, to);
  coh_reference label[MAX_ROWS];
  for (int64_t k = 0; k < p->n_rows; k++) {
    struct row *row = &p->row[k];
    if (row->track == COH_TRACK_MESSAGES)
      snprintf(row->label, sizeof row->label, "rank %d, messages", row->rank);
    else
      snprintf(row->label, sizeof row->label, "rank %d, thread %d", row->rank, row->track);
    label[k] = (coh_reference){(double)-k, row->label};
  }
  coh_panel panel = {.x = {.label = "ms", .min = 0, .max = (to - from) * 1e3},
                     .y = {.min = -(double)p->n_rows + 0.4, .max = 0.6},
                     .no_y_ticks = true,
                     .series = p->series,
                     .n_series = p->n_names,
                     .references = label,
                     .n_references = p->n_rows};
  coh_chart chart = {.title = "Timeline of the last updates",
                     .panels = &panel,
                     .n_panels = 1,
                     .width = 1000,
                     .height = 130 + 44 * (int)p->n_rows};
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures", run->folder);
  if (status == COH_OK) status = coh_folder_make(path);
  if (status == COH_OK && p->n_rows > 0)
    status = coh_chart_write(&chart, path, "timeline", NULL);
  for (int64_t k = 0; k < p->n_names; k++)
    coh_free(p->x[k]), coh_free(p->y[k]), coh_free(p->lo[k]), coh_free(p->hi[k]);
  coh_free(p);
  return status;
}

coh_status coh_run_trace_write(coh_run *run, coh_results *results) {
  if (!coh_trace_is_on()) return COH_OK;
  timeline all = {0};
  coh_status status = gather(run, &all);
  if (status == COH_OK && run->root) {
    status = write_file(run, &all);
    if (status == COH_OK) status = draw(run, &all);
    coh_results_picture(results, "figures/timeline.svg",
                        "What every rank did in the last updates; all spans are in "
                        "results/timeline.json (for Perfetto or chrome://tracing).",
                        false);
  }
  coh_free(all.span);
  coh_trace_stop();
  return coh_comm_agree(run->world, status);
}
