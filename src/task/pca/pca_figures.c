/* Scree plot, pair plot of the first components, and what each component looks like. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "draw/scatter.h"
#include "io/file.h"
#include "task/pca/pca.h"

enum { PATH_BYTES = 4096, SHOWN = 12, PAIR = 3, BARS = 60, NAME_BYTES = 32 };

static coh_status draw_scree(const coh_pca *pca, const char *folder, coh_results *results) {
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  int64_t n = r->k < BARS ? r->k : BARS;
  double x[BARS], share[BARS], together[BARS], sum = 0;
  for (int64_t i = 0; i < n; i++) {
    x[i] = (double)(i + 1);
    share[i] = 100 * r->variances[i] / r->total;
    sum += share[i];
    together[i] = sum;
  }
  coh_series series[2] = {
      {.label = "each", .style = COH_SERIES_BARS, .n = n, .x = x, .y = share},
      {.label = "together", .style = COH_SERIES_MARKED, .n = n, .x = x, .y = together}};
  coh_panel panel = {.title = "Variance explained",
                     .x = {.label = "component", .min = 0.4, .max = (double)n + 0.6},
                     .y = {.label = "% of the variance", .min = 0, .max = 100},
                     .series = series,
                     .n_series = 2};
  bool drawn;
  COH_TRY(
      coh_chart_write(&(coh_chart){.panels = &panel, .n_panels = 1}, folder, "scree", &drawn));
  if (drawn)
    coh_results_picture(results, "figures/scree.svg",
                        "Share of the variance that each component explains, and all up to it.",
                        false);
  return COH_OK;
}

static coh_status draw_pair(const coh_pca *pca, int64_t a, int64_t b, coh_image *image) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(pca->dataset);
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  char x_label[NAME_BYTES], y_label[NAME_BYTES];
  snprintf(x_label, sizeof x_label, "component %lld", (long long)a + 1);
  snprintf(y_label, sizeof y_label, "component %lld", (long long)b + 1);
  bool last = b == (r->k < PAIR ? r->k : PAIR) - 1;
  coh_scatter s = {.n = spec->n_rows,
                   .x = pca->projected + a,
                   .y = pca->projected + b,
                   .stride = r->k,
                   .label = coh_dataset_labels(pca->dataset),
                   .n_classes = last && a == b - 1 ? spec->n_classes : 0,
                   .class_name = spec->class_names,
                   .size = r->k > 2 ? 460 : 0,
                   .x_label = x_label,
                   .y_label = y_label};
  return coh_scatter_draw(&s, image);
}

// copy an image into a larger one
static void paste(const coh_image *from, int64_t left, int64_t top, coh_image *to) {
  for (int64_t y = 0; y < from->height; y++)
    memcpy(to->data + 3 * ((top + y) * to->width + left), from->data + 3 * y * from->width,
           (size_t)from->width * 3);
}

// all pairs of the first components side by side
static coh_status draw_pairs(const coh_pca *pca, const char *folder, coh_results *results) {
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  int64_t k = r->k < PAIR ? r->k : PAIR, n = 0, width = 0, height = 0;
  if (k < 2) return COH_OK;
  coh_image part[PAIR * PAIR] = {{0}}, whole = {0};
  coh_status status = COH_OK;
  for (int64_t a = 0; a < k && status == COH_OK; a++)
    for (int64_t b = a + 1; b < k && status == COH_OK; b++, n++) {
      status = draw_pair(pca, a, b, &part[n]);
      width += part[n].width;
      height = part[n].height > height ? part[n].height : height;
    }
  if (status == COH_OK) status = coh_image_make(width, height, 3, &whole);
  if (status == COH_OK) {
    memset(whole.data, 255, (size_t)(3 * width * height));
    for (int64_t i = 0, left = 0; i < n; left += part[i++].width)
      paste(&part[i], left, 0, &whole);
    char path[PATH_BYTES + NAME_BYTES];
    snprintf(path, sizeof path, "%s/pairs.png", folder);
    status = coh_png_write(path, &whole);
  }
  if (status == COH_OK)
    coh_results_picture(results, "figures/pairs.png",
                        "The rows in the plane of each pair of the first components.", false);
  for (int64_t i = 0; i < n; i++)
    coh_image_clear(&part[i]);
  coh_image_clear(&whole);
  return status;
}

// the components of images are images: gray is zero, bright and dark the two signs
static coh_status draw_loading_images(const coh_pca *pca, const char *folder,
                                      coh_results *results) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(pca->dataset);
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  int64_t n = r->k < SHOWN ? r->k : SHOWN, d = spec->n_values;
  uint8_t *bytes;
  float *row;
  COH_NEW(bytes, n * d);
  COH_NEW(row, d);
  const uint8_t *cell[SHOWN];
  char text[SHOWN][NAME_BYTES];
  const char *label[SHOWN];
  for (int64_t i = 0; i < n; i++) {
    double most = 0;
    for (int64_t j = 0; j < d; j++)
      most = fmax(most, fabs(r->components[i * d + j]));
    for (int64_t j = 0; j < d; j++)
      row[j] = (float)(r->components[i * d + j] / most);
    coh_image_from_floats(row, d, -1, 1, bytes + i * d);
    cell[i] = bytes + i * d;
    snprintf(text[i], NAME_BYTES, "%lld: %.1f%%", (long long)i + 1,
             100 * r->variances[i] / r->total);
    label[i] = text[i];
  }
  coh_grid grid = {.cell = cell,
                   .n_cells = n,
                   .width = spec->shape[1],
                   .height = spec->shape[0],
                   .n_channels = (int)spec->shape[2],
                   .columns = n < 6 ? (int)n : 6,
                   .label = label};
  char path[PATH_BYTES + NAME_BYTES];
  snprintf(path, sizeof path, "%s/loadings.png", folder);
  coh_status status = coh_grid_write(&grid, path);
  if (status == COH_OK)
    coh_results_picture(results, "figures/loadings.png",
                        "The first components as images: gray is zero, bright and dark are the "
                        "two signs. Below: the share of the variance.",
                        true);
  coh_free(bytes);
  coh_free(row);
  return status;
}

static coh_status draw_loading_bars(const coh_pca *pca, const char *folder,
                                    coh_results *results) {
  enum { CURVES = 3 };
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  int64_t d = r->n_values, n = r->k < CURVES ? r->k : CURVES;
  double *x;
  COH_NEW(x, d);
  coh_series series[CURVES];
  char text[CURVES][NAME_BYTES];
  for (int64_t j = 0; j < d; j++)
    x[j] = (double)(j + 1);
  for (int64_t i = 0; i < n; i++) {
    snprintf(text[i], NAME_BYTES, "component %lld", (long long)i + 1);
    series[i] = (coh_series){.label = text[i],
                             .style = d > 64 ? COH_SERIES_LINE : COH_SERIES_MARKED,
                             .n = d,
                             .x = x,
                             .y = r->components + i * d};
  }
  coh_panel panel = {.title = "Loadings",
                     .x = {.label = "column of the data"},
                     .y = {.label = "weight in the component"},
                     .series = series,
                     .n_series = n};
  bool drawn;
  coh_status status = coh_chart_write(&(coh_chart){.panels = &panel, .n_panels = 1}, folder,
                                      "loadings", &drawn);
  if (status == COH_OK && drawn)
    coh_results_picture(results, "figures/loadings.svg",
                        "Weights of the columns in the first components.", false);
  coh_free(x);
  return status;
}

coh_status coh_pca_figures(coh_pca *pca, coh_results *results) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(pca->dataset);
  char folder[PATH_BYTES];
  snprintf(folder, sizeof folder, "%s/figures", pca->context->folder);
  COH_TRY(coh_folder_make(folder));
  COH_TRY(draw_scree(pca, folder, results));
  COH_TRY(draw_pairs(pca, folder, results));
  bool image = spec->n_dims == 3 && (spec->shape[2] == 1 || spec->shape[2] == 3);
  return image ? draw_loading_images(pca, folder, results)
               : draw_loading_bars(pca, folder, results);
}
