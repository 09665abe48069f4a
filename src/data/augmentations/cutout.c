/* Blank a square whose centre lies anywhere in the image, so that it may be cut off at the
 * edge. The square becomes what a stored 0 becomes. Source: DeVries, Taylor, arXiv 1708.04552.
 */
#include <inttypes.h>

#include "data/augmentation_type.h"

typedef struct cutout_options {
  int64_t side;
  double probability;
} cutout_options;

static const coh_option options_table[] = {
    {.name = "side",
     .type = COH_INT,
     .offset = offsetof(cutout_options, side),
     .initial = "8",
     .min = 1,
     .max = 4096,
     .unit = "pixels",
     .doc = "Side of the square."},
    {.name = "probability",
     .type = COH_REAL,
     .offset = offsetof(cutout_options, probability),
     .initial = "1",
     .min = 0,
     .max = 1,
     .doc = "Chance that an image is cut each time it is seen."},
    {.name = NULL}};

static coh_status check(const void *options, const coh_augment_site *site) {
  const cutout_options *o = options;
  COH_CHECK(o->side <= site->height && o->side <= site->width, COH_E_CONFIG,
            "augment: cutout: a square of %" PRId64 " pixels is larger than images of %" PRId64
            " x %" PRId64,
            o->side, site->height, site->width);
  return COH_OK;
}

static void apply(const void *options, const coh_augment_site *site, coh_stream *stream,
                  float *pixels) {
  const cutout_options *o = options;
  const int64_t c = site->channels;
  if (coh_stream_uniform(stream) >= o->probability) return;
  int64_t top = coh_stream_below(stream, site->height) - o->side / 2;
  int64_t left = coh_stream_below(stream, site->width) - o->side / 2;
  int64_t bottom = top + o->side < site->height ? top + o->side : site->height;
  int64_t right = left + o->side < site->width ? left + o->side : site->width;
  if (left < 0) left = 0;
  for (int64_t y = top < 0 ? 0 : top; y < bottom; y++)
    for (int64_t i = left * c; i < right * c; i++)
      pixels[y * site->width * c + i] = site->fill;
}

const coh_augmentation_type coh_augmentation_type_cutout = {
    .kind = {.name = "cutout",
             .doc = "Blank a square anywhere in every image (DeVries and Taylor 2017).",
             .options = options_table,
             .options_size = sizeof(cutout_options)},
    .check = check,
    .apply = apply,
};
