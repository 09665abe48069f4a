/* The ring of spans. Writers take places by an atomic count; nobody reads meanwhile. */
#include "base/trace.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/alloc.h"

static coh_span *ring;
static int64_t ring_capacity;
static _Atomic int64_t n_noted;

coh_status coh_trace_start(int64_t capacity) {
  coh_trace_stop();
  COH_NEW(ring, capacity);
  ring_capacity = capacity;
  atomic_store(&n_noted, 0);
  return COH_OK;
}

void coh_trace_stop(void) {
  COH_DELETE(ring);
  ring_capacity = 0;
}

bool coh_trace_is_on(void) {
  return ring_capacity > 0;
}

void coh_trace_note(const char *name, int track, double begin, double end) {
  if (ring_capacity == 0) return;
  int64_t at = atomic_fetch_add(&n_noted, 1);
  ring[at % ring_capacity] = (coh_span){name, track, begin, end};
}

static int earlier_first(const void *a, const void *b) {
  const coh_span *x = a, *y = b;
  return (x->end > y->end) - (x->end < y->end);
}

const coh_span *coh_trace_spans(int64_t *n) {
  int64_t noted = atomic_load(&n_noted);
  *n = noted < ring_capacity ? noted : ring_capacity;
  if (*n > 0) qsort(ring, (size_t)*n, sizeof *ring, earlier_first);
  return ring;
}
