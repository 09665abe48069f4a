/* Target networks and averaged weights: one flat block follows another. */
#include <string.h>

#include "base/float_mode.h"
#include "cohort/nn.h"

void coh_block_copy(float *target, const float *source, int64_t n_floats) {
  memcpy(target, source, (size_t)n_floats * sizeof *target);
}

static __attribute__((noinline)) void blend(float *restrict target,
                                            const float *restrict source, float keep,
                                            float take, int64_t n_floats) {
  for (int64_t i = 0; i < n_floats; i++)
    target[i] = keep * target[i] + take * source[i];
}

void coh_block_polyak(float *target, const float *source, double tau, int64_t n_floats) {
  coh_float_mode mode = coh_float_mode_begin();
  blend(target, source, (float)(1 - tau), (float)tau, n_floats);
  coh_float_mode_end(mode);
}
