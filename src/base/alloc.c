/* Aligned, counted allocation over the C library's aligned_alloc.
 * Counters are atomic so that lanes on several threads stay countable. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64 };

static atomic_llong n_live;
static atomic_llong n_total;

void *coh_alloc_array(size_t count, size_t size) {
  if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) return NULL;
  size_t n_bytes = count * size;
  n_bytes = (n_bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (n_bytes == 0) n_bytes = ALIGNMENT;
  void *pointer = aligned_alloc(ALIGNMENT, n_bytes);
  if (!pointer) return NULL;
  memset(pointer, 0, n_bytes);
  atomic_fetch_add(&n_live, 1);
  atomic_fetch_add(&n_total, 1);
  return pointer;
}

void *coh_alloc_resize(void *pointer, size_t old_count, size_t new_count, size_t size) {
  void *grown = coh_alloc_array(new_count, size);
  if (!grown) return NULL;
  size_t kept = old_count < new_count ? old_count : new_count;
  if (pointer && kept) memcpy(grown, pointer, kept * size);
  coh_free(pointer);
  return grown;
}

char *coh_alloc_string(const char *text) {
  size_t n_bytes = strlen(text) + 1;
  char *copy = coh_alloc_array(n_bytes, 1);
  if (copy) memcpy(copy, text, n_bytes);
  return copy;
}

void coh_free(void *pointer) {
  if (!pointer) return;
  atomic_fetch_sub(&n_live, 1);
  free(pointer);
}

int64_t coh_alloc_live(void) {
  return atomic_load(&n_live);
}

int64_t coh_alloc_total(void) {
  return atomic_load(&n_total);
}
