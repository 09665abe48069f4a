/* IDX, the format of MNIST and its kin, plain or gzipped (".gz"). */
#ifndef COHORT_IO_IDX_H
#define COHORT_IO_IDX_H

#include "cohort/io.h"

/* Read an IDX file of at most max_bytes of data; big-endian numbers are turned to the machine's
 * order. Gzip is known by its first bytes. Not collective. array: out; caller clears.
 * Fails: COH_E_DATA, COH_E_MEMORY. Source: yann.lecun.com/exdb/mnist, "file format". */
coh_status coh_idx_read(const char *path, size_t max_bytes, coh_array *array);

#endif
