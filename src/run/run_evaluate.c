/* Evaluating and exporting what a run has saved. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/file.h"
#include "io/json.h"
#include "io/npz.h"
#include "run/driver.h"

// print one row as a JSON object
static coh_status print_row(const coh_metric_row *row, FILE *output) {
  coh_text text = {0};
  coh_json_writer out = {.text = &text, .indented = true};
  coh_json_begin_object(&out);
  for (int64_t i = 0; i < row->n_metrics; i++) {
    coh_json_key(&out, row->metric[i].name);
    coh_json_real(&out, row->metric[i].value);
  }
  coh_json_end_object(&out);
  char *json = NULL;
  COH_TRY(coh_text_take(&text, &json));
  fprintf(output, "%s\n", json);
  fflush(output);
  coh_free(json);
  return COH_OK;
}

coh_status coh_run_evaluate(coh_world *world, const char *folder,
                            const coh_run_start_options *options) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/config.yaml", folder);
  coh_status status = COH_OK;
  if (!coh_file_exists(path))
    status = coh_fail(COH_E_CHECKPOINT, "%s: is no run folder (it has no config.yaml)", folder);
  COH_TRY(coh_comm_agree(world, status));
  coh_run_config original;
  COH_TRY(coh_comm_agree(world, coh_run_config_read(path, NULL, 0, &original)));
  uint64_t hash = original.hash;
  coh_run_config_clear(&original);

  coh_run *run;
  COH_NEW(run, 1);
  status = coh_run_open(run, world, path, options, "");
  if (status != COH_OK) {
    coh_free(run);
    return status;
  }
  coh_checkpoint_info info = {0};
  char *checkpoint = NULL;
  if (!run->config.task->evaluate)
    status = coh_fail(COH_E_CONFIG, "task %s has no evaluation", run->config.task->kind.name);
  if (status == COH_OK) status = coh_checkpoint_find(world, folder, hash, &checkpoint, &info);
  if (status == COH_OK)
    status = coh_checkpoint_load(world, &run->lanes, &run->config, run->task, checkpoint);
  coh_metric_row row = {0};
  if (status == COH_OK) status = run->config.task->evaluate(run->task, &row);
  if (status == COH_OK && run->output) status = print_row(&row, run->output);
  coh_free(checkpoint);
  coh_run_close(run);
  coh_free(run);
  return coh_comm_agree(world, status);
}
