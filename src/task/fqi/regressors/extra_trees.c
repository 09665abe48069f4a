/* Extra-Trees: of K random cuts of a node the one that explains most.
 * Source: Geurts, Ernst, Wehenkel, "Extremely randomized trees", 2006; in fitted Q-iteration:
 * Ernst, Geurts, Wehenkel, JMLR 6, 2005. */
#include "task/fqi/forest_options.h"

static const coh_option options[] = {
    COH_FOREST_TREES_ROW,
    COH_FOREST_MIN_ROWS_ROW,
    {.name = "candidates",
     .type = COH_INT,
     .offset = offsetof(coh_forest_options, candidates),
     .initial = "0",
     .max = 1e9,
     .doc = "Random cuts of which a node takes the best, K, one a feature; 0: as many as there "
            "are features."},
    COH_FOREST_SAMPLE_ROW,
    {0},
};

static coh_status create(const coh_fqi_problem *problem, const void *chosen, void **forest) {
  return coh_forest_create(problem, chosen, COH_SPLIT_EXTRA, false, forest);
}

const coh_regressor_type coh_regressor_type_extra_trees = {
    .kind = {.name = "extra_trees",
             .doc = "Extremely randomised trees over state and action (Geurts et al. 2006).",
             .options = options,
             .options_size = sizeof(coh_forest_options)},
    .create = create,
    .destroy = coh_forest_destroy,
    .connect = coh_forest_connect,
    .fit = coh_forest_fit,
    .values = coh_forest_values,
};
