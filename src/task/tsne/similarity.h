/* The similarity of two points of a map, w = (1 + d^2 / a)^-a, and the factor 1 / (1 + d^2 / a)
 * of every force. Written for loops that vectorise. */
#ifndef COHORT_TASK_TSNE_SIMILARITY_H
#define COHORT_TASK_TSNE_SIMILARITY_H

#include "la/elementary.h"

/* inverse: 1 / (1 + d^2 / a); freedom: a. */
static inline float coh_similarity(float inverse, float freedom) {
  return freedom == 1 ? inverse : coh_expf(freedom * coh_logf(inverse));
}

#endif
