/* dx (N,H,W,C) for small C: columns (places, KH KW C) = dy (places, O) w^T, then every place
 * adds its row of columns to the pixels under its window. Images go through in groups, so that
 * the columns stay in cache. The product is of few columns: its right side is packed once, in
 * panels of 16, and its left side is read as it is, four rows at a time, with all sums in
 * registers. */
#include "la/thin_convolution.h"

#include <string.h>

#include "la/panel_product.h"

enum { GROUP_PLACES = 256, MAX_CHANNELS = 4, PANEL = 16 };

bool coh_convolution_thin_pays(const coh_convolution_shape *s) {
  return s->groups == 1 && s->c <= MAX_CHANNELS && s->o >= 8;
}

static int64_t images_a_group(const coh_convolution_shape *s) {
  int64_t images = GROUP_PLACES / (s->oh * s->ow);
  if (images < 1) images = 1;
  return images < s->n ? images : s->n;
}

static int64_t n_panels(const coh_convolution_shape *s) {
  return (s->kh * s->kw * s->c + PANEL - 1) / PANEL;
}

int64_t coh_convolution_thin_scratch(const coh_convolution_shape *s) {
  return n_panels(s) * PANEL * (images_a_group(s) * s->oh * s->ow + s->o);
}

/* ---- the product */

// w (taps, o) -> panels of (o, PANEL), the last one filled up with zeros
static void pack(const coh_convolution_shape *s, const float *w, float *packed) {
  int64_t taps = s->kh * s->kw * s->c;
  for (int64_t p = 0; p < n_panels(s); p++, packed += s->o * PANEL)
    for (int64_t k = 0; k < s->o; k++)
      for (int64_t j = 0; j < PANEL; j++)
        packed[k * PANEL + j] = p * PANEL + j < taps ? w[(p * PANEL + j) * s->o + k] : 0;
}

static void columns_of(const coh_convolution_shape *s, int64_t places, const float *dy,
                       const float *packed, float *columns) {
  const coh_panel_product product = {.depth = s->o,
                                     .row_step = s->o,
                                     .term_step = 1,
                                     .b_step = PANEL,
                                     .out_step = n_panels(s) * PANEL};
  for (int64_t p = 0; p < n_panels(s); p++, packed += s->o * PANEL, columns += PANEL)
    coh_panel_multiply_rows(places, PANEL / COH_PIECE, &product, dy, packed, columns);
}

/* ---- the scatter */

// first <= tap < last of a window at `place` that lie inside [0, size)
static void clip_taps(int64_t place, int64_t stride, int64_t pad, int64_t dilation,
                      int64_t kernel, int64_t size, int64_t *first, int64_t *last) {
  int64_t at = place * stride - pad;
  *first = at >= 0 ? 0 : (-at + dilation - 1) / dilation;
  *last = at + (kernel - 1) * dilation < size ? kernel : (size - at + dilation - 1) / dilation;
}

// add n floats
static inline __attribute__((always_inline)) void add(int64_t n, const float *x, float *y) {
  for (int64_t i = 0; i < n; i++)
    y[i] += x[i];
}

static void add_run(int64_t n, const float *x, float *y) {
  switch (n) { // the lengths of usual windows, unrolled
  case 3:
    add(3, x, y);
    break;
  case 4:
    add(4, x, y);
    break;
  case 5:
    add(5, x, y);
    break;
  case 16:
    add(16, x, y);
    break;
  case 32:
    add(32, x, y);
    break;
  default:
    add(n, x, y);
    break;
  }
}

// one image's rows of columns onto its pixels
static void scatter_image(const coh_convolution_shape *s, const float *columns, float *dx) {
  int64_t row = s->kw * s->c, width = n_panels(s) * PANEL;
  for (int64_t oi = 0; oi < s->oh; oi++) {
    int64_t p0, p1;
    clip_taps(oi, s->stride[0], s->pad_before[0], s->dilation[0], s->kh, s->h, &p0, &p1);
    for (int64_t oj = 0; oj < s->ow; oj++, columns += width) {
      int64_t q0, q1;
      clip_taps(oj, s->stride[1], s->pad_before[1], s->dilation[1], s->kw, s->w, &q0, &q1);
      for (int64_t p = p0; p < p1; p++) {
        int64_t i = oi * s->stride[0] - s->pad_before[0] + p * s->dilation[0];
        int64_t j = oj * s->stride[1] - s->pad_before[1] + q0 * s->dilation[1];
        float *pixel = dx + (i * s->w + j) * s->c;
        const float *from = columns + p * row + q0 * s->c;
        if (s->dilation[1] == 1) {
          add_run((q1 - q0) * s->c, from, pixel);
        } else {
          for (int64_t q = q0; q < q1; q++, from += s->c, pixel += s->dilation[1] * s->c)
            add(s->c, from, pixel);
        }
      }
    }
  }
}

/* ---- kernels of four pixels that move by two: a row of pixels from registers. Windows
 * overlap, and what one has stored the next would wait for. */

enum { MAX_LINE = 1024, MAX_REACH = 8 };
typedef float quad __attribute__((vector_size(4 * sizeof(float)), aligned(4)));

static bool is_quad(const coh_convolution_shape *s) {
  return s->c == 1 && s->kw == 4 && s->stride[1] == 2 && s->dilation[0] == 1 &&
         s->dilation[1] == 1 && s->kh <= MAX_REACH && s->w + s->pad_before[1] <= MAX_LINE &&
         2 * s->ow + 2 <= MAX_LINE;
}

// rows of columns that reach pixel row i
static int reaching(const coh_convolution_shape *s, int64_t i, const float *columns,
                    const float *from[MAX_REACH]) {
  int n = 0;
  int64_t at = i + s->pad_before[0], width = n_panels(s) * PANEL;
  for (int64_t p = at % s->stride[0]; p < s->kh && p <= at; p += s->stride[0]) {
    int64_t oi = (at - p) / s->stride[0];
    if (oi < s->oh) from[n++] = columns + oi * s->ow * width + p * 4;
  }
  return n;
}

static void gather_image(const coh_convolution_shape *s, const float *columns, float *dx) {
  float line[MAX_LINE] = {0}; // pixel j at j + pad
  int64_t width = n_panels(s) * PANEL;
  for (int64_t i = 0; i < s->h; i++) {
    const float *from[MAX_REACH];
    int n = reaching(s, i, columns, from);
    quad open = {0}; // pixels that further windows reach
    const quad none = {0};
    for (int64_t oj = 0; oj < s->ow; oj++) {
      for (int k = 0; k < n; k++)
        open += *(const quad *)(const void *)(from[k] + oj * width);
      line[2 * oj] = open[0];
      line[2 * oj + 1] = open[1];
      open = __builtin_shufflevector(open, none, 2, 3, 4, 5);
    }
    line[2 * s->ow] = open[0];
    line[2 * s->ow + 1] = open[1];
    memcpy(dx + i * s->w, line + s->pad_before[1], (size_t)s->w * sizeof *dx);
  }
}

void coh_convolution_thin_run(const coh_convolution_shape *s, const float *dy, const float *w,
                              float *dx, float *scratch) {
  int64_t places = s->oh * s->ow, pixels = s->h * s->w * s->c, width = n_panels(s) * PANEL;
  int64_t group = images_a_group(s);
  float *columns = scratch + width * s->o;
  pack(s, w, scratch);
  bool quads = is_quad(s);
  if (!quads) memset(dx, 0, (size_t)(s->n * pixels) * sizeof *dx);
  for (int64_t n = 0; n < s->n; n += group) {
    int64_t images = s->n - n < group ? s->n - n : group;
    columns_of(s, images * places, dy + n * places * s->o, scratch, columns);
    for (int64_t i = 0; i < images; i++) {
      const float *from = columns + i * places * width;
      if (quads)
        gather_image(s, from, dx + (n + i) * pixels);
      else
        scatter_image(s, from, dx + (n + i) * pixels);
    }
  }
}
