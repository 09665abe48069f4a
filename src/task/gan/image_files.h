/* Rows that others made, from files of any of the usual forms, as the run's dataset has them.
 */
#ifndef COHORT_TASK_GAN_IMAGE_FILES_H
#define COHORT_TASK_GAN_IMAGE_FILES_H

#include "cohort/data.h"

/* Read rows of the shape of `like` from a folder of PNG files or a file: NPY, NPZ, safetensors,
 * IDX (also gzipped).
 *
 * Images may be (n, height, width), with channels behind or, as PyTorch has them, in front. In
 * archives the rows are the array named images, x or rows, else the only one of images; labels
 * are the array of n whole numbers named labels or y, if there is one. Floats become bytes
 * where `like` holds bytes: they are 0 to 1, or -1 to 1 if any is negative, or 0 to 255 if any
 * is above 2. Caller destroys. Not collective. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_images_open(const char *path, const coh_dataset_spec *like,
                           coh_dataset **images);

#endif
