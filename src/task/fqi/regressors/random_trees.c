/* Totally randomised trees: one random cut a node, the same trees in every iteration. The
 * values are then averages with fixed weights, so fitted Q-iteration converges. Source: Ernst,
 * Geurts, Wehenkel, "Tree-based batch mode reinforcement learning", JMLR 6, 2005, sections 3.5
 * and 4. */
#include "task/fqi/forest_options.h"

static const coh_option options[] = {
    COH_FOREST_TREES_ROW,
    COH_FOREST_MIN_ROWS_ROW,
    COH_FOREST_SAMPLE_ROW,
    {0},
};

static coh_status create(const coh_fqi_problem *problem, const void *chosen, void **forest) {
  return coh_forest_create(problem, chosen, COH_SPLIT_RANDOM, true, forest);
}

const coh_regressor_type coh_regressor_type_random_trees = {
    .kind = {.name = "random_trees",
             .doc = "Totally randomised trees, kept over all iterations (Ernst et al. 2005).",
             .options = options,
             .options_size = sizeof(coh_forest_options)},
    .create = create,
    .destroy = coh_forest_destroy,
    .connect = coh_forest_connect,
    .fit = coh_forest_fit,
    .values = coh_forest_values,
};
