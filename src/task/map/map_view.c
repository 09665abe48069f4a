/* Pictures and the page of a map. */
#include "task/map/map_view.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "draw/map_page.h"
#include "draw/scatter.h"
#include "io/file.h"
#include "task/row_images.h"

enum {
  PATH_BYTES = 4096,
  CELLS = 15,               /* a thumbnail at most in each of CELLS x CELLS */
  SQUARE = 960,             /* pixels of the map with thumbnails */
  THUMB_SIDE = 56,          /* pixels at most */
  SHEET_PIXELS = 16000000,  /* of all images of a page */
  MOST_PAGE_ROWS = 2000000, /* what a browser still moves */
  MOST_PROJECTOR_ROWS = 100000
};

void coh_map_view_places(const coh_map_view *view, float *seen) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(view->rows);
  int64_t n = spec->n_rows, d = view->dims;
  if (d > 1) {
    for (int64_t i = 0; i < n; i++)
      for (int64_t a = 0; a < 2; a++)
        seen[2 * i + a] = view->y[i * d + a];
    return;
  }
  // a line: a band for each class, points spread over its breadth
  const int32_t *label = coh_dataset_labels(view->rows);
  double low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < n; i++) {
    low = fmin(low, (double)view->y[i]);
    high = fmax(high, (double)view->y[i]);
  }
  double bands = label && spec->n_classes > 0 ? (double)spec->n_classes : 1;
  double breadth = high > low ? (high - low) / bands : 1;
  for (int64_t i = 0; i < n; i++) {
    double spread = 0.8 * fmod((double)i * 0.61803398875, 1) + 0.1;
    seen[2 * i] = view->y[i];
    seen[2 * i + 1] = (float)(-breadth * ((label ? label[i] : 0) + spread));
  }
}

static coh_scatter scatter_of(const coh_map_view *view, const float *seen, int64_t size) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(view->rows);
  return (coh_scatter){.n = spec->n_rows,
                       .x = seen,
                       .y = seen + 1,
                       .stride = 2,
                       .label = coh_dataset_labels(view->rows),
                       .n_classes = spec->n_classes,
                       .class_name = spec->class_names,
                       .size = size};
}

static coh_status draw_picture(const coh_map_view *view, const float *seen,
                               coh_results *results) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures/map.png", view->folder);
  coh_scatter s = scatter_of(view, seen, 840);
  COH_TRY(coh_scatter_write(&s, path));
  coh_results_picture(
      results, "figures/map.png",
      view->dims == 2 ? "The map."
      : view->dims == 1
          ? "The map, a line from left to right; each class has a band of its own."
          : "The first two dimensions of the map.",
      false);
  return COH_OK;
}

// the point nearest to the middle of each cell of the map; row: out, CELLS^2; their number
static int64_t choose_thumbs(int64_t n, const float *y, int64_t *row) {
  float low[2], high[2];
  double best[CELLS * CELLS];
  coh_scatter_span(n, y, y + 1, 2, low, high);
  for (int c = 0; c < CELLS * CELLS; c++)
    row[c] = -1;
  for (int64_t i = 0; i < n; i++) {
    int cell[2];
    double distance = 0;
    for (int a = 0; a < 2; a++) {
      double at =
          CELLS * ((double)y[2 * i + a] - (double)low[a]) / ((double)high[a] - (double)low[a]);
      cell[a] = at < 0 ? 0 : at < CELLS ? (int)at : CELLS - 1;
      distance += fabs(at - cell[a] - 0.5);
    }
    int c = cell[1] * CELLS + cell[0];
    if (row[c] >= 0 && distance >= best[c]) continue;
    row[c] = i;
    best[c] = distance;
  }
  int64_t found = 0;
  for (int c = 0; c < CELLS * CELLS; c++)
    if (row[c] >= 0) row[found++] = row[c];
  return found;
}

static coh_status draw_thumbs(const coh_map_view *view, const float *seen,
                              coh_results *results) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(view->images);
  int64_t row[CELLS * CELLS], n = choose_thumbs(spec->n_rows, seen, row);
  int64_t side = spec->shape[0] > spec->shape[1] ? spec->shape[0] : spec->shape[1];
  int64_t shrink = (side + THUMB_SIDE - 1) / THUMB_SIDE;
  coh_scatter s = scatter_of(view, seen, SQUARE);
  s.n_thumbs = n;
  s.thumb_point = row;
  s.thumb_height = spec->shape[0] / shrink;
  s.thumb_width = spec->shape[1] / shrink;
  s.thumb_channels = coh_row_images_channels(view->images);
  if (s.thumb_height < 1 || s.thumb_width < 1) return COH_OK;
  uint8_t *images;
  COH_NEW(images, n * s.thumb_height * s.thumb_width * s.thumb_channels);
  coh_row_images(view->images, n, row, shrink, images);
  s.thumb = images;
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures/thumbnails.png", view->folder);
  coh_status status = coh_scatter_write(&s, path);
  coh_free(images);
  if (status == COH_OK)
    coh_results_picture(results, "figures/thumbnails.png",
                        "The map with some of its rows in their places; the frame is the "
                        "class.",
                        false);
  return status;
}

static coh_status write_page(const coh_map_view *view, const float *seen,
                             coh_results *results) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(view->rows);
  if (spec->n_rows > MOST_PAGE_ROWS) return COH_OK;
  char title[256], path[PATH_BYTES];
  snprintf(title, sizeof title, "Map of %s", spec->name);
  coh_map_page page = {.title = title,
                       .n = spec->n_rows,
                       .x = seen,
                       .y = seen + 1,
                       .stride = 2,
                       .label = coh_dataset_labels(view->rows),
                       .n_classes = spec->n_classes,
                       .class_name = spec->class_names};
  if (view->dims >= 3) {
    page.x = view->y;
    page.y = view->y + 1;
    page.z = view->y + 2;
    page.stride = view->dims;
  }
  coh_image_sheet sheet = {0};
  coh_status status = COH_OK;
  if (coh_rows_are_images(view->images)) {
    status = coh_image_sheet_make(view->images, SHEET_PIXELS, &sheet);
    page.sheet = &sheet.image;
    page.image_step = sheet.step;
    page.n_images = sheet.n_images;
    page.columns = sheet.columns;
    page.image_width = sheet.width;
    page.image_height = sheet.height;
  }
  snprintf(path, sizeof path, "%s/figures/map.html", view->folder);
  if (status == COH_OK) status = coh_map_page_write(&page, path);
  coh_image_clear(&sheet.image);
  if (status == COH_OK)
    coh_results_picture(results, "figures/map.html",
                        "this map to move about in; it shows the row under the pointer.",
                        false);
  return status;
}

coh_status coh_map_view_write(const coh_map_view *view, coh_results *results) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures", view->folder);
  COH_TRY(coh_folder_make(path));
  int64_t n = coh_dataset_spec_of(view->rows)->n_rows;
  float *seen;
  COH_NEW(seen, 2 * n);
  coh_map_view_places(view, seen);
  coh_status status = view->has_picture ? draw_picture(view, seen, results) : COH_OK;
  if (status == COH_OK && coh_rows_are_images(view->images))
    status = draw_thumbs(view, seen, results);
  if (status == COH_OK) status = write_page(view, seen, results);
  if (status == COH_OK && n <= MOST_PROJECTOR_ROWS)
    status = coh_map_projector_write(view, results);
  coh_free(seen);
  return status;
}
