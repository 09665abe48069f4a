/* dx (N,H,W,C) for small C: columns (places, KH KW C) = dy (places, O) w^T, then every place
 * adds its row of columns to the pixels under its window. Images go through in groups, so that
 * the columns stay in cache. */
#include "la/thin_convolution.h"

#include <string.h>

#include "la/product.h"

enum { GROUP_PLACES = 1024, MAX_CHANNELS = 4 };

bool coh_convolution_thin_pays(const coh_convolution_shape *s) {
  return s->groups == 1 && s->c <= MAX_CHANNELS && s->o >= 8;
}

static int64_t images_a_group(const coh_convolution_shape *s) {
  int64_t images = GROUP_PLACES / (s->oh * s->ow);
  if (images < 1) images = 1;
  return images < s->n ? images : s->n;
}

int64_t coh_convolution_thin_scratch(const coh_convolution_shape *s) {
  return images_a_group(s) * s->oh * s->ow * s->kh * s->kw * s->c;
}

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
  int64_t row = s->kw * s->c, taps = s->kh * row;
  for (int64_t oi = 0; oi < s->oh; oi++) {
    int64_t p0, p1;
    clip_taps(oi, s->stride[0], s->pad_before[0], s->dilation[0], s->kh, s->h, &p0, &p1);
    for (int64_t oj = 0; oj < s->ow; oj++, columns += taps) {
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

void coh_convolution_thin_run(const coh_convolution_shape *s, const float *dy, const float *w,
                              float *dx, float *scratch) {
  int64_t places = s->oh * s->ow, taps = s->kh * s->kw * s->c, pixels = s->h * s->w * s->c;
  int64_t group = images_a_group(s);
  memset(dx, 0, (size_t)(s->n * pixels) * sizeof *dx);
  for (int64_t n = 0; n < s->n; n += group) {
    int64_t images = s->n - n < group ? s->n - n : group;
    coh_la_matmul(false, true, images * places, taps, s->o, dy + n * places * s->o, w, scratch);
    for (int64_t i = 0; i < images; i++)
      scatter_image(s, scratch + i * places * taps, dx + (n + i) * pixels);
  }
}
