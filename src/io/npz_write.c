/* Writing NPZ: local header and data of each member, then the central directory.
 * Dates are fixed, so that equal arrays give equal files. */
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "io/array.h"
#include "io/file.h"
#include "io/npz.h"

enum { LOCAL_BYTES = 30, CENTRAL_BYTES = 46, END_BYTES = 22, JANUARY_1980 = 0x21 };

typedef struct zip_writer {
  const char *path;
  coh_file *file;
  coh_text directory;
  int64_t n_members;
} zip_writer;

typedef struct entry {
  uint32_t crc;
  size_t packed, unpacked;
  uint8_t *deflated; // NULL: stored
} entry;

// the 26 bytes that local headers and directory entries have in common
static void put_common(uint8_t *p, const entry *e, size_t name_bytes) {
  coh_write_le16(p, 20);
  coh_write_le16(p + 4, e->deflated ? 8 : 0);
  coh_write_le16(p + 8, JANUARY_1980);
  coh_write_le32(p + 10, e->crc);
  coh_write_le32(p + 14, (uint32_t)e->packed);
  coh_write_le32(p + 18, (uint32_t)e->unpacked);
  coh_write_le16(p + 22, (uint32_t)name_bytes);
}

static coh_status deflate_entry(const coh_text *header, const coh_array *array, size_t n_bytes,
                                entry *e) {
  z_stream stream = {0};
  COH_CHECK(deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK,
            COH_E_MEMORY, "out of memory: deflate");
  size_t capacity = deflateBound(&stream, (uLong)e->unpacked) + 64;
  e->deflated = coh_alloc_array(capacity, 1);
  if (!e->deflated || capacity > UINT32_MAX) {
    deflateEnd(&stream);
    return coh_fail(COH_E_MEMORY, "out of memory: %zu bytes to deflate", capacity);
  }
  stream.next_out = e->deflated;
  stream.avail_out = (uInt)capacity;
  stream.next_in = (z_const Bytef *)header->data;
  stream.avail_in = (uInt)header->n_bytes;
  int result = deflate(&stream, Z_NO_FLUSH);
  stream.next_in = array->data;
  stream.avail_in = (uInt)n_bytes;
  if (result == Z_OK || result == Z_BUF_ERROR) result = deflate(&stream, Z_FINISH);
  e->packed = (size_t)stream.total_out;
  deflateEnd(&stream);
  COH_CHECK(result == Z_STREAM_END, COH_E_INTERNAL, "deflate failed with %d", result);
  return COH_OK;
}

static coh_status put_member(zip_writer *zip, const coh_npz_member *m, const coh_text *header,
                             size_t n_bytes, const entry *e) {
  char name[1024];
  size_t name_bytes = strlen(m->name) + 4;
  COH_CHECK(name_bytes < sizeof name, COH_E_INTERNAL, "%s: the name %s is too long", zip->path,
            m->name);
  memcpy(name, m->name, name_bytes - 4);
  memcpy(name + name_bytes - 4, ".npy", 4);
  int64_t offset = coh_file_position(zip->file);
  COH_CHECK(offset + (int64_t)e->packed < (int64_t)UINT32_MAX - (1 << 20), COH_E_DATA,
            "%s: an NPZ of 4 GiB or more is not written; use one NPY file an array", zip->path);

  uint8_t local[LOCAL_BYTES] = {'P', 'K', 3, 4}, central[CENTRAL_BYTES] = {'P', 'K', 1, 2, 20};
  put_common(local + 4, e, name_bytes);
  put_common(central + 6, e, name_bytes);
  coh_write_le32(central + 42, (uint32_t)offset);
  coh_text_add_bytes(&zip->directory, (const char *)central, sizeof central);
  coh_text_add_bytes(&zip->directory, name, name_bytes);
  zip->n_members++;

  COH_TRY(coh_file_write(zip->file, local, sizeof local));
  COH_TRY(coh_file_write(zip->file, name, name_bytes));
  if (e->deflated) return coh_file_write(zip->file, e->deflated, e->packed);
  COH_TRY(coh_file_write(zip->file, header->data, header->n_bytes));
  return coh_file_write(zip->file, m->array.data, n_bytes);
}

static coh_status add_member(zip_writer *zip, const coh_npz_member *m, bool deflated) {
  coh_text header = {0};
  size_t n_bytes = 0;
  COH_CHECK(coh_array_size(&m->array, &n_bytes) && n_bytes < UINT32_MAX - (1 << 20), COH_E_DATA,
            "%s: %s is too large for an NPZ member", zip->path, m->name);
  coh_status status = coh_npy_compose_header(m->name, &m->array, &header);
  entry e = {0};
  if (status == COH_OK) {
    e.unpacked = e.packed = header.n_bytes + n_bytes;
    uLong crc = crc32_z(0, (const Bytef *)header.data, header.n_bytes);
    e.crc = (uint32_t)crc32_z(crc, n_bytes ? m->array.data : (const void *)"", n_bytes);
    if (deflated) status = deflate_entry(&header, &m->array, n_bytes, &e);
  }
  if (status == COH_OK) status = put_member(zip, m, &header, n_bytes, &e);
  coh_free(e.deflated);
  coh_text_clear(&header);
  return status;
}

static coh_status put_end(zip_writer *zip) {
  COH_CHECK(!zip->directory.failed, COH_E_MEMORY, "%s: out of memory", zip->path);
  uint8_t end[END_BYTES] = {'P', 'K', 5, 6};
  coh_write_le16(end + 8, (uint32_t)zip->n_members);
  coh_write_le16(end + 10, (uint32_t)zip->n_members);
  coh_write_le32(end + 12, (uint32_t)zip->directory.n_bytes);
  coh_write_le32(end + 16, (uint32_t)coh_file_position(zip->file));
  COH_TRY(coh_file_write(zip->file, zip->directory.data, zip->directory.n_bytes));
  return coh_file_write(zip->file, end, sizeof end);
}

coh_status coh_npz_write(const char *path, const coh_npz_member *members, int64_t n_members,
                         bool deflated) {
  COH_CHECK(n_members >= 0 && n_members <= 4096, COH_E_INTERNAL,
            "%s: %lld members are too many", path, (long long)n_members);
  zip_writer zip = {.path = path};
  COH_TRY(coh_file_create(path, &zip.file));
  coh_status status = COH_OK;
  for (int64_t i = 0; i < n_members && status == COH_OK; i++)
    status = add_member(&zip, &members[i], deflated);
  if (status == COH_OK) status = put_end(&zip);
  coh_text_clear(&zip.directory);
  if (status == COH_OK) return coh_file_commit(&zip.file, NULL, NULL);
  coh_file_discard(&zip.file);
  return status;
}
