/* What a person watches: how the rows of one fixed noise grow during the run, as pictures of
 * each evaluation (results/progress), as a figure and as an animation; and a walk between
 * latents. */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "io/file.h"
#include "task/gan/gan_show.h"

enum { MOST_FRAMES = 400, STAGES = 8, WALK_ROWS = 4, ANCHORS = 6, STEPS = 10 };

// ---- frames -------------------------------------------------------------------------------

static bool is_plane(const coh_gan *gan) {
  return gan->sample.rank == 1 && gan->spec->n_values == 2;
}

static int64_t n_shown(const coh_gan *gan) {
  return is_plane(gan) ? COH_GAN_POINTS : COH_GAN_COLUMNS * COH_GAN_ROWS;
}

static coh_status write_frame(const coh_gan *gan, const float *rows) {
  char path[COH_GAN_PATH];
  snprintf(path, sizeof path, "%s/results/progress", gan->context->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, sizeof path, "%s/results/progress/update-%09lld.png", gan->context->folder,
           (long long)gan->maker_learner.n_updates);
  coh_image image = {0};
  coh_status status = is_plane(gan) ? coh_gan_draw_plane(gan, rows, n_shown(gan), &image)
                                    : coh_gan_draw_tiles(gan, rows, n_shown(gan), &image);
  if (status == COH_OK) status = coh_png_write(path, &image);
  if (status == COH_OK) status = coh_gan_mark_synthetic(gan, path);
  coh_image_clear(&image);
  return status;
}

coh_status coh_gan_keep_frame(coh_gan *gan) {
  bool is_shown = is_plane(gan) || gan->sample.rank == 3;
  if (!gan->context->folder || !is_shown) return COH_OK;
  const coh_dataset *from = gan->source->is_latent ? NULL : gan->test ? gan->test : gan->train;
  const coh_gan_request request = {
      .n = n_shown(gan), .key = coh_gan_noise_key(gan, "gan.show"), .label = -1, .real = from};
  float *rows = coh_alloc_array((size_t)(request.n * gan->spec->n_values), sizeof *rows);
  coh_status status = rows ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a frame");
  status = coh_comm_agree(gan->context->world, status);
  if (status == COH_OK) status = coh_gan_generate(gan, &request, rows, NULL, NULL);
  if (status == COH_OK && coh_world_rank(gan->context->world) == 0)
    status = write_frame(gan, rows);
  coh_free(rows);
  return coh_comm_agree(gan->context->world, status);
}

/* The frames that lie in the folder, up to this update. */
typedef struct reel {
  int64_t n, update[MOST_FRAMES];
  coh_image image[MOST_FRAMES];
} reel;

static int by_update(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void list_frames(const coh_gan *gan, reel *r) {
  char path[COH_GAN_PATH];
  snprintf(path, sizeof path, "%s/results/progress", gan->context->folder);
  DIR *folder = opendir(path);
  if (!folder) return;
  for (struct dirent *entry; (entry = readdir(folder)) && r->n < MOST_FRAMES;) {
    long long update;
    if (sscanf(entry->d_name, "update-%lld.png", &update) == 1 && update >= 0 &&
        update <= gan->maker_learner.n_updates && !strstr(entry->d_name, "tmp"))
      r->update[r->n++] = update;
  }
  closedir(folder);
  qsort(r->update, (size_t)r->n, sizeof *r->update, by_update);
}

static coh_status read_frames(const coh_gan *gan, reel *r) {
  list_frames(gan, r);
  for (int64_t i = 0; i < r->n; i++) {
    char path[COH_GAN_PATH];
    snprintf(path, sizeof path, "%s/results/progress/update-%09lld.png", gan->context->folder,
             (long long)r->update[i]);
    COH_TRY(coh_png_read(path, 1 << 26, &r->image[i]));
  }
  return COH_OK;
}

// ---- the figure ---------------------------------------------------------------------------

// a part of a frame, w x h at (x, y)
static void cut(const coh_image *from, int64_t x, int64_t y, int64_t w, int64_t h,
                uint8_t *to) {
  size_t row = (size_t)(w * from->n_channels);
  for (int64_t i = 0; i < h; i++)
    memcpy(to + (size_t)i * row, from->data + ((y + i) * from->width + x) * from->n_channels,
           row);
}

// stages of the run, as evenly spread over its frames as may be
static int64_t stage_of(const reel *r, int64_t n_stages, int64_t k) {
  return n_stages < 2 ? r->n - 1 : k * (r->n - 1) / (n_stages - 1);
}

static coh_status draw_growth(const coh_gan *gan, const reel *r) {
  bool plane = is_plane(gan);
  int64_t n_stages = r->n < STAGES ? r->n : STAGES, columns = coh_gan_columns(gan);
  int64_t w = plane ? r->image[0].width : gan->sample.size[1];
  int64_t h = plane ? r->image[0].height : gan->sample.size[0];
  int64_t n = plane ? n_stages : n_stages * columns, size = w * h * r->image[0].n_channels;
  uint8_t *pixels;
  char labels[STAGES][32];
  const char *label[STAGES];
  COH_NEW(pixels, n * size);
  const uint8_t **cell = coh_alloc_array((size_t)n, sizeof *cell);
  coh_status status = cell ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a figure");
  for (int64_t k = 0; k < n_stages; k++) {
    int64_t at = stage_of(r, n_stages, k);
    snprintf(labels[k], sizeof labels[k], "%lld", (long long)r->update[at]);
    label[k] = labels[k];
    for (int64_t c = 0; c < (plane ? 1 : columns) && cell; c++) {
      int64_t i = plane ? k : k * columns + c;
      cell[i] = pixels + i * size;
      cut(&r->image[at], plane ? 0 : c * w, 0, w, h, pixels + i * size);
    }
  }
  const coh_grid grid = {.cell = cell,
                         .n_cells = n,
                         .width = w,
                         .height = h,
                         .n_channels = r->image[0].n_channels,
                         .columns = plane ? 4 : (int)columns,
                         .scale = plane ? 1 : 2,
                         .label = plane ? label : NULL,
                         .row_label = plane ? NULL : label};
  if (status == COH_OK) status = coh_gan_write_grid(gan, &grid, true, "growth.png");
  coh_free(pixels), coh_free(cell);
  return status;
}

// ---- animations ---------------------------------------------------------------------------

// one frame: enlarged, in colour
static coh_status add_frame(coh_animation *animation, const coh_image *image, int scale,
                            double seconds) {
  coh_image large = {0}, colour = {0};
  COH_TRY(coh_image_enlarge(image, scale, &large));
  coh_status status = coh_image_make(large.width, large.height, 3, &colour);
  if (status == COH_OK) {
    int64_t n = large.width * large.height;
    for (int64_t i = 0; i < n; i++)
      for (int c = 0; c < 3; c++)
        colour.data[3 * i + c] =
            large.data[i * large.n_channels + (large.n_channels == 3 ? c : 0)];
    status = coh_animation_add(animation, colour.data, seconds);
  }
  coh_image_clear(&large), coh_image_clear(&colour);
  return status;
}

static coh_status write_animation(const coh_gan *gan, const coh_animation *animation,
                                  const char *name) {
  char path[COH_GAN_PATH];
  COH_TRY(coh_gan_figures_path(gan, name, path));
  COH_TRY(coh_animation_write(animation, path));
  return coh_gan_mark_synthetic(gan, path);
}

static coh_status animate(const coh_gan *gan, const reel *r) {
  int scale = is_plane(gan) ? 1 : r->image[0].width <= 400 ? 2 : 1;
  coh_animation *animation = NULL;
  COH_TRY(
      coh_animation_create(scale * r->image[0].width, scale * r->image[0].height, &animation));
  coh_status status = COH_OK;
  for (int64_t i = 0; i < r->n && status == COH_OK; i++)
    status = add_frame(animation, &r->image[i], scale, i + 1 < r->n ? 0.3 : 2);
  if (status == COH_OK) status = write_animation(gan, animation, "training.png");
  coh_animation_destroy(&animation);
  return status;
}

coh_status coh_gan_show_growth(const coh_gan *gan, coh_results *results) {
  reel *r;
  COH_NEW(r, 1);
  coh_status status = read_frames(gan, r);
  if (status == COH_OK && r->n >= 2) {
    status = draw_growth(gan, r);
    if (status == COH_OK) status = animate(gan, r);
    if (status == COH_OK) {
      coh_results_picture(results, "figures/growth.png",
                          "The same noise at evaluations during the run; numbers are updates.",
                          !is_plane(gan));
      coh_results_picture(results, "figures/training.png",
                          "The same, as an animation over all evaluations.", !is_plane(gan));
    }
  }
  for (int64_t i = 0; i < r->n; i++)
    coh_image_clear(&r->image[i]);
  coh_free(r);
  return status;
}

// ---- a walk -------------------------------------------------------------------------------

void coh_gan_between(const float *a, const float *b, int64_t n, double t, float *to) {
  double aa = 0, bb = 0, ab = 0;
  for (int64_t k = 0; k < n; k++) {
    aa += (double)a[k] * (double)a[k];
    bb += (double)b[k] * (double)b[k];
    ab += (double)a[k] * (double)b[k];
  }
  double cosine = fmin(fmax(ab / sqrt(aa * bb), -1), 1), angle = acos(cosine);
  double wa = 1 - t, wb = t;
  if (sin(angle) > 1e-6)
    wa = sin((1 - t) * angle) / sin(angle), wb = sin(t * angle) / sin(angle);
  for (int64_t k = 0; k < n; k++)
    to[k] = (float)(wa * (double)a[k] + wb * (double)b[k]);
}

// every cell walks its own way over the anchors and back to the first
static void fill_walk(const coh_gan *gan, int64_t cells, float *noise) {
  int64_t width = coh_shape_count(gan->noise);
  coh_key key = coh_gan_noise_key(gan, "gan.walk");
  float *anchor = noise + ANCHORS * STEPS * cells * width; // the caller has room behind
  for (int64_t c = 0; c < cells; c++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)c, 0);
    for (int64_t k = 0; k < ANCHORS * width; k++)
      anchor[k] = (float)coh_stream_normal(&stream);
    for (int64_t f = 0; f < ANCHORS * STEPS; f++)
      coh_gan_between(anchor + f / STEPS * width, anchor + (f / STEPS + 1) % ANCHORS * width,
                      width, (double)(f % STEPS) / STEPS, noise + (f * cells + c) * width);
  }
}

static coh_status draw_walk(const coh_gan *gan, const float *rows, int64_t cells) {
  coh_animation *animation = NULL;
  coh_status status = COH_OK;
  for (int64_t f = 0; f < ANCHORS * STEPS && status == COH_OK; f++) {
    coh_image image = {0};
    status = coh_gan_draw_tiles(gan, rows + f * cells * gan->spec->n_values, cells, &image);
    if (status == COH_OK && !animation)
      status = coh_animation_create(2 * image.width, 2 * image.height, &animation);
    if (status == COH_OK) status = add_frame(animation, &image, 2, 0.12);
    coh_image_clear(&image);
  }
  if (status == COH_OK) status = write_animation(gan, animation, "walk.png");
  coh_animation_destroy(&animation);
  return status;
}

coh_status coh_gan_show_walk(coh_gan *gan, coh_results *results) {
  if (gan->sample.rank != 3 || !gan->source->is_latent || gan->noise.rank != 1) return COH_OK;
  int64_t cells = WALK_ROWS * coh_gan_columns(gan), n = ANCHORS * STEPS * cells;
  int64_t width = coh_shape_count(gan->noise);
  float *noise = coh_alloc_array((size_t)((n + ANCHORS) * width), sizeof *noise);
  float *rows = coh_alloc_array((size_t)(n * gan->spec->n_values), sizeof *rows);
  coh_status status =
      noise && rows ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for an animation");
  status = coh_comm_agree(gan->context->world, status);
  if (status == COH_OK) {
    fill_walk(gan, cells, noise);
    // many classes have no column of their own: walk in the first
    bool many = gan->options->conditional && coh_gan_columns(gan) != gan->n_classes;
    const coh_gan_request request = {.n = n, .label = many ? 0 : -1, .noise = noise};
    status = coh_gan_generate(gan, &request, rows, NULL, NULL);
  }
  if (status == COH_OK && coh_world_rank(gan->context->world) == 0) {
    status = draw_walk(gan, rows, cells);
    if (status == COH_OK)
      coh_results_picture(results, "figures/walk.png",
                          "A walk between random latents on great circles, and back.", true);
  }
  coh_free(noise), coh_free(rows);
  return coh_comm_agree(gan->context->world, status);
}
