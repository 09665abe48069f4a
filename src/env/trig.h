/* Sine and cosine together, for moderate arguments (|x| < 10^5), without the C library: the
 * same bits on every machine, and loops over environments vectorise. Within about one unit in
 * the last place. Method: three-part reduction by multiples of pi/2, then Taylor's polynomials
 * on
 * [-pi/4, pi/4], whose remainders lie below 10^-19. */
#ifndef COHORT_ENV_TRIG_H
#define COHORT_ENV_TRIG_H

#include <math.h>
#include <stdint.h>

#define COH_PI 3.14159265358979323846

typedef struct coh_sincos_pair {
  double sine, cosine;
} coh_sincos_pair;

static inline coh_sincos_pair coh_sincos(double x) {
  // pi/2 = half_1 + half_2 + half_3, the first two short enough for exact products
  const double half_1 = 0x1.921fb544p+0, half_2 = 0x1.0b4611a6p-34,
               half_3 = 0x1.3198a2e037073p-69;
  double turns = rint(x * (2.0 / COH_PI));
  double r = ((x - turns * half_1) - turns * half_2) - turns * half_3;
  double z = r * r;
  double s =
      r + r * z *
              (-1.0 / 6 +
               z * (1.0 / 120 +
                    z * (-1.0 / 5040 +
                         z * (1.0 / 362880 + z * (-1.0 / 39916800 +
                                                  z * (1.0 / 6227020800 +
                                                       z * (-1.0 / 1307674368000 +
                                                            z * (1.0 / 355687428096000))))))));
  double c =
      1.0 +
      z * (-0.5 + z * (1.0 / 24 +
                       z * (-1.0 / 720 +
                            z * (1.0 / 40320 + z * (-1.0 / 3628800 +
                                                    z * (1.0 / 479001600 +
                                                         z * (-1.0 / 87178291200 +
                                                              z * (1.0 / 20922789888000))))))));
  int32_t quadrant = (int32_t)turns;
  double sine = quadrant & 1 ? c : s, cosine = quadrant & 1 ? s : c;
  return (coh_sincos_pair){
      .sine = quadrant & 2 ? -sine : sine,
      .cosine = (quadrant + 1) & 2 ? -cosine : cosine,
  };
}

#endif
