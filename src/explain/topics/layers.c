/* The state of every layer on real inputs: dead units, saturated values, spread. */
#include <stdio.h>

#include "base/alloc.h"
#include "explain/layer_health.h"
#include "explain/topic.h"

enum { N_COLUMNS = 5 };

static coh_status tabulate(const coh_explain_site *site, const coh_health *health) {
  static const char *const header[N_COLUMNS] = {"layer", "dead units", "saturated values",
                                                "mean", "deviation"};
  int64_t n_layers, n_rows = 0;
  const coh_layer_state *layer = coh_health_layers(health, &n_layers);
  char text[COH_HEALTH_LAYERS][N_COLUMNS][96];
  const char *cells[COH_HEALTH_LAYERS * N_COLUMNS];
  for (int64_t i = 0; i < n_layers; i++) {
    if (!layer[i].is_activation) continue;
    snprintf(text[n_rows][0], 96, "%s", layer[i].name);
    snprintf(text[n_rows][1], 96, "%.1f%%", 100 * layer[i].dead);
    snprintf(text[n_rows][2], 96, "%.1f%%", 100 * layer[i].saturated);
    snprintf(text[n_rows][3], 96, "%.3g", layer[i].mean);
    snprintf(text[n_rows][4], 96, "%.3g", layer[i].deviation);
    for (int k = 0; k < N_COLUMNS; k++)
      cells[n_rows * N_COLUMNS + k] = text[n_rows][k];
    n_rows++;
  }
  if (n_rows && site->output->table)
    site->output->table(site->output->context,
                        "Activations on the inputs looked at. Dead: units (channels) whose "
                        "slope is zero on all of them. Saturated: values where the slope is "
                        "below a hundredth of its largest; half of relu's values being so is "
                        "its nature.",
                        header, cells, n_rows, N_COLUMNS);
  char warning[COH_HEALTH_TEXT];
  for (int64_t k = 0; coh_health_warning(health, k, NULL, warning); k++)
    coh_explain_warn(site, "%s.", warning);
  return COH_OK;
}

static coh_status show(const coh_explain_site *site) {
  coh_explainer *explainer = NULL;
  coh_health *health = NULL;
  coh_explain_rows rows;
  COH_TRY(coh_explainer_create(site->file, NULL, &explainer));
  coh_explain_options options = *site->options;
  options.images = COH_HEALTH_ROWS;
  coh_explain_site wide = *site;
  wide.options = &options;
  coh_status status = coh_explain_rows_take(&wide, explainer, &rows);
  if (status == COH_OK)
    status = coh_health_create(coh_network_file_network(site->file), &health);
  const coh_health_rows seen = {.values = rows.input, .n = rows.n};
  if (status == COH_OK)
    status = coh_health_look(health, coh_network_file_params(site->file), &seen, NULL);
  if (status == COH_OK) status = tabulate(site, health);
  coh_explain_rows_clear(&rows);
  coh_health_destroy(&health);
  coh_explainer_destroy(&explainer);
  return status;
}

const coh_explain_topic coh_explain_topic_layers = {
    .kind = {.name = "layers",
             .doc = "Dead units and saturated values of every activation on real inputs."},
    .needs_network = true,
    .show = show,
};
