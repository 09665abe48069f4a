/* Files that grow by whole records and can be cut back to a checkpoint: metrics, events. */
#ifndef COHORT_IO_APPEND_H
#define COHORT_IO_APPEND_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_append coh_append;

/* Open a file for appending, keeping its first keep_bytes bytes (-1: all of it); it is created
 * if absent. Not collective. A file shorter than keep_bytes is kept as it is: compare
 * coh_append_position. Caller closes. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_append_open(const char *path, int64_t keep_bytes, coh_append **append);

/* Write one record straight through to the kernel (a crash of the process keeps it). A record
 * that fits only in part (disk full) is taken back, so the file ends with a whole record.
 * Allocates nothing. Fails: COH_E_IO. */
coh_status coh_append_write(coh_append *append, const void *record, size_t n_bytes);

/* Flush to the disk. Fails: COH_E_IO. */
coh_status coh_append_sync(coh_append *append);

/* Bytes in the file. */
int64_t coh_append_position(const coh_append *append);

/* Cut everything after `position`, a value of coh_append_position. Fails: COH_E_IO. */
coh_status coh_append_rewind(coh_append *append, int64_t position);

/* Close; accepts NULL, sets NULL. */
void coh_append_close(coh_append **append);

#endif
