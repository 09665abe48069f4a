/* Allocation for simulations: large arrays of all ranks, which live in one process, lie on top
 * of each other, because only their sizes matter. A thousand ranks then fit one machine. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { LARGE = 64 << 10 };
static char *shared;
static const size_t shared_bytes = (size_t)512 << 20;

static int is_shared(const void *pointer) {
  const char *at = pointer;
  return shared && at >= shared && at < shared + shared_bytes;
}

void *coh_alloc_array(size_t count, size_t size) {
  size_t n_bytes = count * size;
  if (n_bytes < LARGE) return calloc(1, n_bytes ? n_bytes : 1);
  if (!shared) shared = calloc(1, shared_bytes); // pages appear when they are touched
  return n_bytes <= shared_bytes ? shared : NULL;
}

void *coh_alloc_resize(void *pointer, size_t old_count, size_t new_count, size_t size) {
  void *grown = coh_alloc_array(new_count, size);
  size_t kept = old_count < new_count ? old_count : new_count;
  if (grown && pointer && kept && grown != pointer) memcpy(grown, pointer, kept * size);
  coh_free(pointer);
  return grown;
}

char *coh_alloc_string(const char *text) {
  char *copy = coh_alloc_array(strlen(text) + 1, 1);
  if (copy) memcpy(copy, text, strlen(text) + 1);
  return copy;
}

void coh_free(void *pointer) {
  if (!is_shared(pointer)) free(pointer);
}

int64_t coh_alloc_live(void) {
  return 0;
}

int64_t coh_alloc_total(void) {
  return 0;
}
