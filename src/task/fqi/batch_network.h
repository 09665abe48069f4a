/* A network that is fitted to a whole batch at once, its rows parted over lanes: action values
 * by squared errors (neural fitted Q), or the behaviour's choices by cross-entropy (cloning).
 */
#ifndef COHORT_TASK_FQI_BATCH_NETWORK_H
#define COHORT_TASK_FQI_BATCH_NETWORK_H

#include "cohort/graph.h"
#include "cohort/nn.h"
#include "task/fqi/row_parts.h"
#include "task/learner.h"

typedef enum coh_batch_goal {
  COH_BATCH_VALUES,  /* sum of weight (output - target)^2 */
  COH_BATCH_CHOICES, /* sum of -weight log softmax(output) */
} coh_batch_goal;

typedef struct coh_batch_network_config {
  const coh_run_context *context;
  const char *name; /* of its tensors and draws, with a dot at the end, or "" */
  coh_choice_list layers;
  coh_choice initializer;
  const coh_choice *optimizer;
  coh_batch_goal goal;
  int64_t n_rows, n_values, n_outputs;
} coh_batch_network_config;

/* Rows first .. first + n: x (n, n_values), weight and target (n, n_outputs); all zero before.
 * Called by any thread. */
typedef void coh_batch_fill(const void *context, int64_t first, int64_t n, float *x,
                            float *weight, float *target);

typedef struct coh_batch_lane {
  coh_workspace *forward, *backward;
  float *gradient; /* of one block, before it is added to the learner's */
} coh_batch_lane;

typedef struct coh_batch_network {
  coh_batch_network_config config;
  char plain_name[64]; /* without the dot */
  coh_network *network;
  coh_graph *layout;
  coh_program *forward, *backward;
  coh_value forward_input, forward_output, input, weight, target, loss, *gradient;
  int64_t n_parameters, n_floats, n_block; /* n_block: rows that a program takes */
  float *params;
  float *mean, *scale; /* (n_values): inputs are (x - mean) scale */
  coh_learner learner;
  coh_row_parts parts; /* of the rows to fit; width 0 */
  coh_batch_lane *lane;
  coh_batch_fill *fill; /* of the epoch at hand */
  const void *fill_context;
} coh_batch_network;

/* Make it with fresh parameters. states (n_states, n_values): its inputs are standardised by
 * their mean and deviation. Not collective. config: copied, what it points to is borrowed. */
coh_status coh_batch_network_create(const coh_batch_network_config *config, int64_t n_states,
                                    const float *states, coh_batch_network *net);
coh_status coh_batch_network_connect(coh_batch_network *net);
void coh_batch_network_clear(coh_batch_network *net);

/* Parameters and optimiser begin again; draw: which draw of initial parameters. */
coh_status coh_batch_network_restart(coh_batch_network *net, bool parameters, uint64_t draw);

/* One pass over all rows and one step. Collective. Fails: COH_E_DIVERGED. */
coh_status coh_batch_network_epoch(coh_batch_network *net, coh_batch_fill *fill,
                                   const void *context);

/* Outputs of n states: out (n, n_outputs). By this rank alone, in the workspace of a local
 * lane. */
coh_status coh_batch_network_outputs(coh_batch_network *net, int64_t local, int64_t n,
                                     const float *states, double *out);

coh_status coh_batch_network_save(coh_batch_network *net, const char *role, coh_saver *saver);
coh_status coh_batch_network_load(coh_batch_network *net, coh_loader *loader);

#endif
