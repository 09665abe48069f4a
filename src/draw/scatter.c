/* Points are soft discs laid over each other in an order that mixes the classes, so that none
 * covers the others because it comes last. */
#include "draw/scatter.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"

enum { SIZE = 720, BORDER = 14, TEXT = 2, MOST_ROWS = 26, SWATCH = 12, NAME_LETTERS = 14 };

static const uint8_t ink[3] = {31, 41, 51}, pale[3] = {95, 107, 122},
                     frame[3] = {214, 219, 226};

static const uint8_t palette[10][3] = {
    {31, 119, 180}, {255, 127, 14},  {44, 160, 44}, {214, 39, 40},  {148, 103, 189},
    {140, 86, 75},  {227, 119, 194}, {90, 96, 106}, {188, 170, 20}, {23, 190, 207}};

static double channel_of(double hue, double offset) {
  double k = fmod(offset + hue * 12, 12), low = k - 3 < 9 - k ? k - 3 : 9 - k;
  low = low < 1 ? low : 1;
  return 0.48 - 0.34 * (low > -1 ? low : -1);
}

void coh_class_color(int64_t label, uint8_t rgb[3]) {
  if (label >= 0 && label < 10) {
    memcpy(rgb, palette[label], 3);
    return;
  }
  double hue = fmod((double)label * 0.61803398875, 1);
  const double offsets[3] = {0, 8, 4};
  for (int c = 0; c < 3; c++)
    rgb[c] = (uint8_t)(255 * channel_of(hue, offsets[c]) + 0.5);
}

void coh_scatter_span(int64_t n, const float *x, const float *y, int64_t stride, float low[2],
                      float high[2]) {
  const float *axis[2] = {x, y};
  double middle[2], half = 0;
  for (int a = 0; a < 2; a++) {
    double lo = INFINITY, hi = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
      double v = (double)axis[a][i * stride];
      if (!isfinite(v)) continue;
      lo = v < lo ? v : lo;
      hi = v > hi ? v : hi;
    }
    if (!(lo <= hi)) lo = hi = 0;
    middle[a] = 0.5 * (lo + hi);
    if (hi - lo > 2 * half) half = 0.5 * (hi - lo);
  }
  half = half > 0 ? 1.04 * half : 1;
  for (int a = 0; a < 2; a++) {
    low[a] = (float)(middle[a] - half);
    high[a] = (float)(middle[a] + half);
  }
}

static void blend(coh_image *image, int64_t x, int64_t y, const uint8_t rgb[3], double alpha) {
  if (x < 0 || y < 0 || x >= image->width || y >= image->height) return;
  uint8_t *pixel = image->data + 3 * (y * image->width + x);
  for (int c = 0; c < 3; c++)
    pixel[c] = (uint8_t)lrint((1 - alpha) * pixel[c] + alpha * rgb[c]);
}

static void fill(coh_image *image, int64_t left, int64_t top, int64_t width, int64_t height,
                 const uint8_t rgb[3]) {
  for (int64_t y = top; y < top + height; y++)
    for (int64_t x = left; x < left + width; x++)
      blend(image, x, y, rgb, 1);
}

static void outline(coh_image *image, int64_t left, int64_t top, int64_t width, int64_t height,
                    const uint8_t rgb[3]) {
  fill(image, left, top, width, 1, rgb);
  fill(image, left, top + height - 1, width, 1, rgb);
  fill(image, left, top, 1, height, rgb);
  fill(image, left + width - 1, top, 1, height, rgb);
}

static void disc(coh_image *image, double x, double y, double radius, const uint8_t rgb[3],
                 double alpha) {
  for (int64_t j = (int64_t)floor(y - radius - 1); j <= (int64_t)ceil(y + radius + 1); j++)
    for (int64_t i = (int64_t)floor(x - radius - 1); i <= (int64_t)ceil(x + radius + 1); i++) {
      double cover = radius + 0.5 - hypot((double)i - x, (double)j - y);
      if (cover > 0) blend(image, i, j, rgb, alpha * (cover < 1 ? cover : 1));
    }
}

// many points are small and see-through, few are large
static void dot_of(int64_t n, int64_t size, double *radius, double *alpha) {
  double share = (double)n / ((double)size * (double)size);
  *radius = 0.35 / sqrt(share < 1e-6 ? 1e-6 : share);
  *radius = *radius < 0.8 ? 0.8 : *radius > 4 ? 4 : *radius;
  *alpha = share > 0.05 ? 0.55 : 0.8;
}

typedef struct plot {
  coh_image *image;
  int64_t left, top, size;
  float low[2], high[2];
} plot;

static void place(const plot *p, float x, float y, double *px, double *py) {
  double sx = ((double)x - (double)p->low[0]) / ((double)p->high[0] - (double)p->low[0]);
  double sy = ((double)y - (double)p->low[1]) / ((double)p->high[1] - (double)p->low[1]);
  *px = (double)p->left + sx * (double)(p->size - 1);
  *py = (double)p->top + (1 - sy) * (double)(p->size - 1);
}

static void draw_point(const coh_scatter *s, const plot *p, int64_t i, double radius,
                       double alpha) {
  static const uint8_t gray[3] = {205, 210, 216};
  float x = s->x[i * s->stride], y = s->y[i * s->stride];
  if (!isfinite(x) || !isfinite(y)) return;
  double px, py;
  place(p, x, y, &px, &py);
  if (px < (double)p->left || px > (double)(p->left + p->size) || py < (double)p->top ||
      py > (double)(p->top + p->size))
    return;
  uint8_t rgb[3];
  coh_class_color(s->label ? s->label[i] : 0, rgb);
  disc(p->image, px, py, radius, i < s->n_behind ? gray : rgb, alpha);
}

static void draw_points(const coh_scatter *s, const plot *p) {
  double radius, alpha;
  dot_of(s->n, p->size, &radius, &alpha);
  for (int64_t i = 0; i < s->n_behind; i++)
    draw_point(s, p, i, radius, alpha);
  // a step that shares no factor with n visits every point once, far from the one before
  int64_t step = (int64_t)((double)s->n * 0.61803398875) | 1;
  for (int64_t a = step, b = s->n; b;) {
    int64_t rest = a % b;
    a = b;
    b = rest;
    if (!b && a != 1) {
      step += 2;
      a = step;
      b = s->n;
    }
  }
  for (int64_t k = 0, i = 0; k < s->n; k++, i = (i + step) % s->n)
    if (i >= s->n_behind) draw_point(s, p, i, radius, alpha);
}

static void draw_thumbs(const coh_scatter *s, const plot *p) {
  for (int64_t k = 0; k < s->n_thumbs; k++) {
    int64_t i = s->thumb_point[k];
    double px, py;
    place(p, s->x[i * s->stride], s->y[i * s->stride], &px, &py);
    int64_t left = (int64_t)px - s->thumb_width / 2, top = (int64_t)py - s->thumb_height / 2;
    const uint8_t *from =
        s->thumb + k * s->thumb_width * s->thumb_height * (int64_t)s->thumb_channels;
    for (int64_t y = 0; y < s->thumb_height; y++)
      for (int64_t x = 0; x < s->thumb_width; x++, from += s->thumb_channels) {
        uint8_t rgb[3];
        for (int c = 0; c < 3; c++)
          rgb[c] = from[s->thumb_channels == 3 ? c : 0];
        blend(p->image, left + x, top + y, rgb, 1);
      }
    uint8_t border[3];
    coh_class_color(s->label ? s->label[i] : 0, border);
    for (int64_t w = 1; w <= 2; w++)
      outline(p->image, left - w, top - w, s->thumb_width + 2 * w, s->thumb_height + 2 * w,
              border);
  }
}

static void class_text(const coh_scatter *s, int64_t c, char text[NAME_LETTERS + 1]) {
  if (s->class_name)
    snprintf(text, NAME_LETTERS + 1, "%s", s->class_name[c]);
  else
    snprintf(text, NAME_LETTERS + 1, "%lld", (long long)c);
}

static int64_t legend_width(const coh_scatter *s) {
  if (!s->label || s->n_classes < 1) return 0;
  size_t longest = 0;
  for (int64_t c = 0; c < s->n_classes && c < MOST_ROWS; c++) {
    char text[NAME_LETTERS + 1];
    class_text(s, c, text);
    longest = strlen(text) > longest ? strlen(text) : longest;
  }
  if (s->n_classes > MOST_ROWS && longest < 10) longest = 10;
  return SWATCH + 8 + (int64_t)longest * COH_FONT_WIDTH * TEXT + BORDER;
}

static void draw_legend(const coh_scatter *s, coh_image *image, int64_t left, int64_t top) {
  if (!s->label) return;
  int64_t rows = s->n_classes < MOST_ROWS ? s->n_classes : MOST_ROWS;
  for (int64_t c = 0; c < rows; c++) {
    char text[NAME_LETTERS + 1];
    class_text(s, c, text);
    uint8_t rgb[3];
    coh_class_color(c, rgb);
    int64_t y = top + c * (COH_FONT_HEIGHT * TEXT + 6);
    disc(image, (double)left + SWATCH / 2.0, (double)y + 7, SWATCH / 2.0, rgb, 1);
    coh_font_draw(image, left + SWATCH + 8, y, TEXT, ink, text);
  }
  if (s->n_classes > rows) {
    char text[32];
    snprintf(text, sizeof text, "+ %lld more", (long long)(s->n_classes - rows));
    coh_font_draw(image, left, top + rows * (COH_FONT_HEIGHT * TEXT + 6), TEXT, pale, text);
  }
}

static void draw_words(const coh_scatter *s, const plot *p) {
  if (s->title) coh_font_draw(p->image, BORDER, BORDER, TEXT, ink, s->title);
  int64_t bottom = p->top + p->size - COH_FONT_HEIGHT * TEXT - 2;
  if (s->x_label)
    coh_font_draw(p->image,
                  p->left + p->size - (int64_t)strlen(s->x_label) * COH_FONT_WIDTH * TEXT - 6,
                  bottom, TEXT, pale, s->x_label);
  if (s->y_label) coh_font_draw(p->image, p->left + 8, p->top + 8, TEXT, pale, s->y_label);
}

coh_status coh_scatter_draw(const coh_scatter *s, coh_image *image) {
  COH_CHECK(s->n > 0 && s->stride > 0, COH_E_INTERNAL, "a scatter plot of nothing");
  int64_t size = s->size > 0 ? s->size : SIZE, legend = legend_width(s);
  int64_t top = BORDER + (s->title ? COH_FONT_HEIGHT * TEXT + 6 : 0);
  COH_TRY(coh_image_make(size + 2 * BORDER + legend, top + size + BORDER, 3, image));
  memset(image->data, 255, (size_t)(image->width * image->height * 3));
  plot p = {.image = image, .left = BORDER, .top = top, .size = size};
  memcpy(p.low, s->low, sizeof p.low);
  memcpy(p.high, s->high, sizeof p.high);
  if (!(p.high[0] > p.low[0] && p.high[1] > p.low[1]))
    coh_scatter_span(s->n, s->x, s->y, s->stride, p.low, p.high);
  outline(image, p.left - 1, p.top - 1, size + 2, size + 2, frame);
  draw_points(s, &p);
  draw_thumbs(s, &p);
  draw_words(s, &p);
  draw_legend(s, image, size + 2 * BORDER, top + 4);
  return COH_OK;
}

coh_status coh_scatter_write(const coh_scatter *scatter, const char *path) {
  coh_image image = {0};
  COH_TRY(coh_scatter_draw(scatter, &image));
  coh_status status = coh_png_write(path, &image);
  coh_image_clear(&image);
  return status;
}
