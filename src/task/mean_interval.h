/* What several measurements of one quantity say: tasks report all returns so. */
#ifndef COHORT_TASK_MEAN_INTERVAL_H
#define COHORT_TASK_MEAN_INTERVAL_H

#include <stdint.h>

/* Student's 97.5% quantile: half the width of a 95% interval in standard errors. NAN below one
 * degree of freedom. */
double coh_student_quantile(int64_t degrees);

/* Mean of n >= 1 values and Student's 95% interval of it, which is the mean alone for n = 1.
 * Summed in order: the same bits for every layout. stride: from a value to the next, in
 * doubles. */
void coh_mean_interval(int64_t n, int64_t stride, const double *values, double *mean,
                       double *low, double *high);

#endif
