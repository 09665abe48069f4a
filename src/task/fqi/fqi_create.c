/* Making the task: batch, regressor, values. */
#include "base/alloc.h"
#include "base/clock.h"
#include "task/fqi/fqi.h"

// another environment for evaluation must show the same states and take the same actions
static coh_status check_play_env(const coh_fqi *fqi) {
  coh_env *env = NULL;
  COH_TRY(coh_env_create(fqi->play_env, 1, 0, fqi->context->seed, &env));
  int64_t n_values = coh_env_spec_of(env)->n_values,
          n_actions = coh_env_spec_of(env)->n_actions;
  coh_env_destroy(&env);
  COH_CHECK(
      n_values == fqi->batch->n_values && n_actions == fqi->batch->n_actions, COH_E_CONFIG,
      "%s: evaluation.env: %s has states of %lld values and %lld actions, the batch %lld "
      "and %lld",
      fqi->context->config_name, fqi->play_env->kind->name, (long long)n_values,
      (long long)n_actions, (long long)fqi->batch->n_values, (long long)fqi->batch->n_actions);
  return COH_OK;
}

coh_status coh_fqi_make_values(coh_fqi *fqi) {
  int64_t n = fqi->batch->n_rows, n_values = n * fqi->batch->n_actions;
  coh_row_store_clear(&fqi->store);
  COH_TRY(coh_row_store_create(fqi->context, fqi->batch,
                               (n + 2 * n_values) * (int64_t)sizeof(double), &fqi->store));
  fqi->targets = fqi->store.data;
  fqi->next = fqi->targets + n;
  fqi->before = fqi->next + n_values;
  return COH_OK;
}

static coh_status create(coh_fqi *fqi) {
  const coh_fqi_options *options = fqi->options;
  COH_TRY(coh_fqi_options_check(options, fqi->context->config_name));
  if (options->env.n_items) fqi->env = fqi->play_env = &options->env.item[0];
  if (options->evaluation.env.n_items) fqi->play_env = &options->evaluation.env.item[0];
  COH_TRY(coh_fqi_batch_open(fqi));
  if (fqi->play_env) COH_TRY(check_play_env(fqi));
  COH_TRY(coh_fqi_make_values(fqi));
  fqi->window_begun = coh_clock_now();
  return COH_OK;
}

coh_status coh_fqi_create(const coh_run_context *context, const void *options, void **task) {
  coh_fqi *fqi = coh_alloc_array(1, sizeof *fqi);
  coh_status status = fqi ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for task fqi");
  if (status == COH_OK) {
    fqi->context = context;
    fqi->options = options;
    fqi->scored_at = -1;
    status = create(fqi);
  }
  status = coh_comm_agree(context->world, status);
  if (status == COH_OK) {
    fqi->problem = (coh_fqi_problem){.context = context, .batch = fqi->batch, .name = ""};
    status = coh_regressor_open(&fqi->options->regressor, &fqi->problem, &fqi->regressor);
  }
  *task = fqi;
  if (status != COH_OK && fqi) coh_fqi_destroy(task);
  return status;
}

void coh_fqi_destroy(void **task) {
  coh_fqi *fqi = *task;
  if (!fqi) return;
  coh_regressor_close(&fqi->regressor);
  coh_transitions_destroy(&fqi->batch);
  coh_row_store_clear(&fqi->store);
  coh_free(fqi);
  *task = NULL;
}
