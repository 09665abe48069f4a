/* An explainer: programs that are compiled when a method first asks for them, and run over
 * blocks of rows. Feature maps and gradients are values of the graph like any other. */
#include "explain/explainer.h"

#include <string.h>

#include "base/alloc.h"
#include "nn/network.h"

enum { BLOCK = COH_EXPLAIN_BLOCK };

typedef enum purpose { FORWARD, GRADIENT, GUIDED, FEATURES } purpose;

static coh_status find_layer(coh_explainer *e, const char *layer) {
  e->layer = -1;
  if (layer) {
    COH_TRY(coh_network_file_find(e->file, layer, &e->layer));
    coh_shape shape = coh_network_file_layer_shape(e->file, e->layer);
    COH_CHECK(shape.rank == 3, COH_E_CONFIG,
              "layer '%s' has no height and width; class activation maps need feature maps",
              layer);
  }
  // the last activation with some resolution: pooled to one pixel there is nothing to see
  for (int64_t i = coh_network_file_n_layers(e->file) - 1; !layer && i >= 0; i--) {
    coh_shape shape = coh_network_file_layer_shape(e->file, i);
    if (shape.rank != 3 || shape.size[0] * shape.size[1] < 4) continue;
    e->layer = i;
    break;
  }
  if (e->layer < 0) return COH_OK;
  coh_shape shape = coh_network_file_layer_shape(e->file, e->layer);
  for (int k = 0; k < 3; k++)
    e->map[k] = shape.size[k];
  return COH_OK;
}

static coh_status measure(coh_explainer *e, const char *layer) {
  coh_shape input = coh_network_file_input(e->file);
  coh_shape output = coh_network_output_shape(coh_network_file_network(e->file));
  COH_CHECK(input.rank == 1 || input.rank == 3, COH_E_CONFIG,
            "inputs of rank %d cannot be explained; vectors and images can", input.rank);
  COH_CHECK(output.rank == 1, COH_E_CONFIG,
            "the network makes images; its outputs must be numbers to be explained");
  e->size[0] = input.rank == 3 ? input.size[0] : 1;
  e->size[1] = input.rank == 3 ? input.size[1] : input.size[0];
  e->size[2] = input.rank == 3 ? input.size[2] : 1;
  e->n_pixels = e->size[0] * e->size[1];
  e->n_values = e->n_pixels * e->size[2];
  e->n_outputs = output.size[0];
  e->black = coh_network_file_facts(e->file)->affine.shift;
  return find_layer(e, layer);
}

coh_status coh_explainer_create(coh_network_file *file, const char *layer,
                                coh_explainer **explainer) {
  coh_explainer *e;
  COH_NEW(e, 1);
  e->file = file;
  coh_status status = measure(e, layer);
  if (status == COH_OK)
    *explainer = e;
  else
    coh_free(e);
  return status;
}

static void clear_program(coh_explain_program *p) {
  coh_workspace_destroy(&p->workspace);
  coh_program_destroy(&p->program);
}

void coh_explainer_destroy(coh_explainer **pointer) {
  coh_explainer *e = *pointer;
  if (!e) return;
  clear_program(&e->forward), clear_program(&e->gradient);
  clear_program(&e->guided), clear_program(&e->features);
  COH_DELETE(*pointer);
}

void coh_explainer_input(const coh_explainer *e, int64_t size[3]) {
  memcpy(size, e->size, sizeof e->size);
}

int64_t coh_explainer_n_outputs(const coh_explainer *e) {
  return e->n_outputs;
}

const char *coh_explainer_layer(const coh_explainer *e) {
  return e->layer < 0 ? "" : coh_network_file_layer(e->file, e->layer);
}

// ---- programs -----------------------------------------------------------------------------

// a layer that passes its input on has no value of its own name: what it sees is the same
static coh_value layer_value(const coh_explainer *e, const coh_graph *graph, coh_value input) {
  coh_value found = COH_NO_VALUE;
  for (int64_t i = e->layer; i >= 0 && found == COH_NO_VALUE; i--)
    found = coh_graph_find(graph, coh_network_file_layer(e->file, i));
  return found == COH_NO_VALUE ? input : found;
}

static coh_status build(coh_explainer *e, purpose what, coh_graph *graph,
                        coh_explain_program *p) {
  coh_shape sample = coh_network_file_input(e->file);
  coh_shape shape = {.rank = sample.rank + 1, .size = {BLOCK}};
  for (int k = 0; k < sample.rank; k++)
    shape.size[k + 1] = sample.size[k];
  const coh_network *network = coh_network_file_network(e->file);
  p->input = coh_graph_input(graph, "input", shape);
  const coh_network_use use = {.inference = true, .guided = what == GUIDED};
  COH_TRY(coh_network_build_for(network, graph, p->input, &use, NULL, &p->outputs));
  coh_value outputs[3] = {p->outputs, COH_NO_VALUE, COH_NO_VALUE};
  int64_t n = 1;
  if (what != FORWARD) {
    p->features = what == FEATURES ? layer_value(e, graph, p->input) : p->input;
    p->seed = coh_graph_input(graph, "seed", COH_SHAPE(BLOCK, e->n_outputs));
    COH_TRY(coh_gradient_seeded(graph, p->outputs, p->seed, &p->features, 1, &p->wanted));
    outputs[n++] = p->wanted;
    if (what == FEATURES) outputs[n++] = p->features;
  }
  COH_TRY(coh_program_compile(graph, outputs, n, NULL, &p->program));
  return coh_workspace_create(p->program, &p->workspace);
}

// the program, compiled if this is its first use, with the parameters of now
static coh_status prepare(coh_explainer *e, purpose what, coh_explain_program **out) {
  coh_explain_program *const programs[] = {&e->forward, &e->gradient, &e->guided, &e->features};
  coh_explain_program *p = programs[what];
  if (!p->workspace) {
    coh_graph *graph = NULL;
    COH_TRY(coh_graph_create(&graph));
    coh_status status = build(e, what, graph, p);
    coh_graph_destroy(&graph);
    if (status != COH_OK) {
      clear_program(p);
      return status;
    }
  }
  *out = p;
  return coh_workspace_bind_parameters(p->workspace, coh_network_file_params(e->file));
}

// fill and run a block of n rows; the rest is zeros
static coh_status run_block(coh_explainer *e, const coh_explain_program *p, const float *rows,
                            const int32_t *targets, int64_t n) {
  float *input = coh_workspace_data(p->workspace, p->input);
  memcpy(input, rows, (size_t)(n * e->n_values) * sizeof *input);
  memset(input + n * e->n_values, 0, (size_t)((BLOCK - n) * e->n_values) * sizeof *input);
  float *seed = targets ? coh_workspace_data(p->workspace, p->seed) : NULL;
  if (seed) memset(seed, 0, (size_t)(BLOCK * e->n_outputs) * sizeof *seed);
  for (int64_t i = 0; seed && i < n; i++)
    seed[i * e->n_outputs + targets[i]] = 1;
  return coh_program_run(p->program, p->workspace);
}

static int64_t block_of(int64_t n, int64_t first) {
  return n - first < BLOCK ? n - first : BLOCK;
}

coh_status coh_explainer_outputs(coh_explainer *e, const float *rows, int64_t n,
                                 float *outputs) {
  coh_explain_program *p;
  COH_TRY(prepare(e, FORWARD, &p));
  for (int64_t first = 0; first < n; first += BLOCK) {
    int64_t now = block_of(n, first);
    COH_TRY(run_block(e, p, rows + first * e->n_values, NULL, now));
    memcpy(outputs + first * e->n_outputs, coh_workspace_data(p->workspace, p->outputs),
           (size_t)(now * e->n_outputs) * sizeof *outputs);
  }
  return COH_OK;
}

coh_status coh_explainer_answers(coh_explainer *e, const float *rows, int64_t n,
                                 int32_t *targets) {
  float *outputs;
  COH_NEW(outputs, n * e->n_outputs);
  coh_status status = coh_explainer_outputs(e, rows, n, outputs);
  for (int64_t i = 0; status == COH_OK && i < n; i++) {
    targets[i] = 0;
    for (int64_t k = 1; k < e->n_outputs; k++)
      if (outputs[i * e->n_outputs + k] > outputs[i * e->n_outputs + targets[i]])
        targets[i] = (int32_t)k;
  }
  coh_free(outputs);
  return status;
}

coh_status coh_explainer_gradient(coh_explainer *e, bool guided, const float *rows,
                                  const int32_t *targets, int64_t n, float *gradient,
                                  float *outputs) {
  coh_explain_program *p;
  COH_TRY(prepare(e, guided ? GUIDED : GRADIENT, &p));
  for (int64_t first = 0; first < n; first += BLOCK) {
    int64_t now = block_of(n, first);
    COH_TRY(run_block(e, p, rows + first * e->n_values, targets + first, now));
    memcpy(gradient + first * e->n_values, coh_workspace_data(p->workspace, p->wanted),
           (size_t)(now * e->n_values) * sizeof *gradient);
    if (outputs)
      memcpy(outputs + first * e->n_outputs, coh_workspace_data(p->workspace, p->outputs),
             (size_t)(now * e->n_outputs) * sizeof *outputs);
  }
  return COH_OK;
}

coh_status coh_explainer_features(coh_explainer *e, const float *rows, const int32_t *targets,
                                  int64_t n, const float **features, const float **gradient) {
  COH_CHECK(
      e->layer >= 0, COH_E_CONFIG,
      "the network has no layer with feature maps (no convolution): class activation maps "
      "cannot be made; gradient methods can");
  coh_explain_program *p;
  COH_TRY(prepare(e, FEATURES, &p));
  COH_TRY(run_block(e, p, rows, targets, n));
  *features = coh_workspace_data(p->workspace, p->features);
  *gradient = coh_workspace_data(p->workspace, p->wanted);
  return COH_OK;
}
