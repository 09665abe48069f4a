/* Which class is taken for which: the table of counts, what it says of each class, and the
 * images of the pairs that are confused most. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "io/file.h"
#include "task/classify/classify.h"
#include "task/row_images.h"

enum {
  PATH_BYTES = 4096,
  N_PAIRS = 6,
  N_SHOWN = 8,   /* images a pair */
  N_COLUMNS = 5, /* of the table of classes */
  MOST_ROWS = 100,
};

// ---- numbers -------------------------------------------------------------------------------

void coh_classify_class_score(const int64_t *counts, int64_t n_classes, int64_t k,
                              coh_classify_class *score) {
  int64_t taken = 0, rows = 0, right = counts[k * n_classes + k];
  for (int64_t i = 0; i < n_classes; i++) {
    taken += counts[i * n_classes + k];
    rows += counts[k * n_classes + i];
  }
  *score = (coh_classify_class){.n_rows = rows,
                                .precision = taken ? (double)right / (double)taken : NAN,
                                .recall = rows ? (double)right / (double)rows : NAN,
                                .f1 = rows + taken ? 2 * (double)right / (double)(rows + taken)
                                                   : NAN};
}

int64_t coh_classify_confused(const int64_t *counts, int64_t n_classes, int64_t n_most,
                              coh_classify_pair *pair) {
  int64_t n = 0;
  for (int64_t i = 0; i < n_classes; i++)
    for (int64_t j = 0; j < n_classes; j++) {
      int64_t count = counts[i * n_classes + j];
      if (i == j || count == 0) continue;
      if (n == n_most && pair[n - 1].count >= count) continue;
      int64_t at = n < n_most ? n++ : n - 1;
      for (; at > 0 && pair[at - 1].count < count; at--)
        pair[at] = pair[at - 1];
      pair[at] = (coh_classify_pair){(int32_t)i, (int32_t)j, count};
    }
  return n;
}

// ---- the table of classes ------------------------------------------------------------------

static void percent(double share, char text[16]) {
  if (isfinite(share))
    snprintf(text, 16, "%.1f%%", 100 * share);
  else
    snprintf(text, 16, "-");
}

static coh_status tabulate(const coh_classify *task, coh_results *results) {
  static const char *const header[N_COLUMNS] = {"class", "rows", "precision", "recall", "F1"};
  int64_t n = task->n_classes < MOST_ROWS ? task->n_classes : MOST_ROWS;
  char(*text)[N_COLUMNS - 1][16];
  COH_NEW(text, n + 1);
  const char **cells = coh_alloc_array((size_t)((n + 1) * N_COLUMNS), sizeof *cells);
  coh_status status = cells ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a table");
  double sum[3] = {0};
  for (int64_t k = 0; cells && k < n; k++) {
    coh_classify_class score;
    coh_classify_class_score(task->counts, task->n_classes, k, &score);
    const double share[3] = {score.precision, score.recall, score.f1};
    snprintf(text[k][0], 16, "%" PRId64, score.n_rows);
    cells[k * N_COLUMNS] = task->spec->class_names[k];
    for (int c = 0; c < 3; c++) {
      percent(share[c], text[k][c + 1]);
      sum[c] += isfinite(share[c]) ? share[c] / (double)n : 0;
    }
    for (int c = 1; c < N_COLUMNS; c++)
      cells[k * N_COLUMNS + c] = text[k][c - 1];
  }
  if (cells) {
    cells[n * N_COLUMNS] = "mean over classes";
    cells[n * N_COLUMNS + 1] = "";
    for (int c = 0; c < 3; c++) {
      percent(sum[c], text[n][c + 1]);
      cells[n * N_COLUMNS + c + 2] = text[n][c + 1];
    }
    coh_results_table(results,
                      "Precision: of the rows taken for the class, those that are of it. "
                      "Recall: of the class's rows, those recognised. F1: their harmonic mean.",
                      header, cells, n + 1, N_COLUMNS);
  }
  coh_free(cells), coh_free(text);
  return status;
}

// ---- the pictures --------------------------------------------------------------------------

static coh_status draw_matrix(const coh_classify *task, coh_results *results) {
  char path[PATH_BYTES];
  bool drawn = false;
  coh_matrix matrix = {.rows = "true class",
                       .columns = "taken for",
                       .name = task->spec->class_names,
                       .count = task->counts,
                       .n = task->n_classes};
  snprintf(path, sizeof path, "%s/figures", task->context->folder);
  COH_TRY(coh_folder_make(path));
  COH_TRY(coh_matrix_write(&matrix, path, "confusion", &drawn));
  if (drawn)
    coh_results_picture(
        results, "figures/confusion.svg",
        "Which class is taken for which. Large: the share of the class's rows in "
        "per cent (colour, too); small: their number. The diagonal is right.",
        false);
  return COH_OK;
}

typedef struct confused_images {
  coh_classify_pair pair[N_PAIRS];
  int64_t n_pairs;
  const uint8_t *cell[N_PAIRS * N_SHOWN];
  uint8_t *bytes;
  char text[N_PAIRS][96];
  const char *label[N_PAIRS];
} confused_images;

// the first rows of each pair, in the order of the data
static void gather_images(const coh_classify *task, const int64_t *answers,
                          confused_images *c) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(task->judged);
  const int32_t *labels = coh_dataset_labels(task->judged);
  for (int64_t p = 0; p < c->n_pairs; p++) {
    const coh_classify_pair *pair = &c->pair[p];
    int64_t n = 0;
    for (int64_t row = 0; row < task->judged_rows && n < N_SHOWN; row++) {
      if (labels[row] != pair->is || answers[row] - 1 != pair->taken_for) continue;
      uint8_t *to = c->bytes + (p * N_SHOWN + n) * spec->n_values;
      coh_row_images(task->judged, 1, &row, 1, to);
      c->cell[p * N_SHOWN + n++] = to;
    }
    snprintf(c->text[p], sizeof c->text[p], "%.20s as %.20s: %" PRId64,
             task->spec->class_names[pair->is], task->spec->class_names[pair->taken_for],
             pair->count);
    c->label[p] = c->text[p];
  }
}

static coh_status draw_confused(const coh_classify *task, const int64_t *answers,
                                coh_results *results) {
  const coh_dataset_spec *spec = task->spec;
  if (spec->n_dims != 3 || (spec->shape[2] != 1 && spec->shape[2] != 3)) return COH_OK;
  confused_images c = {0};
  c.n_pairs = coh_classify_confused(task->counts, task->n_classes, N_PAIRS, c.pair);
  if (c.n_pairs == 0) return COH_OK;
  COH_NEW(c.bytes, N_PAIRS * N_SHOWN * spec->n_values);
  gather_images(task, answers, &c);
  const coh_grid grid = {.cell = c.cell,
                         .n_cells = c.n_pairs * N_SHOWN,
                         .width = spec->shape[1],
                         .height = spec->shape[0],
                         .n_channels = (int)spec->shape[2],
                         .columns = N_SHOWN,
                         .row_label = c.label};
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures/confused.png", task->context->folder);
  coh_status status = coh_grid_write(&grid, path);
  coh_free(c.bytes);
  if (status == COH_OK)
    coh_results_picture(results, "figures/confused.png",
                        "The pairs that are confused most, with the first images of each.",
                        true);
  return status;
}

// ---- files and all -------------------------------------------------------------------------

static coh_status write_counts(const coh_classify *task) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results", task->context->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, sizeof path, "%s/results/confusion.npy", task->context->folder);
  const coh_array counts = {.dtype = COH_DTYPE_I64,
                            .n_dims = 2,
                            .shape = {task->n_classes, task->n_classes},
                            .data = task->counts};
  return coh_npy_write(path, &counts);
}

coh_status coh_classify_show_confusion(coh_classify *task, const int64_t *answers,
                                       coh_results *results) {
  COH_TRY(tabulate(task, results));
  if (coh_world_rank(task->context->world) != 0 || !task->context->folder) return COH_OK;
  COH_TRY(write_counts(task));
  COH_TRY(draw_matrix(task, results));
  return draw_confused(task, answers, results);
}
