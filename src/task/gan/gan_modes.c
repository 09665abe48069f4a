/* How varied rows are: modes of mixtures whose modes are known, variance of any. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/gan/gan.h"

void coh_gan_modes(const coh_dataset_spec *spec, const float *rows, int64_t n,
                   coh_gan_score *score) {
  double *counts = coh_alloc_array((size_t)spec->n_modes, sizeof *counts);
  if (!counts) return; // the score stays unknown
  double reach = 9 * spec->mode_std * spec->mode_std, hits = 0;
  for (int64_t i = 0; i < n; i++) {
    double nearest = INFINITY;
    int64_t mode = 0;
    for (int64_t m = 0; m < spec->n_modes; m++) {
      double distance = 0;
      for (int64_t k = 0; k < spec->n_values; k++) {
        double d =
            (double)rows[i * spec->n_values + k] - (double)spec->modes[m * spec->n_values + k];
        distance += d * d;
      }
      if (distance < nearest) nearest = distance, mode = m;
    }
    if (nearest > reach) continue;
    counts[mode] += 1;
    hits += 1;
  }
  score->modes = score->kl = 0;
  score->high_quality = hits / (double)n;
  for (int64_t m = 0; m < spec->n_modes; m++) {
    if (counts[m] == 0) continue;
    double share = counts[m] / hits;
    score->modes += 1;
    score->kl += share * log(share * (double)spec->n_modes);
  }
  coh_free(counts);
}

coh_status coh_gan_spread(const float *rows, int64_t n, int64_t width, const int32_t *labels,
                          int64_t n_classes, double *spread) {
  if (!labels) n_classes = 1;
  double *mean, *count;
  COH_NEW(mean, n_classes * width);
  count = coh_alloc_array((size_t)n_classes, sizeof *count);
  if (!count) coh_free(mean);
  COH_CHECK(count, COH_E_MEMORY, "out of memory for the variance of %lld rows", (long long)n);
  for (int64_t i = 0; i < n; i++) {
    int64_t k = labels ? labels[i] : 0;
    count[k] += 1;
    for (int64_t j = 0; j < width; j++)
      mean[k * width + j] += (double)rows[i * width + j];
  }
  for (int64_t k = 0; k < n_classes; k++)
    for (int64_t j = 0; j < width && count[k] > 0; j++)
      mean[k * width + j] /= count[k];
  double sum = 0;
  for (int64_t i = 0; i < n; i++) {
    const double *middle = mean + (labels ? labels[i] : 0) * width;
    for (int64_t j = 0; j < width; j++) {
      double d = (double)rows[i * width + j] - middle[j];
      sum += d * d;
    }
  }
  *spread = sum / ((double)n * (double)width);
  coh_free(mean), coh_free(count);
  return COH_OK;
}
