/* How close a set of images is to a dataset, in the feature space of a classifier.
 *
 *   fid                 Frechet distance between Gaussians fitted to the features of all rows
 * of the dataset and of the images: Heusel et al., NeurIPS 2017 precision, recall   share of
 * one set inside the other's neighbourhoods: Kynkaanniemi et al., NeurIPS 2019 density,
 * coverage   Naeem et al., ICML 2020
 *
 * The features are what a classifier's output layer sees, so the scale of a distance is that of
 * the classifier: print the row of real test images beside it, and use a second classifier. The
 * bits do not depend on threads. Not collective. */
#ifndef COHORT_TASK_GAN_IMAGE_SCORES_H
#define COHORT_TASK_GAN_IMAGE_SCORES_H

#include "cohort/data.h"

typedef struct coh_image_score {
  double fid, relative; /* relative: fid over the trace of the dataset's covariance */
  double precision, recall, density, coverage;
  double accuracy; /* share that the classifier takes for their labels; NAN without labels */
} coh_image_score;

typedef struct coh_image_scores coh_image_scores;

/* Open a classifier and look at the dataset once. k: neighbours. reference: borrowed for the
 * scores' life. Caller destroys.
 * Fails: COH_E_DATA (the file), COH_E_CONFIG (it takes images of another shape), COH_E_MEMORY.
 */
coh_status coh_image_scores_create(const char *classifier, const coh_dataset *reference,
                                   int64_t k, int n_threads, coh_image_scores **scores);
void coh_image_scores_destroy(coh_image_scores **scores);

/* Score all rows of a dataset of images. Fails: COH_E_CONFIG (another shape, fewer rows than k
 * + 1), COH_E_MEMORY. */
coh_status coh_image_scores_of(const coh_image_scores *scores, const coh_dataset *images,
                               coh_image_score *score);

/* Turn rows as a generator makes them back into stored values, as they are saved: bytes where
 * the dataset holds bytes. stored: out, (n, ...); caller clears. Fails: COH_E_MEMORY. */
coh_status coh_images_store(const coh_dataset_spec *like, coh_affine affine, const float *rows,
                            int64_t n, coh_array *stored);

/* The same as a dataset. rows: n x values, borrowed; labels: n, or NULL. */
coh_status coh_images_of_rows(const coh_dataset_spec *like, coh_affine affine,
                              const float *rows, int64_t n, const int32_t *labels,
                              coh_dataset **images);

#endif
