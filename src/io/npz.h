/* NPZ archives: a ZIP of NPY files, stored or deflated. Reading takes at most 4,096 members,
 * ZIP64 sizes included, and checks every CRC-32; encryption and other methods are refused. */
#ifndef COHORT_IO_NPZ_H
#define COHORT_IO_NPZ_H

#include <stdbool.h>

#include "cohort/io.h"

typedef struct coh_npz_member {
  char *name; /* without ".npy" */
  coh_array array;
} coh_npz_member;

typedef struct coh_npz {
  coh_npz_member *member;
  int64_t n_members;
} coh_npz;

/* Read all arrays, of at most max_bytes together. Not collective. npz: out; caller clears.
 * Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_npz_read(const char *path, size_t max_bytes, coh_npz *npz);

/* The array of that name, NULL if absent. Borrowed. */
const coh_array *coh_npz_find(const coh_npz *npz, const char *name);

void coh_npz_clear(coh_npz *npz);

/* Write arrays (borrowed), each under 4 GiB, deflated if `deflated`. Atomic. Not collective.
 * Fails: COH_E_IO, COH_E_DATA, COH_E_MEMORY. */
coh_status coh_npz_write(const char *path, const coh_npz_member *members, int64_t n_members,
                         bool deflated);

#endif
