/* Generating with what a run has saved. Every file says that its rows are synthetic and where
 * they come from: a note in PNG, metadata in safetensors, an array of its own in NPZ. */
#include "run/run_sample.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "io/file.h"
#include "io/npz.h"
#include "io/safetensors_write.h"
#include "run/driver.h"

#define FIELD(member) .offset = offsetof(coh_sample_options, member)

const coh_option coh_sample_option_table[] = {
    {.name = "n",
     .type = COH_INT,
     FIELD(n),
     .initial = "100",
     .min = 1,
     .max = 1e7,
     .unit = "rows",
     .doc = "Rows to generate."},
    {.name = "seed",
     .type = COH_INT,
     FIELD(seed),
     .initial = "1",
     .max = 0x1p62,
     .doc = "Seed of the noise."},
    {.name = "class",
     .type = COH_INT,
     FIELD(label),
     .initial = "-1",
     .min = -1,
     .max = 65535,
     .doc = "Make this class only; -1: all in turn."},
    {0},
};

enum { COLUMNS = 10, MOST_SHOWN = 10000 };

/* What was made, on rank 0. */
typedef struct samples {
  coh_array rows, labels;
  char provenance[1024];
} samples;

static bool ends_with(const char *text, const char *ending) {
  size_t n = strlen(text), m = strlen(ending);
  return n >= m && strcmp(text + n - m, ending) == 0;
}

// ---- pictures -----------------------------------------------------------------------------

// bytes of rows as people see them: gray or the first three channels
static coh_status pixels_of(const coh_array *rows, int *n_channels, uint8_t **pixels) {
  COH_CHECK(rows->n_dims == 4, COH_E_CONFIG,
            "rows of %lld values are no images; write them to a .safetensors or .npz file",
            (long long)rows->shape[1]);
  int64_t n = rows->shape[0] * rows->shape[1] * rows->shape[2], all = rows->shape[3];
  *n_channels = all >= 3 ? 3 : 1;
  COH_NEW(*pixels, n * *n_channels);
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < *n_channels; c++) {
      int64_t at = i * all + c, to = i * *n_channels + c;
      if (rows->dtype == COH_DTYPE_U8)
        (*pixels)[to] = ((const uint8_t *)rows->data)[at];
      else
        coh_image_from_floats((const float *)rows->data + at, 1, 0, 1, *pixels + to);
    }
  return COH_OK;
}

static coh_status write_grid(const samples *s, const char *path) {
  int64_t n = s->rows.shape[0];
  COH_CHECK(n <= MOST_SHOWN, COH_E_CONFIG, "%s: a grid shows at most %d images, not %lld", path,
            MOST_SHOWN, (long long)n);
  int n_channels;
  uint8_t *pixels = NULL;
  COH_TRY(pixels_of(&s->rows, &n_channels, &pixels));
  const uint8_t **cell = coh_alloc_array((size_t)n, sizeof *cell);
  coh_status status = cell ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a grid");
  int64_t size = s->rows.shape[1] * s->rows.shape[2] * n_channels;
  for (int64_t i = 0; i < n && cell; i++)
    cell[i] = pixels + i * size;
  const coh_grid grid = {.cell = cell,
                         .n_cells = n,
                         .width = s->rows.shape[2],
                         .height = s->rows.shape[1],
                         .n_channels = n_channels,
                         .columns = n < COLUMNS ? (int)n : COLUMNS,
                         .scale = 2};
  if (status == COH_OK) status = coh_grid_write(&grid, path);
  if (status == COH_OK) status = coh_png_note(path, "Provenance", s->provenance);
  coh_free(cell), coh_free(pixels);
  return status;
}

// FOLDER/00012.png, or FOLDER/CLASS/00012.png
static coh_status write_one(const samples *s, const char *folder, int64_t i,
                            const coh_image *image) {
  char path[COH_PATH_BYTES];
  int used = snprintf(path, sizeof path, "%s", folder);
  if (s->labels.data)
    used += snprintf(path + used, sizeof path - (size_t)used, "%03d/",
                     ((const int32_t *)s->labels.data)[i]);
  COH_TRY(coh_folder_make(path));
  snprintf(path + used, sizeof path - (size_t)used, "%07lld.png", (long long)i);
  COH_TRY(coh_png_write(path, image));
  return coh_png_note(path, "Provenance", s->provenance);
}

static coh_status write_folder(const samples *s, const char *folder) {
  coh_image image = {.width = s->rows.n_dims == 4 ? s->rows.shape[2] : 0,
                     .height = s->rows.shape[1]};
  uint8_t *pixels = NULL;
  COH_CHECK(strlen(folder) < COH_PATH_BYTES - 64, COH_E_CONFIG,
            "the name of %.40s... is too long", folder);
  COH_TRY(pixels_of(&s->rows, &image.n_channels, &pixels));
  coh_status status = COH_OK;
  for (int64_t i = 0; i < s->rows.shape[0] && status == COH_OK; i++) {
    image.data = pixels + i * image.width * image.height * image.n_channels;
    status = write_one(s, folder, i, &image);
  }
  coh_free(pixels);
  return status;
}

// ---- arrays -------------------------------------------------------------------------------

static size_t bytes_of(const coh_array *array) {
  return (size_t)coh_array_count(array) * coh_dtype_bytes(array->dtype);
}

static coh_status write_safetensors(const samples *s, const char *path) {
  const coh_tensor_row rows[2] = {{"images", s->rows}, {"labels", s->labels}};
  const coh_metadata_row metadata[1] = {{"synthetic", s->provenance}};
  coh_safetensors_writer *writer = NULL;
  COH_TRY(coh_safetensors_begin(path, rows, s->labels.data ? 2 : 1, metadata, 1, &writer));
  coh_status status = coh_safetensors_write(writer, s->rows.data, bytes_of(&s->rows));
  if (status == COH_OK && s->labels.data)
    status = coh_safetensors_write(writer, s->labels.data, bytes_of(&s->labels));
  if (status == COH_OK) return coh_safetensors_end(&writer, NULL, NULL);
  coh_safetensors_discard(&writer);
  return status;
}

static coh_status write_npz(const samples *s, const char *path) {
  coh_npz_member members[3] = {{.name = (char *)"images", .array = s->rows},
                               {.name = (char *)"synthetic",
                                .array = {.dtype = COH_DTYPE_U8,
                                          .n_dims = 1,
                                          .shape = {(int64_t)strlen(s->provenance)},
                                          .data = (char *)(uintptr_t)s->provenance}},
                               {.name = (char *)"labels", .array = s->labels}};
  return coh_npz_write(path, members, s->labels.data ? 3 : 2, true);
}

static coh_status write_file(const samples *s, const char *path) {
  if (ends_with(path, ".png")) return write_grid(s, path);
  if (ends_with(path, ".safetensors")) return write_safetensors(s, path);
  if (ends_with(path, ".npz")) return write_npz(s, path);
  if (ends_with(path, "/")) return write_folder(s, path);
  return coh_fail(
      COH_E_CONFIG,
      "%s: rows are written as .png, .safetensors, .npz, or into a folder whose name "
      "ends in /%s",
      path,
      ends_with(path, ".npy") ? "; NPY has no place to say that they are "
                                "synthetic"
                              : "");
}

// ---- the command --------------------------------------------------------------------------

static coh_status write_all(const coh_run *run, const char *folder, const samples *s,
                            const char *const *paths, int64_t n_paths) {
  char standard[2][COH_PATH_BYTES];
  const char *names[2] = {standard[0], standard[1]};
  if (n_paths == 0) {
    snprintf(standard[0], COH_PATH_BYTES, "%s/results", folder);
    COH_TRY(coh_folder_make(standard[0]));
    snprintf(standard[0], COH_PATH_BYTES, "%s/results/samples.safetensors", folder);
    snprintf(standard[1], COH_PATH_BYTES, "%s/results/samples.png", folder);
    paths = names;
    n_paths = s->rows.n_dims == 4 ? 2 : 1;
  }
  for (int64_t i = 0; i < n_paths; i++) {
    COH_TRY(write_file(s, paths[i]));
    if (run->output) fprintf(run->output, "%s\n", paths[i]);
  }
  return COH_OK;
}

static coh_status sample(coh_run *run, const char *folder, const coh_sample_options *options,
                         const char *const *paths, int64_t n_paths) {
  const coh_task_type *task = run->config.task;
  COH_CHECK(task->sample, COH_E_CONFIG, "task %s generates nothing", task->kind.name);
  const coh_sample_request request = {
      .n = options->n, .seed = (uint64_t)options->seed, .label = options->label};
  samples s = {0};
  COH_TRY(task->sample(run->task, &request, &s.rows, &s.labels));
  snprintf(s.provenance, sizeof s.provenance,
           "synthetic: made by a generator; %s, %s %lld; samples of seed %lld",
           run->context.provenance, task->unit, (long long)task->position(run->task),
           (long long)options->seed);
  coh_status status = COH_OK;
  if (run->root) status = write_all(run, folder, &s, paths, n_paths);
  coh_array_clear(&s.rows), coh_array_clear(&s.labels);
  return coh_comm_agree(run->world, status);
}

coh_status coh_run_sample(coh_world *world, const char *folder, const char *const *paths,
                          int64_t n_paths, const coh_run_start_options *options) {
  coh_sample_options wanted;
  COH_TRY(coh_comm_agree(
      world, coh_run_read_overrides("sample", coh_sample_option_table, options, &wanted)));
  coh_run_start_options quiet = {.quiet = true, .output = options ? options->output : NULL};
  coh_run *run;
  COH_TRY(coh_run_open_saved(world, folder, &quiet, true, &run));
  coh_status status = sample(run, folder, &wanted, paths, n_paths);
  coh_run_close(run);
  coh_free(run);
  return status;
}
