/* Peak signal-to-noise ratio and structural similarity. */
#include "task/gan/image_quality.h"

#include <math.h>

enum { WINDOW = 11 };

double coh_image_psnr(const float *a, const float *b, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    double d = (double)a[i] - (double)b[i];
    sum += d * d;
  }
  return sum == 0 ? 100 : -10 * log10(sum / (double)n);
}

static double similarity_at(const float *a, const float *b, int64_t row, int64_t step,
                            int64_t rows, int64_t columns) {
  double weight[2][WINDOW], total = 0, ma = 0, mb = 0, aa = 0, bb = 0, ab = 0;
  const int64_t size[2] = {rows, columns};
  for (int axis = 0; axis < 2; axis++)
    for (int64_t k = 0; k < size[axis]; k++) {
      double x = (double)k - (double)(size[axis] - 1) / 2;
      weight[axis][k] = exp(-x * x / (2 * 1.5 * 1.5));
    }
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = 0; j < columns; j++) {
      double w = weight[0][i] * weight[1][j], x = (double)a[i * row + j * step],
             y = (double)b[i * row + j * step];
      total += w;
      ma += w * x, mb += w * y;
      aa += w * x * x, bb += w * y * y, ab += w * x * y;
    }
  ma /= total, mb /= total;
  aa = aa / total - ma * ma, bb = bb / total - mb * mb, ab = ab / total - ma * mb;
  const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
  return (2 * ma * mb + c1) * (2 * ab + c2) / ((ma * ma + mb * mb + c1) * (aa + bb + c2));
}

double coh_image_ssim(const float *a, const float *b, int64_t height, int64_t width,
                      int64_t n_channels) {
  int64_t rows = height < WINDOW ? height : WINDOW, columns = width < WINDOW ? width : WINDOW;
  double sum = 0;
  int64_t n = 0;
  for (int64_t c = 0; c < n_channels; c++)
    for (int64_t i = 0; i + rows <= height; i++)
      for (int64_t j = 0; j + columns <= width; j++, n++) {
        int64_t at = (i * width + j) * n_channels + c;
        sum += similarity_at(a + at, b + at, width * n_channels, n_channels, rows, columns);
      }
  return sum / (double)n;
}
