/* What the tests of data share. */
#ifndef COHORT_TESTS_DATA_TEST_H
#define COHORT_TESTS_DATA_TEST_H

#include "scratch.h"

#include "cohort/data.h"

/* Sum over cells of (count - expected)^2 / expected. */
static inline double chi_square(const int64_t *count, int n_cells, double expected) {
  double sum = 0;
  for (int i = 0; i < n_cells; i++) {
    double d = (double)count[i] - expected;
    sum += d * d / expected;
  }
  return sum;
}

static const coh_option dataset_row[] = {
    {.name = "data", .type = COH_KIND, .kinds = &coh_dataset_kinds, .doc = "The data."},
    {0},
};

/* A dataset as a config would name it: "{npy: {rows: a.npy}}". */
static inline coh_status dataset_from(const char *config, coh_dataset **dataset) {
  char yaml[512];
  coh_config *root = NULL;
  coh_choice choice = {0};
  int n = snprintf(yaml, sizeof yaml, "data: %s\n", config);
  *dataset = NULL;
  coh_status status = coh_config_parse("test.yaml", yaml, (size_t)n, &root);
  if (status == COH_OK) status = coh_options_fill(dataset_row, root, &choice);
  coh_config_destroy(&root);
  if (status != COH_OK) return status;
  status = coh_dataset_create(&choice, dataset);
  coh_choice_clear(&choice);
  return status;
}

/* Loader options as a config would have them. Clear with coh_options_clear. */
static inline coh_status loader_options_from(const char *yaml, coh_loader_options *options) {
  coh_config *root = NULL;
  coh_status status = coh_config_parse("test.yaml", yaml, strlen(yaml), &root);
  if (status == COH_OK) status = coh_options_fill(coh_loader_option_table, root, options);
  coh_config_destroy(&root);
  return status;
}

#endif
