/* exp and log in double precision without branches, so that loops over them vectorise and give
 * the same bits with every C library. Range reductions after Cody and Waite, "Software Manual
 * for the Elementary Functions" (1980); truncated series. Relative errors below 4e-16. */
#ifndef COHORT_LA_ELEMENTARY_DOUBLE_H
#define COHORT_LA_ELEMENTARY_DOUBLE_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline double coh_bits_to_double(int64_t bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

static inline int64_t coh_double_to_bits(double x) {
  int64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* e^x for x <= 709: 2^n e^r, |r| <= log(2)/2, e^r by its series to r^13; 0 below -708. NaN is
 * given back. Larger x, inf included, count as 709: what calls it has subtracted a maximum. */
static inline double coh_exp(double x) {
  double clipped = x > -708.0 ? x : -708.0;
  clipped = clipped > 709.0 ? 709.0 : clipped;
  const double magic = 6755399441055744.0; /* 1.5 2^52: adding it rounds to an integer */
  double shifted = clipped * 1.4426950408889634 + magic;
  double n = shifted - magic;
  double r = (clipped - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  double p = 1.6059043836821613e-10;
  p = p * r + 2.08767569878681e-9;
  p = p * r + 2.505210838544172e-8;
  p = p * r + 2.755731922398589e-7;
  p = p * r + 2.7557319223985893e-6;
  p = p * r + 2.48015873015873e-5;
  p = p * r + 1.984126984126984e-4;
  p = p * r + 1.388888888888889e-3;
  p = p * r + 8.333333333333333e-3;
  p = p * r + 4.1666666666666664e-2;
  p = p * r + 1.6666666666666666e-1;
  p = p * r + 0.5;
  p = p * (r * r) + r + 1.0;
  // the low bits of the shifted number are n: no conversion to integers is needed
  uint64_t whole = (uint64_t)coh_double_to_bits(shifted) << 52;
  double y = coh_bits_to_double((int64_t)((uint64_t)coh_double_to_bits(p) + whole));
  y = x < -708.0 ? 0.0 : y;
  return x != x ? x : y;
}

/* log x of positive normal x: n log 2 + 2 atanh((m-1)/(m+1)), m in [sqrt(1/2), sqrt(2)). */
static inline double coh_log(double x) {
  int64_t bits = coh_double_to_bits(x);
  // an arithmetic shift of 64 bits has no vector form before AVX-512: biased, it is positive
  const int64_t root = 0x3fe6a09e667f3bcd; /* sqrt(1/2) */
  int64_t n = (int64_t)((uint64_t)(bits - root + ((int64_t)1024 << 52)) >> 52) - 1024;
  double m = coh_bits_to_double(bits - n * ((int64_t)1 << 52));
  double f = m - 1.0;
  double s = f / (2.0 + f);
  double z = s * s;
  double p = 2.0 / 23;
  p = p * z + 2.0 / 21;
  p = p * z + 2.0 / 19;
  p = p * z + 2.0 / 17;
  p = p * z + 2.0 / 15;
  p = p * z + 2.0 / 13;
  p = p * z + 2.0 / 11;
  p = p * z + 2.0 / 9;
  p = p * z + 2.0 / 7;
  p = p * z + 2.0 / 5;
  p = p * z + 2.0 / 3;
  double h = 0.5 * f * f;
  // n as a double, again without a conversion
  double k = coh_bits_to_double(n + 0x4338000000000000) - 6755399441055744.0;
  return k * 0.693147180369123816490 +
         (k * 1.90821492927058770002e-10 + (f - (h - s * (h + z * p))));
}

#endif
