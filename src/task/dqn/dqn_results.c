/* What a finished run shows: the trained agent against a random one, and an animation. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/file.h"
#include "io/image.h"
#include "task/dqn/dqn.h"
#include "task/exact_values.h"

enum { PATH_BYTES = 4096, CAPTION_BYTES = 512 };

// frames a second: pole and car at their simulated speed, board games slow enough to follow
static double seconds_a_frame(const coh_env_spec *spec) {
  return spec->n_dims == 3 ? 0.1 : 0.04;
}

// let the trained agent play and film it; the game of row 0, rank 0 only
static coh_status film(coh_dqn *dqn, coh_env *env, coh_workspace *workspace, uint8_t *rows,
                       uint8_t *rgb, coh_animation *animation, double *shown_return,
                       int64_t *n_episodes) {
  float *input = coh_workspace_data(workspace, dqn->evaluate.input);
  const float *q = coh_workspace_data(workspace, dqn->evaluate.q);
  int64_t n_actions = dqn->spec.n_actions;
  double pause = seconds_a_frame(&dqn->spec);
  coh_env_reset(env, rows);
  for (int64_t frame = 0; frame < dqn->options->animation; frame++) {
    coh_env_render(env, 0, rgb);
    COH_TRY(coh_animation_add(animation, rgb, pause));
    coh_env_expand(&dqn->spec, 1, rows, input);
    COH_TRY(coh_program_run(dqn->evaluate.program, workspace));
    int32_t action = (int32_t)coh_dqn_argmax(q, n_actions);
    float reward;
    uint8_t terminated, truncated;
    COH_TRY(coh_env_step(env, &action, rows, &reward, &terminated, &truncated));
    *shown_return += (double)reward;
    if (!terminated && !truncated) continue;
    coh_env_render(env, 0, rgb);
    COH_TRY(coh_animation_add(animation, rgb, 10 * pause));
    ++*n_episodes;
    coh_env_reset_ended(env, rows);
  }
  return COH_OK;
}

static coh_status animate(coh_dqn *dqn, coh_results *results) {
  const coh_env_spec *spec = &dqn->spec;
  coh_env *env = NULL;
  coh_workspace *workspace = NULL;
  coh_animation *animation = NULL;
  uint8_t *rows = coh_alloc_array(1, spec->observation_bytes);
  uint8_t *rgb = coh_alloc_array((size_t)(spec->render_width * spec->render_height), 3);
  double shown_return = 0;
  int64_t n_episodes = 0;
  coh_status status = rows && rgb ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to animate");
  uint64_t seed = dqn->context->seed ^ (uint64_t)dqn->options->evaluation.seed << 20;
  if (status == COH_OK) status = coh_env_create(&dqn->options->env, 1, 0, seed, &env);
  if (status == COH_OK) status = coh_workspace_create(dqn->evaluate.program, &workspace);
  if (status == COH_OK) status = coh_workspace_bind_parameters(workspace, dqn->params);
  if (status == COH_OK)
    status = coh_animation_create(spec->render_width, spec->render_height, &animation);
  if (status == COH_OK)
    status = film(dqn, env, workspace, rows, rgb, animation, &shown_return, &n_episodes);
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures", dqn->context->folder);
  if (status == COH_OK) status = coh_folder_make(path);
  snprintf(path, sizeof path, "%s/figures/agent.png", dqn->context->folder);
  if (status == COH_OK) status = coh_animation_write(animation, path);
  if (status == COH_OK) {
    char caption[CAPTION_BYTES];
    snprintf(caption, sizeof caption,
             "The trained agent playing %s greedily: reward %g in %lld frames, %lld episode%s "
             "ended.",
             dqn->options->env.kind->name, shown_return, (long long)dqn->options->animation,
             (long long)n_episodes, n_episodes == 1 ? "" : "s");
    coh_results_picture(results, "figures/agent.png", caption, true);
  }
  coh_animation_destroy(&animation);
  coh_workspace_destroy(&workspace);
  coh_env_destroy(&env);
  coh_free(rows);
  coh_free(rgb);
  return status;
}

static void compare(const coh_dqn *dqn, const coh_score *agent, const coh_score *random,
                    coh_results *results) {
  char text[CAPTION_BYTES];
  snprintf(text, sizeof text,
           "After %lld environment steps and %lld updates the agent returns %.4g an episode of "
           "%s; playing at random returns %.4g.",
           (long long)dqn->env_steps, (long long)dqn->learner.n_updates, agent->mean,
           dqn->options->env.kind->name, random->mean);
  coh_results_text(results, text);
  if (dqn->options->schedule == COH_DQN_FREE)
    coh_results_warning(results, "Schedule free: actors and learners ran each at "
                                 "their own pace, so this run cannot be repeated bit for bit.");
  if (agent->high <= random->high)
    coh_results_warning(results, "The agent is no better than chance. Look at the loss and the "
                                 "Q-values: a learning rate that is too high, too few updates "
                                 "or too little exploration are the usual causes.");
  double solved = dqn->spec.solved_at;
  if (!isfinite(solved)) return;
  snprintf(text, sizeof text, "%s counts as solved at a mean return of %g: %s.",
           dqn->options->env.kind->name, solved,
           agent->mean >= solved ? "reached" : "not reached yet");
  coh_results_text(results, text);
}

// how much of the way from chance to the expert was made
static void compare_expert(const coh_dqn *dqn, const coh_score *agent, const coh_score *random,
                           coh_results *results) {
  const coh_imitation *it = dqn->imitation;
  char text[CAPTION_BYTES], number[64];
  if (it->expert_episodes == 0) {
    coh_results_text(results, "No episode of the demonstrations is whole, so what the expert "
                              "returns is not known.");
    return;
  }
  double share = (agent->mean - random->mean) / (it->expert_return - random->mean);
  snprintf(text, sizeof text, "%lld episodes of %s", (long long)it->expert_episodes,
           dqn->options->imitate.demonstrations);
  coh_results_number(results, "expert_return", it->expert_return, NULL, "expert", text);
  snprintf(number, sizeof number, "%.1f %%", 100 * share);
  coh_results_number(results, "expert_share", share, number, "of the way to the expert",
                     "from a random agent's return; the environment's rewards were not used");
}

coh_status coh_dqn_results(void *task, coh_results *results) {
  coh_dqn *dqn = task;
  COH_TRY(coh_dqn_roles_share(dqn));
  coh_score agent = dqn->score, random;
  // the run's last evaluation is the same episodes again, unless the run was resumed at its end
  if (dqn->scored_at != dqn->learner.n_updates)
    COH_TRY(coh_dqn_play(dqn, dqn->options->evaluation.epsilon, &agent));
  COH_TRY(coh_dqn_play(dqn, 1, &random));
  coh_score_results(&agent, "eval_return", "mean return", results);
  coh_score_results(&random, "random_return", "random agent", results);
  compare(dqn, &agent, &random, results);
  if (dqn->imitation) compare_expert(dqn, &agent, &random, results);
  coh_layer_watch_results(&dqn->watch, results);
  coh_exact_values exact = {dqn->context, &dqn->options->env, dqn->options->gamma,
                            coh_dqn_values_of, dqn};
  if (!*dqn->options->imitate.demonstrations)
    COH_TRY(coh_exact_values_results(&exact, results));
  coh_status status = COH_OK;
  if (dqn->options->animation > 0 && coh_world_rank(dqn->context->world) == 0)
    status = animate(dqn, results);
  return status;
}
