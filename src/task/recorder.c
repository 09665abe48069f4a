/* Recording: one environment stepped into a batch. */
#include "task/recorder.h"

#include "base/alloc.h"
#include "cohort/random.h"

coh_status coh_recorder_open(const coh_choice *env, int64_t index, uint64_t seed,
                             coh_recorder *r) {
  *r = (coh_recorder){0};
  COH_TRY(coh_env_create(env, 1, index, seed, &r->env));
  r->spec = *coh_env_spec_of(r->env);
  COH_NEW(r->row, r->spec.observation_bytes);
  COH_NEW(r->state, r->spec.n_values);
  COH_NEW(r->next_state, r->spec.n_values);
  return COH_OK;
}

void coh_recorder_close(coh_recorder *r) {
  coh_env_destroy(&r->env);
  coh_free(r->row), coh_free(r->state), coh_free(r->next_state);
  *r = (coh_recorder){0};
}

// a stream for each row of the batch
static coh_status choose(const coh_recorder *r, const coh_recording *what, int32_t *action) {
  coh_key key = coh_key_make(what->seed, "record");
  coh_stream stream = coh_stream_begin(key, 0, (uint64_t)r->batch->n_rows);
  if (what->choose && coh_stream_uniform(&stream) >= what->epsilon)
    return what->choose(what->context, r, action);
  *action = (int32_t)coh_stream_below(&stream, r->spec.n_actions);
  return COH_OK;
}

coh_status coh_recorder_run(coh_recorder *r, const coh_recording *what,
                            coh_transitions *batch) {
  int64_t n_ended = 0;
  r->batch = batch;
  r->total = 0;
  coh_env_reset(r->env, r->row);
  while (batch->n_rows < what->n_rows &&
         (what->n_episodes == 0 || n_ended < what->n_episodes)) {
    coh_transition_row row = {.state = r->state, .next_state = r->next_state};
    uint8_t terminated, truncated;
    coh_env_expand(&r->spec, 1, r->row, r->state);
    COH_TRY(choose(r, what, &row.action));
    if (row.action < 0) return COH_OK;
    COH_TRY(coh_env_step(r->env, &row.action, r->row, &row.reward, &terminated, &truncated));
    coh_env_expand(&r->spec, 1, r->row, r->next_state);
    bool last = batch->n_rows + 1 == what->n_rows;
    row.terminated = terminated;
    row.truncated = truncated || (last && !terminated);
    COH_TRY(coh_transitions_append(batch, &row));
    r->total += (double)row.reward;
    if (!terminated && !truncated) continue;
    n_ended++;
    r->total = 0;
    coh_env_reset_ended(r->env, r->row);
  }
  return COH_OK;
}
