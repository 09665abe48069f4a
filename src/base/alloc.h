/* Aligned, counted allocation. Everything libcohort allocates comes from here, so that tests
 * and debug builds can see that the counts balance at exit. */
#ifndef COHORT_BASE_ALLOC_H
#define COHORT_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/alloc.h"
#include "cohort/status.h"

/* Allocate `count` zeroed elements for `pointer`, or return COH_E_MEMORY from the caller. */
#define COH_NEW(pointer, count)                                                         \
  do {                                                                                  \
    (pointer) = coh_alloc_array((size_t)(count), sizeof *(pointer));                    \
    COH_CHECK((pointer) != NULL, COH_E_MEMORY, "out of memory: %zu x %zu bytes for %s", \
              (size_t)(count), sizeof *(pointer), #pointer);                            \
  } while (0)

/* Release and forget. */
#define COH_DELETE(pointer) \
  do {                      \
    coh_free(pointer);      \
    (pointer) = NULL;       \
  } while (0)

/* A zeroed array, 64-byte aligned; never NULL for count 0. NULL when memory is out or
 * count * size overflows. Free with coh_free. */
void *coh_alloc_array(size_t count, size_t size);

/* Grow or shrink to `new_count` elements of `size` bytes; old content is kept, new is zero.
 * NULL on failure, and the old block stays valid. */
void *coh_alloc_resize(void *pointer, size_t old_count, size_t new_count, size_t size);

/* A copy of a string. NULL when memory is out. */
char *coh_alloc_string(const char *text);

/* Blocks allocated and not yet freed, and allocations ever made, over all threads. */
int64_t coh_alloc_live(void);
int64_t coh_alloc_total(void);

#endif
