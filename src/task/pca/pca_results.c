/* What a projection leaves behind: results/embedding.npy, numbers, and the tables. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/file.h"
#include "task/map/map_view.h"
#include "task/pca/pca.h"

enum { PATH_BYTES = 4096, TEXT_BYTES = 512, TABLE_ROWS = 10 };

static coh_status write_embedding(coh_pca *pca) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results", pca->context->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, sizeof path, "%s/results/embedding.npy", pca->context->folder);
  coh_array array = {.dtype = COH_DTYPE_F32,
                     .n_dims = 2,
                     .shape = {coh_dataset_spec_of(pca->dataset)->n_rows,
                               coh_principal_fit_result(pca->fit)->k},
                     .data = pca->projected};
  return coh_npy_write(path, &array);
}

static void add_numbers(const coh_pca *pca, coh_results *results) {
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  const coh_dataset_spec *spec = coh_dataset_spec_of(pca->dataset);
  double kept = 0;
  for (int64_t i = 0; i < r->k; i++)
    kept += r->variances[i];
  char text[64], note[TEXT_BYTES];
  snprintf(text, sizeof text, "%.2f%%", 100 * kept / r->total);
  snprintf(note, sizeof note, "%lld components of %lld rows with %lld values", (long long)r->k,
           (long long)spec->n_rows, (long long)r->n_values);
  coh_results_number(results, "explained", kept / r->total, text, "variance explained", note);
  snprintf(text, sizeof text, "%.2f%%", 100 * r->variances[0] / r->total);
  coh_results_number(results, "explained_first", r->variances[0] / r->total, text,
                     "by the first component", NULL);
  if (r->n_constant) {
    snprintf(note, sizeof note,
             "%lld of %lld columns are constant: they carry nothing and stay at zero.",
             (long long)r->n_constant, (long long)r->n_values);
    coh_results_text(results, note);
  }
}

static void add_table(const coh_pca *pca, coh_results *results) {
  static const char *const header[] = {"component", "variance", "explained", "together"};
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  char cell[TABLE_ROWS * 4][32];
  const char *cells[TABLE_ROWS * 4];
  int64_t rows = r->k < TABLE_ROWS ? r->k : TABLE_ROWS;
  double together = 0;
  for (int64_t i = 0; i < rows; i++) {
    together += r->variances[i];
    snprintf(cell[4 * i], sizeof *cell, "%lld", (long long)i + 1);
    snprintf(cell[4 * i + 1], sizeof *cell, "%.5g", r->variances[i]);
    snprintf(cell[4 * i + 2], sizeof *cell, "%.2f%%", 100 * r->variances[i] / r->total);
    snprintf(cell[4 * i + 3], sizeof *cell, "%.2f%%", 100 * together / r->total);
  }
  for (int64_t i = 0; i < 4 * rows; i++)
    cells[i] = cell[i];
  coh_results_table(results, "The first components.", header, cells, rows, 4);
}

coh_status coh_pca_results(void *task, coh_results *results) {
  coh_pca *pca = task;
  COH_TRY(coh_pca_project(pca));
  add_numbers(pca, results);
  add_table(pca, results);
  coh_status status = COH_OK;
  if (coh_world_rank(pca->context->world) == 0) {
    status = write_embedding(pca);
    if (status == COH_OK) status = coh_pca_figures(pca, results);
    coh_map_view view = {.rows = pca->dataset,
                         .images = pca->images ? pca->images : pca->dataset,
                         .y = pca->projected,
                         .dims = coh_principal_fit_result(pca->fit)->k,
                         .folder = pca->context->folder};
    if (status == COH_OK) status = coh_map_view_write(&view, results);
  }
  return coh_comm_agree(pca->context->world, status);
}
