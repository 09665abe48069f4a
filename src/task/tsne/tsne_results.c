/* What a map leaves behind: results/embedding.npy, a picture by label, and how good it is. */
#include <stdio.h>

#include "base/alloc.h"
#include "io/file.h"
#include "task/map/map_view.h"
#include "task/tsne/tsne.h"

enum { PATH_BYTES = 4096, NOTE_BYTES = 256 };

static coh_status write_embedding(coh_tsne *t, const float *y) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results", t->context->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, sizeof path, "%s/results/embedding.npy", t->context->folder);
  coh_array array = {COH_DTYPE_F32, 2, {t->n, t->dims}, (void *)y};
  return coh_npy_write(path, &array);
}

static coh_status write_all(coh_tsne *t, coh_results *results) {
  float *y;
  COH_NEW(y, t->n * t->dims);
  coh_tsne_positions(t, y);
  coh_status status = write_embedding(t, y);
  coh_map_view view = {.rows = t->dataset,
                       .images = t->images ? t->images : t->dataset,
                       .y = y,
                       .dims = t->dims,
                       .folder = t->context->folder,
                       .has_picture = true};
  if (status == COH_OK) status = coh_map_view_write(&view, results);
  if (status == COH_OK)
    status = coh_map_film_write(&t->film, t->dataset, t->context->folder, results);
  coh_free(y);
  return status;
}

static void add_numbers(const coh_tsne *t, coh_results *results) {
  static const char *const methods[] = {"", "all pairs", "Barnes-Hut", "FFT-interpolated"};
  char text[64], note[NOTE_BYTES];
  snprintf(text, sizeof text, "%.4f", t->divergence);
  snprintf(note, sizeof note, "%lld rows, %lld iterations, %s, %lld neighbours of a row%s",
           (long long)t->n, (long long)t->iteration, methods[t->method], (long long)t->k,
           t->stopped ? "; stopped falling" : "");
  coh_results_number(results, "divergence", t->divergence, text, "divergence (nats)", note);
  if (t->recall < 1) {
    snprintf(text, sizeof text, "%.3f", t->recall);
    coh_results_number(results, "recall", t->recall, text, "recall of the neighbours",
                       "approximate search, measured on a sample");
  }
  if (t->trusted_at != t->iteration) return;
  snprintf(text, sizeof text, "%.4f", t->trust);
  coh_results_number(results, "trustworthiness", t->trust, text, "trustworthiness", NULL);
  snprintf(text, sizeof text, "%.3f", t->preserved);
  coh_results_number(results, "neighbours_kept", t->preserved, text, "nearest neighbours kept",
                     NULL);
}

coh_status coh_tsne_results(void *task, coh_results *results) {
  coh_tsne *t = task;
  double divergence;
  COH_TRY(coh_tsne_divergence(t, &divergence));
  add_numbers(t, results);
  coh_status status = COH_OK;
  if (coh_world_rank(t->context->world) == 0) status = write_all(t, results);
  return coh_comm_agree(t->context->world, status);
}
