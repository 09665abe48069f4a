/* The graph while it is built: nodes appended to a growing array, the table of parameters, and
 * the first failure, which every later builder passes on. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/operator.h"

enum { ALIGN_FLOATS = 16 };

const coh_operator coh_operator_input = {.name = "input", .kind = COH_KIND_LEAF};
const coh_operator coh_operator_parameter = {.name = "parameter", .kind = COH_KIND_LEAF};
const coh_operator coh_operator_constant = {.name = "constant", .kind = COH_KIND_LEAF};

#define X(family)
#define OP(name) &coh_operator_##name,
const coh_operator *const coh_operators[] = {
#include "graph/ops/op.def"
};
#undef OP
#undef X
const int64_t coh_n_operators = sizeof coh_operators / sizeof *coh_operators;

coh_status coh_graph_create(coh_graph **out) {
  coh_graph *graph;
  COH_NEW(graph, 1);
  *out = graph;
  return COH_OK;
}

void coh_graph_destroy(coh_graph **graph) {
  coh_graph *g = *graph;
  if (!g) return;
  for (int64_t i = 0; i < g->n_nodes; i++) {
    coh_free(g->nodes[i].name);
    coh_free(g->nodes[i].data);
  }
  coh_free(g->nodes);
  coh_free(g->parameters);
  coh_free(g->parameter_offsets);
  coh_free(g->message);
  coh_free(g);
  *graph = NULL;
}

coh_value coh_graph_fail(coh_graph *graph, const char *format, ...) {
  if (graph->status != COH_OK) return COH_NO_VALUE;
  char worded[768];
  va_list args;
  va_start(args, format);
  vsnprintf(worded, sizeof worded, format, args);
  va_end(args);
  graph->status = COH_E_CONFIG;
  graph->message = coh_alloc_string(worded);
  if (!graph->message) graph->status = COH_E_MEMORY;
  return COH_NO_VALUE;
}

static coh_value out_of_memory(coh_graph *graph) {
  if (graph->status == COH_OK) graph->status = COH_E_MEMORY;
  return COH_NO_VALUE;
}

coh_status coh_graph_status(const coh_graph *graph) {
  if (graph->status == COH_OK) return COH_OK;
  return coh_fail(graph->status, "%s",
                  graph->message ? graph->message : "out of memory while building a graph");
}

bool coh_graph_valid(coh_graph *graph, coh_value value) {
  if (graph->status != COH_OK) return false;
  if (value >= 0 && value < graph->n_nodes) return true;
  coh_graph_fail(graph, "graph: value %d does not exist", (int)value);
  return false;
}

coh_value coh_graph_append(coh_graph *graph, const coh_operator *op, coh_shape shape,
                           const coh_value *inputs, int n_inputs,
                           const coh_attributes *attributes) {
  if (graph->status != COH_OK) return COH_NO_VALUE;
  for (int k = 0; k < n_inputs; k++)
    if (!coh_graph_valid(graph, inputs[k])) return COH_NO_VALUE;
  if (graph->n_nodes == graph->node_capacity) {
    int64_t capacity = graph->node_capacity ? 2 * graph->node_capacity : 64;
    coh_node *nodes =
        coh_alloc_resize(graph->nodes, (size_t)graph->n_nodes, (size_t)capacity, sizeof *nodes);
    if (!nodes) return out_of_memory(graph);
    graph->nodes = nodes;
    graph->node_capacity = capacity;
  }
  coh_node *node = &graph->nodes[graph->n_nodes];
  memset(node, 0, sizeof *node);
  node->op = op;
  node->shape.rank = shape.rank;
  for (int k = 0; k < shape.rank; k++)
    node->shape.size[k] = shape.size[k];
  node->n_inputs = n_inputs;
  for (int k = 0; k < n_inputs; k++)
    node->input[k] = inputs[k];
  if (attributes) node->attributes = *attributes;
  return (coh_value)graph->n_nodes++;
}

coh_value coh_graph_unary(coh_graph *graph, const coh_operator *op, coh_value x, double real0,
                          double real1) {
  if (!coh_graph_valid(graph, x)) return COH_NO_VALUE;
  coh_attributes attributes = {.real = {real0, real1}};
  return coh_graph_append(graph, op, graph->nodes[x].shape, &x, 1, &attributes);
}

coh_shape coh_graph_shape(const coh_graph *graph, coh_value value) {
  return value >= 0 && value < graph->n_nodes ? graph->nodes[value].shape : COH_SCALAR;
}

coh_value coh_graph_name(coh_graph *graph, coh_value value, const char *name) {
  if (!coh_graph_valid(graph, value)) return COH_NO_VALUE;
  char *copy = coh_alloc_string(name);
  if (!copy) return out_of_memory(graph);
  coh_free(graph->nodes[value].name);
  graph->nodes[value].name = copy;
  return value;
}

const char *coh_graph_name_of(const coh_graph *graph, coh_value value) {
  if (value < 0 || value >= graph->n_nodes) return "nothing";
  const coh_node *node = &graph->nodes[value];
  return node->name ? node->name : node->op->name;
}

coh_value coh_graph_find(const coh_graph *graph, const char *name) {
  for (int64_t i = 0; i < graph->n_nodes; i++)
    if (graph->nodes[i].name && strcmp(graph->nodes[i].name, name) == 0) return (coh_value)i;
  return COH_NO_VALUE;
}

int64_t coh_graph_n_values(const coh_graph *graph) {
  return graph->n_nodes;
}

// a leaf's shape comes from outside: at least one element along every axis, no overflow
static bool leaf_shape_fits(coh_graph *graph, const char *kind, const char *name,
                            coh_shape shape) {
  bool fits = shape.rank >= 0 && shape.rank <= COH_MAX_RANK;
  int64_t count = 1;
  for (int k = 0; fits && k < shape.rank; k++) {
    fits = shape.size[k] >= 1 && !__builtin_mul_overflow(count, shape.size[k], &count) &&
           count < INT64_MAX / 64;
  }
  if (fits) return true;
  if (shape.rank < 0 || shape.rank > COH_MAX_RANK) {
    coh_graph_fail(graph, "%s '%s': rank %d is not in 0..%d", kind, name, shape.rank,
                   (int)COH_MAX_RANK);
  } else {
    coh_graph_fail(graph, "%s '%s': the shape %s has an axis below 1 or too many elements",
                   kind, name, coh_shape_print(shape).text);
  }
  return false;
}

coh_value coh_graph_input(coh_graph *graph, const char *name, coh_shape shape) {
  if (!leaf_shape_fits(graph, "input", name, shape)) return COH_NO_VALUE;
  // the number keeps two inputs apart when subexpressions are merged
  coh_attributes attributes = {.integer = {graph->n_nodes}};
  coh_value value = coh_graph_append(graph, &coh_operator_input, shape, NULL, 0, &attributes);
  return value == COH_NO_VALUE ? value : coh_graph_name(graph, value, name);
}

coh_value coh_graph_parameter(coh_graph *graph, const char *name, coh_shape shape) {
  if (!leaf_shape_fits(graph, "parameter", name, shape)) return COH_NO_VALUE;
  for (int64_t k = 0; k < graph->n_parameters; k++)
    if (strcmp(coh_graph_name_of(graph, graph->parameters[k]), name) == 0)
      return coh_graph_fail(graph, "parameter '%s' exists already", name);
  if (graph->n_parameters == graph->parameter_capacity) {
    int64_t capacity = graph->parameter_capacity ? 2 * graph->parameter_capacity : 16;
    coh_value *parameters = coh_alloc_resize(graph->parameters, (size_t)graph->n_parameters,
                                             (size_t)capacity, sizeof *parameters);
    if (!parameters) return out_of_memory(graph);
    graph->parameters = parameters;
    int64_t *offsets = coh_alloc_resize(graph->parameter_offsets, (size_t)graph->n_parameters,
                                        (size_t)capacity, sizeof *offsets);
    if (!offsets) return out_of_memory(graph);
    graph->parameter_offsets = offsets;
    graph->parameter_capacity = capacity;
  }
  coh_attributes attributes = {.integer = {graph->n_parameters, graph->parameter_floats}};
  coh_value value =
      coh_graph_append(graph, &coh_operator_parameter, shape, NULL, 0, &attributes);
  if (value == COH_NO_VALUE || coh_graph_name(graph, value, name) == COH_NO_VALUE)
    return COH_NO_VALUE;
  graph->parameters[graph->n_parameters] = value;
  graph->parameter_offsets[graph->n_parameters] = graph->parameter_floats;
  graph->n_parameters++;
  int64_t count = coh_shape_count(shape);
  graph->parameter_floats += (count + ALIGN_FLOATS - 1) / ALIGN_FLOATS * ALIGN_FLOATS;
  return value;
}

coh_value coh_graph_constant_array(coh_graph *graph, coh_shape shape, const float *data) {
  if (!leaf_shape_fits(graph, "constant", "", shape)) return COH_NO_VALUE;
  size_t count = (size_t)coh_shape_count(shape);
  float *copy = coh_alloc_array(count, sizeof *copy);
  if (!copy) return out_of_memory(graph);
  memcpy(copy, data, count * sizeof *copy);
  coh_attributes attributes = {.integer = {graph->n_nodes}};
  coh_value value =
      coh_graph_append(graph, &coh_operator_constant, shape, NULL, 0, &attributes);
  if (value == COH_NO_VALUE) {
    coh_free(copy);
    return value;
  }
  graph->nodes[value].data = copy;
  return value;
}

coh_value coh_graph_constant(coh_graph *graph, double number) {
  float data = (float)number;
  coh_value value = coh_graph_constant_array(graph, COH_SCALAR, &data);
  // scalars of one value are one constant
  if (value != COH_NO_VALUE)
    graph->nodes[value].attributes = (coh_attributes){.integer = {-1}, .real = {number}};
  return value;
}

bool coh_graph_uniform(const coh_graph *graph, coh_value value, double *number) {
  if (value < 0 || value >= graph->n_nodes) return false;
  const coh_node *node = &graph->nodes[value];
  while (node->op == &coh_operator_broadcast || node->op == &coh_operator_reshape)
    node = &graph->nodes[node->input[0]];
  if (node->op != &coh_operator_constant || coh_shape_count(node->shape) != 1) return false;
  *number = (double)node->data[0];
  return true;
}

coh_value coh_graph_full(coh_graph *graph, coh_shape shape, double number) {
  return coh_op_broadcast(graph, coh_graph_constant(graph, number), shape);
}

int64_t coh_graph_n_parameters(const coh_graph *graph) {
  return graph->n_parameters;
}

coh_parameter_view coh_graph_parameter_at(const coh_graph *graph, int64_t k) {
  const coh_node *node = &graph->nodes[graph->parameters[k]];
  return (coh_parameter_view){.name = node->name,
                              .value = graph->parameters[k],
                              .shape = node->shape,
                              .offset = graph->parameter_offsets[k],
                              .count = coh_shape_count(node->shape)};
}

int64_t coh_graph_parameter_floats(const coh_graph *graph) {
  return graph->parameter_floats;
}
