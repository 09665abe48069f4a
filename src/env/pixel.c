/* Antialiased shapes by signed distance: a pixel is covered by 1/2 minus the distance of its
 * centre from the edge, clamped to 0..1, which is exact for straight axis-parallel edges and
 * close elsewhere. */
#include "env/pixel.h"

#include <math.h>

coh_color coh_color_mix(coh_color a, coh_color b, double share) {
  return (coh_color){
      (uint8_t)lrint(a.r + share * (b.r - a.r)),
      (uint8_t)lrint(a.g + share * (b.g - a.g)),
      (uint8_t)lrint(a.b + share * (b.b - a.b)),
  };
}

void coh_canvas_clear(coh_canvas *canvas, coh_color color) {
  uint8_t *pixel = canvas->rgb;
  for (int64_t i = 0; i < canvas->width * canvas->height; i++, pixel += 3)
    pixel[0] = color.r, pixel[1] = color.g, pixel[2] = color.b;
}

static void blend(coh_canvas *canvas, int64_t x, int64_t y, double distance, coh_color color) {
  double cover = 0.5 - distance;
  if (cover <= 0.0) return;
  uint8_t *pixel = canvas->rgb + 3 * (y * canvas->width + x);
  coh_color under = {pixel[0], pixel[1], pixel[2]};
  coh_color mixed = coh_color_mix(under, color, fmin(cover, 1.0));
  pixel[0] = mixed.r, pixel[1] = mixed.g, pixel[2] = mixed.b;
}

/* The pixels that a shape within [low, high) may touch, cut at 0 and size. */
typedef struct span {
  int64_t begin, end;
} span;

static span touched(double low, double high, int64_t size) {
  double begin = fmax(floor(low - 1.0), 0.0), end = fmin(ceil(high + 1.0), (double)size);
  if (!(begin < end)) return (span){0, 0}; // also when a coordinate is not a number
  return (span){(int64_t)begin, (int64_t)end};
}

void coh_canvas_rect(coh_canvas *canvas, double x0, double y0, double x1, double y1,
                     double radius, coh_color color) {
  radius = fmin(radius, 0.5 * fmin(x1 - x0, y1 - y0));
  span xs = touched(x0, x1, canvas->width), ys = touched(y0, y1, canvas->height);
  for (int64_t y = ys.begin; y < ys.end; y++) {
    for (int64_t x = xs.begin; x < xs.end; x++) {
      double px = (double)x + 0.5, py = (double)y + 0.5;
      double dx = fmax(x0 - px, px - x1) + radius, dy = fmax(y0 - py, py - y1) + radius;
      double outside = sqrt(fmax(dx, 0.0) * fmax(dx, 0.0) + fmax(dy, 0.0) * fmax(dy, 0.0));
      blend(canvas, x, y, outside + fmin(fmax(dx, dy), 0.0) - radius, color);
    }
  }
}

void coh_canvas_disc(coh_canvas *canvas, coh_point center, double radius, coh_color color) {
  coh_canvas_line(canvas, center, center, 2.0 * radius, color);
}

void coh_canvas_line(coh_canvas *canvas, coh_point from, coh_point to, double thickness,
                     coh_color color) {
  double radius = 0.5 * thickness;
  double dx = to.x - from.x, dy = to.y - from.y, length2 = dx * dx + dy * dy;
  span xs = touched(fmin(from.x, to.x) - radius, fmax(from.x, to.x) + radius, canvas->width);
  span ys = touched(fmin(from.y, to.y) - radius, fmax(from.y, to.y) + radius, canvas->height);
  for (int64_t y = ys.begin; y < ys.end; y++) {
    for (int64_t x = xs.begin; x < xs.end; x++) {
      double px = (double)x + 0.5 - from.x, py = (double)y + 0.5 - from.y;
      double along = length2 > 0.0 ? fmin(fmax((px * dx + py * dy) / length2, 0.0), 1.0) : 0.0;
      double away_x = px - along * dx, away_y = py - along * dy;
      blend(canvas, x, y, sqrt(away_x * away_x + away_y * away_y) - radius, color);
    }
  }
}

enum { MAX_POINTS = 64 };

/* Twice the signed area: its sign is the turning sense. */
static double turning(const coh_point *points, int64_t n_points) {
  double sum = 0.0;
  for (int64_t i = 0; i < n_points; i++) {
    coh_point a = points[i], b = points[(i + 1) % n_points];
    sum += a.x * b.y - b.x * a.y;
  }
  return sum;
}

void coh_canvas_polygon(coh_canvas *canvas, const coh_point *points, int64_t n_points,
                        coh_color color) {
  if (n_points < 3 || n_points > MAX_POINTS) return;
  double sense = turning(points, n_points) < 0.0 ? -1.0 : 1.0;
  double x0 = INFINITY, x1 = -INFINITY, y0 = INFINITY, y1 = -INFINITY;
  double normal_x[MAX_POINTS], normal_y[MAX_POINTS]; // outward unit normals
  for (int64_t i = 0; i < n_points; i++) {
    coh_point a = points[i], b = points[(i + 1) % n_points];
    double length = hypot(b.x - a.x, b.y - a.y);
    normal_x[i] = length > 0.0 ? sense * (b.y - a.y) / length : 0.0;
    normal_y[i] = length > 0.0 ? sense * (a.x - b.x) / length : 0.0;
    x0 = fmin(x0, a.x), x1 = fmax(x1, a.x), y0 = fmin(y0, a.y), y1 = fmax(y1, a.y);
  }
  span xs = touched(x0, x1, canvas->width), ys = touched(y0, y1, canvas->height);
  for (int64_t y = ys.begin; y < ys.end; y++) {
    for (int64_t x = xs.begin; x < xs.end; x++) {
      double distance = -INFINITY;
      for (int64_t i = 0; i < n_points; i++)
        distance = fmax(distance, ((double)x + 0.5 - points[i].x) * normal_x[i] +
                                      ((double)y + 0.5 - points[i].y) * normal_y[i]);
      blend(canvas, x, y, distance, color);
    }
  }
}
