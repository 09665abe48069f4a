/* Reading NPZ: a ZIP archive, walked by its central directory.
 * Every offset and size is checked against the file before use; a member's size is bounded by
 * the caller before it is inflated. Source: PKWARE APPNOTE 6.3 (formats only), zlib. */
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "io/array.h"
#include "io/file_name.h"
#include "io/npz.h"

enum {
  MAX_MEMBERS = 4096,
  MAX_NAME = 1024,
  END_BYTES = 22,
  LOCATOR_BYTES = 20,
  END64_BYTES = 56,
  CENTRAL_BYTES = 46,
  LOCAL_BYTES = 30,
  MAX_DIRECTORY = 16 << 20
};

typedef struct archive {
  const char *path;
  int descriptor;
  int64_t size;
  uint8_t *directory;
  size_t directory_bytes;
  int64_t n_members;
} archive;

typedef struct member {
  const uint8_t *name;
  size_t name_bytes;
  int method;
  uint32_t crc;
  uint64_t packed, unpacked, offset;
} member;

#define CHECK(condition, what) \
  COH_CHECK(condition, COH_E_DATA, "%s: is not a sound NPZ archive: %s", zip->path, what)

static coh_status read_at(const archive *zip, uint64_t offset, void *data, size_t n_bytes) {
  CHECK(offset <= (uint64_t)zip->size && n_bytes <= (uint64_t)zip->size - offset,
        "an offset points beyond its end");
  return coh_name_read(zip->path, zip->descriptor, (int64_t)offset, data, n_bytes);
}

// the end record stands last, but for a comment of up to 65,535 bytes
static coh_status find_end(const archive *zip, uint8_t end[END_BYTES], int64_t *at) {
  int64_t most = zip->size < END_BYTES + 65535 ? zip->size : END_BYTES + 65535;
  CHECK(most >= END_BYTES, "too short");
  uint8_t *tail;
  COH_NEW(tail, most);
  coh_status status = read_at(zip, (uint64_t)(zip->size - most), tail, (size_t)most);
  *at = -1;
  for (int64_t i = most - END_BYTES; status == COH_OK && i >= 0 && *at < 0; i--) {
    if (coh_read_le32(tail + i) != 0x06054b50) continue;
    if (i + END_BYTES + coh_read_le16(tail + i + 20) != most) continue;
    memcpy(end, tail + i, END_BYTES);
    *at = zip->size - most + i;
  }
  coh_free(tail);
  COH_TRY(status);
  CHECK(*at >= 0, "no end record");
  return COH_OK;
}

static coh_status read_directory(archive *zip) {
  uint8_t end[END_BYTES] = {0}, locator[LOCATOR_BYTES], end64[END64_BYTES];
  int64_t at = -1;
  COH_TRY(find_end(zip, end, &at));
  uint64_t n = coh_read_le16(end + 10), bytes = coh_read_le32(end + 12);
  uint64_t offset = coh_read_le32(end + 16);
  if ((n == 0xFFFF || bytes == 0xFFFFFFFF || offset == 0xFFFFFFFF) && at >= LOCATOR_BYTES) {
    COH_TRY(read_at(zip, (uint64_t)at - LOCATOR_BYTES, locator, sizeof locator));
    CHECK(coh_read_le32(locator) == 0x07064b50, "no ZIP64 locator");
    COH_TRY(read_at(zip, coh_read_le64(locator + 8), end64, sizeof end64));
    CHECK(coh_read_le32(end64) == 0x06064b50, "no ZIP64 end record");
    n = coh_read_le64(end64 + 32);
    bytes = coh_read_le64(end64 + 40);
    offset = coh_read_le64(end64 + 48);
  }
  CHECK(n <= MAX_MEMBERS && bytes <= MAX_DIRECTORY, "too many members");
  CHECK(offset <= (uint64_t)zip->size && bytes <= (uint64_t)zip->size - offset,
        "the directory lies beyond its end");
  COH_NEW(zip->directory, bytes);
  zip->directory_bytes = (size_t)bytes;
  zip->n_members = (int64_t)n;
  return read_at(zip, offset, zip->directory, (size_t)bytes);
}

// replace sizes that are all ones by those of the ZIP64 field
static bool widen(const uint8_t *extra, size_t n_bytes, member *m) {
  uint64_t *fields[3] = {&m->unpacked, &m->packed, &m->offset};
  while (n_bytes >= 4) {
    size_t length = coh_read_le16(extra + 2);
    if (length > n_bytes - 4) return false;
    if (coh_read_le16(extra) == 1) {
      const uint8_t *from = extra + 4, *to = from + length;
      for (int i = 0; i < 3; i++) {
        if (*fields[i] != 0xFFFFFFFF) continue;
        if (to - from < 8) return false;
        *fields[i] = coh_read_le64(from);
        from += 8;
      }
      return true;
    }
    extra += 4 + length;
    n_bytes -= 4 + length;
  }
  return true;
}

static coh_status read_entry(const archive *zip, size_t *at, member *m) {
  size_t left = zip->directory_bytes - *at;
  const uint8_t *p = zip->directory + *at;
  CHECK(left >= CENTRAL_BYTES && coh_read_le32(p) == 0x02014b50,
        "a directory entry is damaged");
  size_t name = coh_read_le16(p + 28), extra = coh_read_le16(p + 30);
  size_t total = CENTRAL_BYTES + name + extra + coh_read_le16(p + 32);
  CHECK(total <= left && name > 0 && name < MAX_NAME, "a directory entry is damaged");
  CHECK((coh_read_le16(p + 8) & 1) == 0, "it is encrypted");
  *m = (member){.name = p + CENTRAL_BYTES,
                .name_bytes = name,
                .method = coh_read_le16(p + 10),
                .crc = coh_read_le32(p + 16),
                .packed = coh_read_le32(p + 20),
                .unpacked = coh_read_le32(p + 24),
                .offset = coh_read_le32(p + 42)};
  CHECK(m->method == 0 || m->method == 8, "its compression is neither stored nor deflated");
  CHECK(widen(p + CENTRAL_BYTES + name, extra, m), "a ZIP64 field is damaged");
  CHECK(memchr(m->name, 0, name) == NULL, "a name holds a NUL byte");
  *at += total;
  return COH_OK;
}

static coh_status inflate_member(const archive *zip, const uint8_t *packed, size_t n_packed,
                                 uint8_t *data, size_t n_bytes) {
  z_stream stream = {0};
  COH_CHECK(inflateInit2(&stream, -MAX_WBITS) == Z_OK, COH_E_MEMORY, "out of memory: inflate");
  size_t taken = 0, made = 0;
  int result = Z_OK;
  // zlib counts in 32 bits; a round without progress is Z_BUF_ERROR
  while (result == Z_OK) {
    uInt in = n_packed - taken < 1u << 30 ? (uInt)(n_packed - taken) : 1u << 30;
    uInt out = n_bytes - made < 1u << 30 ? (uInt)(n_bytes - made) : 1u << 30;
    stream.next_in = (z_const Bytef *)(packed + taken);
    stream.avail_in = in;
    stream.next_out = data + made;
    stream.avail_out = out;
    result = inflate(&stream, Z_NO_FLUSH);
    taken += in - stream.avail_in;
    made += out - stream.avail_out;
  }
  inflateEnd(&stream);
  CHECK(result == Z_STREAM_END && taken == n_packed && made == n_bytes,
        "a member does not inflate to its size");
  return COH_OK;
}

static coh_status read_member(const archive *zip, const member *m, uint8_t *data) {
  uint8_t local[LOCAL_BYTES];
  COH_TRY(read_at(zip, m->offset, local, sizeof local));
  CHECK(coh_read_le32(local) == 0x04034b50, "a member is not where the directory says");
  uint64_t start =
      m->offset + LOCAL_BYTES + coh_read_le16(local + 26) + coh_read_le16(local + 28);
  CHECK(start <= (uint64_t)zip->size && m->packed <= (uint64_t)zip->size - start,
        "a member reaches beyond its end");
  if (m->method == 0) {
    CHECK(m->packed == m->unpacked, "a stored member has two sizes");
    COH_TRY(read_at(zip, start, data, (size_t)m->unpacked));
  } else {
    uint8_t *packed;
    COH_NEW(packed, m->packed);
    coh_status status = read_at(zip, start, packed, (size_t)m->packed);
    if (status == COH_OK)
      status = inflate_member(zip, packed, (size_t)m->packed, data, (size_t)m->unpacked);
    coh_free(packed);
    COH_TRY(status);
  }
  CHECK(crc32_z(0, data, (z_size_t)m->unpacked) == m->crc, "a member's CRC-32 does not match");
  return COH_OK;
}

static coh_status to_array(const archive *zip, const uint8_t *data, size_t n_bytes,
                           coh_array *array) {
  coh_npy_header header;
  COH_TRY(coh_npy_parse_header(zip->path, data, n_bytes, &header));
  size_t needed;
  coh_array made = header.shape;
  CHECK(coh_array_size(&made, &needed) && needed == n_bytes - header.n_bytes,
        "a member's data does not fit its shape");
  COH_TRY(coh_array_allocate(zip->path, &made));
  memcpy(made.data, data + header.n_bytes, needed);
  coh_status status = header.fortran ? coh_npy_reorder(&made) : COH_OK;
  if (status == COH_OK)
    *array = made;
  else
    coh_array_clear(&made);
  return status;
}

static coh_status load_member(const archive *zip, const member *m, coh_npz_member *out) {
  size_t n = m->name_bytes;
  CHECK(n > 4 && memcmp(m->name + n - 4, ".npy", 4) == 0, "a member is not an NPY file");
  COH_NEW(out->name, n - 3);
  memcpy(out->name, m->name, n - 4);
  uint8_t *data;
  COH_NEW(data, m->unpacked);
  coh_status status = read_member(zip, m, data);
  if (status == COH_OK) status = to_array(zip, data, (size_t)m->unpacked, &out->array);
  coh_free(data);
  return status;
}

static coh_status load_all(archive *zip, size_t max_bytes, coh_npz *npz) {
  COH_TRY(read_directory(zip));
  COH_NEW(npz->member, zip->n_members);
  size_t at = 0, left = max_bytes;
  for (int64_t i = 0; i < zip->n_members; i++) {
    member m = {0};
    COH_TRY(read_entry(zip, &at, &m));
    COH_CHECK(m.unpacked <= left, COH_E_DATA, "%s: holds more than %zu bytes", zip->path,
              max_bytes);
    // deflate shrinks by 1,032 at most: a smaller member cannot be honest
    CHECK(m.packed <= (uint64_t)zip->size && m.unpacked / 1040 <= m.packed,
          "a member's size is not possible");
    left -= (size_t)m.unpacked;
    npz->n_members = i + 1; // so that clearing finds what a failure leaves
    COH_TRY(load_member(zip, &m, &npz->member[i]));
  }
  CHECK(at == zip->directory_bytes, "its directory has more entries than it says");
  return COH_OK;
}

coh_status coh_npz_read(const char *path, size_t max_bytes, coh_npz *npz) {
  archive zip = {.path = path};
  coh_npz made = {0};
  COH_TRY(coh_name_open(path, &zip.descriptor, &zip.size));
  coh_status status = load_all(&zip, max_bytes, &made);
  close(zip.descriptor);
  coh_free(zip.directory);
  if (status == COH_OK)
    *npz = made;
  else
    coh_npz_clear(&made);
  return status;
}

const coh_array *coh_npz_find(const coh_npz *npz, const char *name) {
  for (int64_t i = 0; i < npz->n_members; i++)
    if (strcmp(npz->member[i].name, name) == 0) return &npz->member[i].array;
  return NULL;
}

void coh_npz_clear(coh_npz *npz) {
  for (int64_t i = 0; i < npz->n_members; i++) {
    coh_free(npz->member[i].name);
    coh_array_clear(&npz->member[i].array);
  }
  coh_free(npz->member);
  *npz = (coh_npz){0};
}
