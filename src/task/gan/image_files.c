/* Rows from folders and files of any of the usual forms, arranged as a dataset has them. */
#include "task/gan/image_files.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/dataset_type.h"
#include "io/array.h"
#include "io/idx.h"
#include "io/npz.h"

enum { MOST_BYTES = 1 << 30 };

/* What a file holds. */
typedef struct found {
  coh_array rows, labels; /* labels without data: none */
} found;

// ---- folders ------------------------------------------------------------------------------

static coh_status open_folder(const char *path, const coh_dataset_spec *like,
                              coh_dataset **images) {
  static const coh_option table[] = {
      {.name = "images", .type = COH_KIND, .offset = 0, .kinds = &coh_dataset_kinds}, {0}};
  coh_text text = {0};
  coh_text_add(&text, "images: {png_folder: {channels: %s, folder: '",
               like->shape[2] == 3 ? "rgb" : "gray");
  for (const char *c = path; *c; c++)
    coh_text_add(&text, *c == '\'' ? "''" : "%c", *c);
  coh_text_add(&text, "'}}\n");
  char *yaml = NULL;
  COH_TRY(coh_text_take(&text, &yaml));
  coh_config *config = NULL;
  coh_choice choice = {0};
  coh_status status = coh_config_parse(path, yaml, strlen(yaml), &config);
  if (status == COH_OK) status = coh_options_fill(table, config, &choice);
  if (status == COH_OK) status = coh_dataset_create(&choice, images);
  coh_config_destroy(&config);
  coh_choice_clear(&choice);
  coh_free(yaml);
  return status;
}

// ---- archives -----------------------------------------------------------------------------

static bool is_whole(coh_dtype dtype) {
  return dtype != COH_DTYPE_F32 && dtype != COH_DTYPE_F64 && dtype != COH_DTYPE_F16 &&
         dtype != COH_DTYPE_BF16;
}

static bool is_named(const char *name, const char *const *names) {
  for (; *names; names++)
    if (strcmp(name, *names) == 0) return true;
  return false;
}

// which arrays of an archive are rows and labels; -1: none
static void choose(int64_t n, const char *const *names, const coh_array *arrays, int n_dims,
                   int64_t *rows, int64_t *labels) {
  static const char *const row_names[] = {"images", "x", "rows", NULL};
  static const char *const label_names[] = {"labels", "y", NULL};
  *rows = *labels = -1;
  int64_t n_candidates = 0, candidate = -1;
  for (int64_t i = 0; i < n; i++) {
    bool fits = arrays[i].n_dims >= (n_dims == 1 ? 2 : 3);
    if (fits) n_candidates++, candidate = i;
    if (fits && *rows < 0 && is_named(names[i], row_names)) *rows = i;
  }
  if (*rows < 0 && n_candidates == 1) *rows = candidate;
  for (int64_t i = 0; i < n && *rows >= 0; i++)
    if (is_named(names[i], label_names) && is_whole(arrays[i].dtype) &&
        coh_array_count(&arrays[i]) == arrays[*rows].shape[0])
      *labels = i;
}

static coh_status nothing(const char *path) {
  return coh_fail(COH_E_DATA,
                  "%s: which of its arrays are the images? name one of them images, and the "
                  "labels labels",
                  path);
}

static coh_status read_npz(const char *path, int n_dims, found *f) {
  coh_npz npz;
  COH_TRY(coh_npz_read(path, MOST_BYTES, &npz));
  const char *names[64];
  coh_array arrays[64];
  int64_t n = npz.n_members < 64 ? npz.n_members : 64, rows, labels;
  for (int64_t i = 0; i < n; i++)
    names[i] = npz.member[i].name, arrays[i] = npz.member[i].array;
  choose(n, names, arrays, n_dims, &rows, &labels);
  coh_status status = rows >= 0 ? COH_OK : nothing(path);
  if (status == COH_OK) {
    f->rows = npz.member[rows].array;
    npz.member[rows].array = (coh_array){0};
    if (labels >= 0) {
      f->labels = npz.member[labels].array;
      npz.member[labels].array = (coh_array){0};
    }
  }
  coh_npz_clear(&npz);
  return status;
}

static coh_status read_tensor(const char *path, const coh_safetensors *file, int64_t i,
                              coh_array *array) {
  coh_array made;
  size_t n_bytes;
  coh_safetensors_shape(file, i, &made);
  COH_CHECK(coh_array_size(&made, &n_bytes) && n_bytes <= MOST_BYTES, COH_E_DATA,
            "%s: tensor '%s' is larger than %d bytes", path, coh_safetensors_name(file, i),
            MOST_BYTES);
  COH_TRY(coh_array_allocate(path, &made));
  coh_status status = coh_safetensors_read(file, i, 0, made.data, n_bytes);
  if (status == COH_OK)
    *array = made;
  else
    coh_array_clear(&made);
  return status;
}

static coh_status read_safetensors(const char *path, int n_dims, found *f) {
  coh_safetensors *file = NULL;
  COH_TRY(coh_safetensors_open(path, &file));
  const char *names[64];
  coh_array arrays[64];
  int64_t n = coh_safetensors_count(file), rows, labels;
  if (n > 64) n = 64;
  for (int64_t i = 0; i < n; i++) {
    names[i] = coh_safetensors_name(file, i);
    coh_safetensors_shape(file, i, &arrays[i]);
  }
  choose(n, names, arrays, n_dims, &rows, &labels);
  coh_status status = rows >= 0 ? COH_OK : nothing(path);
  if (status == COH_OK) status = read_tensor(path, file, rows, &f->rows);
  if (status == COH_OK && labels >= 0) status = read_tensor(path, file, labels, &f->labels);
  coh_safetensors_close(&file);
  return status;
}

// ---- arranging ----------------------------------------------------------------------------

/* How the values of a row lie in the file. */
typedef enum order { AS_THEY_ARE, CHANNELS_FIRST, WRONG } order;

static order order_of(const coh_array *rows, const coh_dataset_spec *like) {
  const int64_t *s = rows->shape + 1, *l = like->shape;
  if (rows->n_dims == 2) return s[0] == like->n_values ? AS_THEY_ARE : WRONG;
  if (like->n_dims != 3) return WRONG;
  if (rows->n_dims == 3) return s[0] == l[0] && s[1] == l[1] && l[2] == 1 ? AS_THEY_ARE : WRONG;
  if (rows->n_dims != 4) return WRONG;
  if (s[0] == l[0] && s[1] == l[1] && s[2] == l[2]) return AS_THEY_ARE;
  return s[0] == l[2] && s[1] == l[0] && s[2] == l[1] ? CHANNELS_FIRST : WRONG;
}

static coh_status check_shape(const char *path, const coh_array *rows,
                              const coh_dataset_spec *like, order *how) {
  *how = order_of(rows, like);
  if (*how != WRONG && rows->shape[0] >= 1) return COH_OK;
  char shape[160] = "";
  for (int k = 1; k < rows->n_dims; k++)
    snprintf(shape + strlen(shape), sizeof shape - strlen(shape),
             k > 1 ? " x %" PRId64 : "%" PRId64, rows->shape[k]);
  return coh_fail(
      COH_E_DATA,
      "%s: holds %" PRId64 " rows of %s values; %s has %" PRId64 " x %" PRId64 " x %" PRId64,
      path, rows->n_dims ? rows->shape[0] : 0, shape, like->name, like->shape[0],
      like->n_dims == 3 ? like->shape[1] : 1, like->n_dims == 3 ? like->shape[2] : 1);
}

// what the floats of a file span, so that they can become bytes
static coh_status affine_of(const char *path, const float *values, int64_t n,
                            coh_affine *affine) {
  float least = 0, most = 0;
  for (int64_t i = 0; i < n; i++) {
    COH_CHECK(isfinite(values[i]), COH_E_DATA, "%s: value %" PRId64 " is not finite", path, i);
    least = fminf(least, values[i]), most = fmaxf(most, values[i]);
  }
  *affine = most > 2    ? (coh_affine){1, 0}
            : least < 0 ? (coh_affine){127.5f, 127.5f}
                        : (coh_affine){255, 0};
  return COH_OK;
}

static void reorder(const float *from, const coh_dataset_spec *like, float *to) {
  int64_t pixels = like->shape[0] * like->shape[1], channels = like->shape[2];
  for (int64_t p = 0; p < pixels; p++)
    for (int64_t c = 0; c < channels; c++)
      to[p * channels + c] = from[c * pixels + p];
}

// the floats of a file in the order and the type of `like`
static coh_status arrange(const char *path, const coh_dataset_spec *like, const coh_array *rows,
                          coh_array *out) {
  order how;
  COH_TRY(check_shape(path, rows, like, &how));
  int64_t n = rows->shape[0], width = like->n_values;
  bool bytes = like->dtype == COH_DTYPE_U8;
  *out = (coh_array){.dtype = like->dtype, .n_dims = like->n_dims + 1, .shape = {n}};
  for (int k = 0; k < like->n_dims; k++)
    out->shape[k + 1] = like->shape[k];
  COH_TRY(coh_array_allocate(path, out));
  float *values = coh_alloc_array((size_t)(n * width), sizeof *values);
  float *row = coh_alloc_array((size_t)width, sizeof *row);
  coh_status status =
      values && row ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for the rows of %s", path);
  coh_affine affine = {1, 0};
  if (status == COH_OK) {
    coh_dataset_to_floats(rows->dtype, rows->data, n * width, values);
    bool spans = bytes && !is_whole(rows->dtype);
    if (spans || !bytes) status = affine_of(path, values, n * width, &affine);
    if (!spans) affine = (coh_affine){1, 0};
  }
  for (int64_t i = 0; i < n && status == COH_OK; i++) {
    float *from = values + i * width;
    if (how == CHANNELS_FIRST) {
      memcpy(row, from, (size_t)width * sizeof *row);
      reorder(row, like, from);
    }
    for (int64_t k = 0; k < width; k++) {
      float stored = affine.scale * from[k] + affine.shift;
      if (bytes)
        ((uint8_t *)out->data)[i * width + k] = (uint8_t)lrintf(fminf(fmaxf(stored, 0), 255));
      else
        ((float *)out->data)[i * width + k] = stored;
    }
  }
  coh_free(values), coh_free(row);
  if (status != COH_OK) coh_array_clear(out);
  return status;
}

static bool ends_with(const char *text, const char *ending) {
  size_t n = strlen(text), m = strlen(ending);
  return n >= m && strcmp(text + n - m, ending) == 0;
}

static coh_status read_file(const char *path, int n_dims, found *f) {
  if (ends_with(path, ".npy")) return coh_npy_read(path, &f->rows);
  if (ends_with(path, ".npz")) return read_npz(path, n_dims, f);
  if (ends_with(path, ".safetensors")) return read_safetensors(path, n_dims, f);
  if (strstr(path, "idx") || ends_with(path, "ubyte") || ends_with(path, ".gz"))
    return coh_idx_read(path, MOST_BYTES, &f->rows);
  return coh_fail(
      COH_E_DATA,
      "%s: images are read from a folder of PNG files, or a file that ends in .npy, "
      ".npz, .safetensors, or is an IDX file (-ubyte, .gz)",
      path);
}

coh_status coh_images_open(const char *path, const coh_dataset_spec *like,
                           coh_dataset **images) {
  struct stat about;
  COH_CHECK(stat(path, &about) == 0, COH_E_DATA, "%s: there is no such file or folder", path);
  found f = {0};
  coh_array rows = {0};
  if (S_ISDIR(about.st_mode)) {
    coh_dataset *opened = NULL;
    COH_TRY(open_folder(path, like, &opened));
    const coh_dataset_spec *spec = coh_dataset_spec_of(opened);
    coh_array shape = {.n_dims = 4,
                       .shape = {spec->n_rows, spec->shape[0], spec->shape[1], spec->shape[2]}};
    order how;
    coh_status status = check_shape(path, &shape, like, &how);
    if (status == COH_OK)
      *images = opened;
    else
      coh_dataset_destroy(&opened);
    return status;
  }
  coh_status status = read_file(path, like->n_dims, &f);
  if (status == COH_OK) status = arrange(path, like, &f.rows, &rows);
  if (status == COH_OK)
    status = coh_dataset_of_arrays(path, &rows, f.labels.data ? &f.labels : NULL, images);
  coh_array_clear(&f.rows), coh_array_clear(&f.labels), coh_array_clear(&rows);
  return status;
}
