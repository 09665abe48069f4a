/* A stream in memory for saving and loading lanes. */
#ifndef COHORT_TESTS_REPLAY_STREAM_H
#define COHORT_TESTS_REPLAY_STREAM_H

#include <string.h>

#include "base/alloc.h"
#include "cohort/replay.h"

typedef struct stream {
  uint8_t *data;
  size_t n_bytes, capacity, at;
} stream;

static inline coh_status stream_write(void *context, const void *data, size_t n_bytes) {
  stream *s = context;
  if (s->n_bytes + n_bytes > s->capacity) {
    size_t capacity = 2 * (s->n_bytes + n_bytes);
    uint8_t *grown = coh_alloc_resize(s->data, s->n_bytes, capacity, 1);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory");
    s->data = grown;
    s->capacity = capacity;
  }
  memcpy(s->data + s->n_bytes, data, n_bytes);
  s->n_bytes += n_bytes;
  return COH_OK;
}

static inline coh_status stream_read(void *context, void *data, size_t n_bytes) {
  stream *s = context;
  COH_CHECK(s->at + n_bytes <= s->n_bytes, COH_E_CHECKPOINT, "the stream ends early");
  memcpy(data, s->data + s->at, n_bytes);
  s->at += n_bytes;
  return COH_OK;
}

#endif
