/* Mean and normal 95% interval. */
#include "task/mean_interval.h"

#include <math.h>

void coh_mean_interval(int64_t n, const double *values, double *mean, double *low,
                       double *high) {
  double sum = 0, square = 0;
  for (int64_t i = 0; i < n; i++)
    sum += values[i];
  *mean = sum / (double)n;
  for (int64_t i = 0; i < n; i++)
    square += (values[i] - *mean) * (values[i] - *mean);
  double error = n > 1 ? sqrt(square / (double)(n - 1) / (double)n) : 0;
  *low = *mean - 1.96 * error;
  *high = *mean + 1.96 * error;
}
