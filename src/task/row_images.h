/* Rows of a dataset that are images, as people see them. */
#ifndef COHORT_TASK_ROW_IMAGES_H
#define COHORT_TASK_ROW_IMAGES_H

#include "cohort/data.h"
#include "io/image.h"

bool coh_rows_are_images(const coh_dataset *dataset);

/* Channels that people see: 1 or 3. */
int coh_row_images_channels(const coh_dataset *dataset);

/* The images of chosen rows as bytes, one behind the other, each side divided by `shrink`:
 * bytes as they are, floats between the least and the largest of these rows. out: n x
 * height/shrink x width/shrink x channels. */
void coh_row_images(const coh_dataset *dataset, int64_t n, const int64_t *row, int64_t shrink,
                    uint8_t *out);

/* Images of every step-th row side by side. */
typedef struct coh_image_sheet {
  coh_image image;
  int64_t step, n_images, columns, width, height; /* of a small image */
} coh_image_sheet;

/* Make a sheet of at most `pixels`, at first by smaller images, then by fewer. sheet: out;
 * caller clears sheet->image. Fails: COH_E_MEMORY. */
coh_status coh_image_sheet_make(const coh_dataset *dataset, int64_t pixels,
                                coh_image_sheet *sheet);

/* Make the image of a sheet whose step, n_images and columns are set: each side of an image is
 * divided by `shrink`, there are at least n_lines lines. Caller clears sheet->image. Fails:
 * COH_E_MEMORY. */
coh_status coh_image_sheet_fill(const coh_dataset *dataset, int64_t shrink, int64_t n_lines,
                                coh_image_sheet *sheet);

#endif
