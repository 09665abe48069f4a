/* What layers use to build themselves: parameters, the dense product, flattening. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/layer_type.h"

static coh_value find_parameter(const coh_graph *graph, const char *name) {
  for (int64_t k = 0; k < coh_graph_n_parameters(graph); k++) {
    coh_parameter_view view = coh_graph_parameter_at(graph, k);
    if (strcmp(view.name, name) == 0) return view.value;
  }
  return COH_NO_VALUE;
}

static coh_status collect(coh_layer_site *site, const coh_parameter_plan *plan) {
  if (site->n_collected == site->capacity) {
    int64_t capacity = site->capacity ? 2 * site->capacity : 16;
    coh_network_parameter *grown = coh_alloc_resize(site->collected, (size_t)site->capacity,
                                                    (size_t)capacity, sizeof *site->collected);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for a network's parameters");
    site->collected = grown;
    site->capacity = capacity;
  }
  site->collected[site->n_collected++] =
      (coh_network_parameter){.plan = *plan, .layer = site->layer};
  return COH_OK;
}

coh_status coh_layer_parameter(coh_layer_site *site, const char *leaf,
                               const coh_parameter_plan *plan, coh_value *out) {
  char name[192];
  snprintf(name, sizeof name, "%s.%s", site->path, leaf);
  coh_value value = find_parameter(site->graph, name);
  if (value == COH_NO_VALUE) {
    value = coh_graph_parameter(site->graph, name, plan->shape);
  } else {
    coh_shape shape = coh_graph_shape(site->graph, value);
    char there[96], here[96];
    COH_CHECK(coh_shape_equal(shape, plan->shape), COH_E_CONFIG,
              "the graph has a parameter %s of %s already, not of %s: give one of the networks "
              "another name",
              name, coh_shape_text(shape, false, there),
              coh_shape_text(plan->shape, false, here));
  }
  if (site->collects) COH_TRY(collect(site, plan));
  *out = value;
  return COH_OK;
}

coh_value coh_layer_flatten(coh_graph *graph, coh_value in) {
  coh_shape shape = coh_graph_shape(graph, in);
  if (shape.rank <= 2) return in;
  int64_t n = coh_shape_count(shape) / shape.size[0];
  return coh_op_reshape(graph, in, COH_SHAPE(shape.size[0], n));
}

coh_status coh_layer_dense(coh_layer_site *site, const coh_dense_plan *plan, coh_value in,
                           coh_value *out) {
  coh_graph *g = site->graph;
  coh_value x = coh_layer_flatten(g, in), weight, bias;
  int64_t n_inputs = coh_graph_shape(g, x).size[1];
  char leaf[64];
  coh_parameter_plan parameter = {.role = COH_ROLE_WEIGHT,
                                  .shape = COH_SHAPE(n_inputs, plan->units),
                                  .fan_in = n_inputs,
                                  .fan_out = plan->units,
                                  .initializer = plan->initializer};
  snprintf(leaf, sizeof leaf, "%sweight", plan->leaf);
  COH_TRY(coh_layer_parameter(site, leaf, &parameter, &weight));
  if (plan->spectral) COH_TRY(coh_layer_spectral(site, plan->leaf, weight, &weight));
  coh_value y = coh_op_matmul(g, x, weight);
  if (plan->bias) {
    parameter.role = COH_ROLE_BIAS;
    parameter.shape = COH_SHAPE(plan->units);
    snprintf(leaf, sizeof leaf, "%sbias", plan->leaf);
    COH_TRY(coh_layer_parameter(site, leaf, &parameter, &bias));
    y = coh_op_add(g, y, bias);
  }
  *out = y;
  return COH_OK;
}

coh_status coh_layer_refresh(coh_layer_site *site, coh_value parameter, coh_value value,
                             double rate) {
  coh_network_refresh *refresh = site->refresh;
  if (site->use->inference || site->collects) return COH_OK;
  COH_CHECK(refresh, COH_E_CONFIG, "keeps a state, which this task does not renew");
  for (int64_t k = 0; k < refresh->n; k++)
    if (refresh->parameter[k] == parameter) return COH_OK; // the network is built a second time
  COH_CHECK(refresh->n < COH_MAX_REFRESH, COH_E_CONFIG,
            "more than %d layers with a state are too many", COH_MAX_REFRESH);
  refresh->parameter[refresh->n] = parameter;
  refresh->value[refresh->n] = value;
  refresh->rate[refresh->n++] = rate;
  return COH_OK;
}

// x / |x|
static coh_value unit(coh_graph *g, coh_value x) {
  coh_value squares = coh_op_sum_all(g, coh_op_square(g, x));
  return coh_op_mul(g, x, coh_op_rsqrt(g, coh_op_affine(g, squares, 1, 1e-12)));
}

coh_status coh_layer_spectral(coh_layer_site *site, const char *leaf, coh_value weight,
                              coh_value *out) {
  coh_graph *g = site->graph;
  coh_shape shape = coh_graph_shape(g, weight);
  int64_t n_units = shape.size[shape.rank - 1], n = coh_shape_count(shape) / n_units;
  coh_parameter_plan plan = {.role = COH_ROLE_ONES, .shape = COH_SHAPE(n_units, 1)};
  char name[64];
  snprintf(name, sizeof name, "%spower", leaf);
  coh_value u;
  COH_TRY(coh_layer_parameter(site, name, &plan, &u));
  coh_value matrix = coh_op_reshape(g, weight, COH_SHAPE(n, n_units));
  coh_value fixed = coh_op_stop_gradient(g, matrix);
  coh_value left = unit(g, coh_op_matmul(g, fixed, coh_op_stop_gradient(g, u)));
  coh_value right = unit(g, coh_op_matmul_t(g, fixed, true, left, false));
  left = coh_op_stop_gradient(g, left);
  right = coh_op_stop_gradient(g, right);
  coh_value norm = coh_op_sum_all(g, coh_op_mul(g, left, coh_op_matmul(g, matrix, right)));
  *out = coh_op_div(g, weight, norm);
  return coh_layer_refresh(site, u, right, 1);
}

coh_status coh_layer_list(coh_layer_site *site, const char *leaf, const coh_choice_list *layers,
                          coh_value in, coh_value *out) {
  const coh_layer_type *outer = site->type;
  char path[128];
  memcpy(path, site->path, sizeof path);
  coh_status status = COH_OK;
  for (int64_t i = 0; i < layers->n_items && status == COH_OK; i++) {
    const coh_layer_type *type = (const coh_layer_type *)(const void *)layers->item[i].kind;
    int n = snprintf(site->path, sizeof site->path, "%s.%s.%lld.%s", path, leaf, (long long)i,
                     type->kind.name);
    site->type = type;
    coh_value next = COH_NO_VALUE;
    if (n >= (int)sizeof site->path)
      status = coh_fail(COH_E_CONFIG, "layers are nested too deeply");
    else if (type->is_head)
      status = coh_fail(COH_E_CONFIG, "a head must be the last layer");
    else
      status = type->build(site, layers->item[i].options, in, &next);
    if (status == COH_OK) status = coh_graph_status(site->graph);
    if (status != COH_OK) {
      status =
          coh_fail_within(status, "%s: layer %lld (%s)", leaf, (long long)i, type->kind.name);
      break;
    }
    if (next != in) coh_graph_name(site->graph, next, site->path);
    in = next;
  }
  memcpy(site->path, path, sizeof path);
  site->type = outer;
  *out = in;
  return status;
}

const char *coh_shape_text(coh_shape shape, bool skip_batch, char buffer[96]) {
  int used = 0;
  buffer[0] = '\0';
  for (int axis = skip_batch ? 1 : 0; axis < shape.rank && used < 96; axis++)
    used += snprintf(buffer + used, (size_t)(96 - used), "%s%lld", used ? " x " : "",
                     (long long)shape.size[axis]);
  return buffer;
}
