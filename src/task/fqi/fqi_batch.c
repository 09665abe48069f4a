/* The batch: read from a file, or recorded from an environment, and made longer. */
#include "task/fqi/fqi.h"
#include "task/recorder.h"

// a batch that was read does not grow: copy it into one that does
static coh_status make_growable(coh_fqi *fqi) {
  coh_transitions *from = fqi->batch, *to = NULL;
  COH_TRY(coh_transitions_create(from->source, from->n_values, from->n_actions, &to));
  coh_status status = COH_OK;
  for (int64_t i = 0; i < from->n_rows && status == COH_OK; i++) {
    bool last = i + 1 == from->n_rows || from->episodes[i + 1] != from->episodes[i];
    coh_transition_row row = {.state = from->states + i * from->n_values,
                              .next_state = from->next_states + i * from->n_values,
                              .action = from->actions[i],
                              .reward = from->rewards[i],
                              .terminated = from->terminated[i],
                              .truncated = last && !from->terminated[i]};
    status = coh_transitions_append(to, &row);
  }
  coh_transitions_destroy(status == COH_OK ? &from : &to);
  if (status == COH_OK) fqi->batch = to;
  return status;
}

static coh_status read_batch(coh_fqi *fqi) {
  const char *path = fqi->options->batch;
  int64_t n_actions = 0, n_values = 0;
  if (fqi->env) {
    coh_env *env = NULL;
    COH_TRY(coh_env_create(fqi->env, 1, 0, fqi->context->seed, &env));
    n_actions = coh_env_spec_of(env)->n_actions;
    n_values = coh_env_spec_of(env)->n_values;
    coh_env_destroy(&env);
  }
  COH_TRY(coh_transitions_read(path, n_actions, &fqi->batch));
  COH_CHECK(n_values == 0 || fqi->batch->n_values == n_values, COH_E_DATA,
            "%s: states have %lld values; those of %s have %lld", path,
            (long long)fqi->batch->n_values, fqi->env->kind->name, (long long)n_values);
  return fqi->options->grow.every > 0 ? make_growable(fqi) : COH_OK;
}

static coh_status record_batch(coh_fqi *fqi, coh_recorder *r) {
  const coh_fqi_options *options = fqi->options;
  COH_TRY(coh_recorder_open(fqi->env, 0, fqi->context->seed, r));
  COH_TRY(coh_transitions_create(fqi->env->kind->name, r->spec.n_values, r->spec.n_actions,
                                 &fqi->batch));
  coh_recording what = {.seed = fqi->context->seed,
                        .n_rows = options->record.transitions,
                        .n_episodes = options->record.episodes};
  return coh_recorder_run(r, &what, fqi->batch);
}

coh_status coh_fqi_batch_open(coh_fqi *fqi) {
  if (*fqi->options->batch) return read_batch(fqi);
  coh_recorder r;
  coh_status status = record_batch(fqi, &r);
  coh_recorder_close(&r);
  return status;
}

static coh_status act_greedily(void *fqi, const coh_recorder *r, int32_t *action) {
  return coh_fqi_act(fqi, 1, r->state, action);
}

coh_status coh_fqi_batch_grow(coh_fqi *fqi) {
  const coh_fqi_grow *grow = &fqi->options->grow;
  coh_recorder r;
  coh_status status =
      coh_comm_agree(fqi->context->world,
                     coh_recorder_open(fqi->env, 1 + fqi->n_additions, fqi->context->seed, &r));
  coh_recording what = {.choose = act_greedily,
                        .context = fqi,
                        .epsilon = grow->epsilon,
                        .seed = fqi->context->seed,
                        .n_rows = fqi->batch->n_rows + grow->transitions};
  if (status == COH_OK) status = coh_recorder_run(&r, &what, fqi->batch);
  if (status == COH_OK) fqi->n_additions++;
  coh_recorder_close(&r);
  return status;
}
