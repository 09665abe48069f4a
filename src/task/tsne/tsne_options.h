/* The options of task tsne. */
#ifndef COHORT_TASK_TSNE_TSNE_OPTIONS_H
#define COHORT_TASK_TSNE_TSNE_OPTIONS_H

#include "cohort/data.h"
#include "cohort/option.h"
#include "task/map/map_source.h"

typedef enum coh_tsne_method {
  COH_TSNE_AUTO,
  COH_TSNE_EXACT,
  COH_TSNE_TREE, /* Barnes-Hut */
  COH_TSNE_GRID, /* interpolation on a grid, fast Fourier transforms */
} coh_tsne_method;

typedef enum coh_tsne_search {
  COH_TSNE_SEARCH_AUTO,
  COH_TSNE_SEARCH_EXACT,
  COH_TSNE_SEARCH_APPROXIMATE,
} coh_tsne_search;

typedef enum coh_tsne_begin {
  COH_TSNE_START_PCA,
  COH_TSNE_START_RANDOM,
  COH_TSNE_START_GIVEN,
} coh_tsne_begin;

/* Sizes at which auto changes its choice. */
enum {
  COH_TSNE_EXACT_ROWS = 500,         /* all pairs up to here */
  COH_TSNE_TREE_ROWS = 3000,         /* Barnes-Hut up to here */
  COH_TSNE_APPROXIMATE_ROWS = 100000 /* approximate neighbours above */
};

typedef struct coh_tsne_options {
  coh_map_source source;
  int values; /* coh_values */
  int64_t pca, dims;
  char *neighbors, *distances; /* .npy: row numbers and distances of neighbours */
  char *matrix;                /* .npy: all distances */
  double perplexity;
  coh_int_list perplexities;
  int method, search;
  double recall, theta, spacing;
  int start;
  char *start_file;
  double early_exaggeration, exaggeration;
  int64_t early_steps;
  double learning_rate, early_momentum, momentum, freedom, max_step;
  double min_progress;
  int64_t patience;
  int64_t quality_rows;
  bool film;
} coh_tsne_options;

extern const coh_option coh_tsne_option_table[];

/* Check what single rows cannot. Fails: COH_E_CONFIG. */
coh_status coh_tsne_options_check(const coh_tsne_options *options, const char *config_name);

#endif
