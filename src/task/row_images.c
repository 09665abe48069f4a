/* Small images of a row are means of squares of its pixels. */
#include "task/row_images.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

enum { LEAST_SIDE = 12, MOST_PIXELS = 1 << 22 };

bool coh_rows_are_images(const coh_dataset *dataset) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  return spec->n_dims == 3 && spec->shape[0] > 1 && spec->shape[1] > 1 &&
         spec->n_values <= MOST_PIXELS;
}

int coh_row_images_channels(const coh_dataset *dataset) {
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

void coh_row_images(const coh_dataset *dataset, int64_t n, const int64_t *row, int64_t shrink,
                    uint8_t *out) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  int64_t h = spec->shape[0] / shrink, w = spec->shape[1] / shrink;
  int channels = coh_row_images_channels(dataset);
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

coh_status coh_image_sheet_fill(const coh_dataset *dataset, int64_t shrink, int64_t n_lines,
                                coh_image_sheet *sheet) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  int channels = coh_row_images_channels(dataset);
  int64_t *row, n = sheet->n_images, lines = (n + sheet->columns - 1) / sheet->columns;
  sheet->height = spec->shape[0] / shrink;
  sheet->width = spec->shape[1] / shrink;
  size_t line = (size_t)(sheet->width * channels);
  COH_NEW(row, n);
  for (int64_t k = 0; k < n; k++)
    row[k] = k * sheet->step;
  uint8_t *images = coh_alloc_array((size_t)(n * sheet->height), line);
  coh_status status =
      images ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for the images of a map");
  if (status == COH_OK)
    status = coh_image_make(sheet->columns * sheet->width,
                            (lines > n_lines ? lines : n_lines) * sheet->height, channels,
                            &sheet->image);
  if (status == COH_OK) {
    coh_row_images(dataset, n, row, shrink, images);
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

// small images need few shades, and the file is half as large
static void lessen_shades(coh_image *image) {
  for (int64_t i = 0; i < image->width * image->height * image->n_channels; i++)
    image->data[i] = (uint8_t)((image->data[i] * 15 + 127) / 255 * 17);
}

coh_status coh_image_sheet_make(const coh_dataset *dataset, int64_t pixels,
                                coh_image_sheet *sheet) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  int64_t h = spec->shape[0], w = spec->shape[1], shrink = 1, least = h < w ? h : w;
  while (spec->n_rows * (h / shrink) * (w / shrink) > pixels &&
         least / (shrink + 1) >= LEAST_SIDE)
    shrink++;
  h /= shrink;
  w /= shrink;
  int64_t most = pixels / (h * w) > 0 ? pixels / (h * w) : 1;
  *sheet = (coh_image_sheet){.step = (spec->n_rows + most - 1) / most};
  sheet->n_images = (spec->n_rows + sheet->step - 1) / sheet->step;
  sheet->columns = (int64_t)ceil(sqrt((double)(sheet->n_images * h) / (double)w));
  COH_TRY(coh_image_sheet_fill(dataset, shrink, 0, sheet));
  if (shrink > 1) lessen_shades(&sheet->image);
  return COH_OK;
}
