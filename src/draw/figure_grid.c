/* Grids of images with labels, colour maps, and enlargement. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"

enum { GAP = 6, BORDER = 12, TARGET_PIXELS = 96, TEXT_SCALE = 2 };

static const uint8_t paper[3] = {255, 255, 255}, ink[3] = {31, 41, 51},
                     pale[3] = {95, 107, 122};
static const uint8_t frame_ink[3] = {228, 232, 236};

// where everything is, in pixels
typedef struct layout {
  int64_t columns, rows, scale;
  int64_t cell_width, cell_height; // image and label
  int64_t left, top;               // of the first cell
  int64_t width, height;           // of the whole
} layout;

static int64_t text_width(const char *text, int scale) {
  return text ? (int64_t)strlen(text) * COH_FONT_WIDTH * scale : 0;
}

// labels are cut to their cell; small cells use small letters
static int label_scale(int64_t cell_width) {
  return cell_width >= 120 ? TEXT_SCALE : 1;
}

static layout arrange(const coh_grid *grid) {
  layout l = {.columns = grid->columns, .scale = grid->scale};
  if (l.columns <= 0)
    l.columns =
        (int64_t)ceil(sqrt((double)grid->n_cells * (double)grid->height / (double)grid->width));
  if (l.columns < 1) l.columns = 1;
  if (l.columns > grid->n_cells) l.columns = grid->n_cells;
  l.rows = (grid->n_cells + l.columns - 1) / l.columns;
  int64_t longest = grid->width > grid->height ? grid->width : grid->height;
  if (l.scale <= 0) l.scale = longest < TARGET_PIXELS ? TARGET_PIXELS / longest : 1;
  l.cell_width = grid->width * l.scale;
  int scale = label_scale(l.cell_width);
  l.cell_height = grid->height * l.scale + (grid->label ? COH_FONT_HEIGHT * scale + 4 : 0);
  int64_t widest = 0;
  for (int64_t r = 0; grid->row_label && r < l.rows; r++) {
    int64_t w = text_width(grid->row_label[r], TEXT_SCALE);
    if (w > widest) widest = w;
  }
  l.left = BORDER + (widest > 0 ? widest + GAP : 0);
  l.top = BORDER + (grid->title ? COH_FONT_HEIGHT * TEXT_SCALE + 8 : 0);
  l.width = l.left + l.columns * (l.cell_width + GAP) - GAP + BORDER;
  l.height = l.top + l.rows * (l.cell_height + GAP) - GAP + BORDER;
  int64_t title = text_width(grid->title, TEXT_SCALE) + 2 * BORDER;
  if (title > l.width) l.width = title;
  return l;
}

static void set_pixel(coh_image *image, int64_t x, int64_t y, const uint8_t rgb[3]) {
  memcpy(image->data + 3 * (y * image->width + x), rgb, 3);
}

static void draw_image(coh_image *image, int64_t left, int64_t top, const coh_grid *grid,
                       const uint8_t *cell, int64_t scale) {
  for (int64_t y = 0; y < grid->height * scale; y++) {
    for (int64_t x = 0; x < grid->width * scale; x++) {
      const uint8_t *from = cell + ((y / scale) * grid->width + x / scale) * grid->n_channels;
      uint8_t gray[3] = {from[0], from[0], from[0]};
      set_pixel(image, left + x, top + y, grid->n_channels == 3 ? from : gray);
    }
  }
}

// a hairline around each image, so that white ones are seen on the paper
static void draw_frame(coh_image *image, int64_t left, int64_t top, int64_t width,
                       int64_t height) {
  for (int64_t x = left - 1; x <= left + width; x++) {
    set_pixel(image, x, top - 1, frame_ink);
    set_pixel(image, x, top + height, frame_ink);
  }
  for (int64_t y = top - 1; y <= top + height; y++) {
    set_pixel(image, left - 1, y, frame_ink);
    set_pixel(image, left + width, y, frame_ink);
  }
}

static void draw_label(coh_image *image, int64_t left, int64_t top, int64_t width,
                       const char *label) {
  char text[128];
  int scale = label_scale(width);
  size_t room = (size_t)(width / (COH_FONT_WIDTH * scale)), n = strlen(label);
  if (room >= sizeof text) room = sizeof text - 1;
  if (n > room) n = room;
  memcpy(text, label, n);
  text[n] = '\0';
  int64_t x = left + (width - (int64_t)n * COH_FONT_WIDTH * scale + scale) / 2;
  coh_font_draw(image, x, top, scale, pale, text);
}

static void draw_all(const coh_grid *grid, const layout *l, coh_image *image) {
  for (int64_t i = 0; i < l->width * l->height; i++)
    memcpy(image->data + 3 * i, paper, 3);
  if (grid->title) coh_font_draw(image, BORDER, BORDER, TEXT_SCALE, ink, grid->title);
  int64_t image_height = grid->height * l->scale;
  for (int64_t i = 0; i < grid->n_cells; i++) {
    int64_t left = l->left + i % l->columns * (l->cell_width + GAP);
    int64_t top = l->top + i / l->columns * (l->cell_height + GAP);
    if (i % l->columns == 0 && grid->row_label && grid->row_label[i / l->columns])
      coh_font_draw(image, BORDER, top + image_height / 2 - COH_FONT_HEIGHT * TEXT_SCALE / 2,
                    TEXT_SCALE, ink, grid->row_label[i / l->columns]);
    if (!grid->cell[i]) continue;
    draw_image(image, left, top, grid, grid->cell[i], l->scale);
    draw_frame(image, left, top, l->cell_width, image_height);
    if (grid->label && grid->label[i])
      draw_label(image, left, top + image_height + 4, l->cell_width, grid->label[i]);
  }
}

coh_status coh_grid_draw(const coh_grid *grid, coh_image *image) {
  COH_CHECK(grid->n_cells > 0 && grid->width > 0 && grid->height > 0 &&
                (grid->n_channels == 1 || grid->n_channels == 3),
            COH_E_INTERNAL, "a grid of %lld images of %lld x %lld x %d is not possible",
            (long long)grid->n_cells, (long long)grid->width, (long long)grid->height,
            grid->n_channels);
  layout l = arrange(grid);
  COH_TRY(coh_image_make(l.width, l.height, 3, image));
  draw_all(grid, &l, image);
  return COH_OK;
}

coh_status coh_grid_write(const coh_grid *grid, const char *path) {
  coh_image image;
  COH_TRY(coh_grid_draw(grid, &image));
  coh_status status = coh_png_write(path, &image);
  coh_image_clear(&image);
  return status;
}

// ---- pixels from numbers ------------------------------------------------------------------

// where v lies between lo and hi, 0 to 1
static double place(float v, float lo, float hi) {
  if (!(hi > lo) || isnan(v)) return 0;
  double t = ((double)v - (double)lo) / ((double)hi - (double)lo);
  return t < 0 ? 0 : t > 1 ? 1 : t;
}

void coh_image_from_floats(const float *values, int64_t n, float lo, float hi, uint8_t *bytes) {
  for (int64_t i = 0; i < n; i++)
    bytes[i] = (uint8_t)(place(values[i], lo, hi) * 255 + 0.5);
}

void coh_image_from_values(const float *values, int64_t n, float lo, float hi, uint8_t *rgb) {
  // lightness rises evenly from dark blue over teal to yellow
  static const double stops[6][3] = {{13, 22, 68},   {25, 70, 125},  {18, 116, 140},
                                     {54, 161, 128}, {148, 201, 94}, {250, 231, 88}};
  for (int64_t i = 0; i < n; i++, rgb += 3) {
    if (isnan(values[i])) {
      memset(rgb, 128, 3);
      continue;
    }
    double at = place(values[i], lo, hi) * 5;
    int k = at >= 5 ? 4 : (int)at;
    for (int c = 0; c < 3; c++)
      rgb[c] = (uint8_t)(stops[k][c] + (at - k) * (stops[k + 1][c] - stops[k][c]) + 0.5);
  }
}

coh_status coh_image_enlarge(const coh_image *from, int scale, coh_image *to) {
  coh_image made;
  COH_TRY(coh_image_make(from->width * scale, from->height * scale, from->n_channels, &made));
  size_t size = (size_t)from->n_channels;
  uint8_t *out = made.data;
  for (int64_t y = 0; y < made.height; y++)
    for (int64_t x = 0; x < made.width; x++, out += size)
      memcpy(out, from->data + (size_t)((y / scale) * from->width + x / scale) * size, size);
  *to = made;
  return COH_OK;
}
