/* Compression with zstd: blocks in memory with contexts made once, and whole files. */
#ifndef COHORT_IO_PACK_H
#define COHORT_IO_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

/* ---- blocks --------------------------------------------------------------------------- */

/* One thread's contexts for packing and unpacking blocks. */
typedef struct coh_packer coh_packer;

/* Make the contexts for blocks of at most max_bytes at a zstd level (1..19, 3 is usual).
 * Not collective. Packing and unpacking allocate nothing afterwards. Caller destroys.
 * Fails: COH_E_MEMORY, COH_E_INTERNAL for a level or size out of range. */
coh_status coh_packer_create(int level, size_t max_bytes, coh_packer **packer);
void coh_packer_destroy(coh_packer **packer);

/* The most bytes that a block of n_bytes can take packed. */
size_t coh_pack_bound(size_t n_bytes);

/* Pack a block into `packed` (capacity at least coh_pack_bound(n_bytes)). The same input gives
 * the same bytes on one zstd version. n_packed: out. Fails: COH_E_INTERNAL. */
coh_status coh_pack(coh_packer *packer, const void *data, size_t n_bytes, void *packed,
                    size_t capacity, size_t *n_packed);

/* Unpack a block that must hold exactly n_bytes; never writes beyond data + n_bytes.
 * Fails: COH_E_DATA when it is damaged or of another size. */
coh_status coh_unpack(coh_packer *packer, const void *packed, size_t n_packed, void *data,
                      size_t n_bytes);

/* ---- files ---------------------------------------------------------------------------- */

/* A .zst file being written, atomically; one zstd frame with zstd's own checksum. */
typedef struct coh_zst_writer coh_zst_writer;

coh_status coh_zst_begin(const char *path, int level, coh_zst_writer **writer);
coh_status coh_zst_write(coh_zst_writer *writer, const void *data, size_t n_bytes);
/* checksum, n_bytes of the compressed file: out, may be NULL. Releases either way. */
coh_status coh_zst_end(coh_zst_writer **writer, uint64_t *checksum, int64_t *n_bytes);
void coh_zst_discard(coh_zst_writer **writer);

/* A .zst file being read. Memory is bounded (window of at most 128 MiB). */
typedef struct coh_zst_reader coh_zst_reader;

coh_status coh_zst_open(const char *path, coh_zst_reader **reader);
/* Read exactly n_bytes. Fails: COH_E_DATA when the file is damaged or ends before. */
coh_status coh_zst_read(coh_zst_reader *reader, void *data, size_t n_bytes);
/* Check that the frame ends here, with nothing after it. Fails: COH_E_DATA. */
coh_status coh_zst_finish(coh_zst_reader *reader);
void coh_zst_close(coh_zst_reader **reader);

#endif
