/* What every layer makes of one input: its feature maps as labelled grids. */
#include <stdio.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "explain/topic.h"

enum { MAX_MAPS = 64 };

static coh_status draw_maps(const coh_explain_site *site, int64_t layer, const float *maps,
                            const char *input_label) {
  coh_shape shape = coh_network_file_layer_shape(site->file, layer);
  int64_t n_pixels = shape.size[0] * shape.size[1], channels = shape.size[2];
  int64_t n = channels < MAX_MAPS ? channels : MAX_MAPS;
  uint8_t *pixels = coh_alloc_array((size_t)(n * n_pixels), 3);
  float *one = coh_alloc_array((size_t)n_pixels, sizeof *one);
  const uint8_t *cell[MAX_MAPS];
  const char *label[MAX_MAPS];
  char text[MAX_MAPS][16], name[128], path[4096], title[128], caption[320];
  coh_status status = pixels && one ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  for (int64_t c = 0; status == COH_OK && c < n; c++) {
    float low = maps[c], high = maps[c];
    for (int64_t i = 0; i < n_pixels; i++) {
      one[i] = maps[i * channels + c];
      low = one[i] < low ? one[i] : low;
      high = one[i] > high ? one[i] : high;
    }
    coh_image_from_values(one, n_pixels, low, high, pixels + c * n_pixels * 3);
    cell[c] = pixels + c * n_pixels * 3;
    snprintf(text[c], sizeof text[c], high > low ? "%lld" : "%lld flat", (long long)c);
    label[c] = text[c];
  }
  const char *layer_name = coh_network_file_layer(site->file, layer);
  snprintf(name, sizeof name, "maps-%.80s", layer_name);
  snprintf(title, sizeof title, "%.80s: %lld x %lld x %lld", layer_name,
           (long long)shape.size[0], (long long)shape.size[1], (long long)channels);
  snprintf(caption, sizeof caption,
           "Feature maps of layer %.80s for the first input (%.48s), each from its smallest "
           "value (dark) to its largest (bright).",
           layer_name, input_label);
  if (status == COH_OK) status = coh_explain_path(site, name, "png", path);
  coh_grid grid = {.title = title,
                   .cell = cell,
                   .n_cells = n,
                   .width = shape.size[1],
                   .height = shape.size[0],
                   .n_channels = 3,
                   .columns = n > 16 ? 16 : (int)n,
                   .scale = shape.size[1] < 64 ? (int)(64 / shape.size[1]) : 1,
                   .label = label};
  if (status == COH_OK) status = coh_grid_write(&grid, path);
  if (status == COH_OK) coh_explain_picture(site, name, "png", caption, true);
  coh_free(pixels), coh_free(one);
  return status;
}

static coh_status show_layer(const coh_explain_site *site, int64_t layer,
                             const coh_explain_rows *rows) {
  coh_array maps;
  COH_TRY(coh_network_file_run(site->file, coh_network_file_layer(site->file, layer),
                               rows->input, 1, 1, &maps));
  coh_status status = draw_maps(site, layer, maps.data, rows->label[0]);
  coh_array_clear(&maps);
  return status;
}

static coh_status show_all(const coh_explain_site *site, const coh_explain_rows *rows) {
  int64_t chosen = -1, n_shown = 0;
  if (*site->options->layer)
    COH_TRY(coh_network_file_find(site->file, site->options->layer, &chosen));
  for (int64_t i = 0; i < coh_network_file_n_layers(site->file); i++) {
    coh_shape shape = coh_network_file_layer_shape(site->file, i);
    bool is_map = shape.rank == 3 && shape.size[0] * shape.size[1] > 1;
    COH_CHECK(i != chosen || is_map, COH_E_CONFIG, "layer '%s' has no height and width",
              site->options->layer);
    if (!is_map || (chosen >= 0 && i != chosen)) continue;
    COH_TRY(show_layer(site, i, rows));
    n_shown++;
  }
  if (n_shown == 0)
    coh_explain_say(site, "The network has no layers with height and width to show.");
  return COH_OK;
}

static coh_status show(const coh_explain_site *site) {
  coh_explainer *explainer = NULL;
  coh_explain_rows rows;
  COH_TRY(coh_explainer_create(site->file, NULL, &explainer));
  coh_status status = coh_explain_rows_take(site, explainer, &rows);
  if (status == COH_OK) {
    status = show_all(site, &rows);
    coh_explain_rows_clear(&rows);
  }
  coh_explainer_destroy(&explainer);
  return status;
}

const coh_explain_topic coh_explain_topic_feature_maps = {
    .kind = {.name = "maps", .doc = "Feature maps of every layer for one input."},
    .needs_network = true,
    .show = show,
};
