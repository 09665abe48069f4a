/* Observation rows to floats. Bits become 0 or 1: sixteen a mask move with AVX-512, else eight
 * a table row. */
#include <string.h>

#ifdef __AVX512F__
#include <immintrin.h>
#endif

#include "cohort/env.h"

#ifdef __AVX512F__

static void expand_row(const uint8_t *bits, int64_t n_values, float *values) {
  const __m512 one = _mm512_set1_ps(1.0f);
  int64_t k = 0;
  for (; k + 16 <= n_values; k += 16) {
    uint16_t mask;
    memcpy(&mask, bits + k / 8, 2);
    _mm512_storeu_ps(values + k, _mm512_maskz_mov_ps(mask, one));
  }
  if (k == n_values) return;
  int64_t left = n_values - k;
  uint16_t mask = bits[k / 8];
  if (left > 8) mask = (uint16_t)(mask | bits[k / 8 + 1] << 8);
  _mm512_mask_storeu_ps(values + k, (__mmask16)((1u << left) - 1u),
                        _mm512_maskz_mov_ps(mask, one));
}

#else

#define BITS(b)                                                                    \
  {                                                                                \
    (b) & 1, (b) >> 1 & 1, (b) >> 2 & 1, (b) >> 3 & 1, (b) >> 4 & 1, (b) >> 5 & 1, \
        (b) >> 6 & 1, (b) >> 7 & 1                                                 \
  }
#define BITS4(b) BITS(b), BITS((b) + 1), BITS((b) + 2), BITS((b) + 3)
#define BITS16(b) BITS4(b), BITS4((b) + 4), BITS4((b) + 8), BITS4((b) + 12)
#define BITS64(b) BITS16(b), BITS16((b) + 16), BITS16((b) + 32), BITS16((b) + 48)
static const float table[256][8] = {BITS64(0), BITS64(64), BITS64(128), BITS64(192)};

static void expand_row(const uint8_t *bits, int64_t n_values, float *values) {
  int64_t k = 0;
  for (; k + 8 <= n_values; k += 8)
    memcpy(values + k, table[bits[k / 8]], sizeof table[0]);
  for (; k < n_values; k++)
    values[k] = table[bits[k / 8]][k % 8];
}

#endif

void coh_env_expand(const coh_env_spec *spec, int64_t n, const void *observations,
                    float *values) {
  size_t row_bytes = spec->observation_bytes;
  if (spec->observation == COH_OBSERVATION_REAL) {
    memcpy(values, observations, (size_t)n * row_bytes);
    return;
  }
  const uint8_t *rows = observations;
  for (int64_t i = 0; i < n; i++)
    expand_row(rows + (size_t)i * row_bytes, spec->n_values, values + i * spec->n_values);
}
