/* Writing safetensors files; reading them is in cohort/io.h.
 * The table of tensors is known first, the data then streams through in that order. */
#ifndef COHORT_IO_SAFETENSORS_WRITE_H
#define COHORT_IO_SAFETENSORS_WRITE_H

#include "cohort/io.h"

/* One row of the table; all borrowed. shape.data is not used. */
typedef struct coh_tensor_row {
  const char *name;
  coh_array shape;
} coh_tensor_row;

typedef struct coh_metadata_row {
  const char *key, *value;
} coh_metadata_row;

typedef struct coh_safetensors_writer coh_safetensors_writer;

/* Start a file, atomically (io/file.h). Not collective. rows, metadata: borrowed, used only
 * here. Fails: COH_E_IO, COH_E_MEMORY, COH_E_INTERNAL for a name given twice. */
coh_status coh_safetensors_begin(const char *path, const coh_tensor_row *rows, int64_t n_rows,
                                 const coh_metadata_row *metadata, int64_t n_metadata,
                                 coh_safetensors_writer **writer);

/* Append data, in the order of the rows and in pieces of any size. Allocates nothing.
 * Fails: COH_E_IO, COH_E_INTERNAL when more comes than the rows announced. */
coh_status coh_safetensors_write(coh_safetensors_writer *writer, const void *data,
                                 size_t n_bytes);

/* End: all announced bytes must have come. checksum, n_bytes of the file: out, may be NULL.
 * Releases the object either way. Fails: COH_E_IO, COH_E_INTERNAL. */
coh_status coh_safetensors_end(coh_safetensors_writer **writer, uint64_t *checksum,
                               int64_t *n_bytes);

/* Give up; accepts NULL, sets NULL. */
void coh_safetensors_discard(coh_safetensors_writer **writer);

#endif
