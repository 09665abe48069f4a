/* The results of a run: key numbers, pictures and sentences, kept as results/summary.json so
 * that a report can be made at any time. */
#ifndef COHORT_RUN_RESULTS_H
#define COHORT_RUN_RESULTS_H

#include "cohort/task.h"

typedef struct coh_result_number {
  char *key, *text, *label, *note;
  double value;
} coh_result_number;

typedef struct coh_result_picture {
  char *path, *caption;
  bool pixelated;
} coh_result_picture;

typedef struct coh_result_line {
  char *text;
  bool warning;
} coh_result_line;

typedef struct coh_result_table {
  char *caption;
  char **text; /* the header's n_columns texts, then the rows' */
  int64_t n_rows, n_columns;
} coh_result_table;

enum { COH_MAX_RESULTS = 64 };

struct coh_results {
  coh_result_number number[COH_MAX_RESULTS];
  coh_result_picture picture[COH_MAX_RESULTS];
  coh_result_line line[COH_MAX_RESULTS];
  coh_result_table table[COH_MAX_RESULTS];
  int64_t n_numbers, n_pictures, n_lines, n_tables;
  char *status; /* "finished", "running", "stopped", "diverged" */
  bool active;  /* only rank 0 collects */
};

/* Release what is collected and zero the struct. */
void coh_results_clear(coh_results *results);

/* The value of a key, NaN if absent. */
double coh_results_value(const coh_results *results, const char *key);

/* Write to and read from folder/results/summary.json. Fails: COH_E_IO; COH_E_DATA. */
coh_status coh_results_save(const coh_results *results, const char *folder);
coh_status coh_results_load(const char *folder, coh_results *results);

/* The same with another file in folder/results. */
coh_status coh_results_save_as(const coh_results *results, const char *folder,
                               const char *name);
coh_status coh_results_load_as(const char *folder, const char *name, coh_results *results);

#endif
