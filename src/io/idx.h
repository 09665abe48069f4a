/* IDX, the format of MNIST and its kin, plain or gzipped (".gz"). */
#ifndef COHORT_IO_IDX_H
#define COHORT_IO_IDX_H

#include <stdbool.h>

#include "cohort/io.h"

/* Read an IDX file of at most max_bytes of data; big-endian numbers are turned to the machine's
 * order. Gzip is known by its first bytes. Not collective. array: out; caller clears.
 * Fails: COH_E_DATA, COH_E_MEMORY. Source: yann.lecun.com/exdb/mnist, "file format". */
coh_status coh_idx_read(const char *path, size_t max_bytes, coh_array *array);

/* Check the header of a plain IDX file of n_bytes: shape (out, without data) and where the data
 * begins (*start). name: stands in messages. Fails: COH_E_DATA. */
coh_status coh_idx_parse_header(const char *name, const uint8_t *bytes, size_t n_bytes,
                                coh_array *shape, size_t *start);

/* Do these first bytes of a file say gzip? */
bool coh_idx_is_gzip(const uint8_t *bytes, size_t n_bytes);

#endif
