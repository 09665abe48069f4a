/* How every task keeps its networks: tensors by name, and the card that lets anyone open them
 * again (cohort/network_file.h). */
#ifndef COHORT_TASK_NETWORK_SAVE_H
#define COHORT_TASK_NETWORK_SAVE_H

#include "cohort/network_file.h"
#include "cohort/task.h"

/* Put a network into model.safetensors. layout: a graph that holds this network only; params:
 * its flat block, borrowed until the save has ended. Weights that are not finite are not kept:
 * fails with COH_E_DIVERGED. */
coh_status coh_network_save(coh_saver *saver, const coh_network *network,
                            const coh_graph *layout, float *params,
                            const coh_network_facts *facts);

/* Copy it back out. Fails: COH_E_CHECKPOINT. */
coh_status coh_network_load(coh_loader *loader, const coh_graph *layout, float *params);

#endif
