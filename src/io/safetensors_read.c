/* Reading safetensors: the header is parsed and checked once; data is read on demand by pread,
 * so that large files need no memory and a file that shrinks meanwhile is an error, not a
 * crash. Source: github.com/huggingface/safetensors, README, "Format". */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/array.h"
#include "io/file_name.h"
#include "io/json.h"
#include "io/safetensors_names.h"

typedef struct tensor {
  const char *name; // within the header's document
  coh_array shape;
  size_t begin, n_bytes; // within the data
} tensor;

struct coh_safetensors {
  int descriptor;
  char *path;
  size_t data_at, data_bytes;
  coh_json *header;
  const coh_json_value *metadata;
  tensor *tensors;
  int64_t n_tensors;
};

static const char *const dtype_names[COH_N_DTYPES] = {
    [COH_DTYPE_F32] = "F32",  [COH_DTYPE_F64] = "F64",   [COH_DTYPE_F16] = "F16",
    [COH_DTYPE_I8] = "I8",    [COH_DTYPE_BF16] = "BF16", [COH_DTYPE_I16] = "I16",
    [COH_DTYPE_I32] = "I32",  [COH_DTYPE_I64] = "I64",   [COH_DTYPE_U8] = "U8",
    [COH_DTYPE_U16] = "U16",  [COH_DTYPE_U32] = "U32",   [COH_DTYPE_U64] = "U64",
    [COH_DTYPE_BOOL] = "BOOL"};

const char *coh_safetensors_dtype_name(coh_dtype dtype) {
  return dtype_names[dtype];
}

bool coh_safetensors_dtype(const char *name, coh_dtype *dtype) {
  for (int i = 0; i < COH_N_DTYPES; i++) {
    if (strcmp(dtype_names[i], name) != 0) continue;
    *dtype = (coh_dtype)i;
    return true;
  }
  return false;
}

#define CHECK(condition, ...) \
  COH_CHECK(condition, COH_E_DATA, "%s: not a sound safetensors file: " __VA_ARGS__)

static coh_status parse_tensor(const coh_safetensors *file, const coh_json_value *row,
                               tensor *t) {
  CHECK(row->kind == COH_JSON_OBJECT && row->n_children == 3,
        "'%s' must have dtype, shape and data_offsets", file->path, row->key);
  t->name = row->key;
  const char *dtype;
  COH_TRY(coh_json_get_string(file->path, row, "dtype", &dtype));
  CHECK(coh_safetensors_dtype(dtype, &t->shape.dtype), "'%s' has the unknown type '%.20s'",
        file->path, t->name, dtype);
  const coh_json_value *shape = coh_json_get(row, "shape");
  CHECK(shape && shape->kind == COH_JSON_LIST && shape->n_children <= COH_MAX_DIMS,
        "'%s' must have a shape of at most %d sides", file->path, t->name, COH_MAX_DIMS);
  for (const coh_json_value *side = shape->first; side; side = side->next) {
    CHECK(side->is_integer && side->integer >= 0, "'%s' has a side that is not a count",
          file->path, t->name);
    t->shape.shape[t->shape.n_dims++] = side->integer;
  }
  const coh_json_value *offsets = coh_json_get(row, "data_offsets");
  CHECK(offsets && offsets->kind == COH_JSON_LIST && offsets->n_children == 2 &&
            offsets->first->is_integer && offsets->first->next->is_integer,
        "'%s' must have two data_offsets", file->path, t->name);
  int64_t begin = offsets->first->integer, end = offsets->first->next->integer;
  CHECK(begin >= 0 && end >= begin && (uint64_t)end <= file->data_bytes,
        "'%s' lies outside the data", file->path, t->name);
  CHECK(coh_array_size(&t->shape, &t->n_bytes) && t->n_bytes == (size_t)(end - begin),
        "the offsets of '%s' do not fit its shape", file->path, t->name);
  t->begin = (size_t)begin;
  return COH_OK;
}

static int compare_tensors(const void *a, const void *b) {
  const tensor *x = a, *y = b;
  if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
  if (x->n_bytes != y->n_bytes) return x->n_bytes < y->n_bytes ? -1 : 1;
  return strcmp(x->name, y->name);
}

static coh_status parse_tensors(coh_safetensors *file) {
  const coh_json_value *root = coh_json_root(file->header);
  CHECK(root->kind == COH_JSON_OBJECT, "the header is not an object", file->path);
  COH_NEW(file->tensors, root->n_children);
  for (const coh_json_value *row = root->first; row; row = row->next) {
    if (strcmp(row->key, "__metadata__") == 0) {
      CHECK(row->kind == COH_JSON_OBJECT, "its metadata is not an object", file->path);
      for (const coh_json_value *v = row->first; v; v = v->next)
        CHECK(v->kind == COH_JSON_STRING, "metadata '%s' is not a string", file->path, v->key);
      file->metadata = row;
    } else {
      COH_TRY(parse_tensor(file, row, &file->tensors[file->n_tensors++]));
    }
  }
  // in the order of their data, each tensor must begin where the one before it ended
  qsort(file->tensors, (size_t)file->n_tensors, sizeof *file->tensors, compare_tensors);
  size_t at = 0;
  for (int64_t i = 0; i < file->n_tensors; at += file->tensors[i].n_bytes, i++)
    CHECK(file->tensors[i].begin == at, "'%s' overlaps or leaves a gap", file->path,
          file->tensors[i].name);
  CHECK(at == file->data_bytes, "the tensors cover %zu of %zu bytes", file->path, at,
        file->data_bytes);
  return COH_OK;
}

static coh_status open_file(coh_safetensors *file, const char *path) {
  file->path = coh_alloc_string(path);
  COH_CHECK(file->path, COH_E_MEMORY, "out of memory for the name %s", path);
  int64_t size;
  COH_TRY(coh_name_open(path, &file->descriptor, &size));
  uint8_t length[8];
  CHECK(size >= 8, "it has %lld bytes", path, (long long)size);
  COH_TRY(coh_name_read(path, file->descriptor, 0, length, sizeof length));
  uint64_t n = coh_read_le64(length);
  CHECK(n <= (uint64_t)size - 8 && n <= COH_SAFETENSORS_MAX_HEADER,
        "a header of %llu bytes is cut off or too long", path, (unsigned long long)n);
  file->data_at = 8 + (size_t)n;
  file->data_bytes = (size_t)size - file->data_at;
  char *text;
  COH_NEW(text, n);
  coh_status status = coh_name_read(path, file->descriptor, 8, text, (size_t)n);
  if (status == COH_OK) status = coh_json_parse(path, text, (size_t)n, &file->header);
  coh_free(text);
  COH_TRY(status);
  return parse_tensors(file);
}

coh_status coh_safetensors_open(const char *path, coh_safetensors **file) {
  coh_safetensors *made;
  COH_NEW(made, 1);
  made->descriptor = -1;
  coh_status status = open_file(made, path);
  if (status == COH_OK)
    *file = made;
  else
    coh_safetensors_close(&made);
  return status;
}

void coh_safetensors_close(coh_safetensors **file) {
  if (!*file) return;
  if ((*file)->descriptor >= 0) close((*file)->descriptor);
  coh_free((*file)->path);
  coh_free((*file)->tensors);
  coh_json_destroy(&(*file)->header);
  COH_DELETE(*file);
}

int64_t coh_safetensors_count(const coh_safetensors *file) {
  return file->n_tensors;
}

const char *coh_safetensors_name(const coh_safetensors *file, int64_t i) {
  return file->tensors[i].name;
}

void coh_safetensors_shape(const coh_safetensors *file, int64_t i, coh_array *shape) {
  *shape = file->tensors[i].shape;
}

int64_t coh_safetensors_find(const coh_safetensors *file, const char *name) {
  for (int64_t i = 0; i < file->n_tensors; i++)
    if (strcmp(file->tensors[i].name, name) == 0) return i;
  return -1;
}

const char *coh_safetensors_metadata(const coh_safetensors *file, const char *key) {
  const coh_json_value *found = coh_json_get(file->metadata, key);
  return found ? found->string : NULL;
}

const char *coh_safetensors_metadata_key(const coh_safetensors *file, int64_t i) {
  if (!file->metadata) return NULL;
  const coh_json_value *row = file->metadata->first;
  for (; row && i > 0; i--)
    row = row->next;
  return row ? row->key : NULL;
}

coh_status coh_safetensors_read(const coh_safetensors *file, int64_t i, size_t offset,
                                void *data, size_t n_bytes) {
  const tensor *t = &file->tensors[i];
  COH_CHECK(offset <= t->n_bytes && n_bytes <= t->n_bytes - offset, COH_E_DATA,
            "%s: '%s' has %zu bytes, %zu from %zu are asked for", file->path, t->name,
            t->n_bytes, n_bytes, offset);
  return coh_name_read(file->path, file->descriptor,
                       (int64_t)(file->data_at + t->begin + offset), data, n_bytes);
}
