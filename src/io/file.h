/* Files that are whole or absent: written beside their name, flushed to the disk, renamed.
 * A crash or a full disk at any moment leaves the old file untouched.
 *
 *     create "x.tmp-PID-N" -> write ... -> fsync -> rename to "x" -> fsync of the directory
 */
#ifndef COHORT_IO_FILE_H
#define COHORT_IO_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

/* ---- one file ------------------------------------------------------------------------- */

typedef struct coh_file coh_file;

/* Start writing a file atomically. Not collective. *file: out; ended by commit or discard.
 * Allocates a 1 MiB buffer; writing allocates nothing. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_file_create(const char *path, coh_file **file);

/* Append bytes (borrowed). After a failure every later write and the commit fail alike.
 * Fails: COH_E_IO (disk full, quota ...). */
coh_status coh_file_write(coh_file *file, const void *data, size_t n_bytes);

/* Flush, fsync and rename into place; on failure the temporary file is removed and the old
 * file stays. Releases the object either way and sets it NULL. checksum, n_bytes: out, may be
 * NULL; the checksum is the one of coh_file_checksum. Fails: COH_E_IO. */
coh_status coh_file_commit(coh_file **file, uint64_t *checksum, int64_t *n_bytes);

/* Give up: remove the temporary file. Accepts NULL, sets NULL. */
void coh_file_discard(coh_file **file);

/* Bytes written so far. */
int64_t coh_file_position(const coh_file *file);

/* Write a whole file atomically. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_file_save(const char *path, const void *data, size_t n_bytes);

/* Read a whole file of at most max_bytes. *data: caller frees with coh_free, followed by a NUL
 * byte that n_bytes does not count. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_file_load(const char *path, size_t max_bytes, char **data, size_t *n_bytes);

/* The checksum and size of a file on disk: coh_checksum_fold from 0 over consecutive blocks of
 * 1 MiB. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_file_checksum(const char *path, uint64_t *checksum, int64_t *n_bytes);

bool coh_file_exists(const char *path);

/* Make an empty file that was not there: of all processes that try, one gets it. *claimed: out.
 * Not collective. Fails: COH_E_IO. */
coh_status coh_file_claim(const char *path, bool *claimed);

/* ---- one folder ----------------------------------------------------------------------- */

typedef struct coh_folder coh_folder;

/* Start a folder that appears under its name all at once: makes "X.tmp-PID-N" beside X. Missing
 * parents are made. Not collective (one rank begins and commits; others may write into
 * coh_folder_path meanwhile). Fails: COH_E_IO. */
coh_status coh_folder_begin(const char *path, coh_folder **folder);

/* Where to write until then. Borrowed. */
const char *coh_folder_path(const coh_folder *folder);

/* fsync every file and folder inside, rename to the final name (replacing an older folder of
 * that name, which is then removed), fsync the parent. On failure the temporary folder is
 * removed and the old one stays. Releases the object either way. Fails: COH_E_IO. */
coh_status coh_folder_commit(coh_folder **folder);

/* Give up: remove the temporary folder and all in it. Accepts NULL, sets NULL. */
void coh_folder_discard(coh_folder **folder);

/* Make a folder and its parents; a folder that exists is fine. Fails: COH_E_IO. */
coh_status coh_folder_make(const char *path);

/* Remove a folder and all in it, without following links; one that is absent is fine.
 * Fails: COH_E_IO. */
coh_status coh_folder_remove(const char *path);

/* Remove the ".tmp-" leftovers of killed runs directly inside a folder. Only for a folder that
 * nobody else writes to. Fails: COH_E_IO. */
coh_status coh_folder_sweep(const char *path);

#endif
