/* Images are taken from a dataset as people see them: bytes as they are, floats between the
 * least and the largest of what is shown. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "task/map/map_view.h"

enum { LEAST_SIDE = 12, MOST_PIXELS = 1 << 22 };

bool coh_map_has_images(const coh_dataset *dataset) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  return spec->n_dims == 3 && spec->shape[0] > 1 && spec->shape[1] > 1 &&
         spec->n_values <= MOST_PIXELS;
}

int coh_map_channels(const coh_dataset *dataset) {
  return coh_dataset_spec_of(dataset)->shape[2] >= 3 ? 3 : 1;
}

// the mean of a square of pixels in one channel
static double mean_of(const coh_dataset_spec *spec, const void *row, int64_t y, int64_t x,
                      int64_t channel, int64_t shrink) {
  double sum = 0;
  for (int64_t j = y * shrink; j < (y + 1) * shrink; j++)
    for (int64_t i = x * shrink; i < (x + 1) * shrink; i++) {
      int64_t at = (j * spec->shape[1] + i) * spec->shape[2] + channel;
      sum += spec->dtype == COH_DTYPE_F32 ? (double)((const float *)row)[at]
                                          : (double)((const uint8_t *)row)[at];
    }
  return sum / (double)(shrink * shrink);
}

void coh_map_images(const coh_dataset *dataset, int64_t n, const int64_t *row, int64_t shrink,
                    uint8_t *out) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  int64_t h = spec->shape[0] / shrink, w = spec->shape[1] / shrink;
  int channels = coh_map_channels(dataset);
  double low = 0, high = 255;
  if (spec->dtype == COH_DTYPE_F32) {
    low = INFINITY;
    high = -INFINITY;
    for (int64_t k = 0; k < n; k++) {
      const float *x = coh_dataset_row(dataset, row[k]);
      for (int64_t j = 0; j < spec->n_values; j++) {
        low = fmin(low, (double)x[j]);
        high = fmax(high, (double)x[j]);
      }
    }
  }
  double scale = high > low ? 255 / (high - low) : 0;
  for (int64_t k = 0; k < n; k++) {
    const void *from = coh_dataset_row(dataset, row[k]);
    for (int64_t y = 0; y < h; y++)
      for (int64_t x = 0; x < w; x++)
        for (int c = 0; c < channels; c++)
          *out++ = (uint8_t)lrint(scale * (mean_of(spec, from, y, x, c, shrink) - low));
  }
}

// small images need few shades, and the file is half as large
static void lessen_shades(uint8_t *bytes, int64_t n) {
  for (int64_t i = 0; i < n; i++)
    bytes[i] = (uint8_t)((bytes[i] * 15 + 127) / 255 * 17);
}

static coh_status fill_sheet(const coh_dataset *dataset, int64_t shrink, coh_map_sheet *sheet) {
  int channels = coh_map_channels(dataset);
  size_t line = (size_t)(sheet->width * channels);
  uint8_t *images;
  int64_t *row, n = sheet->n_images;
  COH_NEW(row, n);
  images = coh_alloc_array((size_t)(n * sheet->height), line);
  coh_status status =
      images ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for the images of a map");
  for (int64_t k = 0; k < n; k++)
    row[k] = k * sheet->step;
  if (status == COH_OK) {
    coh_map_images(dataset, n, row, shrink, images);
    if (shrink > 1) lessen_shades(images, n * sheet->height * (int64_t)line);
    for (int64_t k = 0; k < n; k++)
      for (int64_t y = 0; y < sheet->height; y++) {
        int64_t at = (k / sheet->columns * sheet->height + y) * sheet->image.width +
                     k % sheet->columns * sheet->width;
        memcpy(sheet->image.data + at * channels,
               images + (size_t)(k * sheet->height + y) * line, line);
      }
  }
  coh_free(row);
  coh_free(images);
  return status;
}

coh_status coh_map_sheet_make(const coh_dataset *dataset, int64_t pixels,
                              coh_map_sheet *sheet) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  int64_t h = spec->shape[0], w = spec->shape[1], shrink = 1, least = h < w ? h : w;
  while (spec->n_rows * (h / shrink) * (w / shrink) > pixels &&
         least / (shrink + 1) >= LEAST_SIDE)
    shrink++;
  h /= shrink;
  w /= shrink;
  int64_t most = pixels / (h * w) > 0 ? pixels / (h * w) : 1;
  *sheet = (coh_map_sheet){.step = (spec->n_rows + most - 1) / most, .width = w, .height = h};
  sheet->n_images = (spec->n_rows + sheet->step - 1) / sheet->step;
  sheet->columns = (int64_t)ceil(sqrt((double)(sheet->n_images * h) / (double)w));
  int64_t lines = (sheet->n_images + sheet->columns - 1) / sheet->columns;
  COH_TRY(
      coh_image_make(sheet->columns * w, lines * h, coh_map_channels(dataset), &sheet->image));
  coh_status status = fill_sheet(dataset, shrink, sheet);
  if (status != COH_OK) coh_image_clear(&sheet->image);
  return status;
}
