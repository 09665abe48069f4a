/* Arrays used in place: the file is mapped read-only, so nothing is copied, ranks of one node
 * share the pages, and an array may be larger than memory. The file must not be shortened while
 * it is mapped (reading beyond the new end would end the process). */
#ifndef COHORT_IO_MAP_H
#define COHORT_IO_MAP_H

#include "cohort/io.h"

/* A mapped file; the zero struct is none. */
typedef struct coh_map {
  void *start;
  size_t n_bytes;
} coh_map;

/* Map a whole file, checked to be ordinary and not empty. Not collective. map: out; caller
 * closes. Fails: COH_E_DATA. */
coh_status coh_map_open(const char *path, coh_map *map);
void coh_map_close(coh_map *map);

/* n_bytes of zeros to read and write, in a file without a name in a folder: pages that memory
 * has no room for go to its disk and come back. The room is taken at once, so a full disk shows
 * here. Not collective. map: out; caller closes, which is the end of the file. Fails: COH_E_IO.
 */
coh_status coh_map_scratch(const char *folder, size_t n_bytes, coh_map *map);

/* Map an .npy file, or an IDX file of bytes; what cannot be used in place (Fortran order,
 * unaligned data, gzip, big-endian numbers) is read instead. Not collective. map: out, none
 * where the array was read. array: out; its data lies in the map (borrowed from it), or is the
 * caller's to clear where there is none. max_bytes: of data that is read.
 * Fails: as coh_npy_read and coh_idx_read. */
coh_status coh_npy_map(const char *path, coh_map *map, coh_array *array);
coh_status coh_idx_map(const char *path, size_t max_bytes, coh_map *map, coh_array *array);

#endif
