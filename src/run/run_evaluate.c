/* Evaluating and exporting what a run has saved. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/file.h"
#include "io/json.h"
#include "io/npz.h"
#include "run/driver.h"

void coh_run_write_row(const coh_metric_row *row, coh_json_writer *out) {
  coh_json_begin_object(out);
  for (int64_t i = 0; i < row->n_metrics; i++) {
    coh_json_key(out, row->metric[i].name);
    coh_json_real(out, row->metric[i].value);
  }
  coh_json_end_object(out);
}

static coh_status print_text(coh_text *text, FILE *output) {
  char *json = NULL;
  COH_TRY(coh_text_take(text, &json));
  fprintf(output, "%s\n", json);
  fflush(output);
  coh_free(json);
  return COH_OK;
}

static coh_status print_row(const coh_metric_row *row, FILE *output) {
  coh_text text = {0};
  coh_json_writer out = {.text = &text, .indented = true};
  coh_run_write_row(row, &out);
  return print_text(&text, output);
}

coh_status coh_run_read_overrides(const char *name, const coh_option *table,
                                  const coh_run_start_options *given, void *target) {
  coh_config *config = NULL;
  COH_TRY(coh_config_parse(name, "{}", 2, &config));
  coh_status status = COH_OK;
  for (int64_t k = 0; given && k < given->n_overrides && status == COH_OK; k++)
    status = coh_config_override(config, given->overrides[k]);
  if (status == COH_OK) status = coh_options_fill(table, config, target);
  coh_config_destroy(&config);
  return status;
}

// the hash of the config as the run was started with it
static coh_status hash_of(coh_world *world, const char *folder, char path[COH_PATH_BYTES],
                          uint64_t *hash) {
  snprintf(path, COH_PATH_BYTES, "%s/config.yaml", folder);
  coh_status status = COH_OK;
  if (!coh_file_exists(path))
    status = coh_fail(COH_E_CHECKPOINT, "%s: is no run folder (it has no config.yaml)", folder);
  COH_TRY(coh_comm_agree(world, status));
  coh_run_config original;
  COH_TRY(coh_comm_agree(world, coh_run_config_read(path, NULL, 0, &original)));
  *hash = original.hash;
  coh_run_config_clear(&original);
  return COH_OK;
}

static coh_status load_newest(coh_run *run, const char *folder, uint64_t hash) {
  coh_checkpoint_info info = {0};
  char *checkpoint = NULL;
  COH_TRY(coh_checkpoint_find(run->world, folder, hash, &checkpoint, &info));
  coh_status status =
      coh_checkpoint_load(run->world, &run->lanes, &run->config, run->task, checkpoint);
  coh_free(checkpoint);
  return status;
}

coh_status coh_run_open_saved(coh_world *world, const char *folder,
                              const coh_run_start_options *options, bool is_trained,
                              coh_run **opened) {
  char path[COH_PATH_BYTES];
  uint64_t hash;
  COH_TRY(hash_of(world, folder, path, &hash));
  coh_run *run;
  COH_NEW(run, 1);
  coh_status status = coh_run_open(run, world, path, options, "");
  if (status != COH_OK) {
    coh_free(run);
    return status;
  }
  if (is_trained) status = load_newest(run, folder, hash);
  if (status != COH_OK) {
    coh_run_close(run);
    coh_free(run);
    return status;
  }
  *opened = run;
  return COH_OK;
}

coh_status coh_run_evaluate(coh_world *world, const char *folder,
                            const coh_run_start_options *options) {
  coh_run *run;
  COH_TRY(coh_run_open_saved(world, folder, options, true, &run));
  coh_status status = COH_OK;
  coh_metric_row row = {0};
  if (!run->config.task->evaluate)
    status = coh_fail(COH_E_CONFIG, "task %s has no evaluation", run->config.task->kind.name);
  if (status == COH_OK) status = run->config.task->evaluate(run->task, &row);
  if (status == COH_OK && run->output) status = print_row(&row, run->output);
  coh_run_close(run);
  coh_free(run);
  return coh_comm_agree(world, status);
}

// ---- rows of others -----------------------------------------------------------------------

// one member: the rows' name and their numbers; rows that the run lacks are left out
static coh_status score_one(coh_run *run, const char *path, int64_t yardstick,
                            coh_json_writer *out) {
  const coh_task_type *task = run->config.task;
  coh_metric_row row = {0};
  COH_TRY(task->score(run->task, path, yardstick, &row));
  if (row.n_metrics == 0) return COH_OK;
  coh_json_key(out, path ? path : task->yardsticks[yardstick]);
  coh_run_write_row(&row, out);
  return COH_OK;
}

coh_status coh_run_score(coh_world *world, const char *folder, const char *const *paths,
                         int64_t n_paths, const coh_run_start_options *options) {
  coh_run *run;
  COH_TRY(coh_run_open_saved(world, folder, options, false, &run));
  const coh_task_type *task = run->config.task;
  coh_status status = COH_OK;
  coh_text text = {0};
  coh_json_writer out = {.text = &text, .indented = true};
  if (!task->score)
    status =
        coh_fail(COH_E_CONFIG, "task %s scores nothing that others have made", task->kind.name);
  coh_json_begin_object(&out);
  for (int64_t i = 0; i < n_paths && status == COH_OK; i++)
    status = score_one(run, paths[i], 0, &out);
  for (int64_t k = 0; status == COH_OK && task->yardsticks && task->yardsticks[k]; k++)
    status = score_one(run, NULL, k, &out);
  coh_json_end_object(&out);
  if (status == COH_OK && run->output)
    status = print_text(&text, run->output);
  else
    coh_text_clear(&text);
  coh_run_close(run);
  coh_free(run);
  return coh_comm_agree(world, status);
}
