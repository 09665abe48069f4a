/* What the array formats share: sizes without overflow, NPY headers, byte order. */
#ifndef COHORT_IO_ARRAY_H
#define COHORT_IO_ARRAY_H

#include <stdbool.h>

#include "base/text.h"
#include "cohort/io.h"

/* Bytes of an array by its shape; false when a side is negative or the product overflows. */
bool coh_array_size(const coh_array *array, size_t *n_bytes);

/* Allocate data for the shape. Fails: COH_E_MEMORY, COH_E_DATA for an absurd shape. */
coh_status coh_array_allocate(const char *name, coh_array *array);

/* An NPY file's start: what follows it is the data. */
typedef struct coh_npy_header {
  coh_array shape; /* without data; dims reversed where the file is in Fortran order */
  bool fortran;
  size_t n_bytes; /* of the header, magic included */
} coh_npy_header;

enum { COH_NPY_MAX_HEADER = 1 << 16 };

/* Parse the first n_bytes of a file. name: stands in messages. Fails: COH_E_DATA. */
coh_status coh_npy_parse_header(const char *name, const uint8_t *bytes, size_t n_bytes,
                                coh_npy_header *header);

/* Compose the header of an array (format 1.0, a multiple of 64 bytes). Fails: COH_E_DATA for a
 * type that NPY does not have. */
coh_status coh_npy_compose_header(const char *name, const coh_array *array, coh_text *text);

/* Turn data read in Fortran order to row-major, and the shape with it. Fails: COH_E_MEMORY. */
coh_status coh_npy_reorder(coh_array *array);

/* Numbers in files. */
static inline uint16_t coh_read_le16(const uint8_t *p) {
  return (uint16_t)(p[0] | p[1] << 8);
}
static inline uint32_t coh_read_le32(const uint8_t *p) {
  return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t coh_read_le64(const uint8_t *p) {
  return (uint64_t)coh_read_le32(p) | (uint64_t)coh_read_le32(p + 4) << 32;
}
static inline uint32_t coh_read_be32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | (uint32_t)p[3];
}
static inline void coh_write_le16(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)v;
  p[1] = (uint8_t)(v >> 8);
}
static inline void coh_write_le32(uint8_t *p, uint32_t v) {
  coh_write_le16(p, v);
  coh_write_le16(p + 2, v >> 16);
}
static inline void coh_write_le64(uint8_t *p, uint64_t v) {
  coh_write_le32(p, (uint32_t)v);
  coh_write_le32(p + 4, (uint32_t)(v >> 32));
}
static inline void coh_write_be32(uint8_t *p, uint32_t v) {
  p[0] = (uint8_t)(v >> 24);
  p[1] = (uint8_t)(v >> 16);
  p[2] = (uint8_t)(v >> 8);
  p[3] = (uint8_t)v;
}

#endif
