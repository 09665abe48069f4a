/* States of layers (coh_network_refresh) over the lanes: running statistics of batch
 * normalisation, vectors of spectral normalisation. They lie among the parameters, but no
 * gradient moves them:
 *
 *     coh_layer_states_create   when the update's program is compiled (not collective)
 *     coh_layer_states_bind     for each lane's workspace
 *     coh_layer_states_connect  the lane sum (collective)
 *     each update:  coh_layer_states_gather, the optimiser's step, coh_layer_states_renew
 *
 * The optimiser's step lies between, so that its weight decay does not reach them. */
#ifndef COHORT_TASK_LAYER_STATES_H
#define COHORT_TASK_LAYER_STATES_H

#include "cohort/comm.h"
#include "cohort/graph.h"
#include "cohort/nn.h"
#include "cohort/task.h"

typedef struct coh_layer_states {
  const coh_run_context *context;
  const coh_network_refresh *refresh;
  int64_t n_floats; /* of all states; 0: there are none */
  int64_t *offset;  /* n of refresh: in the block of parameters */
  int64_t *count;   /* n */
  float **lane;     /* n_local: the values of this update */
  float *next;
  const void **sources;
  coh_lane_sum *sum;
} coh_layer_states;

/* refresh: borrowed, what building `graph` asked for. Fails: COH_E_MEMORY. */
coh_status coh_layer_states_create(coh_layer_states *states, const coh_run_context *context,
                                   const coh_graph *graph, const coh_network_refresh *refresh);
void coh_layer_states_destroy(coh_layer_states *states);

/* Let the program leave a lane's values here. */
coh_status coh_layer_states_bind(coh_layer_states *states, int64_t local,
                                 coh_workspace *workspace);

/* Collective. */
coh_status coh_layer_states_connect(coh_layer_states *states);

/* Average the lanes' values and work out the next states from those in params. Collective. */
coh_status coh_layer_states_gather(coh_layer_states *states, const float *params);

/* Write the next states into params. */
void coh_layer_states_renew(const coh_layer_states *states, float *params);

/* Write states taken otherwise (n_floats) into params. */
void coh_layer_states_replace(const coh_layer_states *states, const double *values,
                              float *params);

#endif
