/* Target networks and averaged weights: one flat block follows another. */
#include <string.h>

#include "cohort/nn.h"

void coh_block_copy(float *target, const float *source, int64_t n_floats) {
  memcpy(target, source, (size_t)n_floats * sizeof *target);
}

void coh_block_polyak(float *restrict target, const float *restrict source, double tau,
                      int64_t n_floats) {
  const float keep = (float)(1 - tau), take = (float)tau;
  for (int64_t i = 0; i < n_floats; i++)
    target[i] = keep * target[i] + take * source[i];
}
