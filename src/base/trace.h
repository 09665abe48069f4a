/* A timeline: spans of named work, the latest of which stay in a ring. Off until started, and
 * then a few nanoseconds a span. No result depends on it. */
#ifndef COHORT_BASE_TRACE_H
#define COHORT_BASE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

/* Tracks below are threads that compute; this one is what travels meanwhile. */
enum { COH_TRACK_MESSAGES = 1000 };

typedef struct coh_span {
  const char *name; /* static */
  int32_t track;
  double begin, end; /* coh_clock_now */
} coh_span;

/* Keep the latest `capacity` spans from now on. Not thread-safe, as stop. Fails: COH_E_MEMORY.
 */
coh_status coh_trace_start(int64_t capacity);
void coh_trace_stop(void);
bool coh_trace_is_on(void);

/* Note a span. Any thread. name: a literal. */
void coh_trace_note(const char *name, int track, double begin, double end);

/* The spans kept, in the order of their ends; n: out. Borrowed until the next note or stop. */
const coh_span *coh_trace_spans(int64_t *n);

#endif
