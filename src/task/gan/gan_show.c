/* Pictures of a GAN's rows: grids of images, restored ones beside originals, planes. */
#include "task/gan/gan_show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/file.h"

enum { TEXT = 1024, SIDE = 240 };

coh_status coh_gan_figures_path(const coh_gan *gan, const char *name, char *path) {
  snprintf(path, COH_GAN_PATH, "%s/figures", gan->context->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, COH_GAN_PATH, "%s/figures/%s", gan->context->folder, name);
  return COH_OK;
}

// every image that was not photographed says so, and where it is from
coh_status coh_gan_mark_synthetic(const coh_gan *gan, const char *path) {
  char text[TEXT];
  snprintf(text, sizeof text, "synthetic: made by a generator; %s, update %lld",
           gan->context->provenance ? gan->context->provenance : "cohort",
           (long long)gan->maker_learner.n_updates);
  return coh_png_note(path, "Provenance", text);
}

int64_t coh_gan_columns(const coh_gan *gan) {
  return gan->options->conditional && gan->n_classes <= 2 * COH_GAN_COLUMNS ? gan->n_classes
                                                                            : COH_GAN_COLUMNS;
}

static int channels_of(const coh_gan *gan) {
  return gan->sample.size[2] == 3 ? 3 : 1;
}

static int64_t bytes_of_image(const coh_gan *gan) {
  return gan->sample.size[0] * gan->sample.size[1] * channels_of(gan);
}

// images of the first channel, or of all three, as bytes
static void to_bytes(const coh_gan *gan, const float *rows, int64_t n, uint8_t *bytes) {
  int64_t pixels = gan->sample.size[0] * gan->sample.size[1], all = gan->sample.size[2];
  int shown = channels_of(gan);
  for (int64_t i = 0; i < n * pixels; i++)
    for (int c = 0; c < shown; c++) {
      float unit;
      coh_gan_unit(gan, rows + i * all + c, 1, &unit);
      bytes[i * shown + c] = (uint8_t)lrintf(255 * unit);
    }
}

coh_status coh_gan_write_grid(const coh_gan *gan, const coh_grid *grid, bool is_synthetic,
                              const char *name) {
  char path[COH_GAN_PATH];
  COH_TRY(coh_gan_figures_path(gan, name, path));
  COH_TRY(coh_grid_write(grid, path));
  return is_synthetic ? coh_gan_mark_synthetic(gan, path) : COH_OK;
}

coh_status coh_gan_draw_rows(const coh_gan *gan, const coh_gan_grid *wanted) {
  int64_t size = bytes_of_image(gan), n = wanted->n;
  uint8_t *bytes;
  COH_NEW(bytes, n * size);
  const uint8_t **cell = coh_alloc_array((size_t)n, sizeof *cell);
  coh_status status = cell ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a grid");
  if (status == COH_OK) {
    to_bytes(gan, wanted->rows, n, bytes);
    for (int64_t i = 0; i < n; i++)
      cell[i] = bytes + i * size;
    const coh_grid grid = {.cell = cell,
                           .n_cells = n,
                           .width = gan->sample.size[1],
                           .height = gan->sample.size[0],
                           .n_channels = channels_of(gan),
                           .columns = (int)wanted->columns,
                           .scale = 2,
                           .row_label = wanted->row_label};
    status = coh_gan_write_grid(gan, &grid, wanted->is_synthetic, wanted->name);
  }
  coh_free(bytes), coh_free(cell);
  return status;
}

coh_status coh_gan_draw_tiles(const coh_gan *gan, const float *rows, int64_t n,
                              coh_image *image) {
  int64_t columns = coh_gan_columns(gan), w = gan->sample.size[1], h = gan->sample.size[0];
  int64_t size = bytes_of_image(gan);
  int channels = channels_of(gan);
  uint8_t *bytes;
  COH_NEW(bytes, n * size);
  to_bytes(gan, rows, n, bytes);
  coh_status status =
      coh_image_make(columns * w, (n + columns - 1) / columns * h, channels, image);
  for (int64_t i = 0; i < n && status == COH_OK; i++)
    for (int64_t y = 0; y < h; y++)
      memcpy(image->data + ((i / columns * h + y) * image->width + i % columns * w) * channels,
             bytes + i * size + y * w * channels, (size_t)(w * channels));
  coh_free(bytes);
  return status;
}

/* ---- two dimensions ------------------------------------------------------------------------
 */

typedef struct plane {
  double low, high; /* of both axes */
} plane;

static int64_t place_of(const plane *p, float value) {
  return (int64_t)((double)(SIDE - 1) * ((double)value - p->low) / (p->high - p->low));
}

static void dot(coh_image *image, const plane *p, const float *row, const uint8_t rgb[3]) {
  int64_t x = place_of(p, row[0]), y = SIDE - 1 - place_of(p, row[1]);
  if (x >= 0 && x < SIDE && y >= 0 && y < SIDE)
    memcpy(image->data + 3 * (y * SIDE + x), rgb, 3);
}

// the discriminator's values over the plane
static coh_status field_of(const coh_gan *gan, const plane *p, float *values) {
  coh_graph *g = NULL;
  coh_program *program = NULL;
  coh_workspace *w = NULL;
  coh_value out = COH_NO_VALUE;
  COH_TRY(coh_graph_create(&g));
  coh_value in = coh_graph_input(g, "points", COH_SHAPE(SIDE, 2));
  const coh_network_use use = {.inference = true};
  coh_status status = coh_network_build_for(gan->discriminator, g, in, &use, NULL, &out);
  if (status == COH_OK) status = coh_program_compile(g, &out, 1, NULL, &program);
  if (status == COH_OK) status = coh_workspace_create(program, &w);
  if (status == COH_OK)
    status = coh_workspace_bind_parameters(w, gan->params + gan->maker_floats);
  for (int64_t i = 0; i < SIDE && status == COH_OK; i++) {
    float *points = coh_workspace_data(w, in);
    for (int64_t j = 0; j < SIDE; j++) {
      points[2 * j] = (float)(p->low + (p->high - p->low) * (double)j / (SIDE - 1));
      points[2 * j + 1] =
          (float)(p->low + (p->high - p->low) * (double)(SIDE - 1 - i) / (SIDE - 1));
    }
    status = coh_program_run(program, w);
    if (status == COH_OK)
      memcpy(values + i * SIDE, coh_workspace_data(w, out), SIDE * sizeof *values);
  }
  coh_workspace_destroy(&w);
  coh_program_destroy(&program);
  coh_graph_destroy(&g);
  return status;
}

static coh_status fill_plane(const coh_gan *gan, const float *made, int64_t n,
                             const float *real, int64_t n_real, coh_image *image) {
  static const uint8_t white[3] = {255, 255, 255}, red[3] = {230, 60, 50};
  float low = INFINITY, high = -INFINITY, least = INFINITY, most = -INFINITY, *values;
  for (int64_t i = 0; i < 2 * n_real; i++)
    low = fminf(low, real[i]), high = fmaxf(high, real[i]);
  double margin = 0.15 * (double)(high - low);
  const plane p = {(double)low - margin, (double)high + margin};
  COH_NEW(values, SIDE * SIDE);
  coh_status status = field_of(gan, &p, values);
  if (status == COH_OK) {
    for (int64_t i = 0; i < SIDE * SIDE; i++)
      least = fminf(least, values[i]), most = fmaxf(most, values[i]);
    coh_image_from_values(values, SIDE * SIDE, least, most, image->data);
    for (int64_t i = 0; i < n_real; i++)
      dot(image, &p, real + 2 * i, white);
    for (int64_t i = 0; i < n; i++)
      dot(image, &p, made + 2 * i, red);
  }
  coh_free(values);
  return status;
}

coh_status coh_gan_draw_plane(const coh_gan *gan, const float *rows, int64_t n,
                              coh_image *image) {
  int64_t n_real = gan->spec->n_rows < n ? gan->spec->n_rows : n;
  float *real;
  COH_NEW(real, 2 * n_real);
  coh_dataset_read(gan->train, 0, n_real, coh_loader_affine(gan->loader), real);
  coh_status status = coh_image_make(SIDE, SIDE, 3, image);
  if (status == COH_OK) status = fill_plane(gan, rows, n, real, n_real, image);
  coh_free(real);
  return status;
}
