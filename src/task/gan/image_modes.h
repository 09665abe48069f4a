/* Modes of images that are several images in one, a channel each: whatever a classifier of one
 * channel takes the channels for is the mode, so that k classes in c channels are k^c modes.
 * Source: Metz et al., "Unrolled GAN" (2017); Lin et al., "PacGAN" (2018). */
#ifndef COHORT_TASK_GAN_IMAGE_MODES_H
#define COHORT_TASK_GAN_IMAGE_MODES_H

#include "cohort/network_file.h"

/* Whether a classifier is of one channel of these images, and their classes are the
 * combinations of its classes. */
bool coh_image_modes_fit(const coh_network_file *classifier, const coh_dataset_spec *images);

/* Count modes. modes: out, how many of the k^c are there; kl: out, of their shares against
 * equal ones. Not collective. Fails: COH_E_MEMORY. */
coh_status coh_image_modes_of(const coh_network_file *classifier, const coh_dataset *images,
                              int n_threads, double *modes, double *kl);

#endif
