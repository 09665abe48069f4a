/* The learner's sum from the inside: whole, or in buckets that travel early. */
#ifndef COHORT_TASK_LEARNER_OVERLAP_H
#define COHORT_TASK_LEARNER_OVERLAP_H

#include "task/learner.h"

/* Make the sums of the buckets and of the tail. Collective. */
coh_status coh_learner_connect_buckets(coh_learner *learner);
void coh_learner_destroy_buckets(coh_learner *learner);

/* coh_learner_poll begins the sums of buckets that every lane has finished and moves on those
 * that travel; by the learner's owner only. The same for learners whose gradients one program
 * makes, in this order. Fails: COH_E_COMM. */
coh_status coh_learners_poll(coh_learner *const learner[], int n);

/* Bring the sum of gradient and tail to its end, into lane 0's block. Collective. */
coh_status coh_learner_sum(coh_learner *learner);

#endif
