/* Mean and Student's 95% interval. */
#include "task/mean_interval.h"

#include <math.h>

double coh_student_quantile(int64_t degrees) {
  static const double table[30] = {12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306,
                                   2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
                                   2.110,  2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064,
                                   2.060,  2.056, 2.052, 2.048, 2.045, 2.042};
  if (degrees < 1) return NAN;
  return degrees <= 30 ? table[degrees - 1] : 1.96 + 2.4 / (double)degrees;
}

void coh_mean_interval(int64_t n, int64_t stride, const double *values, double *mean,
                       double *low, double *high) {
  double sum = 0, square = 0;
  for (int64_t i = 0; i < n; i++)
    sum += values[i * stride];
  *mean = sum / (double)n;
  for (int64_t i = 0; i < n; i++)
    square += (values[i * stride] - *mean) * (values[i * stride] - *mean);
  double half =
      n > 1 ? coh_student_quantile(n - 1) * sqrt(square / (double)(n - 1) / (double)n) : 0;
  *low = *mean - half;
  *high = *mean + half;
}
