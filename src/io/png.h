/* PNG with a palette, for animations; plain images are in io/image.h. */
#ifndef COHORT_IO_PNG_H
#define COHORT_IO_PNG_H

#include "io/image.h"

/* Encode pixels that index a palette of n_colors RGB triples. *data: caller frees. */
coh_status coh_png_encode_indexed(const uint8_t *index, int64_t width, int64_t height,
                                  const uint8_t *palette, int n_colors, uint8_t **data,
                                  size_t *n_bytes);

#endif
