/* NPY files: a magic, a Python dictionary literal, raw data.
 * The literal is read by a parser of just the form that NumPy writes, in any order of keys.
 * Source: NEP 1, "A Simple File Format for NumPy Arrays". */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/array.h"
#include "io/file.h"
#include "io/file_name.h"

static const char magic[6] = {(char)0x93, 'N', 'U', 'M', 'P', 'Y'};

static const char *const codes[COH_N_DTYPES] = {
    [COH_DTYPE_F32] = "f4", [COH_DTYPE_F64] = "f8", [COH_DTYPE_F16] = "f2",
    [COH_DTYPE_I8] = "i1",  [COH_DTYPE_I16] = "i2", [COH_DTYPE_I32] = "i4",
    [COH_DTYPE_I64] = "i8", [COH_DTYPE_U8] = "u1",  [COH_DTYPE_U16] = "u2",
    [COH_DTYPE_U32] = "u4", [COH_DTYPE_U64] = "u8", [COH_DTYPE_BOOL] = "b1"};

// ---- the header ---------------------------------------------------------------------------

typedef struct literal {
  const char *at, *end;
} literal;

static void skip_blanks(literal *l) {
  while (l->at < l->end && (*l->at == ' ' || *l->at == '\n' || *l->at == '\t'))
    l->at++;
}

static bool take(literal *l, const char *token) {
  skip_blanks(l);
  size_t n = strlen(token);
  if ((size_t)(l->end - l->at) < n || memcmp(l->at, token, n) != 0) return false;
  l->at += n;
  return true;
}

static bool take_descr(literal *l, coh_array *shape) {
  if (!take(l, "'") || l->end - l->at < 4) return false;
  char order = l->at[0];
  for (int i = 0; i < COH_N_DTYPES; i++) {
    if (!codes[i] || memcmp(l->at + 1, codes[i], 2) != 0) continue;
    bool single = codes[i][1] == '1';
    if (order != (single ? '|' : '<') && !(single && (order == '<' || order == '>')))
      return false;
    shape->dtype = (coh_dtype)i;
    l->at += 3;
    return take(l, "'");
  }
  return false;
}

static bool take_side(literal *l, int64_t *side) {
  skip_blanks(l);
  int64_t value = 0;
  const char *from = l->at;
  for (; l->at < l->end && *l->at >= '0' && *l->at <= '9'; l->at++)
    if (__builtin_mul_overflow(value, 10, &value) ||
        __builtin_add_overflow(value, *l->at - '0', &value))
      return false;
  *side = value;
  return l->at > from;
}

static bool take_shape(literal *l, coh_array *shape) {
  if (!take(l, "(")) return false;
  shape->n_dims = 0;
  if (take(l, ")")) return true;
  for (;;) {
    if (shape->n_dims == COH_MAX_DIMS || !take_side(l, &shape->shape[shape->n_dims]))
      return false;
    shape->n_dims++;
    bool comma = take(l, ",");
    if (take(l, ")")) return comma || shape->n_dims > 1; // "(3)" is a number, not a tuple
    if (!comma) return false;
  }
}

static bool take_dictionary(literal *l, coh_npy_header *header) {
  bool descr = false, order = false, shape = false;
  if (!take(l, "{")) return false;
  while (!take(l, "}")) {
    if (!descr && take(l, "'descr'")) {
      descr = true;
      if (!take(l, ":") || !take_descr(l, &header->shape)) return false;
    } else if (!order && take(l, "'fortran_order'")) {
      order = true;
      if (!take(l, ":")) return false;
      header->fortran = take(l, "True");
      if (!header->fortran && !take(l, "False")) return false;
    } else if (!shape && take(l, "'shape'")) {
      shape = true;
      if (!take(l, ":") || !take_shape(l, &header->shape)) return false;
    } else {
      return false;
    }
    if (take(l, ",")) continue;
    if (!take(l, "}")) return false;
    break;
  }
  skip_blanks(l);
  return descr && order && shape && l->at == l->end;
}

coh_status coh_npy_parse_header(const char *name, const uint8_t *bytes, size_t n_bytes,
                                coh_npy_header *header) {
  COH_CHECK(n_bytes >= 10 && memcmp(bytes, magic, sizeof magic) == 0, COH_E_DATA,
            "%s: is not an NPY file", name);
  int version = bytes[6];
  COH_CHECK(version >= 1 && version <= 3 && bytes[7] == 0, COH_E_DATA,
            "%s: NPY version %d.%d is unknown", name, version, bytes[7]);
  size_t start = version == 1 ? 10 : 12;
  COH_CHECK(n_bytes >= start, COH_E_DATA, "%s: ends within the NPY header", name);
  size_t length = version == 1 ? coh_read_le16(bytes + 8) : coh_read_le32(bytes + 8);
  COH_CHECK(length <= n_bytes - start, COH_E_DATA,
            "%s: its NPY header of %zu bytes is cut off or too long", name, length);
  literal l = {(const char *)bytes + start, (const char *)bytes + start + length};
  coh_npy_header parsed = {.n_bytes = start + length};
  COH_CHECK(take_dictionary(&l, &parsed), COH_E_DATA,
            "%s: the NPY header is not one of a plain little-endian array (at byte %td)", name,
            l.at - (const char *)bytes);
  size_t data_bytes;
  COH_CHECK(coh_array_size(&parsed.shape, &data_bytes), COH_E_DATA,
            "%s: the shape in the NPY header is not possible", name);
  *header = parsed;
  return COH_OK;
}

coh_status coh_npy_compose_header(const char *name, const coh_array *array, coh_text *text) {
  COH_CHECK((unsigned)array->dtype < COH_N_DTYPES && codes[array->dtype], COH_E_DATA,
            "%s: NPY has no such element type", name);
  const char *code = codes[array->dtype];
  coh_text_add_bytes(text, magic, sizeof magic);
  coh_text_add_bytes(text, "\1\0\0\0", 4);
  coh_text_add(text, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
               code[1] == '1' ? '|' : '<', code);
  for (int i = 0; i < array->n_dims; i++)
    coh_text_add(text, "%s%" PRId64 "%s", i ? " " : "", array->shape[i],
                 i == 0 || i + 1 < array->n_dims ? "," : "");
  coh_text_add(text, "), }");
  while (!text->failed && text->n_bytes % 64 != 63)
    coh_text_add_bytes(text, " ", 1);
  coh_text_add_bytes(text, "\n", 1);
  COH_CHECK(!text->failed, COH_E_MEMORY, "%s: out of memory for the NPY header", name);
  coh_write_le16((uint8_t *)text->data + 8, (uint32_t)(text->n_bytes - 10));
  return COH_OK;
}

// ---- data ---------------------------------------------------------------------------------

coh_status coh_npy_reorder(coh_array *array) {
  coh_array ordered = *array;
  COH_TRY(coh_array_allocate("array", &ordered));
  size_t size = coh_dtype_bytes(array->dtype);
  int64_t count = coh_array_count(array), index[COH_MAX_DIMS] = {0}, stride[COH_MAX_DIMS];
  int64_t step = 1;
  for (int i = 0; i < array->n_dims; step *= array->shape[i], i++)
    stride[i] = step;
  const uint8_t *from = array->data;
  uint8_t *to = ordered.data;
  // count through the row-major index, last dimension fastest
  for (int64_t k = 0; k < count; k++) {
    int64_t at = 0;
    for (int i = 0; i < array->n_dims; i++)
      at += index[i] * stride[i];
    memcpy(to + (size_t)k * size, from + (size_t)at * size, size);
    for (int i = array->n_dims - 1; i >= 0 && ++index[i] == array->shape[i]; i--)
      index[i] = 0;
  }
  coh_array_clear(array);
  *array = ordered;
  return COH_OK;
}

static coh_status read_data(const char *path, int descriptor, int64_t size,
                            const coh_npy_header *header, coh_array *array) {
  size_t n_bytes;
  coh_array made = header->shape;
  COH_CHECK(coh_array_size(&made, &n_bytes) && n_bytes == (size_t)size - header->n_bytes,
            COH_E_DATA, "%s: holds %zu bytes of data, its shape needs %zu", path,
            (size_t)size - header->n_bytes, n_bytes);
  COH_TRY(coh_array_allocate(path, &made));
  coh_status status =
      coh_name_read(path, descriptor, (int64_t)header->n_bytes, made.data, n_bytes);
  if (status == COH_OK && header->fortran) status = coh_npy_reorder(&made);
  if (status != COH_OK) {
    coh_array_clear(&made);
    return status;
  }
  *array = made;
  return COH_OK;
}

static coh_status read_open(const char *path, int descriptor, int64_t size, coh_array *array) {
  uint8_t *start;
  size_t n = size < COH_NPY_MAX_HEADER ? (size_t)size : COH_NPY_MAX_HEADER;
  COH_NEW(start, n);
  coh_npy_header header;
  coh_status status = coh_name_read(path, descriptor, 0, start, n);
  if (status == COH_OK) status = coh_npy_parse_header(path, start, n, &header);
  coh_free(start);
  COH_TRY(status);
  return read_data(path, descriptor, size, &header, array);
}

coh_status coh_npy_read(const char *path, coh_array *array) {
  int descriptor;
  int64_t size;
  COH_TRY(coh_name_open(path, &descriptor, &size));
  coh_status status = read_open(path, descriptor, size, array);
  close(descriptor);
  return status;
}

coh_status coh_npy_write(const char *path, const coh_array *array) {
  size_t n_bytes;
  COH_CHECK(coh_array_size(array, &n_bytes), COH_E_INTERNAL, "%s: the shape is not possible",
            path);
  coh_text header = {0};
  coh_file *file = NULL;
  coh_status status = coh_npy_compose_header(path, array, &header);
  if (status == COH_OK) status = coh_file_create(path, &file);
  if (status == COH_OK) status = coh_file_write(file, header.data, header.n_bytes);
  if (status == COH_OK) status = coh_file_write(file, array->data, n_bytes);
  coh_text_clear(&header);
  if (status == COH_OK) return coh_file_commit(&file, NULL, NULL);
  coh_file_discard(&file);
  return status;
}
