/* Heat maps of cells. */
#include "draw/cells.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "draw/path.h"

enum { MOST_SCALE = 56, LEAST_ARROW = 9 };

static bool is_wall(const coh_cells *cells, int64_t k) {
  return cells->wall && cells->wall[k];
}

void coh_cells_range(const coh_cells *cells, double *low, double *high) {
  double least = INFINITY, most = -INFINITY;
  for (int64_t k = 0; k < cells->n_rows * cells->n_cols; k++) {
    if (is_wall(cells, k) || !isfinite(cells->value[k])) continue;
    least = fmin(least, cells->value[k]);
    most = fmax(most, cells->value[k]);
  }
  *low = isfinite(least) ? least : 0.0;
  *high = most > *low ? most : *low + 1.0;
}

/* One pixel a cell. */
static coh_status paint(const coh_cells *cells, coh_image *image) {
  static const uint8_t wall[3] = {38, 38, 42}, infinite[3] = {178, 34, 52};
  int64_t n = cells->n_rows * cells->n_cols;
  float *values;
  COH_NEW(values, n);
  for (int64_t k = 0; k < n; k++)
    values[k] = is_wall(cells, k) || !isfinite(cells->value[k]) ? NAN : (float)cells->value[k];
  coh_status status = coh_image_make(cells->n_cols, cells->n_rows, 3, image);
  if (status == COH_OK)
    coh_image_from_values(values, n, (float)cells->low, (float)cells->high, image->data);
  for (int64_t k = 0; k < n && status == COH_OK; k++) {
    if (is_wall(cells, k)) memcpy(image->data + 3 * k, wall, sizeof wall);
    if (!is_wall(cells, k) && isinf(cells->value[k]))
      memcpy(image->data + 3 * k, infinite, sizeof infinite);
  }
  coh_free(values);
  return status;
}

static double center(int64_t cell, int scale) {
  return ((double)cell + 0.5) * scale;
}

static void draw_arrow(const coh_cells *cells, int64_t k, int scale, coh_image *image) {
  static const double step[4][2] = {{0, -1}, {1, 0}, {0, 1}, {-1, 0}};
  double dx = step[cells->arrow[k]][0], dy = step[cells->arrow[k]][1], size = 0.28 * scale;
  double x = center(k % cells->n_cols, scale), y = center(k / cells->n_cols, scale);
  double tip_x = x + size * dx, tip_y = y + size * dy, wing = 0.16 * scale;
  // dark on bright cells, bright on dark ones
  const uint8_t *under = image->data + 3 * ((int64_t)y * image->width + (int64_t)x);
  uint8_t tone = under[0] + 2 * under[1] + under[2] > 440 ? 25 : 245;
  double shaft_x[2] = {x - size * dx, tip_x}, shaft_y[2] = {y - size * dy, tip_y};
  double head_x[3] = {tip_x - wing * (dx + dy), tip_x, tip_x - wing * (dx - dy)};
  double head_y[3] = {tip_y - wing * (dy + dx), tip_y, tip_y - wing * (dy - dx)};
  double width = fmax(1.2, 0.06 * scale);
  coh_path_draw(&(coh_path){shaft_x, shaft_y, 2, width, {tone, tone, tone}, false}, image);
  coh_path_draw(&(coh_path){head_x, head_y, 3, width, {tone, tone, tone}, false}, image);
}

static coh_status draw_way(const coh_cells *cells, int scale, coh_image *image) {
  double *x, *y;
  COH_NEW(x, 2 * cells->n_way);
  y = x + cells->n_way;
  for (int64_t k = 0; k < cells->n_way; k++) {
    x[k] = center(cells->way[k] % cells->n_cols, scale);
    y[k] = center(cells->way[k] / cells->n_cols, scale);
  }
  double width = fmax(1.5, 0.16 * scale);
  coh_path_draw(&(coh_path){x, y, cells->n_way, width, {230, 57, 70}, true}, image);
  coh_free(x);
  return COH_OK;
}

coh_status coh_cells_draw(const coh_cells *cells, coh_image *image) {
  int64_t side = cells->n_rows > cells->n_cols ? cells->n_rows : cells->n_cols;
  int scale = (int)(cells->room / side);
  scale = scale > MOST_SCALE ? MOST_SCALE : scale < 1 ? 1 : scale;
  coh_image small;
  COH_TRY(paint(cells, &small));
  coh_status status = coh_image_enlarge(&small, scale, image);
  coh_image_clear(&small);
  COH_TRY(status);
  if (cells->n_way > 0) status = draw_way(cells, scale, image);
  for (int64_t k = 0; cells->arrow && scale >= LEAST_ARROW && k < cells->n_rows * cells->n_cols;
       k++)
    if (cells->arrow[k] >= 0 && !is_wall(cells, k)) draw_arrow(cells, k, scale, image);
  if (status != COH_OK) coh_image_clear(image);
  return status;
}
