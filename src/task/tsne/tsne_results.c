/* What a map leaves behind. */
#include <stdio.h>

#include "base/alloc.h"
#include "draw/scatter.h"
#include "io/file.h"
#include "task/tsne/tsne.h"

coh_status coh_tsne_results(void *task, coh_results *results) {
  coh_tsne *t = task;
  double divergence;
  COH_TRY(coh_tsne_divergence(t, &divergence));
  char text[64];
  snprintf(text, sizeof text, "%.4f", divergence);
  coh_results_number(results, "divergence", divergence, text, "divergence", NULL);
  return COH_OK;
}
