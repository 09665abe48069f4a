/* Mirror an image, left to right. */
#include "data/augmentation_type.h"

typedef struct flip_options {
  double probability;
} flip_options;

static const coh_option options_table[] = {
    {.name = "probability",
     .type = COH_REAL,
     .offset = offsetof(flip_options, probability),
     .initial = "0.5",
     .min = 0,
     .max = 1,
     .doc = "Chance that an image is mirrored each time it is seen."},
    {.name = NULL}};

static coh_status check(const void *options, const coh_augment_site *site) {
  (void)options;
  (void)site;
  return COH_OK;
}

static void apply(const void *options, const coh_augment_site *site, coh_stream *stream,
                  float *pixels) {
  const flip_options *o = options;
  const int64_t w = site->width, c = site->channels;
  if (coh_stream_uniform(stream) >= o->probability) return;
  for (int64_t y = 0; y < site->height; y++, pixels += w * c)
    for (int64_t x = 0; x < w / 2; x++)
      for (int64_t k = 0; k < c; k++) {
        float *left = pixels + x * c + k, *right = pixels + (w - 1 - x) * c + k;
        float kept = *left;
        *left = *right;
        *right = kept;
      }
}

const coh_augmentation_type coh_augmentation_type_flip = {
    .kind = {.name = "flip",
             .doc = "Mirror images left to right by chance.",
             .options = options_table,
             .options_size = sizeof(flip_options)},
    .check = check,
    .apply = apply,
};
