/* Images are taken from the dataset as people see them: bytes as they are, floats between the
 * least and the largest of what is shown. */
#include "task/map_view.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "draw/map_page.h"
#include "draw/scatter.h"
#include "io/file.h"

enum {
  PATH_BYTES = 4096,
  CELLS = 15,              /* a thumbnail at most in each of CELLS x CELLS */
  SQUARE = 960,            /* pixels of the map with thumbnails */
  SHEET_PIXELS = 4000000,  /* of all images of a page */
  MOST_PAGE_ROWS = 2000000 /* what a browser still moves */
};

static bool is_image(const coh_dataset_spec *spec) {
  return spec->n_dims == 3 && (spec->shape[2] == 1 || spec->shape[2] == 3) &&
         spec->n_values <= SHEET_PIXELS;
}

// the images of chosen rows as bytes, one behind the other
static void take_images(const coh_dataset *dataset, int64_t n, const int64_t *row,
                        uint8_t *out) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  int64_t d = spec->n_values;
  float low = INFINITY, high = -INFINITY;
  for (int64_t k = 0; k < n && spec->dtype == COH_DTYPE_F32; k++) {
    const float *x = coh_dataset_row(dataset, row[k]);
    for (int64_t j = 0; j < d; j++) {
      low = x[j] < low ? x[j] : low;
      high = x[j] > high ? x[j] : high;
    }
  }
  for (int64_t k = 0; k < n; k++) {
    if (spec->dtype == COH_DTYPE_F32)
      coh_image_from_floats(coh_dataset_row(dataset, row[k]), d, low, high, out + k * d);
    else
      memcpy(out + k * d, coh_dataset_row(dataset, row[k]), (size_t)d);
  }
}

// the point nearest to the middle of each cell of the map; row: out, CELLS^2; their number
static int64_t choose_thumbs(int64_t n, const float *y, int64_t stride, int64_t *row) {
  float low[2], high[2];
  double best[CELLS * CELLS];
  coh_scatter_span(n, y, y + 1, stride, low, high);
  for (int c = 0; c < CELLS * CELLS; c++)
    row[c] = -1;
  for (int64_t i = 0; i < n; i++) {
    int cell[2];
    double distance = 0;
    for (int a = 0; a < 2; a++) {
      double at = CELLS * ((double)y[i * stride + a] - (double)low[a]) /
                  ((double)high[a] - (double)low[a]);
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

static coh_status draw_thumbs(const coh_dataset *dataset, const float *y, int64_t stride,
                              const char *folder, coh_results *results) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  int64_t row[CELLS * CELLS], n = choose_thumbs(spec->n_rows, y, stride, row);
  uint8_t *images;
  COH_NEW(images, n * spec->n_values);
  take_images(dataset, n, row, images);
  coh_scatter s = {.n = spec->n_rows,
                   .x = y,
                   .y = y + 1,
                   .stride = stride,
                   .label = coh_dataset_labels(dataset),
                   .n_classes = spec->n_classes,
                   .class_name = spec->class_names,
                   .size = SQUARE,
                   .n_thumbs = n,
                   .thumb_point = row,
                   .thumb = images,
                   .thumb_width = spec->shape[1],
                   .thumb_height = spec->shape[0],
                   .thumb_channels = (int)spec->shape[2]};
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures/thumbnails.png", folder);
  coh_status status = coh_scatter_write(&s, path);
  coh_free(images);
  if (status == COH_OK)
    coh_results_picture(results, "figures/thumbnails.png",
                        "The map with some of its rows in their places; the frame is the class.",
                        false);
  return status;
}

// the images of every step-th row, side by side
static coh_status make_sheet(const coh_dataset *dataset, coh_map_page *page, coh_image *sheet) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  int64_t h = spec->shape[0], w = spec->shape[1], channels = spec->shape[2];
  int64_t most = SHEET_PIXELS / (h * w), step = (spec->n_rows + most - 1) / most;
  int64_t n = (spec->n_rows + step - 1) / step, *row;
  int64_t columns = (int64_t)ceil(sqrt((double)(n * h) / (double)w));
  uint8_t *images = NULL;
  COH_NEW(row, n);
  images = coh_alloc_array((size_t)(n * spec->n_values), 1);
  coh_status status =
      images ? coh_image_make(columns * w, (n + columns - 1) / columns * h, (int)channels, sheet)
             : coh_fail(COH_E_MEMORY, "out of memory for the images of a map");
  for (int64_t k = 0; k < n; k++)
    row[k] = k * step;
  if (status == COH_OK) {
    take_images(dataset, n, row, images);
    for (int64_t k = 0; k < n; k++)
      for (int64_t y = 0; y < h; y++)
        memcpy(sheet->data +
                   ((k / columns * h + y) * sheet->width + k % columns * w) * channels,
               images + (k * h + y) * w * channels, (size_t)(w * channels));
    page->sheet = sheet;
    page->image_step = step;
    page->n_images = n;
    page->columns = columns;
    page->image_width = w;
    page->image_height = h;
  }
  coh_free(row);
  coh_free(images);
  return status;
}

static coh_status write_page(const coh_dataset *dataset, const float *y, int64_t stride,
                             const char *folder, coh_results *results) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  if (spec->n_rows > MOST_PAGE_ROWS) return COH_OK;
  char title[256], path[PATH_BYTES];
  snprintf(title, sizeof title, "Map of %s", spec->name);
  coh_map_page page = {.title = title,
                       .n = spec->n_rows,
                       .x = y,
                       .y = y + 1,
                       .stride = stride,
                       .label = coh_dataset_labels(dataset),
                       .n_classes = spec->n_classes,
                       .class_name = spec->class_names};
  coh_image sheet = {0};
  coh_status status = is_image(spec) ? make_sheet(dataset, &page, &sheet) : COH_OK;
  snprintf(path, sizeof path, "%s/figures/map.html", folder);
  if (status == COH_OK) status = coh_map_page_write(&page, path);
  coh_image_clear(&sheet);
  if (status == COH_OK)
    coh_results_text(results, "figures/map.html is this map to move about in: it shows the row "
                              "under the pointer, and opens in any browser.");
  return status;
}

coh_status coh_map_view_write(const coh_dataset *dataset, const float *y, int64_t stride,
                              const char *folder, coh_results *results) {
  if (stride < 2) return COH_OK;
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures", folder);
  COH_TRY(coh_folder_make(path));
  if (is_image(coh_dataset_spec_of(dataset)))
    COH_TRY(draw_thumbs(dataset, y, stride, folder, results));
  return write_page(dataset, y, stride, folder, results);
}
