/* States of layers: averaged over lanes, then moved as their layers say. */
#include "task/layer_states.h"

#include "base/alloc.h"

static coh_parameter_view view_of(const coh_graph *graph, coh_value value) {
  for (int64_t k = 0; k < coh_graph_n_parameters(graph); k++) {
    coh_parameter_view view = coh_graph_parameter_at(graph, k);
    if (view.value == value) return view;
  }
  return (coh_parameter_view){0};
}

coh_status coh_layer_states_create(coh_layer_states *states, const coh_run_context *context,
                                   const coh_graph *graph, const coh_network_refresh *refresh) {
  *states = (coh_layer_states){.context = context, .refresh = refresh};
  if (refresh->n == 0) return COH_OK;
  COH_NEW(states->offset, refresh->n);
  COH_NEW(states->count, refresh->n);
  for (int64_t k = 0; k < refresh->n; k++) {
    coh_parameter_view view = view_of(graph, refresh->parameter[k]);
    states->offset[k] = view.offset;
    states->count[k] = view.count;
    states->n_floats += view.count;
  }
  COH_NEW(states->next, states->n_floats);
  COH_NEW(states->sources, context->lanes.n_local);
  COH_NEW(states->lane, context->lanes.n_local);
  for (int64_t i = 0; i < context->lanes.n_local; i++)
    COH_NEW(states->lane[i], states->n_floats);
  return COH_OK;
}

void coh_layer_states_destroy(coh_layer_states *states) {
  coh_lane_sum_destroy(&states->sum);
  for (int64_t i = 0; states->lane && i < states->context->lanes.n_local; i++)
    coh_free(states->lane[i]);
  coh_free(states->lane), coh_free(states->sources), coh_free(states->next);
  coh_free(states->offset), coh_free(states->count);
  *states = (coh_layer_states){0};
}

coh_status coh_layer_states_bind(coh_layer_states *states, int64_t local,
                                 coh_workspace *workspace) {
  if (states->n_floats == 0) return COH_OK;
  float *to = states->lane[local];
  for (int64_t k = 0; k < states->refresh->n; k++) {
    COH_TRY(coh_workspace_bind(workspace, states->refresh->value[k], to));
    to += states->count[k];
  }
  return COH_OK;
}

coh_status coh_layer_states_connect(coh_layer_states *states) {
  if (states->n_floats == 0) return COH_OK;
  return coh_lane_sum_create(states->context->world, &states->context->lanes, COH_SUM_F32,
                             states->n_floats, 1, &states->sum);
}

coh_status coh_layer_states_gather(coh_layer_states *states, const float *params) {
  if (states->n_floats == 0) return COH_OK;
  for (int64_t i = 0; i < states->context->lanes.n_local; i++)
    states->sources[i] = states->lane[i];
  COH_TRY(coh_lane_sum_run(states->sum, states->sources, states->n_floats, states->next));
  float share = 1 / (float)states->context->lanes.n_lanes, *next = states->next;
  for (int64_t k = 0; k < states->refresh->n; k++) {
    float rate = (float)states->refresh->rate[k];
    for (int64_t i = 0; i < states->count[k]; i++)
      next[i] = (1 - rate) * params[states->offset[k] + i] + rate * (share * next[i]);
    next += states->count[k];
  }
  return COH_OK;
}

void coh_layer_states_renew(const coh_layer_states *states, float *params) {
  if (states->n_floats == 0) return;
  const float *next = states->next;
  for (int64_t k = 0; k < states->refresh->n; k++)
    for (int64_t i = 0; i < states->count[k]; i++)
      params[states->offset[k] + i] = *next++;
}

void coh_layer_states_replace(const coh_layer_states *states, const double *values,
                              float *params) {
  for (int64_t k = 0; states->n_floats && k < states->refresh->n; k++)
    for (int64_t i = 0; i < states->count[k]; i++)
      params[states->offset[k] + i] = (float)*values++;
}
