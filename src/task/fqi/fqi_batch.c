/* The batch: read from a file, or recorded from an environment, and made longer. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "task/fqi/fqi.h"

// one environment that is acted in, and where its transitions go
typedef struct recorder {
  coh_fqi *fqi;
  coh_env *env;
  coh_env_spec spec;
  uint8_t *row;
  float *state, *next_state;
} recorder;

static coh_status open_recorder(coh_fqi *fqi, int64_t index, recorder *r) {
  *r = (recorder){.fqi = fqi};
  COH_TRY(coh_env_create(fqi->env, 1, index, fqi->context->seed, &r->env));
  r->spec = *coh_env_spec_of(r->env);
  COH_NEW(r->row, r->spec.observation_bytes);
  COH_NEW(r->state, r->spec.n_values);
  COH_NEW(r->next_state, r->spec.n_values);
  return COH_OK;
}

static void close_recorder(recorder *r) {
  coh_env_destroy(&r->env);
  coh_free(r->row), coh_free(r->state), coh_free(r->next_state);
}

// greedy but for epsilon; a draw a row of the batch
static coh_status choose(recorder *r, double epsilon, int32_t *action) {
  coh_key key = coh_key_make(r->fqi->context->seed, "record");
  coh_stream stream = coh_stream_begin(key, 0, (uint64_t)r->fqi->batch->n_rows);
  if (epsilon < 1 && coh_stream_uniform(&stream) >= epsilon)
    return coh_fqi_act(r->fqi, 1, r->state, action);
  *action = (int32_t)coh_stream_below(&stream, r->spec.n_actions);
  return COH_OK;
}

// until the batch has so many rows or episodes (0: any number)
static coh_status record(recorder *r, double epsilon, int64_t n_rows, int64_t n_episodes) {
  coh_transitions *batch = r->fqi->batch;
  int64_t ended = batch->n_episodes;
  coh_env_reset(r->env, r->row);
  while (batch->n_rows < n_rows && (n_episodes == 0 || ended < n_episodes)) {
    coh_transition_row row = {.state = r->state, .next_state = r->next_state};
    uint8_t terminated, truncated;
    coh_env_expand(&r->spec, 1, r->row, r->state);
    COH_TRY(choose(r, epsilon, &row.action));
    COH_TRY(coh_env_step(r->env, &row.action, r->row, &row.reward, &terminated, &truncated));
    coh_env_expand(&r->spec, 1, r->row, r->next_state);
    row.terminated = terminated;
    row.truncated = truncated || (batch->n_rows + 1 == n_rows && !terminated);
    COH_TRY(coh_transitions_append(batch, &row));
    ended += terminated || truncated;
    coh_env_reset_ended(r->env, r->row);
  }
  return COH_OK;
}

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

coh_status coh_fqi_batch_open(coh_fqi *fqi) {
  if (*fqi->options->batch) {
    COH_TRY(read_batch(fqi));
  } else {
    recorder r;
    coh_status status = open_recorder(fqi, 0, &r);
    if (status == COH_OK)
      status = coh_transitions_create(fqi->env->kind->name, r.spec.n_values, r.spec.n_actions,
                                      &fqi->batch);
    if (status == COH_OK)
      status = record(&r, 1, fqi->options->record.transitions, fqi->options->record.episodes);
    close_recorder(&r);
    COH_TRY(status);
  }
  fqi->n_recorded = fqi->batch->n_rows;
  return COH_OK;
}

coh_status coh_fqi_batch_grow(coh_fqi *fqi) {
  const coh_fqi_grow *grow = &fqi->options->grow;
  recorder r;
  coh_status status =
      coh_comm_agree(fqi->context->world, open_recorder(fqi, 1 + fqi->n_additions, &r));
  if (status == COH_OK)
    status = record(&r, grow->epsilon, fqi->batch->n_rows + grow->transitions, 0);
  if (status == COH_OK) fqi->n_additions++;
  close_recorder(&r);
  return status;
}
