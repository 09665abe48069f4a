/* Modes of stacked images, by a classifier of one channel. */
#include "task/gan/image_modes.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "io/array.h"

static int64_t power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  while (exponent-- > 0 && result <= COH_MAX_CLASSES)
    result *= base;
  return result;
}

bool coh_image_modes_fit(const coh_network_file *classifier, const coh_dataset_spec *images) {
  coh_shape input = coh_network_file_input(classifier);
  const coh_network_facts *facts = coh_network_file_facts(classifier);
  return images->n_dims == 3 && images->shape[2] > 1 && input.rank == 3 && input.size[2] == 1 &&
         input.size[0] == images->shape[0] && input.size[1] == images->shape[1] &&
         facts->n_classes > 1 && power(facts->n_classes, images->shape[2]) == images->n_classes;
}

// one channel of all images
static coh_status channel_of(const coh_dataset *images, int64_t c, coh_dataset **channel) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(images);
  size_t bytes = coh_dtype_bytes(spec->dtype), n_channels = (size_t)spec->shape[2];
  size_t n = (size_t)(spec->n_rows * spec->shape[0] * spec->shape[1]);
  coh_array rows = {.dtype = spec->dtype,
                    .n_dims = 4,
                    .shape = {spec->n_rows, spec->shape[0], spec->shape[1], 1}};
  COH_TRY(coh_array_allocate(spec->name, &rows));
  const char *from = (const char *)coh_dataset_row(images, 0) + (size_t)c * bytes;
  for (size_t i = 0; i < n; i++)
    memcpy((char *)rows.data + i * bytes, from + i * n_channels * bytes, bytes);
  coh_status status = coh_dataset_of_arrays(spec->name, &rows, NULL, channel);
  coh_array_clear(&rows);
  return status;
}

// append the classes of one channel to the modes: mode = k mode + class
static coh_status add_channel(const coh_network_file *classifier, const coh_dataset *images,
                              int64_t c, int n_threads, int64_t *mode) {
  coh_dataset *channel = NULL;
  coh_array logits = {0};
  COH_TRY(channel_of(images, c, &channel));
  coh_status status =
      coh_network_file_activations(classifier, "output", channel, n_threads, &logits);
  coh_dataset_destroy(&channel);
  COH_TRY(status);
  int64_t n = logits.shape[0], k = coh_array_count(&logits) / n;
  const float *row = logits.data;
  for (int64_t i = 0; i < n; i++, row += k) {
    int64_t best = 0;
    for (int64_t j = 1; j < k; j++)
      if (row[j] > row[best]) best = j;
    mode[i] = k * mode[i] + best;
  }
  coh_array_clear(&logits);
  return COH_OK;
}

static coh_status count(const int64_t *mode, int64_t n, int64_t n_modes, double *modes,
                        double *kl) {
  double *counts;
  COH_NEW(counts, n_modes);
  for (int64_t i = 0; i < n; i++)
    counts[mode[i]] += 1;
  *modes = *kl = 0;
  for (int64_t m = 0; m < n_modes; m++) {
    if (counts[m] == 0) continue;
    double share = counts[m] / (double)n;
    *modes += 1;
    *kl += share * log(share * (double)n_modes);
  }
  coh_free(counts);
  return COH_OK;
}

coh_status coh_image_modes_of(const coh_network_file *classifier, const coh_dataset *images,
                              int n_threads, double *modes, double *kl) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(images);
  int64_t *mode;
  COH_NEW(mode, spec->n_rows);
  coh_status status = COH_OK;
  for (int64_t c = 0; c < spec->shape[2] && status == COH_OK; c++)
    status = add_channel(classifier, images, c, n_threads, mode);
  int64_t k = coh_network_file_facts(classifier)->n_classes;
  if (status == COH_OK) status = count(mode, spec->n_rows, power(k, spec->shape[2]), modes, kl);
  coh_free(mode);
  return status;
}
