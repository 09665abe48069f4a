/* What several measurements of one quantity say: tasks report all returns so. */
#ifndef COHORT_TASK_MEAN_INTERVAL_H
#define COHORT_TASK_MEAN_INTERVAL_H

#include <stdint.h>

/* Mean of n >= 1 values and its normal 95% interval, which is the mean alone for n = 1. Summed
 * in order: the same bits for every layout. */
void coh_mean_interval(int64_t n, const double *values, double *mean, double *low,
                       double *high);

#endif
