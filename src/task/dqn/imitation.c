/* Imitation: the expert's rows, the discriminator's step, and what it says of the agent's. */
#include "task/dqn/imitation.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/network_save.h"

/* ---- making ------------------------------------------------------------------------------ */

// the rows of the first episodes, and what the expert's whole ones return
static void count_expert(coh_imitation *it) {
  const coh_transitions *t = it->expert;
  int64_t most = it->config.options->episodes;
  double sum = 0, total = 0;
  for (int64_t i = 0; i < t->n_rows && (most == 0 || t->episodes[i] < most); i++) {
    it->n_expert = i + 1;
    sum += (double)t->rewards[i];
    if (!t->terminated[i] && !t->truncated[i]) continue;
    total += sum;
    sum = 0;
    it->expert_episodes++;
  }
  it->expert_return = it->expert_episodes ? total / (double)it->expert_episodes : NAN;
}

static coh_status read_expert(coh_imitation *it) {
  const coh_imitation_config *c = &it->config;
  const char *path = c->options->demonstrations;
  COH_TRY(coh_transitions_read(path, c->n_actions, &it->expert));
  COH_CHECK(it->expert->n_values == c->n_values, COH_E_DATA,
            "%s: states of %" PRId64 " values, the environment's have %" PRId64
            "; record them in the same environment",
            path, it->expert->n_values, c->n_values);
  count_expert(it);
  return COH_OK;
}

// parameters follow each other in the block as the networks were built
static coh_status initialize(coh_imitation *it) {
  uint64_t seed = it->config.context->seed;
  COH_NEW(it->params, it->n_floats);
  COH_TRY(coh_network_initialize(it->reward, seed, it->params));
  if (!it->shaping) return COH_OK;
  return coh_network_initialize(it->shaping, seed, it->params + coh_network_floats(it->reward));
}

static coh_status create_lanes(coh_imitation *it) {
  int64_t n_local = it->config.context->lanes.n_local;
  COH_NEW(it->lane, n_local);
  for (int64_t i = 0; i < n_local; i++) {
    coh_workspace **workspace = &it->lane[i].workspace;
    COH_TRY(coh_workspace_create(it->program, workspace));
    COH_TRY(coh_workspace_bind_parameters(*workspace, it->params));
    COH_TRY(coh_workspace_bind_flat(*workspace, it->gradient, it->n_parameters,
                                    coh_learner_gradient(&it->learner, i)));
  }
  return COH_OK;
}

static coh_status create(coh_imitation *it) {
  const coh_run_context *context = it->config.context;
  it->draw_key = coh_key_make(context->seed, "demonstrations");
  it->mix_key = coh_key_make(context->seed, "imitation mix");
  COH_TRY(read_expert(it));
  COH_TRY(coh_imitation_build(it));
  COH_TRY(initialize(it));
  COH_TRY(coh_learner_create(&it->learner, context, "imitation.",
                             &it->config.options->optimizer, it->n_floats));
  return create_lanes(it);
}

coh_status coh_imitation_create(const coh_imitation_config *config, coh_imitation **out) {
  COH_NEW(*out, 1);
  (*out)->config = *config;
  return create(*out);
}

void coh_imitation_destroy(coh_imitation **imitation) {
  coh_imitation *it = *imitation;
  if (!it) return;
  for (int64_t i = 0; it->lane && i < it->config.context->lanes.n_local; i++)
    coh_workspace_destroy(&it->lane[i].workspace);
  coh_free(it->lane);
  coh_learner_destroy(&it->learner);
  coh_program_destroy(&it->program);
  coh_graph_destroy(&it->graph);
  coh_graph_destroy(&it->layout);
  coh_network_destroy(&it->reward);
  coh_network_destroy(&it->shaping);
  coh_transitions_destroy(&it->expert);
  coh_free(it->gradient);
  coh_free(it->params);
  coh_free(it);
  *imitation = NULL;
}

/* ---- a step ------------------------------------------------------------------------------ */

static void fill_row(const coh_imitation *it, float *row, const float *state, int32_t action,
                     const float *next) {
  int64_t d = it->config.n_values, n_actions = it->config.n_actions;
  memcpy(row, state, (size_t)d * sizeof *row);
  memset(row + d, 0, (size_t)n_actions * sizeof *row);
  row[d + action] = 1;
  memcpy(row + d + n_actions, next, (size_t)d * sizeof *row);
}

void coh_imitation_draw(coh_imitation *it, uint64_t update, int64_t lane, int64_t local,
                        float *states) {
  const coh_transitions *t = it->expert;
  coh_workspace *workspace = it->lane[local].workspace;
  float *rows = coh_workspace_data(workspace, it->rows);
  float *ends = coh_workspace_data(workspace, it->ends);
  float *mix = it->mix == COH_NO_VALUE ? NULL : coh_workspace_data(workspace, it->mix);
  int64_t n = it->config.lane_rows, d = it->config.n_values;
  int64_t width = 2 * d + it->config.n_actions;
  for (int64_t i = 0; i < n; i++) {
    uint32_t entity = (uint32_t)(lane * n + i);
    coh_stream stream = coh_stream_begin(it->draw_key, entity, update);
    int64_t k = coh_stream_below(&stream, it->n_expert);
    const float *state = t->states + k * d;
    fill_row(it, rows + i * width, state, t->actions[k], t->next_states + k * d);
    if (ends) ends[i] = t->terminated[k];
    if (states) memcpy(states + i * d, state, (size_t)d * sizeof *state);
    if (!mix) continue;
    stream = coh_stream_begin(it->mix_key, entity, update);
    mix[i] = (float)coh_stream_uniform(&stream);
  }
}

int32_t coh_imitation_action(const coh_imitation *it, int64_t local, int64_t i) {
  int64_t d = it->config.n_values, width = 2 * d + it->config.n_actions;
  const float *row = coh_workspace_data(it->lane[local].workspace, it->rows) + i * width + d;
  int32_t action = 0;
  while (row[action] == 0)
    action++;
  return action;
}

static void fill_agent(coh_imitation *it, coh_workspace *workspace,
                       const coh_imitation_rows *rows) {
  int64_t n = it->config.lane_rows, d = it->config.n_values;
  int64_t width = 2 * d + it->config.n_actions;
  float *out = coh_workspace_data(workspace, it->rows) + n * width;
  float *ends = coh_workspace_data(workspace, it->ends);
  for (int64_t i = 0; i < n; i++) {
    fill_row(it, out + i * width, rows->states + i * d, rows->actions[i],
             rows->next_states + i * d);
    ends[n + i] = rows->discounts[i] == 0;
  }
  if (rows->log_policy)
    memcpy(coh_workspace_data(workspace, it->policy), rows->log_policy,
           (size_t)(2 * n) * sizeof *out);
}

static void add_up(const coh_imitation *it, coh_workspace *workspace, float *tail) {
  int64_t n = it->config.lane_rows;
  const float *logits = coh_workspace_data(workspace, it->logits);
  const float *losses = coh_workspace_data(workspace, it->losses);
  memset(tail, 0, COH_LEARNER_TAIL * sizeof *tail);
  for (int64_t i = 0; i < n; i++) {
    tail[COH_IMITATION_TAIL_LOSS] += losses[i] / (float)it->config.batch;
    tail[COH_IMITATION_TAIL_EXPERT] += logits[i];
    tail[COH_IMITATION_TAIL_AGENT] += logits[n + i];
    tail[COH_IMITATION_TAIL_CORRECT] += (float)((logits[i] > 0) + (logits[n + i] < 0));
  }
}

// the reward of one step in the end, as the chosen form has it
static double end_reward(const coh_imitation *it, double logit) {
  if (it->config.options->method == COH_IMITATION_AIRL) return logit;
  if (it->config.options->reward == COH_IMITATION_POSITIVE) return log1p(exp(logit));
  if (it->config.options->reward == COH_IMITATION_NEGATIVE) return -log1p(exp(-logit));
  return logit;
}

coh_status coh_imitation_run(coh_imitation *it, int64_t local, const coh_imitation_rows *rows,
                             float *returns) {
  const coh_imitation_config *c = &it->config;
  coh_workspace *workspace = it->lane[local].workspace;
  fill_agent(it, workspace, rows);
  COH_TRY(coh_program_run(it->program, workspace));
  float *tail = coh_learner_gradient(&it->learner, local) + it->n_floats;
  add_up(it, workspace, tail);
  const float *rewards = coh_workspace_data(workspace, it->rewards) + c->lane_rows;
  double end = end_reward(it, (double)*coh_workspace_data(workspace, it->end));
  // airl's reward is in units of the policy's logits
  double scale = c->options->method == COH_IMITATION_AIRL ? c->temperature : 1;
  for (int64_t i = 0; i < c->lane_rows; i++) {
    double reward = (double)rewards[i];
    tail[COH_IMITATION_TAIL_REWARD] += rewards[i];
    if (rows->discounts[i] == 0) reward += c->gamma / (1 - c->gamma) * end;
    returns[i] = (float)(scale * reward);
  }
  return COH_OK;
}

/* ---- metrics, save and load -------------------------------------------------------------- */

void coh_imitation_metrics(coh_imitation *it, coh_metric_row *exact) {
  const coh_learner *learner = &it->learner;
  if (learner->n_window) {
    double updates = (double)learner->n_window, rows = updates * (double)it->config.batch;
    const double *tail = learner->tail;
    coh_metric_add(exact, "imitation/loss", tail[COH_IMITATION_TAIL_LOSS] / updates);
    coh_metric_add(exact, "imitation/accuracy", tail[COH_IMITATION_TAIL_CORRECT] / (2 * rows));
    coh_metric_add(exact, "imitation/expert_logit", tail[COH_IMITATION_TAIL_EXPERT] / rows);
    coh_metric_add(exact, "imitation/agent_logit", tail[COH_IMITATION_TAIL_AGENT] / rows);
    coh_metric_add(exact, "imitation/reward", tail[COH_IMITATION_TAIL_REWARD] / rows);
  }
  coh_learner_restart(&it->learner);
}

static coh_array vector_of(coh_imitation *it) {
  return (coh_array){
      .dtype = COH_DTYPE_F32, .n_dims = 1, .shape = {it->n_floats}, .data = it->params};
}

coh_status coh_imitation_save(coh_imitation *it, coh_saver *saver) {
  const coh_network_facts facts = {.role = "reward"};
  COH_TRY(coh_network_save(saver, it->reward, it->layout, it->params, &facts));
  COH_TRY(coh_learner_save(&it->learner, saver));
  coh_array params = vector_of(it);
  return coh_save_tensor(saver, COH_STORE_STATE, "imitation.params", &params);
}

coh_status coh_imitation_load(coh_imitation *it, coh_loader *loader) {
  COH_TRY(coh_learner_load(&it->learner, loader));
  coh_array params = vector_of(it);
  return coh_load_tensor(loader, COH_STORE_STATE, "imitation.params", &params);
}
