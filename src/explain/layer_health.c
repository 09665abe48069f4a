/* Looking at a network's layers. A unit is dead when the slope of its activation is zero on all
 * rows: no gradient reaches what is before it. A value is saturated where the slope is below a
 * hundredth of the largest the activation has. Slopes come from the activation's own formula.
 */
#include "explain/layer_health.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/activation_type.h"
#include "nn/network.h"

enum { ROWS = COH_HEALTH_ROWS, MAX_LAYERS = COH_HEALTH_LAYERS, N_NUMBERS = 3 };

static const double STEEP = 0.01; // share of the largest slope below which a value is saturated

typedef struct watched {
  coh_value before, after; // of the activation
  int64_t n_units, n_places;
  double largest_slope;
  char metric[N_NUMBERS][128]; // names: dead, saturated, gradient_norm
} watched;

struct coh_health {
  const coh_network *network;
  coh_program *program;
  coh_workspace *workspace;
  coh_value input;
  int64_t n_inputs, n_layers;
  bool *alive; // by unit, for the widest layer
  coh_layer_state state[MAX_LAYERS];
  watched watch[MAX_LAYERS];
};

static bool is_activation(const coh_choice *choice) {
  return coh_kind_find(&coh_activation_kinds, choice->kind->name) == choice->kind &&
         strcmp(choice->kind->name, "linear") != 0;
}

static double steepest(const coh_choice *choice) {
  double most = 0;
  for (int i = -400; i <= 400; i++)
    most = fmax(most, fabs(coh_activation_derivative(choice, 0.02 * i + 0.005)));
  return most;
}

// where the input of a layer lies in a built graph
static coh_value value_before(const coh_network *network, const coh_graph *graph, int64_t i,
                              coh_value input) {
  char path[128];
  for (; i > 0; i--) {
    coh_network_layer_path(network, i - 1, path);
    coh_value found = coh_graph_find(graph, path);
    if (found != COH_NO_VALUE) return found;
  }
  return input;
}

static void watch_layer(coh_health *h, const coh_graph *graph, int64_t i) {
  const coh_network *network = h->network;
  coh_layer_state *state = &h->state[i];
  watched *w = &h->watch[i];
  char path[128];
  static const char *const leaves[N_NUMBERS] = {"dead", "saturated", "gradient_norm"};
  coh_network_layer_path(network, i, path);
  snprintf(state->name, sizeof state->name, "%.95s", path);
  for (int k = 0; k < N_NUMBERS; k++)
    snprintf(w->metric[k], sizeof w->metric[k], "layer/%.95s/%s", state->name, leaves[k]);
  for (int64_t k = 0; k < network->n_parameters; k++)
    state->has_parameters |= network->parameter[k].layer == i;
  w->after = coh_graph_find(graph, path);
  if (i >= network->layers.n_items || w->after == COH_NO_VALUE) return;
  const coh_choice *choice = &network->layers.item[i];
  if (!is_activation(choice)) return;
  state->is_activation = true;
  w->before = value_before(network, graph, i, h->input);
  coh_shape shape = coh_graph_shape(graph, w->before);
  w->n_units = shape.size[shape.rank - 1];
  w->n_places = coh_shape_count(shape) / shape.size[0] / w->n_units;
  w->largest_slope = steepest(choice);
}

static coh_status build(coh_health *h, coh_graph *graph) {
  const coh_network *network = h->network;
  coh_shape shape = network->input;
  shape.size[0] = ROWS;
  h->input = coh_graph_input(graph, "input", shape);
  h->n_inputs = coh_shape_count(shape) / ROWS;
  coh_value output, outputs[2 * MAX_LAYERS + 1];
  const coh_network_use use = {.inference = true};
  COH_TRY(coh_network_build_for(network, graph, h->input, &use, NULL, &output));
  h->n_layers = network->n_layers < MAX_LAYERS ? network->n_layers : MAX_LAYERS;
  int64_t n = 0, widest = 1;
  outputs[n++] = output;
  for (int64_t i = 0; i < h->n_layers; i++) {
    watch_layer(h, graph, i);
    if (!h->state[i].is_activation) continue;
    outputs[n++] = h->watch[i].before;
    outputs[n++] = h->watch[i].after;
    if (h->watch[i].n_units > widest) widest = h->watch[i].n_units;
  }
  COH_NEW(h->alive, widest);
  COH_TRY(coh_program_compile(graph, outputs, n, NULL, &h->program));
  return coh_workspace_create(h->program, &h->workspace);
}

coh_status coh_health_create(const coh_network *network, coh_health **health) {
  coh_health *h;
  COH_NEW(h, 1);
  h->network = network;
  coh_graph *graph = NULL;
  coh_status status = coh_graph_create(&graph);
  if (status == COH_OK) status = build(h, graph);
  coh_graph_destroy(&graph);
  if (status != COH_OK)
    coh_health_destroy(&h);
  else
    *health = h;
  return status;
}

void coh_health_destroy(coh_health **health) {
  coh_health *h = *health;
  if (!h) return;
  coh_workspace_destroy(&h->workspace);
  coh_program_destroy(&h->program);
  coh_free(h->alive);
  COH_DELETE(*health);
}

static void look_at(coh_health *h, int64_t i, int64_t n) {
  const watched *w = &h->watch[i];
  const coh_choice *choice = &h->network->layers.item[i];
  const float *before = coh_workspace_data(h->workspace, w->before);
  const float *after = coh_workspace_data(h->workspace, w->after);
  memset(h->alive, 0, (size_t)w->n_units * sizeof *h->alive);
  int64_t n_values = n * w->n_places * w->n_units, n_flat = 0, n_dead = 0;
  double sum = 0, square = 0;
  for (int64_t k = 0; k < n_values; k++) {
    double slope = fabs(coh_activation_derivative(choice, (double)before[k]));
    if (slope > 0) h->alive[k % w->n_units] = true;
    n_flat += slope < STEEP * w->largest_slope;
    sum += (double)after[k];
    square += (double)after[k] * (double)after[k];
  }
  for (int64_t unit = 0; unit < w->n_units; unit++)
    n_dead += !h->alive[unit];
  coh_layer_state *state = &h->state[i];
  state->dead = (double)n_dead / (double)w->n_units;
  state->saturated = (double)n_flat / (double)n_values;
  state->mean = sum / (double)n_values;
  state->deviation = sqrt(fmax(square / (double)n_values - state->mean * state->mean, 0));
}

static double norm_of(const coh_health *h, int64_t layer, const float *gradient) {
  double square = 0;
  for (int64_t k = 0; k < h->network->n_parameters; k++) {
    const coh_network_parameter *p = &h->network->parameter[k];
    if (p->layer != layer) continue;
    for (int64_t i = 0; i < coh_shape_count(p->plan.shape); i++)
      square += (double)gradient[p->offset + i] * (double)gradient[p->offset + i];
  }
  return sqrt(square);
}

coh_status coh_health_look(coh_health *h, const float *params, const float *rows, int64_t n,
                           const float *gradient) {
  if (n > ROWS) n = ROWS;
  float *input = coh_workspace_data(h->workspace, h->input);
  memset(input, 0, (size_t)(ROWS * h->n_inputs) * sizeof *input);
  memcpy(input, rows, (size_t)(n * h->n_inputs) * sizeof *input);
  COH_TRY(coh_workspace_bind_parameters(h->workspace, params));
  COH_TRY(coh_program_run(h->program, h->workspace));
  for (int64_t i = 0; i < h->n_layers; i++) {
    if (h->state[i].is_activation) look_at(h, i, n);
    h->state[i].gradient_norm =
        gradient && h->state[i].has_parameters ? norm_of(h, i, gradient) : NAN;
  }
  return COH_OK;
}

const coh_layer_state *coh_health_layers(const coh_health *h, int64_t *n_layers) {
  *n_layers = h->n_layers;
  return h->state;
}

bool coh_health_metric(const coh_health *h, int64_t k, const char **name, double *value) {
  for (int64_t i = 0; i < h->n_layers; i++) {
    const coh_layer_state *s = &h->state[i];
    const double numbers[N_NUMBERS] = {s->dead, s->saturated, s->gradient_norm};
    for (int j = 0; j < N_NUMBERS; j++) {
      bool known = j < 2 ? s->is_activation : isfinite(s->gradient_norm);
      if (!known || k-- > 0) continue;
      *name = h->watch[i].metric[j];
      *value = numbers[j];
      return true;
    }
  }
  return false;
}

// the first and last gradients that are there
static void ends_of(const coh_health *h, int64_t *first, int64_t *last) {
  *first = *last = -1;
  for (int64_t i = 0; i < h->n_layers; i++) {
    if (!isfinite(h->state[i].gradient_norm)) continue;
    if (*first < 0) *first = i;
    *last = i;
  }
}

static bool warn_of_layer(const coh_layer_state *s, char text[256]) {
  if (s->is_activation && s->dead > 0.5)
    snprintf(text, 256,
             "%s: %.0f%% of its units are dead (slope 0 on every row looked at): lower the "
             "learning rate, or use leaky_relu",
             s->name, 100 * s->dead);
  else if (s->is_activation && s->dead == 0 && s->saturated > 0.9)
    snprintf(text, 256,
             "%s: %.0f%% of its values are saturated: smaller initial weights, normalised "
             "inputs or relu would let gradients through",
             s->name, 100 * s->saturated);
  else
    return false;
  return true;
}

static bool warn_of_gradients(const coh_health *h, char text[256]) {
  int64_t first, last;
  ends_of(h, &first, &last);
  if (first < 0 || first == last) return false;
  double a = h->state[first].gradient_norm, b = h->state[last].gradient_norm;
  if (!(a < 1e-4 * b) && !(a > 1e4 * b)) return false;
  snprintf(text, 256,
           "the gradient %s on its way down: %.2g at %s, %.2g at %s; relu, residual blocks or "
           "normalisation help",
           a < b ? "vanishes" : "explodes", b, h->state[last].name, a, h->state[first].name);
  return true;
}

bool coh_health_warning(const coh_health *h, int64_t k, char text[256]) {
  for (int64_t i = 0; i < h->n_layers; i++)
    if (warn_of_layer(&h->state[i], text) && k-- == 0) return true;
  return warn_of_gradients(h, text) && k == 0;
}
