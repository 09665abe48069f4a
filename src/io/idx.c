/* IDX files: two zeros, a type, a rank, big-endian sides, big-endian data; maybe gzipped. */
#include "io/idx.h"

#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "io/array.h"
#include "io/file.h"

static coh_status type_of(const char *name, uint8_t code, coh_dtype *dtype) {
  switch (code) {
  case 0x08:
    *dtype = COH_DTYPE_U8;
    return COH_OK;
  case 0x09:
    *dtype = COH_DTYPE_I8;
    return COH_OK;
  case 0x0B:
    *dtype = COH_DTYPE_I16;
    return COH_OK;
  case 0x0C:
    *dtype = COH_DTYPE_I32;
    return COH_OK;
  case 0x0D:
    *dtype = COH_DTYPE_F32;
    return COH_OK;
  case 0x0E:
    *dtype = COH_DTYPE_F64;
    return COH_OK;
  default:
    return coh_fail(COH_E_DATA, "%s: IDX type 0x%02X is unknown", name, code);
  }
}

// copy big-endian elements to the machine's order (x86 and ARM: little-endian)
static void copy_swapped(uint8_t *to, const uint8_t *from, size_t n_bytes, size_t size) {
  for (size_t i = 0; i < n_bytes; i += size)
    for (size_t k = 0; k < size; k++)
      to[i + k] = from[i + size - 1 - k];
}

coh_status coh_idx_parse_header(const char *name, const uint8_t *bytes, size_t n_bytes,
                                coh_array *shape, size_t *start) {
  COH_CHECK(n_bytes >= 4 && bytes[0] == 0 && bytes[1] == 0, COH_E_DATA,
            "%s: is not an IDX file", name);
  coh_array made = {.n_dims = bytes[3]};
  COH_TRY(type_of(name, bytes[2], &made.dtype));
  COH_CHECK(made.n_dims >= 1 && made.n_dims <= COH_MAX_DIMS, COH_E_DATA,
            "%s: has %d dimensions; 1 to %d are read", name, made.n_dims, COH_MAX_DIMS);
  size_t header = 4 + 4 * (size_t)made.n_dims, needed = 0;
  COH_CHECK(n_bytes >= header, COH_E_DATA, "%s: ends within the IDX header", name);
  for (int i = 0; i < made.n_dims; i++)
    made.shape[i] = coh_read_be32(bytes + 4 + 4 * i);
  COH_CHECK(coh_array_size(&made, &needed) && needed == n_bytes - header, COH_E_DATA,
            "%s: holds %zu bytes of data, its shape needs %zu", name, n_bytes - header, needed);
  *shape = made;
  *start = header;
  return COH_OK;
}

bool coh_idx_is_gzip(const uint8_t *bytes, size_t n_bytes) {
  return n_bytes >= 2 && bytes[0] == 0x1F && bytes[1] == 0x8B;
}

static coh_status parse(const char *name, const uint8_t *bytes, size_t n_bytes,
                        coh_array *array) {
  coh_array made;
  size_t start;
  COH_TRY(coh_idx_parse_header(name, bytes, n_bytes, &made, &start));
  COH_TRY(coh_array_allocate(name, &made));
  copy_swapped(made.data, bytes + start, n_bytes - start, coh_dtype_bytes(made.dtype));
  *array = made;
  return COH_OK;
}

// inflate a gzip file into a block that doubles up to max_bytes
static coh_status gunzip(const char *name, const char *packed, size_t n_packed,
                         size_t max_bytes, uint8_t **data, size_t *n_bytes) {
  COH_CHECK(n_packed < UINT32_MAX, COH_E_DATA, "%s: gzip files over 4 GiB are not read", name);
  z_stream stream = {.next_in = (z_const Bytef *)packed, .avail_in = (uInt)n_packed};
  COH_CHECK(inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK, COH_E_MEMORY,
            "out of memory: inflate");
  size_t capacity = 1 << 16, made = 0;
  uint8_t *block = coh_alloc_array(capacity, 1);
  int result = block ? Z_OK : Z_MEM_ERROR;
  while (result == Z_OK) {
    if (made == capacity) {
      size_t wider = capacity * 2 < max_bytes ? capacity * 2 : max_bytes;
      uint8_t *grown = wider > capacity ? coh_alloc_resize(block, made, wider, 1) : NULL;
      if (!grown) {
        result = wider > capacity ? Z_MEM_ERROR : Z_BUF_ERROR;
        break;
      }
      block = grown;
      capacity = wider;
    }
    size_t room = capacity - made < 1u << 30 ? capacity - made : 1u << 30;
    stream.next_out = block + made;
    stream.avail_out = (uInt)room;
    result = inflate(&stream, Z_NO_FLUSH);
    made += room - stream.avail_out;
  }
  bool whole = result == Z_STREAM_END && stream.avail_in == 0;
  inflateEnd(&stream);
  if (whole) {
    *data = block;
    *n_bytes = made;
    return COH_OK;
  }
  coh_free(block);
  COH_CHECK(result != Z_MEM_ERROR, COH_E_MEMORY, "%s: out of memory while inflating", name);
  return coh_fail(COH_E_DATA, "%s: the gzip data is damaged, cut off, or over %zu bytes", name,
                  max_bytes);
}

coh_status coh_idx_read(const char *path, size_t max_bytes, coh_array *array) {
  char *bytes;
  size_t n_bytes, n_inflated = 0;
  size_t most = max_bytes < SIZE_MAX / 2 ? max_bytes + 64 : max_bytes; // and a header
  COH_TRY(coh_file_load(path, most, &bytes, &n_bytes));
  coh_status status;
  if (coh_idx_is_gzip((const uint8_t *)bytes, n_bytes)) {
    uint8_t *inflated = NULL;
    status = gunzip(path, bytes, n_bytes, most, &inflated, &n_inflated);
    if (status == COH_OK) {
      status = parse(path, inflated, n_inflated, array);
      coh_free(inflated);
    }
  } else {
    status = parse(path, (const uint8_t *)bytes, n_bytes, array);
  }
  coh_free(bytes);
  return status;
}
