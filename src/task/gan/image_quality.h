/* How close restored images are to the originals, pixel by pixel. */
#ifndef COHORT_TASK_GAN_IMAGE_QUALITY_H
#define COHORT_TASK_GAN_IMAGE_QUALITY_H

#include <stdint.h>

/* Peak signal-to-noise ratio in decibels, -10 log10 of the mean squared difference; values span
 * 0 to 1. Equal images: 100. */
double coh_image_psnr(const float *a, const float *b, int64_t n);

/* Structural similarity of (height, width, channels) images with values 0 to 1: a Gaussian
 * window of 11 x 11 with deviation 1.5, inside the image; the mean over places and channels.
 * Wang et al., IEEE Trans. Image Processing 13 (2004). Smaller images: one window over all of
 * it. */
double coh_image_ssim(const float *a, const float *b, int64_t height, int64_t width,
                      int64_t n_channels);

#endif
