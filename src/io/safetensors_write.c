/* Writing safetensors: 8 bytes of header length, a JSON header padded to 8 bytes, the data. */
#include "io/safetensors_write.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "io/array.h"
#include "io/file.h"
#include "io/json.h"
#include "io/safetensors_names.h"

struct coh_safetensors_writer {
  coh_file *file;
  char *path;
  size_t n_left; // data bytes announced and not yet written
};

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static coh_status check_names(const char *path, const coh_tensor_row *rows, int64_t n_rows) {
  const char **names;
  COH_NEW(names, n_rows);
  for (int64_t i = 0; i < n_rows; i++)
    names[i] = rows[i].name;
  qsort(names, (size_t)n_rows, sizeof *names, compare_names);
  coh_status status = COH_OK;
  for (int64_t i = 0; i < n_rows && status == COH_OK; i++)
    if ((i > 0 && strcmp(names[i - 1], names[i]) == 0) || strcmp(names[i], "__metadata__") == 0)
      status = coh_fail(COH_E_INTERNAL, "%s: the tensor name '%s' is taken", path, names[i]);
  coh_free(names);
  return status;
}

static coh_status compose_header(const char *path, const coh_tensor_row *rows, int64_t n_rows,
                                 const coh_metadata_row *metadata, int64_t n_metadata,
                                 coh_text *text, size_t *data_bytes) {
  coh_json_writer json = {.text = text};
  coh_json_begin_object(&json);
  if (n_metadata > 0) {
    coh_json_key(&json, "__metadata__");
    coh_json_begin_object(&json);
    for (int64_t i = 0; i < n_metadata; i++) {
      coh_json_key(&json, metadata[i].key);
      coh_json_string(&json, metadata[i].value);
    }
    coh_json_end_object(&json);
  }
  size_t offset = 0, n_bytes = 0;
  for (int64_t i = 0; i < n_rows; i++) {
    COH_CHECK(coh_array_size(&rows[i].shape, &n_bytes) && offset + n_bytes >= offset,
              COH_E_INTERNAL, "%s: the shape of '%s' is not possible", path, rows[i].name);
    coh_json_key(&json, rows[i].name);
    coh_json_begin_object(&json);
    coh_json_key(&json, "dtype");
    coh_json_string(&json, coh_safetensors_dtype_name(rows[i].shape.dtype));
    coh_json_key(&json, "shape");
    coh_json_begin_list(&json);
    for (int k = 0; k < rows[i].shape.n_dims; k++)
      coh_json_int(&json, rows[i].shape.shape[k]);
    coh_json_end_list(&json);
    coh_json_key(&json, "data_offsets");
    coh_json_begin_list(&json);
    coh_json_int(&json, (int64_t)offset);
    coh_json_int(&json, (int64_t)(offset + n_bytes));
    coh_json_end_list(&json);
    coh_json_end_object(&json);
    offset += n_bytes;
  }
  coh_json_end_object(&json);
  while (!text->failed && text->n_bytes % 8 != 0)
    coh_text_add_bytes(text, " ", 1);
  COH_CHECK(!text->failed, COH_E_MEMORY, "%s: out of memory for the header", path);
  COH_CHECK(text->n_bytes <= COH_SAFETENSORS_MAX_HEADER, COH_E_INTERNAL,
            "%s: a header of %zu bytes is too long", path, text->n_bytes);
  *data_bytes = offset;
  return COH_OK;
}

static coh_status start(coh_safetensors_writer *writer, const char *path,
                        const coh_text *header) {
  writer->path = coh_alloc_string(path);
  COH_CHECK(writer->path, COH_E_MEMORY, "out of memory for the name %s", path);
  COH_TRY(coh_file_create(path, &writer->file));
  uint8_t length[8];
  coh_write_le64(length, header->n_bytes);
  COH_TRY(coh_file_write(writer->file, length, sizeof length));
  return coh_file_write(writer->file, header->data, header->n_bytes);
}

coh_status coh_safetensors_begin(const char *path, const coh_tensor_row *rows, int64_t n_rows,
                                 const coh_metadata_row *metadata, int64_t n_metadata,
                                 coh_safetensors_writer **writer) {
  COH_TRY(check_names(path, rows, n_rows));
  coh_safetensors_writer *made;
  COH_NEW(made, 1);
  coh_text header = {0};
  coh_status status =
      compose_header(path, rows, n_rows, metadata, n_metadata, &header, &made->n_left);
  if (status == COH_OK) status = start(made, path, &header);
  coh_text_clear(&header);
  if (status == COH_OK)
    *writer = made;
  else
    coh_safetensors_discard(&made);
  return status;
}

coh_status coh_safetensors_write(coh_safetensors_writer *writer, const void *data,
                                 size_t n_bytes) {
  COH_CHECK(n_bytes <= writer->n_left, COH_E_INTERNAL, "%s: more data than its table announces",
            writer->path);
  COH_TRY(coh_file_write(writer->file, data, n_bytes));
  writer->n_left -= n_bytes;
  return COH_OK;
}

coh_status coh_safetensors_end(coh_safetensors_writer **writer, uint64_t *checksum,
                               int64_t *n_bytes) {
  coh_status status = COH_OK;
  if ((*writer)->n_left > 0)
    status = coh_fail(COH_E_INTERNAL, "%s: %zu bytes of data are missing", (*writer)->path,
                      (*writer)->n_left);
  else
    status = coh_file_commit(&(*writer)->file, checksum, n_bytes);
  coh_safetensors_discard(writer);
  return status;
}

void coh_safetensors_discard(coh_safetensors_writer **writer) {
  if (!*writer) return;
  coh_file_discard(&(*writer)->file);
  coh_free((*writer)->path);
  COH_DELETE(*writer);
}
