/* What speaks for the answer: every method on the same inputs side by side, and beside the
 * pictures the numbers that say which of them can be believed. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "explain/explainer.h"
#include "explain/topic.h"

enum { SCALE_PIXELS = 112, STEPS = 50, MAX_METHODS = 32, MAX_STAGES = 64, N_COLUMNS = 6 };

typedef struct study {
  const coh_explain_site *site;
  coh_explainer *explainer;
  coh_explain_rows rows;
  int64_t size[3], n_methods;
  float *map; // (n_methods, n, height, width)
  const coh_explain_method *method[MAX_METHODS];
} study;

static bool needs_features(const coh_kind *kind) {
  return strstr(kind->name, "cam") != NULL;
}

static float *map_of(const study *s, int64_t method) {
  return s->map + method * s->rows.n * s->size[0] * s->size[1];
}

static void readable(const char *name, char text[48]) {
  snprintf(text, 48, "%s", name);
  if (strcmp(name, "integrated_gradients") == 0) snprintf(text, 48, "integrated grad.");
  if (strcmp(name, "gradient_x_input") == 0) snprintf(text, 48, "gradient x input");
  if (strcmp(name, "grad_cam_pp") == 0) snprintf(text, 48, "grad cam++");
  for (char *c = text; *c; c++)
    if (*c == '_') *c = ' ';
}

// maps over the input, or signed colours where a method answers signed numbers
static void paint(const study *s, int64_t method, int64_t i, uint8_t *rgb) {
  int64_t n_pixels = s->size[0] * s->size[1], n_shown = s->rows.width * s->rows.height;
  const float *map = map_of(s, method) + i * n_pixels;
  if (s->method[method]->is_per_value && n_shown == n_pixels) {
    coh_image_from_signed(map, n_pixels, 0, rgb);
    return;
  }
  memcpy(rgb, s->rows.rgb + i * n_shown * 3, (size_t)n_shown * 3);
  float *magnitude = coh_alloc_array((size_t)n_pixels, sizeof *magnitude);
  if (!magnitude) return;
  for (int64_t k = 0; k < n_pixels; k++)
    magnitude[k] = s->method[method]->is_per_value ? fabsf(map[k]) : map[k];
  // where every pixel counts for something, show what counts for more
  float least = magnitude[0];
  for (int64_t k = 1; k < n_pixels; k++)
    least = magnitude[k] < least ? magnitude[k] : least;
  for (int64_t k = 0; k < n_pixels && least > 0; k++)
    magnitude[k] -= least;
  coh_image_overlay(magnitude, s->size[1], s->size[0], 0, rgb, s->rows.width, s->rows.height);
  coh_free(magnitude);
}

static coh_status draw(const study *s) {
  int64_t columns = s->n_methods + 1, n_cells = s->rows.n * columns;
  size_t n_bytes = (size_t)(s->rows.width * s->rows.height * 3);
  uint8_t *pixels = coh_alloc_array((size_t)n_cells, n_bytes);
  const uint8_t **cell = coh_alloc_array((size_t)n_cells, sizeof *cell);
  const char **label = coh_alloc_array((size_t)n_cells, sizeof *label);
  char(*text)[48] = coh_alloc_array((size_t)n_cells, sizeof *text);
  coh_status status = pixels && cell && label && text
                          ? COH_OK
                          : coh_fail(COH_E_MEMORY, "out of memory for saliency maps");
  for (int64_t k = 0; status == COH_OK && k < n_cells; k++) {
    int64_t i = k / columns, m = k % columns - 1;
    cell[k] = pixels + (size_t)k * n_bytes;
    label[k] = text[k];
    if (m < 0) {
      memcpy(pixels + (size_t)k * n_bytes, s->rows.rgb + (size_t)i * n_bytes, n_bytes);
      snprintf(text[k], 48, "%s", s->rows.label[i]);
    } else {
      paint(s, m, i, pixels + (size_t)k * n_bytes);
      readable(s->method[m]->kind.name, text[k]);
    }
  }
  char path[4096];
  if (status == COH_OK) status = coh_explain_path(s->site, "saliency", "png", path);
  if (status == COH_OK) {
    int64_t longest = s->rows.width > s->rows.height ? s->rows.width : s->rows.height;
    int scale = longest < SCALE_PIXELS ? (int)((SCALE_PIXELS + longest - 1) / longest) : 1;
    coh_grid grid = {.cell = cell,
                     .n_cells = n_cells,
                     .width = s->rows.width,
                     .height = s->rows.height,
                     .n_channels = 3,
                     .columns = (int)columns,
                     .scale = scale,
                     .label = label};
    status = coh_grid_write(&grid, path);
  }
  coh_free(pixels), coh_free(cell), coh_free(label), coh_free(text);
  if (status == COH_OK)
    coh_explain_picture(
        s->site, "saliency", "png",
        "What speaks for the network's answer, by method. Red speaks for it, blue against it; "
        "maps that only say where glow over the input.",
        true);
  return status;
}

typedef struct verdict {
  double gap, similarity;
  coh_explain_curves curves;
} verdict;

static coh_status judge(const study *s, int64_t m, verdict *v) {
  const coh_explain_rows *rows = &s->rows;
  coh_choice choice;
  COH_TRY(coh_choice_make(&coh_explain_kinds, s->method[m]->kind.name, &choice));
  *v = (verdict){NAN, NAN, {NAN, NAN}};
  coh_status status = coh_explain_insertion(s->explainer, map_of(s, m), rows->input,
                                            rows->target, rows->n, STEPS, &v->curves);
  bool sums_up = s->method[m]->is_per_value &&
                 strcmp(s->method[m]->kind.name, "integrated_gradients") == 0;
  int64_t n_values = s->size[0] * s->size[1] * s->size[2];
  float *values = coh_alloc_array((size_t)(rows->n * n_values), sizeof *values);
  if (!values) status = coh_fail(COH_E_MEMORY, "out of memory");
  if (status == COH_OK && sums_up)
    status =
        coh_explain_values(s->explainer, &choice, rows->input, rows->target, rows->n, values);
  if (status == COH_OK && sums_up)
    status = coh_explain_completeness(s->explainer, values, rows->input, rows->target, rows->n,
                                      &v->gap);
  coh_free(values);
  double similarity[MAX_STAGES];
  int64_t n_stages = MAX_STAGES, n_few = rows->n < 4 ? rows->n : 4;
  if (status == COH_OK)
    status = coh_explain_sanity(s->explainer, &choice, rows->input, rows->target, n_few,
                                (uint64_t)s->site->options->seed + 1000, similarity, &n_stages);
  if (status == COH_OK && n_stages > 0) v->similarity = similarity[n_stages - 1];
  coh_choice_clear(&choice);
  return status;
}

static void number(double value, const char *format, char text[32]) {
  if (isfinite(value))
    snprintf(text, 32, format[1] == '1' ? "%.1e" : "%.3f", value);
  else
    snprintf(text, 32, "-");
}

static coh_status tabulate(const study *s) {
  static const char *const header[N_COLUMNS] = {"method",       "insertion",      "deletion",
                                                "completeness", "random weights", "verdict"};
  char text[MAX_METHODS][N_COLUMNS][48];
  const char *cells[MAX_METHODS * N_COLUMNS];
  for (int64_t m = 0; m < s->n_methods; m++) {
    verdict v;
    COH_TRY(judge(s, m, &v));
    bool informative = !(fabs(v.similarity) > COH_EXPLAIN_UNINFORMATIVE);
    readable(s->method[m]->kind.name, text[m][0]);
    number(v.curves.insertion, "%.3f", text[m][1]);
    number(v.curves.deletion, "%.3f", text[m][2]);
    number(v.gap, "%1", text[m][3]);
    number(v.similarity, "%.3f", text[m][4]);
    snprintf(text[m][5], 48, "%s", informative ? "depends on the weights" : "uninformative");
    for (int k = 0; k < N_COLUMNS; k++)
      cells[m * N_COLUMNS + k] = text[m][k];
    if (!informative)
      coh_explain_warn(s->site,
                       "%s: the map hardly changes when all weights are random (rank "
                       "correlation %.2f): it shows the input, not what the network does with "
                       "it (Adebayo et al. 2018).",
                       text[m][0], v.similarity);
  }
  if (s->site->output->table)
    s->site->output->table(
        s->site->output->context,
        "How far each explanation can be believed. Insertion (high is good) and deletion (low "
        "is good): area under the probability of the answer while the pixels the map calls "
        "important appear, or turn black. Completeness: how far the sum is from the difference "
        "in output. Random weights: rank correlation of the maps before and after all layers "
        "have been randomised.",
        header, cells, s->n_methods, N_COLUMNS);
  return COH_OK;
}

static coh_status compute(study *s) {
  bool has_features = *coh_explainer_layer(s->explainer) != '\0';
  if (!has_features)
    coh_explain_say(s->site, "The network has no layer with feature maps (no convolution): "
                             "Grad-CAM and its kin are left out.");
  for (int64_t k = 0; k < coh_explain_kinds.n_kinds && s->n_methods < MAX_METHODS; k++) {
    const coh_kind *kind = coh_explain_kinds.kinds[k];
    if (!has_features && needs_features(kind)) continue;
    s->method[s->n_methods++] = (const coh_explain_method *)(const void *)kind;
  }
  COH_NEW(s->map, s->n_methods * s->rows.n * s->size[0] * s->size[1]);
  for (int64_t m = 0; m < s->n_methods; m++) {
    coh_choice choice;
    COH_TRY(coh_choice_make(&coh_explain_kinds, s->method[m]->kind.name, &choice));
    coh_status status = coh_explain(s->explainer, &choice, s->rows.input, s->rows.target,
                                    s->rows.n, map_of(s, m));
    coh_choice_clear(&choice);
    COH_TRY(status);
  }
  return COH_OK;
}

static coh_status show(const coh_explain_site *site) {
  study s = {.site = site};
  const char *layer = *site->options->layer ? site->options->layer : NULL;
  COH_TRY(coh_explainer_create(site->file, layer, &s.explainer));
  coh_explainer_input(s.explainer, s.size);
  coh_status status = coh_explain_rows_take(site, s.explainer, &s.rows);
  if (status == COH_OK) status = compute(&s);
  if (status == COH_OK) status = draw(&s);
  if (status == COH_OK) status = tabulate(&s);
  coh_explain_rows_clear(&s.rows);
  coh_free(s.map);
  coh_explainer_destroy(&s.explainer);
  return status;
}

const coh_explain_topic coh_explain_topic_saliency_maps = {
    .kind = {.name = "saliency",
             .doc =
                 "What in the input speaks for the answer, by every method, with the numbers "
                 "that say which to believe."},
    .needs_network = true,
    .show = show,
};
