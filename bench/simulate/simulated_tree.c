/* Additions for simulations: they take the time that the model says, and add nothing. */
#include <smpi/smpi.h>

#include "comm/lane_model.h"
#include "comm/lane_tree.h"

void coh_lane_tree_run(const coh_lane_tree *tree, const void *const leaf[], int64_t first,
                       int64_t n, void *out) {
  (void)leaf, (void)first, (void)out;
  int64_t n_leaves = coh_lane_tree_n_leaves(tree);
  if (n_leaves < 2) return; // one lane: its gradient lies where it is summed
  double n_bytes = (double)(n_leaves * n) * (double)sizeof(float);
  smpi_execute(n_bytes * lane_model_default.add);
}
