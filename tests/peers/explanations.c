/* Cohort's half of tests/peers/explanations_agree.py.
 * Usage: explanations MODEL.safetensors ROWS.npy FOLDER   maps as FOLDER/METHOD.npy, and
 * outputs explanations MODEL.safetensors ROWS.npy time     seconds of CPU for Grad-CAM of all
 * rows */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "cohort/explain.h"
#include "cohort/io.h"

typedef struct asked {
  coh_network_file *file;
  coh_explainer *explainer;
  coh_array rows;
  int64_t n, n_pixels, n_outputs;
  int32_t *targets;
  float *maps, *outputs;
} asked;

static coh_status prepare(asked *a, const char *model, const char *rows) {
  int64_t size[3];
  COH_TRY(coh_network_file_open(model, NULL, &a->file));
  COH_TRY(coh_explainer_create(a->file, NULL, &a->explainer));
  COH_TRY(coh_npy_read(rows, &a->rows));
  coh_explainer_input(a->explainer, size);
  a->n = a->rows.shape[0];
  a->n_pixels = size[0] * size[1];
  a->n_outputs = coh_explainer_n_outputs(a->explainer);
  COH_CHECK(a->rows.dtype == COH_DTYPE_F32 &&
                coh_array_count(&a->rows) == a->n * a->n_pixels * size[2],
            COH_E_DATA, "%s: rows of another shape", rows);
  COH_NEW(a->targets, a->n);
  COH_NEW(a->maps, a->n * a->n_pixels);
  COH_NEW(a->outputs, a->n * a->n_outputs);
  COH_TRY(coh_explainer_outputs(a->explainer, a->rows.data, a->n, a->outputs));
  return coh_explainer_answers(a->explainer, a->rows.data, a->n, a->targets);
}

typedef struct wish {
  coh_choice method;
} wish;

static const coh_option wish_table[] = {
    {.name = "method", .type = COH_KIND, .initial = "", .kinds = &coh_explain_kinds},
    {0},
};

static coh_status explain(const asked *a, const char *text) {
  wish w;
  coh_config *tree = NULL;
  COH_TRY(coh_config_parse("method", text, strlen(text), &tree));
  coh_status status = coh_options_fill(wish_table, tree, &w);
  coh_config_destroy(&tree);
  COH_TRY(status);
  status = coh_explain(a->explainer, &w.method, a->rows.data, a->targets, a->n, a->maps);
  coh_options_clear(wish_table, &w);
  return status;
}

static coh_status write(const char *folder, const char *name, int64_t n, int64_t width,
                        void *data) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s.npy", folder, name);
  const coh_array array = {
      .dtype = COH_DTYPE_F32, .n_dims = 2, .shape = {n, width}, .data = data};
  return coh_npy_write(path, &array);
}

static coh_status write_maps(const asked *a, const char *folder) {
  static const char *const names[] = {"saliency", "integrated_gradients", "grad_cam",
                                      "guided_backprop"};
  // the middles of as many parts as the peer takes
  static const char *const texts[] = {
      "method: saliency", "method: {integrated_gradients: {steps: 4096, max_steps: 4096}}",
      "method: grad_cam", "method: guided_backprop"};
  COH_TRY(write(folder, "outputs", a->n, a->n_outputs, a->outputs));
  for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
    COH_TRY(explain(a, texts[k]));
    COH_TRY(write(folder, names[k], a->n, a->n_pixels, a->maps));
  }
  return COH_OK;
}

static coh_status answer(asked *a, char **argument) {
  COH_TRY(prepare(a, argument[1], argument[2]));
  COH_TRY(explain(a, "method: grad_cam")); // programs are compiled when they are first used
  if (strcmp(argument[3], "time") != 0) return write_maps(a, argument[3]);
  clock_t begun = clock();
  COH_TRY(explain(a, "method: grad_cam"));
  printf("%.6f\n", (double)(clock() - begun) / CLOCKS_PER_SEC);
  return COH_OK;
}

int main(int count, char **argument) {
  if (count != 4) return 2;
  asked a = {0};
  coh_status status = answer(&a, argument);
  if (status != COH_OK) fprintf(stderr, "%s\n", coh_error_message());
  coh_explainer_destroy(&a.explainer);
  coh_network_file_close(&a.file);
  coh_array_clear(&a.rows);
  coh_free(a.targets), coh_free(a.maps), coh_free(a.outputs);
  return status == COH_OK ? 0 : 1;
}
