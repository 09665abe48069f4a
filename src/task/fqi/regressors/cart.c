/* One regression tree with the best cuts.
 * Source: Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees", 1984,
 * without pruning. */
#include "task/fqi/forest_options.h"

static const coh_option options[] = {COH_FOREST_MIN_ROWS_ROW, {0}};

static coh_status create(const coh_fqi_problem *problem, const void *chosen, void **forest) {
  coh_forest_options one = *(const coh_forest_options *)chosen;
  one.trees = 1;
  return coh_forest_create(problem, &one, COH_SPLIT_BEST, false, forest);
}

const coh_regressor_type coh_regressor_type_cart = {
    .kind = {.name = "cart",
             .doc = "One regression tree with the best cuts (CART, Breiman et al. 1984).",
             .options = options,
             .options_size = sizeof(coh_forest_options)},
    .create = create,
    .destroy = coh_forest_destroy,
    .connect = coh_forest_connect,
    .fit = coh_forest_fit,
    .values = coh_forest_values,
};
