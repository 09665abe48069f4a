/* Whether images repeat training images: how far each is from the nearest one, pixel by pixel,
 * and how far real test images are, which are no copies. */
#ifndef COHORT_TASK_GAN_IMAGE_NOVELTY_H
#define COHORT_TASK_GAN_IMAGE_NOVELTY_H

#include "cohort/data.h"

/* Images that are looked at, of a set. */
enum { COH_NOVELTY_ROWS = 1000 };

typedef struct coh_image_novelty coh_image_novelty;

/* What was found of the first COH_NOVELTY_ROWS images of a set. Distances are root mean squared
 * differences of pixels whose values span 0 to 1. */
typedef struct coh_novelty_score {
  double nearest;      /* mean distance to the nearest training image */
  double nearest_test; /* the same of test images; NAN without any */
  double copies; /* share of images nearer to a training image than the nearest hundredth of
                    the test images: 0.01 is what real images have; NAN without any */
} coh_novelty_score;

/* Keep the training images at hand, and look at the test images (NULL: none). Borrowed during
 * the call only. Caller destroys. Not collective. Fails: COH_E_MEMORY. */
coh_status coh_image_novelty_create(const coh_dataset *train, const coh_dataset *test,
                                    int n_threads, coh_image_novelty **novelty);
void coh_image_novelty_destroy(coh_image_novelty **novelty);

/* Look at a set of images of the same shape. index, distance: out, the nearest training image
 * of each of the first n = min(COH_NOVELTY_ROWS, all); may be NULL. Fails: COH_E_MEMORY. */
coh_status coh_image_novelty_of(const coh_image_novelty *novelty, const coh_dataset *images,
                                coh_novelty_score *score, int32_t *index, float *distance);

#endif
