/* How an augmentation is written: one file in augmentations/ that defines a
 * coh_augmentation_type, and one line in augmentation.def. It changes one image in place, after
 * values were turned to floats, by draws that belong to that visit of that row. */
#ifndef COHORT_DATA_AUGMENTATION_TYPE_H
#define COHORT_DATA_AUGMENTATION_TYPE_H

#include "cohort/data.h"
#include "cohort/random.h"

typedef struct coh_augment_site {
  int64_t height, width, channels;
  float fill; /* what a stored 0 becomes: for pixels that come from nowhere */
} coh_augment_site;

typedef struct coh_augmentation_type {
  coh_kind kind; /* first */

  /* Does it fit images of this size? Fails: COH_E_CONFIG. */
  coh_status (*check)(const void *options, const coh_augment_site *site);

  /* Change one image. pixels: in/out, height x width x channels. Allocates nothing. */
  void (*apply)(const void *options, const coh_augment_site *site, coh_stream *stream,
                float *pixels);
} coh_augmentation_type;

#endif
