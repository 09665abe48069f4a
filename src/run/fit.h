/* What the curves of a training say: whether the network overfits, underfits, or neither, from
 * the loss on rows that it learns from and on rows held out. */
#ifndef COHORT_RUN_FIT_H
#define COHORT_RUN_FIT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum coh_fit_kind {
  COH_FIT_UNKNOWN, /* too few validations to say */
  COH_FIT_GOOD,
  COH_FIT_OVER,  /* the held-out loss has risen for good while the training loss fell */
  COH_FIT_UNDER, /* no gap, and both losses still fall: stopped too early or too small */
} coh_fit_kind;

/* Curves of one run or the mean of several: n points each, at the same steps. */
typedef struct coh_fit_curves {
  const double *step, *train, *held_out;
  int64_t n;
} coh_fit_curves;

typedef struct coh_fit {
  coh_fit_kind kind;
  double lowest_at;                /* step of the lowest held-out loss */
  double lowest, last;             /* held-out loss there and at the end */
  double train_lowest, train_last; /* training loss there and at the end */
} coh_fit;

/* Judge. The end is the mean of the last tenth of the points, so that one noisy validation
 * decides nothing. Overfitting: the held-out loss ends more than 5% above its lowest, and the
 * training loss below what it was there. Underfitting: the held-out loss ends within 5% of the
 * training loss and both fell by more than 2% over the last fifth. */
coh_fit coh_fit_judge(const coh_fit_curves *curves);

/* The verdict in words. unit: the task's, "updates". text: out, of 400 bytes. */
void coh_fit_describe(const coh_fit *fit, const char *unit, char text[400]);

#endif
