/* Paths by distance: a pixel is covered as far as it lies within half a pen of the line. */
#include "draw/path.h"

#include <math.h>

static void blend(coh_image *image, int64_t x, int64_t y, const uint8_t rgb[3], double cover) {
  if (cover <= 0 || x < 0 || y < 0 || x >= image->width || y >= image->height) return;
  uint8_t *pixel = image->data + 3 * (y * image->width + x);
  double share = cover < 1 ? cover : 1;
  for (int c = 0; c < 3; c++)
    pixel[c] = (uint8_t)(pixel[c] + share * (rgb[c] - pixel[c]) + 0.5);
}

static double distance_to_segment(double x, double y, double x0, double y0, double x1,
                                  double y1) {
  double dx = x1 - x0, dy = y1 - y0, square = dx * dx + dy * dy;
  double t = square > 0 ? ((x - x0) * dx + (y - y0) * dy) / square : 0;
  t = t < 0 ? 0 : t > 1 ? 1 : t;
  return hypot(x - x0 - t * dx, y - y0 - t * dy);
}

// every pixel whose distance from the segment is between inner and outer
static void draw_segment(coh_image *image, const double at[4], double inner, double outer,
                         const uint8_t rgb[3]) {
  int64_t left = (int64_t)floor(fmin(at[0], at[2]) - outer - 1);
  int64_t right = (int64_t)ceil(fmax(at[0], at[2]) + outer + 1);
  int64_t top = (int64_t)floor(fmin(at[1], at[3]) - outer - 1);
  int64_t bottom = (int64_t)ceil(fmax(at[1], at[3]) + outer + 1);
  for (int64_t y = top; y <= bottom; y++)
    for (int64_t x = left; x <= right; x++) {
      double away =
          distance_to_segment((double)x + 0.5, (double)y + 0.5, at[0], at[1], at[2], at[3]);
      blend(image, x, y, rgb, fmin(outer + 0.5 - away, away - inner + 0.5));
    }
}

void coh_path_draw(const coh_path *path, coh_image *image) {
  double pen = path->width / 2;
  for (int64_t i = 0; i + 1 < path->n_points; i++) {
    const double at[4] = {path->x[i], path->y[i], path->x[i + 1], path->y[i + 1]};
    draw_segment(image, at, -2, pen, path->rgb);
  }
  if (!path->has_ends || path->n_points < 1) return;
  int64_t last = path->n_points - 1;
  const double start[4] = {path->x[0], path->y[0], path->x[0], path->y[0]};
  const double stop[4] = {path->x[last], path->y[last], path->x[last], path->y[last]};
  draw_segment(image, start, -2, 2.2 * pen, path->rgb);
  draw_segment(image, stop, 1.6 * pen, 2.8 * pen, path->rgb);
}
