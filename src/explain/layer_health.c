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
  const coh_choice *choice; // of an activation
  coh_value before, after;  // of it
  int64_t n_units, n_places;
  double largest_slope;
  int64_t layer;               // whose parameters are counted
  char metric[N_NUMBERS][128]; // names: dead, saturated, gradient_norm
} watched;

struct coh_health {
  const coh_network *network;
  coh_program *program;
  coh_workspace *workspace;
  coh_value input, condition;
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

// begin the next entry; NULL when there are too many
static watched *begin_entry(coh_health *h, const char *path, coh_layer_state **state) {
  static const char *const leaves[N_NUMBERS] = {"dead", "saturated", "gradient_norm"};
  if (h->n_layers == MAX_LAYERS) return NULL;
  watched *w = &h->watch[h->n_layers];
  *state = &h->state[h->n_layers++];
  snprintf((*state)->name, sizeof(*state)->name, "%.95s", path);
  for (int k = 0; k < N_NUMBERS; k++)
    snprintf(w->metric[k], sizeof w->metric[k], "layer/%.95s/%s", path, leaves[k]);
  return w;
}

static void watch_activation(coh_health *h, const coh_graph *graph, const coh_choice *choice,
                             const char *path, coh_value before, coh_value after) {
  coh_layer_state *state;
  watched *w = begin_entry(h, path, &state);
  if (!w) return;
  state->is_activation = true;
  w->choice = choice;
  w->before = before;
  w->after = after;
  coh_shape shape = coh_graph_shape(graph, before);
  w->n_units = shape.size[shape.rank - 1];
  w->n_places = coh_shape_count(shape) / shape.size[0] / w->n_units;
  w->largest_slope = steepest(choice);
}

static void watch_parameters(coh_health *h, int64_t layer, const char *path) {
  const coh_network *network = h->network;
  bool any = false;
  for (int64_t k = 0; k < network->n_parameters; k++)
    any |= network->parameter[k].layer == layer;
  coh_layer_state *state;
  watched *w = any ? begin_entry(h, path, &state) : NULL;
  if (!w) return;
  state->has_parameters = true;
  w->layer = layer;
}

static void watch_list(coh_health *h, const coh_graph *graph, const coh_choice_list *list,
                       const char *prefix, coh_value in);

// layers that hold lists of layers, e.g. residual
static void watch_within(coh_health *h, const coh_graph *graph, const coh_choice *layer,
                         const char *path, coh_value in) {
  for (const coh_option *row = layer->kind->options; row && row->name; row++) {
    if (row->type != COH_KINDS || row->kinds != &coh_layer_kinds) continue;
    const char *field = (const char *)layer->options + row->offset;
    char prefix[192];
    snprintf(prefix, sizeof prefix, "%s.%s.", path, row->name);
    watch_list(h, graph, (const coh_choice_list *)(const void *)field, prefix, in);
  }
}

static coh_value watch_layer(coh_health *h, const coh_graph *graph, const coh_choice *layer,
                             const char *path, coh_value in) {
  coh_value out = coh_graph_find(graph, path);
  if (is_activation(layer) && out != COH_NO_VALUE)
    watch_activation(h, graph, layer, path, in, out);
  else
    watch_within(h, graph, layer, path, in);
  return out == COH_NO_VALUE ? in : out; // a layer that passes its input on has no name
}

static void watch_list(coh_health *h, const coh_graph *graph, const coh_choice_list *list,
                       const char *prefix, coh_value in) {
  for (int64_t i = 0; i < list->n_items; i++) {
    char path[256];
    snprintf(path, sizeof path, "%s%lld.%s", prefix, (long long)i, list->item[i].kind->name);
    in = watch_layer(h, graph, &list->item[i], path, in);
  }
}

static void watch_all(coh_health *h, const coh_graph *graph) {
  const coh_network *network = h->network;
  coh_value in = h->input;
  for (int64_t i = 0; i < network->n_layers; i++) {
    char path[128];
    coh_network_layer_path(network, i, path);
    if (i < network->layers.n_items)
      in = watch_layer(h, graph, &network->layers.item[i], path, in);
    watch_parameters(h, i, path);
  }
}

static coh_status build(coh_health *h, coh_graph *graph) {
  const coh_network *network = h->network;
  coh_shape shape = network->input;
  shape.size[0] = ROWS;
  h->input = coh_graph_input(graph, "input", shape);
  h->n_inputs = coh_shape_count(shape) / ROWS;
  h->condition = COH_NO_VALUE;
  coh_value output, outputs[2 * MAX_LAYERS + 1];
  coh_network_use use = {.inference = true, .is_conditional = network->n_classes > 0};
  if (use.is_conditional)
    use.condition = h->condition =
        coh_graph_input(graph, "class", COH_SHAPE(ROWS, network->n_classes));
  COH_TRY(coh_network_build_for(network, graph, h->input, &use, NULL, &output));
  watch_all(h, graph);
  int64_t n = 0, widest = 1;
  outputs[n++] = output;
  for (int64_t i = 0; i < h->n_layers; i++) {
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
  const coh_choice *choice = w->choice;
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

// the first n of ROWS rows, the others zero
static void fill_rows(float *to, const float *from, int64_t n, int64_t width) {
  memset(to, 0, (size_t)(ROWS * width) * sizeof *to);
  if (from) memcpy(to, from, (size_t)(n * width) * sizeof *to);
}

coh_status coh_health_look(coh_health *h, const float *params, const coh_health_rows *rows,
                           const float *gradient) {
  int64_t n = rows->n < ROWS ? rows->n : ROWS;
  fill_rows(coh_workspace_data(h->workspace, h->input), rows->values, n, h->n_inputs);
  if (h->condition != COH_NO_VALUE) {
    float *condition = coh_workspace_data(h->workspace, h->condition);
    if (condition) fill_rows(condition, rows->classes, n, h->network->n_classes);
  }
  COH_TRY(coh_workspace_bind_parameters(h->workspace, params));
  COH_TRY(coh_program_run(h->program, h->workspace));
  for (int64_t i = 0; i < h->n_layers; i++) {
    if (h->state[i].is_activation) look_at(h, i, n);
    h->state[i].gradient_norm =
        gradient && h->state[i].has_parameters ? norm_of(h, h->watch[i].layer, gradient) : NAN;
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

static bool warn_of_layer(const coh_layer_state *s, char text[COH_HEALTH_TEXT]) {
  if (s->is_activation && s->dead > 0.5)
    snprintf(text, COH_HEALTH_TEXT,
             "%s: %.0f%% of its units are dead (slope 0 on every row looked at): lower the "
             "learning rate, or use leaky_relu",
             s->name, 100 * s->dead);
  else if (s->is_activation && s->dead == 0 && s->saturated > 0.9)
    snprintf(text, COH_HEALTH_TEXT,
             "%s: %.0f%% of its values are saturated: smaller initial weights, normalised "
             "inputs or relu would let gradients through",
             s->name, 100 * s->saturated);
  else
    return false;
  return true;
}

static bool warn_of_gradients(const coh_health *h, char text[COH_HEALTH_TEXT]) {
  int64_t first, last;
  ends_of(h, &first, &last);
  if (first < 0 || first == last) return false;
  double a = h->state[first].gradient_norm, b = h->state[last].gradient_norm;
  if (!(a < 1e-4 * b) && !(a > 1e4 * b)) return false;
  snprintf(text, COH_HEALTH_TEXT,
           "the gradient %s on its way down: %.2g at %s, %.2g at %s; relu, residual blocks or "
           "normalisation help",
           a < b ? "vanishes" : "explodes", b, h->state[last].name, a, h->state[first].name);
  return true;
}

bool coh_health_warning(const coh_health *h, int64_t k, int64_t *about,
                        char text[COH_HEALTH_TEXT]) {
  for (int64_t i = 0; i < h->n_layers; i++)
    if (warn_of_layer(&h->state[i], text) && k-- == 0) {
      if (about) *about = i;
      return true;
    }
  if (about) *about = -1;
  return warn_of_gradients(h, text) && k == 0;
}
