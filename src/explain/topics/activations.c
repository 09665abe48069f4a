/* The activation functions, drawn together, and what is said of them, measured: the gradient
 * that vanishes through ten layers of sigmoid or tanh (Hochreiter 1991; Glorot and Bengio,
 * AISTATS 2010), and rectifiers that die under too high a rate while leaky ones live. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "draw/figure.h"
#include "explain/layer_health.h"
#include "explain/topic.h"

enum { N_POINTS = 401, MAX_KINDS = 32, N_FACTS = 6, DEPTH = 10, WIDTH = 64, ROWS = 64 };

static const double REACH = 5; // of the x axis

// ---- the functions -------------------------------------------------------------------------

typedef struct curves {
  double x[N_POINTS], value[MAX_KINDS][N_POINTS], slope[MAX_KINDS][N_POINTS];
  coh_series series[MAX_KINDS][2];
  coh_panel panel[MAX_KINDS];
} curves;

static coh_status draw_functions(const coh_explain_site *site, const coh_choice *choice,
                                 int64_t n) {
  curves *c;
  COH_NEW(c, 1);
  for (int i = 0; i < N_POINTS; i++)
    c->x[i] = REACH * (2.0 * i / (N_POINTS - 1) - 1);
  for (int64_t k = 0; k < n; k++) {
    for (int i = 0; i < N_POINTS; i++) {
      c->value[k][i] = coh_activation_value(&choice[k], c->x[i]);
      c->slope[k][i] = coh_activation_derivative(&choice[k], c->x[i]);
    }
    c->series[k][0] =
        (coh_series){.label = "value", .n = N_POINTS, .x = c->x, .y = c->value[k], .color = 1};
    c->series[k][1] = (coh_series){
        .label = "derivative", .n = N_POINTS, .x = c->x, .y = c->slope[k], .color = 2};
    c->panel[k] = (coh_panel){.title = choice[k].kind->name,
                              .x = {.min = -REACH, .max = REACH},
                              .y = {.min = -1.5, .max = 3},
                              .series = c->series[k],
                              .n_series = 2};
  }
  coh_chart chart = {.title = "Activation functions",
                     .panels = c->panel,
                     .n_panels = n,
                     .columns = 3,
                     .width = 380,
                     .height = 330};
  char path[4096];
  bool drawn = false;
  coh_status status = coh_explain_path(site, "activations", "svg", path);
  if (status == COH_OK) {
    *strrchr(path, '/') = '\0';
    status = coh_chart_write(&chart, path, "explain-activations", &drawn);
  }
  if (status == COH_OK && drawn)
    coh_explain_picture(site, "activations", "svg",
                        "Every registered activation with its default options: value and "
                        "derivative.",
                        false);
  coh_free(c);
  return status;
}

// from where on, to each side, the slope stays below a hundredth of the largest; NAN: nowhere
static void saturation_of(const coh_choice *choice, double *below, double *above) {
  const double far = 30, step = 0.01;
  double most = 0;
  for (double x = -far; x <= far; x += step)
    most = fmax(most, fabs(coh_activation_derivative(choice, x)));
  *below = *above = NAN;
  for (double x = -far; x < far; x += step) {
    if (fabs(coh_activation_derivative(choice, x)) >= 0.01 * most) break;
    *below = x;
  }
  for (double x = far; x > -far; x -= step) {
    if (fabs(coh_activation_derivative(choice, x)) >= 0.01 * most) break;
    *above = x;
  }
}

static void describe_saturation(const coh_choice *choice, char text[96]) {
  double below, above;
  saturation_of(choice, &below, &above);
  if (fabs(below) < 0.02) below = 0;
  if (isfinite(below) && isfinite(above))
    snprintf(text, 96, "below %.1f and above %.1f", below, above);
  else if (isfinite(below))
    snprintf(text, 96, "below %.1f", below);
  else if (isfinite(above))
    snprintf(text, 96, "above %.1f", above);
  else
    snprintf(text, 96, "nowhere");
}

static void bound(double value, char text[24]) {
  if (isfinite(value))
    snprintf(text, 24, "%.4g", value);
  else
    snprintf(text, 24, value < 0 ? "-inf" : "inf");
}

static void tabulate(const coh_explain_site *site, const coh_choice *choice, int64_t n) {
  static const char *const header[N_FACTS] = {"activation", "value",     "derivative",
                                              "range",      "saturates", "source"};
  static char text[MAX_KINDS][2][96];
  const char *cells[MAX_KINDS * N_FACTS];
  for (int64_t k = 0; k < n; k++) {
    coh_activation_facts facts = coh_activation_describe(&choice[k]);
    char low[24], high[24];
    bound(facts.low, low), bound(facts.high, high);
    snprintf(text[k][0], 96, "%s to %s", low, high);
    describe_saturation(&choice[k], text[k][1]);
    const char *row[N_FACTS] = {choice[k].kind->name, facts.formula, facts.derivative,
                                text[k][0],           text[k][1],    choice[k].kind->doc};
    memcpy(cells + k * N_FACTS, row, sizeof row);
  }
  if (site->output->table)
    site->output->table(site->output->context,
                        "Formulas, ranges, and where the slope is below a hundredth of its "
                        "largest.",
                        header, cells, n, N_FACTS);
}

// ---- ten layers ----------------------------------------------------------------------------

// a chain of DEPTH dense layers of one activation, its inputs, and their gradient
typedef struct chain {
  coh_choice item[2 * DEPTH], initializer;
  coh_network *network;
  coh_graph *graph;
  coh_program *program;
  coh_workspace *workspace;
  coh_value input, output, target, loss;
  coh_value gradient[2 * DEPTH + 2];
  float *params, *block, *rows;
  int64_t n_floats;
} chain;

static coh_status set_units(coh_choice *dense) {
  char text[64];
  snprintf(text, sizeof text, "units: %d\n", WIDTH);
  coh_config *root = NULL;
  COH_TRY(coh_config_parse("units", text, strlen(text), &root));
  coh_status status = coh_options_fill(dense->kind->options, root, dense->options);
  coh_config_destroy(&root);
  return status;
}

static coh_status make_layers(chain *c, const char *activation) {
  const coh_kind *dense = coh_kind_find(&coh_layer_kinds, "dense");
  for (int i = 0; i < DEPTH; i++) {
    coh_choice *layer = &c->item[2 * i];
    layer->kind = dense;
    layer->options = coh_alloc_array(1, dense->options_size);
    COH_CHECK(layer->options, COH_E_MEMORY, "out of memory for a chain of layers");
    COH_TRY(set_units(layer));
    COH_TRY(coh_choice_make(&coh_layer_kinds, activation, &c->item[2 * i + 1]));
  }
  return coh_choice_make(&coh_initializer_kinds, "glorot_uniform", &c->initializer);
}

static coh_status build_chain(chain *c) {
  coh_network_config config = {.layers = {c->item, 2 * DEPTH},
                               .initializer = c->initializer,
                               .input = COH_SHAPE(WIDTH),
                               .n_outputs = 1};
  COH_TRY(coh_network_create(&config, &c->network));
  COH_TRY(coh_graph_create(&c->graph));
  c->input = coh_graph_input(c->graph, "input", COH_SHAPE(ROWS, WIDTH));
  c->target = coh_graph_input(c->graph, "target", COH_SHAPE(ROWS, 1));
  COH_TRY(coh_network_build(c->network, c->graph, c->input, &c->output));
  c->loss = coh_op_mean_all(
      c->graph, coh_op_square(c->graph, coh_op_sub(c->graph, c->output, c->target)));
  COH_TRY(coh_gradient_parameters(c->graph, c->loss, c->gradient));
  COH_TRY(coh_program_compile(c->graph, c->gradient, 2 * DEPTH + 2, NULL, &c->program));
  COH_TRY(coh_workspace_create(c->program, &c->workspace));
  c->n_floats = coh_network_floats(c->network);
  COH_NEW(c->params, c->n_floats);
  COH_NEW(c->block, c->n_floats);
  COH_TRY(coh_workspace_bind_parameters(c->workspace, c->params));
  return coh_workspace_bind_flat(c->workspace, c->gradient, 2 * DEPTH + 2, c->block);
}

static coh_status make_chain(chain *c, const char *activation, uint64_t seed) {
  *c = (chain){0};
  COH_TRY(make_layers(c, activation));
  COH_TRY(build_chain(c));
  COH_TRY(coh_network_initialize(c->network, seed, c->params));
  coh_stream stream = coh_stream_begin(coh_key_make(seed, "chain"), 0, 0);
  c->rows = coh_workspace_data(c->workspace, c->input);
  float *target = coh_workspace_data(c->workspace, c->target);
  for (int i = 0; i < ROWS; i++) {
    for (int k = 0; k < WIDTH; k++)
      c->rows[i * WIDTH + k] = (float)coh_stream_normal(&stream);
    target[i] = c->rows[i * WIDTH] * c->rows[i * WIDTH + 1] > 0 ? 1 : -1;
  }
  return coh_program_run(c->program, c->workspace);
}

static void clear_chain(chain *c) {
  coh_workspace_destroy(&c->workspace);
  coh_program_destroy(&c->program);
  coh_graph_destroy(&c->graph);
  coh_network_destroy(&c->network);
  for (int i = 0; i < 2 * DEPTH; i++)
    coh_choice_clear(&c->item[i]);
  coh_choice_clear(&c->initializer);
  coh_free(c->params), coh_free(c->block);
}

static const char *const compared[] = {"sigmoid", "tanh", "relu", "leaky_relu", "selu", "gelu"};
enum { N_COMPARED = sizeof compared / sizeof *compared };

static double norm_of_layer(const chain *c, int layer) {
  coh_parameter_view view = coh_graph_parameter_at(c->graph, 2 * layer); // its weight
  double square = 0;
  for (int64_t i = 0; i < view.count; i++)
    square += (double)c->block[view.offset + i] * (double)c->block[view.offset + i];
  return sqrt(square);
}

static coh_status measure_vanishing(const coh_explain_site *site) {
  double x[DEPTH], y[N_COMPARED][DEPTH];
  coh_series series[N_COMPARED];
  for (int a = 0; a < N_COMPARED; a++) {
    chain c;
    coh_status status = make_chain(&c, compared[a], (uint64_t)site->options->seed);
    for (int i = 0; status == COH_OK && i < DEPTH; i++) {
      x[i] = i + 1;
      y[a][i] = norm_of_layer(&c, i);
    }
    clear_chain(&c);
    COH_TRY(status);
    double top = y[a][DEPTH - 1] > 0 ? y[a][DEPTH - 1] : 1;
    for (int i = 0; i < DEPTH; i++)
      y[a][i] /= top;
    series[a] = (coh_series){
        .label = compared[a], .style = COH_SERIES_MARKED, .n = DEPTH, .x = x, .y = y[a]};
    coh_explain_say(site,
                    "%s: of the gradient at the tenth layer, %.2g arrives at the first (Glorot "
                    "weights, %d units).",
                    compared[a], y[a][0], WIDTH);
  }
  coh_panel panel = {.x = {.label = "layer (1 is next to the input)"},
                     .y = {.label = "gradient norm, tenth layer = 1", .logarithmic = true},
                     .series = series,
                     .n_series = N_COMPARED};
  coh_chart chart = {
      .title = "The gradient through ten layers", .panels = &panel, .n_panels = 1};
  char path[4096];
  bool drawn = false;
  COH_TRY(coh_explain_path(site, "vanishing", "svg", path));
  *strrchr(path, '/') = '\0';
  COH_TRY(coh_chart_write(&chart, path, "explain-vanishing", &drawn));
  if (drawn)
    coh_explain_picture(site, "vanishing", "svg",
                        "The gradient of the weights, layer by layer, in networks of ten equal "
                        "layers at the start of training: sigmoid's slope is at most 1/4 and "
                        "multiplies at every layer; rectifiers pass it on.",
                        false);
  return COH_OK;
}

// ---- dead units ----------------------------------------------------------------------------

enum { BAD_STEPS = 60, GOOD_STEPS = 240 };
static const double BAD_RATE = 0.5, GOOD_RATE = 0.01;

static double dead_share(coh_health *health, const chain *c) {
  int64_t n, n_seen = 0;
  double sum = 0;
  const coh_health_rows rows = {.values = c->rows, .n = COH_HEALTH_ROWS};
  if (coh_health_look(health, c->params, &rows, NULL) != COH_OK) return NAN;
  const coh_layer_state *state = coh_health_layers(health, &n);
  for (int64_t i = 0; i < n; i++)
    if (state[i].is_activation) sum += state[i].dead, n_seen++;
  return n_seen ? sum / (double)n_seen : 0;
}

// gradient descent; dead: out, the share in per cent at every fourth step
static coh_status descend(chain *c, coh_health *health, int first, int end, double rate,
                          double *dead) {
  for (int step = first; step < end; step++) {
    if (step % 4 == 0) dead[step / 4] = 100 * dead_share(health, c);
    COH_TRY(coh_program_run(c->program, c->workspace));
    double square = 0;
    for (int64_t i = 0; i < c->n_floats; i++)
      square += (double)c->block[i] * (double)c->block[i];
    double shrink = fmin(1, 4 / fmax(sqrt(square), 1e-30)); // keeps the numbers finite
    for (int64_t i = 0; i < c->n_floats; i++)
      c->params[i] -= (float)(rate * shrink) * c->block[i];
  }
  return COH_OK;
}

/* A rate far too high, then a good one: do units come back? bad, good: the activations of
 * either time; the weights are handed on. silent: out, the share at the end that would be dead
 * with the first activation. */
static coh_status mistreat(chain *bad, chain *good, double *dead, double *silent) {
  coh_health *first = NULL, *then = NULL;
  coh_status status = coh_health_create(bad->network, &first);
  if (status == COH_OK) status = coh_health_create(good->network, &then);
  if (status == COH_OK) status = descend(bad, first, 0, BAD_STEPS, BAD_RATE, dead);
  if (good != bad) memcpy(good->params, bad->params, (size_t)bad->n_floats * sizeof(float));
  if (status == COH_OK)
    status = descend(good, then, BAD_STEPS, BAD_STEPS + GOOD_STEPS, GOOD_RATE, dead);
  if (status == COH_OK) *silent = 100 * dead_share(first, good);
  coh_health_destroy(&first);
  coh_health_destroy(&then);
  return status;
}

static const struct {
  const char *label, *bad, *good;
} treated[] = {{"relu", "relu", NULL},
               {"leaky_relu", "leaky_relu", NULL},
               {"elu", "elu", NULL},
               {"relu, then leaky_relu", "relu", "leaky_relu"}};
enum { N_TREATED = sizeof treated / sizeof *treated };

static coh_status treat(int a, uint64_t seed, double *dead, double *silent) {
  chain bad, good;
  coh_status status = make_chain(&bad, treated[a].bad, seed);
  if (status == COH_OK && treated[a].good) {
    status = make_chain(&good, treated[a].good, seed);
    if (status == COH_OK) status = mistreat(&bad, &good, dead, silent);
    clear_chain(&good);
  } else if (status == COH_OK) {
    status = mistreat(&bad, &bad, dead, silent);
  }
  clear_chain(&bad);
  return status;
}

static coh_status measure_dead(const coh_explain_site *site) {
  enum { N = (BAD_STEPS + GOOD_STEPS) / 4 };
  double x[N], y[N_TREATED][N], silent = 0;
  coh_series series[N_TREATED];
  for (int i = 0; i < N; i++)
    x[i] = 4 * i;
  for (int a = 0; a < N_TREATED; a++) {
    COH_TRY(treat(a, (uint64_t)site->options->seed, y[a], &silent));
    series[a] = (coh_series){.label = treated[a].label, .n = N, .x = x, .y = y[a]};
    coh_explain_say(site,
                    "%s: %.0f%% of the units are dead after %d steps at a rate of %g, %.0f%% "
                    "after %d more at %g.",
                    treated[a].label, y[a][BAD_STEPS / 4 - 1], BAD_STEPS, BAD_RATE, y[a][N - 1],
                    GOOD_STEPS, GOOD_RATE);
    if (treated[a].good)
      coh_explain_say(site, "As %s, %.0f%% would still be silent on every row.", treated[a].bad,
                      silent);
  }
  coh_panel panel = {.x = {.label = "updates"},
                     .y = {.label = "dead units (%)", .min = 0, .max = 100},
                     .series = series,
                     .n_series = N_TREATED};
  coh_chart chart = {
      .title = "Units that die under too high a rate", .panels = &panel, .n_panels = 1};
  char path[4096], caption[512];
  bool drawn = false;
  COH_TRY(coh_explain_path(site, "dead", "svg", path));
  *strrchr(path, '/') = '\0';
  COH_TRY(coh_chart_write(&chart, path, "explain-dead", &drawn));
  snprintf(
      caption, sizeof caption,
      "Units whose slope is zero on every row, in ten layers trained at a rate of %g for %d "
      "updates, then at %g. What is dead stays dead: no gradient reaches it. Leaky "
      "rectifiers have a slope everywhere; put in the place of the others, with the same "
      "weights, they bring the gradient back at once.",
      BAD_RATE, BAD_STEPS, GOOD_RATE);
  if (drawn) coh_explain_picture(site, "dead", "svg", caption, false);
  return COH_OK;
}

static coh_status show(const coh_explain_site *site) {
  coh_choice choice[MAX_KINDS] = {0};
  int64_t n =
      coh_activation_kinds.n_kinds < MAX_KINDS ? coh_activation_kinds.n_kinds : MAX_KINDS;
  coh_status status = COH_OK;
  for (int64_t k = 0; k < n && status == COH_OK; k++)
    status =
        coh_choice_make(&coh_activation_kinds, coh_activation_kinds.kinds[k]->name, &choice[k]);
  if (status == COH_OK) status = draw_functions(site, choice, n);
  if (status == COH_OK) tabulate(site, choice, n);
  if (status == COH_OK) status = measure_vanishing(site);
  if (status == COH_OK) status = measure_dead(site);
  for (int64_t k = 0; k < n; k++)
    coh_choice_clear(&choice[k]);
  return status;
}

const coh_explain_topic coh_explain_topic_activations = {
    .kind = {.name = "activations",
             .doc = "The activation functions drawn together; the vanishing gradient and dead "
                    "units measured. Needs no run."},
    .show = show,
};
