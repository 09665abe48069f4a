/* Maps over images, and signed numbers as colours. */
#include <math.h>

#include "draw/figure.h"

static float largest(const float *values, int64_t n, bool is_signed) {
  float most = 0;
  for (int64_t i = 0; i < n; i++) {
    float v = is_signed ? fabsf(values[i]) : values[i];
    if (v > most) most = v;
  }
  return most;
}

static uint8_t mix(double from, double to, double share) {
  return (uint8_t)(from + share * (to - from) + 0.5);
}

void coh_image_from_signed(const float *values, int64_t n, float limit, uint8_t *rgb) {
  static const double low[3] = {33, 102, 172}, high[3] = {178, 24, 43};
  if (limit <= 0) limit = largest(values, n, true);
  for (int64_t i = 0; i < n; i++, rgb += 3) {
    double t = limit > 0 ? (double)values[i] / (double)limit : 0;
    if (!isfinite(t)) t = 0;
    const double *ink = t < 0 ? low : high;
    double share = fabs(t) > 1 ? 1 : fabs(t);
    for (int c = 0; c < 3; c++)
      rgb[c] = mix(255, ink[c], share);
  }
}

// the map at a place between its pixels
static double sample(const float *map, int64_t w, int64_t h, double x, double y) {
  x = fmin(fmax(x, 0), (double)(w - 1));
  y = fmin(fmax(y, 0), (double)(h - 1));
  int64_t x0 = (int64_t)x, y0 = (int64_t)y, x1 = x0 + 1 < w ? x0 + 1 : x0,
          y1 = y0 + 1 < h ? y0 + 1 : y0;
  double u = x - (double)x0, v = y - (double)y0;
  double top = (double)map[y0 * w + x0] * (1 - u) + (double)map[y0 * w + x1] * u;
  double low = (double)map[y1 * w + x0] * (1 - u) + (double)map[y1 * w + x1] * u;
  return top * (1 - v) + low * v;
}

void coh_image_overlay(const float *map, int64_t map_width, int64_t map_height, float limit,
                       uint8_t *image, int64_t width, int64_t height) {
  if (limit <= 0) limit = largest(map, map_width * map_height, false);
  for (int64_t y = 0; y < height; y++)
    for (int64_t x = 0; x < width; x++) {
      uint8_t *rgb = image + 3 * (y * width + x);
      double u = ((double)x + 0.5) * (double)map_width / (double)width - 0.5;
      double v = ((double)y + 0.5) * (double)map_height / (double)height - 0.5;
      double t = limit > 0 ? sample(map, map_width, map_height, u, v) / (double)limit : 0;
      t = isfinite(t) ? fmin(fmax(t, 0), 1) : 0;
      double gray = 0.75 * (0.30 * rgb[0] + 0.59 * rgb[1] + 0.11 * rgb[2]);
      const double glow[3] = {255, 255 * fmin(fmax(1.6 * t - 0.5, 0), 1), 40 * (1 - t)};
      for (int c = 0; c < 3; c++)
        rgb[c] = mix(gray, glow[c], 0.85 * sqrt(t));
    }
}
