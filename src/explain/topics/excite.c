/* What excites the units of a layer most: the rows of the dataset with the largest activation,
 * and an input climbed to from noise by gradient ascent (Erhan et al., 2009; with decay and
 * blur, Yosinski et al., 2015). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "draw/figure.h"
#include "explain/explainer.h"
#include "explain/topic.h"

enum { N_BEST = 6, ASCENT_STEPS = 160, MAX_UNITS = 32, MAX_ROWS = 10000 };

// the layer's units as numbers: a channel of an image counts by its mean, its data by its peak
typedef struct ascent {
  coh_program *program;
  coh_workspace *workspace;
  coh_value input, seed, gradient;
} ascent;

static coh_status build(const coh_explain_site *site, int64_t layer, int64_t n_units,
                        coh_graph *graph, ascent *a) {
  coh_shape sample = coh_network_file_input(site->file);
  coh_shape shape = {.rank = sample.rank + 1, .size = {n_units}};
  for (int k = 0; k < sample.rank; k++)
    shape.size[k + 1] = sample.size[k];
  const coh_network_use use = {.inference = true};
  coh_value last, value = COH_NO_VALUE;
  a->input = coh_graph_input(graph, "input", shape);
  COH_TRY(coh_network_build_for(coh_network_file_network(site->file), graph, a->input, &use,
                                NULL, &last));
  for (int64_t i = layer; i >= 0 && value == COH_NO_VALUE; i--)
    value = coh_graph_find(graph, coh_network_file_layer(site->file, i));
  if (value == COH_NO_VALUE) value = a->input;
  a->seed = coh_graph_input(graph, "seed", coh_graph_shape(graph, value));
  COH_TRY(coh_gradient_seeded(graph, value, a->seed, &a->input, 1, &a->gradient));
  COH_TRY(coh_program_compile(graph, &a->gradient, 1, NULL, &a->program));
  COH_TRY(coh_workspace_create(a->program, &a->workspace));
  return coh_workspace_bind_parameters(a->workspace, coh_network_file_params(site->file));
}

// a light 3 x 3 blur keeps the climb from ending in noise
static void soften(const int64_t size[3], float *row, float *scratch) {
  int64_t width = size[1], channels = size[2];
  memcpy(scratch, row, (size_t)(size[0] * width * channels) * sizeof *row);
  for (int64_t y = 0; y < size[0]; y++)
    for (int64_t x = 0; x < width; x++)
      for (int64_t c = 0; c < channels; c++) {
        double sum = 0, weight = 0;
        for (int64_t v = -1; v <= 1; v++)
          for (int64_t u = -1; u <= 1; u++) {
            if (y + v < 0 || y + v >= size[0] || x + u < 0 || x + u >= width) continue;
            double w = v == 0 && u == 0 ? 6 : 1;
            sum += w * (double)scratch[((y + v) * width + x + u) * channels + c];
            weight += w;
          }
        row[(y * width + x) * channels + c] = (float)(sum / weight);
      }
}

static coh_status climb(const coh_explain_site *site, const int64_t size[3],
                        const int64_t *unit, int64_t n_units, int64_t n_places,
                        int64_t n_channels, ascent *a, float *scratch) {
  int64_t n_values = size[0] * size[1] * size[2];
  float *x = coh_workspace_data(a->workspace, a->input);
  float *seed = coh_workspace_data(a->workspace, a->seed);
  const float *gradient = coh_workspace_data(a->workspace, a->gradient);
  coh_key key = coh_key_make((uint64_t)site->options->seed, "ascent");
  memset(seed, 0, (size_t)(n_units * n_places * n_channels) * sizeof *seed);
  for (int64_t k = 0; k < n_units; k++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)k, 0);
    for (int64_t i = 0; i < n_values; i++)
      x[k * n_values + i] = 0.1f * (float)coh_stream_normal(&stream);
    for (int64_t p = 0; p < n_places; p++)
      seed[(k * n_places + p) * n_channels + unit[k]] = 1 / (float)n_places;
  }
  for (int step = 0; step < ASCENT_STEPS; step++) {
    COH_TRY(coh_program_run(a->program, a->workspace));
    for (int64_t k = 0; k < n_units; k++) {
      double square = 0;
      for (int64_t i = 0; i < n_values; i++)
        square += (double)gradient[k * n_values + i] * (double)gradient[k * n_values + i];
      float rate = (float)(0.05 * sqrt((double)n_values / fmax(square, 1e-30)));
      for (int64_t i = 0; i < n_values; i++)
        x[k * n_values + i] = 0.99f * (x[k * n_values + i] + rate * gradient[k * n_values + i]);
      if (step % 4 == 3 && size[0] > 1) soften(size, x + k * n_values, scratch);
    }
  }
  return COH_OK;
}

// the rows with the largest peak of a unit, best first
static void best_rows(const float *values, int64_t n_rows, int64_t n_places, int64_t n_channels,
                      int64_t unit, int64_t best[N_BEST], float peak[N_BEST]) {
  for (int k = 0; k < N_BEST; k++)
    best[k] = -1, peak[k] = -INFINITY;
  for (int64_t r = 0; r < n_rows; r++) {
    float most = -INFINITY;
    for (int64_t p = 0; p < n_places; p++) {
      float v = values[(r * n_places + p) * n_channels + unit];
      most = v > most ? v : most;
    }
    for (int k = 0; k < N_BEST; k++) {
      if (!(most > peak[k])) continue;
      for (int j = N_BEST - 1; j > k; j--)
        best[j] = best[j - 1], peak[j] = peak[j - 1];
      best[k] = r, peak[k] = most;
      break;
    }
  }
}

typedef struct gallery {
  const coh_explain_site *site;
  int64_t layer, size[3], n_values, n_places, n_channels, n_units, n_rows;
  int64_t unit[MAX_UNITS];
  coh_array values;
  uint8_t *pixels;
} gallery;

static coh_status draw(const gallery *g, const float *climbed) {
  enum { COLUMNS = N_BEST + 1 };
  int64_t n_pixels = g->size[0] * g->size[1];
  const uint8_t *cell[MAX_UNITS * COLUMNS];
  const char *label[MAX_UNITS * COLUMNS], *row_label[MAX_UNITS];
  char text[MAX_UNITS * COLUMNS][32], name[MAX_UNITS][48], path[4096], caption[320];
  float *row = coh_alloc_array((size_t)g->n_values, sizeof *row);
  COH_CHECK(row, COH_E_MEMORY, "out of memory");
  bool is_output = g->layer == coh_network_file_n_layers(g->site->file) - 1;
  for (int64_t k = 0; k < g->n_units; k++) {
    int64_t best[N_BEST];
    float peak[N_BEST];
    best_rows(g->values.data, g->n_rows, g->n_places, g->n_channels, g->unit[k], best, peak);
    if (is_output)
      coh_explain_output_name(g->site->file, g->unit[k], name[k]);
    else
      snprintf(name[k], sizeof name[k], "unit %lld", (long long)g->unit[k]);
    row_label[k] = name[k];
    for (int j = 0; j < COLUMNS; j++) {
      int64_t at = k * COLUMNS + j;
      uint8_t *rgb = g->pixels + at * n_pixels * 3;
      cell[at] = rgb;
      label[at] = text[at];
      if (j == 0) {
        coh_explain_show_row(climbed + k * g->n_values, g->size, rgb);
        snprintf(text[at], sizeof text[at], "climbed");
        continue;
      }
      if (best[j - 1] < 0) {
        cell[at] = NULL;
        continue;
      }
      coh_dataset_read(g->site->dataset, best[j - 1], 1,
                       coh_network_file_facts(g->site->file)->affine, row);
      coh_explain_show_row(row, g->size, rgb);
      snprintf(text[at], sizeof text[at], "%.3g", (double)peak[j - 1]);
    }
  }
  coh_free(row);
  const char *layer = coh_network_file_layer(g->site->file, g->layer);
  COH_TRY(coh_explain_path(g->site, "excite", "png", path));
  coh_grid grid = {.title = layer,
                   .cell = cell,
                   .n_cells = g->n_units * COLUMNS,
                   .width = g->size[1],
                   .height = g->size[0],
                   .n_channels = 3,
                   .columns = COLUMNS,
                   .label = label,
                   .row_label = row_label};
  COH_TRY(coh_grid_write(&grid, path));
  snprintf(caption, sizeof caption,
           "What excites units of %.80s: an input climbed to by gradient ascent, and the rows "
           "of the data (of %lld) with the largest activation.",
           layer, (long long)g->n_rows);
  coh_explain_picture(g->site, "excite", "png", caption, true);
  return COH_OK;
}

static coh_status fill_gallery(gallery *g) {
  const coh_explain_site *site = g->site;
  const char *layer = *site->options->layer ? site->options->layer : "output";
  COH_TRY(coh_network_file_find(site->file, layer, &g->layer));
  coh_shape shape = coh_network_file_layer_shape(site->file, g->layer);
  g->n_channels = shape.size[shape.rank - 1];
  g->n_places = coh_shape_count(shape) / g->n_channels;
  g->n_units = site->options->units < g->n_channels ? site->options->units : g->n_channels;
  if (g->n_units > MAX_UNITS) g->n_units = MAX_UNITS;
  for (int64_t k = 0; k < g->n_units; k++)
    g->unit[k] = k * g->n_channels / g->n_units;
  const coh_dataset_spec *spec = coh_dataset_spec_of(site->dataset);
  g->n_rows = spec->n_rows < MAX_ROWS ? spec->n_rows : MAX_ROWS;
  float *rows;
  COH_NEW(rows, g->n_rows * spec->n_values);
  coh_dataset_read(site->dataset, 0, g->n_rows, coh_network_file_facts(site->file)->affine,
                   rows);
  coh_status status =
      coh_network_file_run(site->file, coh_network_file_layer(site->file, g->layer), rows,
                           g->n_rows, site->n_threads, &g->values);
  coh_free(rows);
  COH_TRY(status);
  COH_NEW(g->pixels, MAX_UNITS * (N_BEST + 1) * g->size[0] * g->size[1] * 3);
  return COH_OK;
}

static coh_status show(const coh_explain_site *site) {
  if (!site->dataset) {
    coh_explain_say(site, "The run has no dataset to look for exciting rows in.");
    return COH_OK;
  }
  coh_explainer *explainer = NULL;
  COH_TRY(coh_explainer_create(site->file, NULL, &explainer));
  gallery g = {.site = site};
  coh_explainer_input(explainer, g.size);
  coh_explainer_destroy(&explainer);
  g.n_values = g.size[0] * g.size[1] * g.size[2];
  COH_CHECK(coh_dataset_spec_of(site->dataset)->n_values == g.n_values, COH_E_CONFIG,
            "the network does not take the rows of the run's dataset");
  ascent a = {0};
  coh_graph *graph = NULL;
  float *scratch = coh_alloc_array((size_t)g.n_values, sizeof *scratch);
  coh_status status = scratch ? fill_gallery(&g) : coh_fail(COH_E_MEMORY, "out of memory");
  if (status == COH_OK) status = coh_graph_create(&graph);
  if (status == COH_OK) status = build(site, g.layer, g.n_units, graph, &a);
  if (status == COH_OK)
    status = climb(site, g.size, g.unit, g.n_units, g.n_places, g.n_channels, &a, scratch);
  if (status == COH_OK) status = draw(&g, coh_workspace_data(a.workspace, a.input));
  coh_graph_destroy(&graph);
  coh_workspace_destroy(&a.workspace);
  coh_program_destroy(&a.program);
  coh_array_clear(&g.values);
  coh_free(g.pixels), coh_free(scratch);
  return status;
}

const coh_explain_topic coh_explain_topic_excite = {
    .kind = {.name = "excite",
             .doc = "Inputs that excite a layer's units most: from the data, and climbed to."},
    .needs_network = true,
    .show = show,
};
