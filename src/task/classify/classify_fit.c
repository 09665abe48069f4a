/* A small classifier by a fixed recipe: what other systems' rows are worth as training data. */
#include <string.h>

#include "task/classify/classify.h"

enum { UPDATES = 600, BATCH = 128 };

static const char recipe[] =
    "{validation: 1, keep: last, validate_every: 1000000000000, train_rows: 1, "
    "loader: {last: wrap}, optimizer: {adam: {learning_rate: 1e-3}}, "
    "network: [conv: {channels: 32, kernel: 3, padding: same}, relu, max_pool: 2, "
    "conv: {channels: 64, kernel: 3, padding: same}, relu, max_pool: 2, dense: 128, relu]}";

static coh_status train_and_measure(const coh_run_context *context,
                                    const coh_classify_options *options,
                                    const coh_dataset *train, const coh_dataset *test,
                                    double *accuracy) {
  void *task = NULL;
  COH_TRY(coh_classify_create_of(context, options, train, &task));
  coh_status status = COH_OK;
  for (int64_t u = 0; u < UPDATES && status == COH_OK; u++)
    status = coh_classify_step(task);
  coh_classify_score score = {0};
  if (status == COH_OK)
    status =
        coh_classify_measure(task, test, INT64_MAX, ((coh_classify *)task)->params, &score);
  coh_classify_destroy(&task);
  if (status == COH_OK) *accuracy = score.accuracy;
  return status;
}

coh_status coh_classify_fit(const coh_run_context *context, const coh_dataset *train,
                            const coh_dataset *test, double *accuracy) {
  const coh_dataset_spec *a = coh_dataset_spec_of(train), *b = coh_dataset_spec_of(test);
  COH_CHECK(a->n_values == b->n_values && a->n_dims == 3, COH_E_DATA,
            "%s and %s do not hold images of one shape", a->name, b->name);
  COH_CHECK(b->has_labels && a->n_classes >= b->n_classes, COH_E_DATA,
            "%s has labels of %lld classes, %s of %lld", a->name, (long long)a->n_classes,
            b->name, (long long)b->n_classes);
  coh_classify_options options = {0};
  coh_config *config = NULL;
  COH_TRY(coh_config_parse("recipe", recipe, strlen(recipe), &config));
  coh_status status = coh_options_fill(coh_classify_option_table, config, &options);
  coh_config_destroy(&config);
  int64_t n_lanes = context->lanes.n_lanes;
  options.loader.batch = n_lanes * ((BATCH + n_lanes - 1) / n_lanes);
  if (status == COH_OK) status = train_and_measure(context, &options, train, test, accuracy);
  coh_options_clear(coh_classify_option_table, &options);
  return status;
}
