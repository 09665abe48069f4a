/* How a loss is written: one file in losses/ that defines a coh_loss_type, and one line in
 * loss.def. */
#ifndef COHORT_NN_LOSS_TYPE_H
#define COHORT_NN_LOSS_TYPE_H

#include <stddef.h>

#include "cohort/nn.h"

typedef struct coh_loss_type {
  coh_kind kind;       /* first, so that a coh_kind of the registry casts to its type */
  bool over_last_axis; /* the loss takes the last axis (classes) up itself */

  /* The loss of each element, or of each row of the last axis: prediction and target have the
   * same shape, and no gradient flows to the target. */
  coh_value (*build)(const void *options, coh_graph *graph, coh_value prediction,
                     coh_value target);
} coh_loss_type;

#endif
