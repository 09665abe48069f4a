/* Checkpoints: folders that are whole or absent.
 *
 *   checkpoints/step-00012000/  model.safetensors   what others open
 *                               state.safetensors   optimiser, counters
 *                               experience/lane-00003.zst   one file a lane
 *                               manifest.json       sizes, checksums, config hash, position,
 *                                                   last its own checksum
 *
 * Everything is written into a temporary folder, flushed, and renamed. Nothing in it knows of
 * ranks, so any number of ranks can load it. */
#ifndef COHORT_RUN_CHECKPOINT_H
#define COHORT_RUN_CHECKPOINT_H

#include "cohort/comm.h"
#include "cohort/task.h"
#include "run/metrics.h"
#include "run/run_config.h"

/* What the driver itself keeps. */
typedef struct coh_checkpoint_info {
  int64_t step;  /* the task's position */
  uint64_t hash; /* of the config */
  int64_t n_lanes;
  double seconds; /* run time so far */
  coh_metrics_position metrics;
} coh_checkpoint_info;

/* The manifest's last member: the checksum of all bytes before this text. */
#define COH_MANIFEST_SEAL "\"xxh3_above\": "

/* Write a checkpoint of the task below folder/checkpoints and remove all but the newest `keep`.
 * Collective. info: as rank 0 has it. A failure leaves older checkpoints as they are.
 * Fails (agreed): COH_E_IO, COH_E_MEMORY, COH_E_DIVERGED. */
coh_status coh_checkpoint_write(coh_world *world, const coh_lanes *lanes,
                                const coh_run_config *config, void *task,
                                const coh_checkpoint_info *info, const char *folder,
                                int64_t keep);

/* Find the newest checkpoint that is whole: manifest, sizes and checksums are verified; damaged
 * ones are named in a warning and passed over. Rank 0 looks, all get the answer.
 * Collective. path: out, caller frees with coh_free. hash: of the config, which must agree.
 * Fails (agreed): COH_E_CHECKPOINT. */
coh_status coh_checkpoint_find(coh_world *world, const char *folder, uint64_t hash, char **path,
                               coh_checkpoint_info *info);

/* Load the task from a checkpoint that was found. Collective. Fails (agreed):
 * COH_E_CHECKPOINT. */
coh_status coh_checkpoint_load(coh_world *world, const coh_lanes *lanes,
                               const coh_run_config *config, void *task, const char *path);

/* File name of a store within a checkpoint. */
enum { COH_N_STORES = 2 };
const char *coh_checkpoint_store_name(coh_store store);

/* Where the checkpoint of a step lies in a run folder. */
void coh_checkpoint_path(const char *folder, int64_t step, char *path, size_t n_bytes);

/* The names "step-..." in a folder of checkpoints, newest first. Free with _list_free. Not
 * collective. Fails: COH_E_CHECKPOINT when there is no such folder, COH_E_MEMORY. */
coh_status coh_checkpoint_list(const char *checkpoints, char ***names, int64_t *n_names);
void coh_checkpoint_list_free(char **names, int64_t n_names);

#endif
