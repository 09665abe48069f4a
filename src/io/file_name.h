/* What files and folders share: temporary names, parents, checked opening and reading. */
#ifndef COHORT_IO_FILE_NAME_H
#define COHORT_IO_FILE_NAME_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

/* "PATH.tmp-PID-ATTEMPT", trailing slashes dropped. *name: caller frees. */
coh_status coh_name_temporary(const char *path, int attempt, char **name);

/* fsync the folder that holds `path`, so that a rename in it survives a power cut. */
coh_status coh_name_sync_parent(const char *path);

/* Open an ordinary file for reading and tell its size; the caller closes it.
 * Fails: COH_E_DATA. */
coh_status coh_name_open(const char *path, int *descriptor, int64_t *n_bytes);

/* Read exactly n_bytes at an offset. path: for messages. Fails: COH_E_DATA. */
coh_status coh_name_read(const char *path, int descriptor, int64_t offset, void *data,
                         size_t n_bytes);

#endif
