/* Elementary functions in single precision without branches, so that loops over them vectorise
 * and give the same bits with every C library. Polynomials are truncated Maclaurin series;
 * range reductions after Cody and Waite, "Software Manual for the Elementary Functions" (1980).
 * tests/la holds their errors over the whole range: below 2.5e-7 for exp to 8e-7 for erf,
 * relative. */
#ifndef COHORT_LA_ELEMENTARY_H
#define COHORT_LA_ELEMENTARY_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline float coh_bits_to_float(int32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline int32_t coh_float_to_bits(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* e^x = 2^n e^r, |r| <= log(2)/2, e^r by its series to r^7. 0 below -87.3, inf above 88.7. */
static inline float coh_expf(float x) {
  float clipped = x > -87.3f ? x : -87.3f; /* NaN too: it is given back at the end */
  clipped = clipped > 88.8f ? 88.8f : clipped;
  const float magic = 12582912.0f; /* 1.5 2^23: adding it rounds to an integer */
  float n = (clipped * 1.44269504f + magic) - magic;
  float r = (clipped - n * 0.693359375f) + n * 2.12194440e-4f;
  float p = 1.98412698e-4f;
  p = p * r + 1.38888889e-3f;
  p = p * r + 8.33333333e-3f;
  p = p * r + 4.16666667e-2f;
  p = p * r + 1.66666667e-1f;
  p = p * r + 0.5f;
  p = p * (r * r) + r + 1.0f;
  // 2^n in two halves: n = 128 alone would overflow
  int32_t whole = (int32_t)n, half = whole >> 1;
  float y = p * coh_bits_to_float((half + 127) << 23);
  y = y * coh_bits_to_float((whole - half + 127) << 23);
  y = x < -87.3f ? 0.0f : y;
  return x != x ? x : y;
}

/* log x = n log 2 + log m, m in [sqrt(1/2), sqrt(2)), log m = 2 atanh((m-1)/(m+1)) by its
 * series. -inf at 0, NaN below, denormals count as 0. */
static inline float coh_logf(float x) {
  int32_t bits = coh_float_to_bits(x);
  int32_t n = (int32_t)((uint32_t)bits - 0x3f3504f3u) >> 23;
  float m = coh_bits_to_float((int32_t)((uint32_t)bits - ((uint32_t)n << 23)));
  float f = m - 1.0f;
  float s = f / (2.0f + f);
  float z = s * s;
  float p = 2.2222222e-1f;
  p = p * z + 2.8571429e-1f;
  p = p * z + 4.0e-1f;
  p = p * z + 6.6666667e-1f;
  float h = 0.5f * f * f;
  float k = (float)n;
  float y = k * 0.693359375f + (k * -2.12194440e-4f + (f - (h - s * (h + z * p))));
  y = x < 1.17549435e-38f ? -INFINITY : y;
  y = x < 0.0f ? NAN : y;
  y = x > 3.4028234e38f ? x : y;
  return x != x ? x : y;
}

/* log(1 + u) for 0 <= u <= 1, exact for small u: log(1+u) by atanh without forming 1 + u. */
static inline float coh_log1pf_unit(float u) {
  float s = u / (2.0f + u); /* <= 1/3 */
  float z = s * s;          /* <= 1/9 */
  float p = 1.5384615e-1f;
  p = p * z + 1.8181818e-1f;
  p = p * z + 2.2222222e-1f;
  p = p * z + 2.8571429e-1f;
  p = p * z + 4.0e-1f;
  p = p * z + 6.6666667e-1f;
  p = p * z + 2.0f;
  return s * p;
}

/* 1 / (1 + e^-x) without overflow on either side. */
static inline float coh_sigmoidf(float x) {
  float e = coh_expf(-fabsf(x));
  float y = 1.0f / (1.0f + e);
  return x < 0.0f ? e * y : y;
}

/* tanh: odd series below 0.35, else 1 - 2 / (e^2|x| + 1) with the sign of x. */
static inline float coh_tanhf(float x) {
  float a = fabsf(x), z = x * x;
  float p = -8.8632355e-3f;
  p = p * z + 2.1869489e-2f;
  p = p * z - 5.3968254e-2f;
  p = p * z + 1.3333333e-1f;
  p = p * z - 3.3333333e-1f;
  float small = x + x * (z * p);
  float large = 1.0f - 2.0f / (coh_expf(2.0f * (a > 20.0f ? 20.0f : a)) + 1.0f);
  large = x < 0.0f ? -large : large;
  float y = a < 0.35f ? small : large;
  return x != x ? x : y;
}

/* log(1 + e^x) = max(x, 0) + log(1 + e^-|x|). */
static inline float coh_softplusf(float x) {
  float positive = x > 0.0f ? x : 0.0f;
  float y = positive + coh_log1pf_unit(coh_expf(-fabsf(x)));
  return x != x ? x : y;
}

/* erf: Maclaurin series to x^21 below 1.25, else 1 - erfc by formula 7.1.26 of Abramowitz and
 * Stegun (1964), whose absolute error is below 1.5e-7. */
static inline float coh_erff(float x) {
  float a = fabsf(x), z = x * x;
  float p = 1.4807193e-8f;
  p = p * z - 1.6365844e-7f;
  p = p * z + 1.6462114e-6f;
  p = p * z - 1.4925650e-5f;
  p = p * z + 1.2055333e-4f;
  p = p * z - 8.5483270e-4f;
  p = p * z + 5.2239776e-3f;
  p = p * z - 2.6866171e-2f;
  p = p * z + 1.1283792e-1f;
  p = p * z - 3.7612639e-1f;
  p = p * z + 1.1283792f;
  float small = x * p;
  float t = 1.0f / (1.0f + 0.3275911f * a);
  float q = 1.061405429f;
  q = q * t - 1.453152027f;
  q = q * t + 1.421413741f;
  q = q * t - 0.284496736f;
  q = q * t + 0.254829592f;
  float large = 1.0f - q * t * coh_expf(-a * a);
  large = x < 0.0f ? -large : large;
  float y = a < 1.25f ? small : large;
  return x != x ? x : y;
}

#endif
