/* Making the task: world, expert, demonstrations, and what the method needs. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "task/irl/irl.h"

static uint64_t world_seed(const coh_irl *irl, int64_t further) {
  return irl->context->seed ^ (uint64_t)irl->options->world_seed << 32 ^
         (uint64_t)further << 56;
}

static coh_status create_world(coh_irl *irl) {
  const coh_irl_options *o = irl->options;
  COH_TRY(coh_irl_world_make(&o->world, o->discount, world_seed(irl, 0), &irl->world));
  COH_NEW(irl->transfer, o->transfer);
  for (int64_t k = 0; k < o->transfer; k++)
    COH_TRY(
        coh_irl_world_make(&o->world, o->discount, world_seed(irl, k + 1), &irl->transfer[k]));
  const coh_mdp *mdp = irl->world.mdp;
  irl->n_columns = o->reward_on == 0 ? 1 : mdp->n_actions;
  irl->n_params =
      irl->n_columns * (o->reward == COH_IRL_TABLE ? mdp->n_states : irl->world.n_features);
  return coh_mdp_incoming_create(mdp, &irl->incoming);
}

// a probability for each row: the best one, chance mixed in, or e^(Q - V)
static coh_status create_policy(coh_irl *irl) {
  const coh_mdp *mdp = irl->world.mdp;
  const coh_irl_expert *expert = &irl->options->expert;
  COH_NEW(irl->expert_policy, mdp->n_rows);
  if (expert->policy == COH_IRL_EXPERT_SOFT) {
    double *value;
    COH_NEW(value, mdp->n_states);
    for (int64_t row = 0; row < mdp->n_rows; row++)
      irl->reward[row] = mdp->reward[row] / expert->temperature;
    coh_status status =
        coh_soft_solve(irl->soft, irl->reward, irl->options->tolerance, value, NULL);
    if (status == COH_OK)
      coh_soft_sweep(irl->soft, irl->reward, 1, mdp->discount, value, irl->model_reward,
                     irl->expert_policy);
    coh_free(value);
    return status;
  }
  int32_t *choice;
  COH_NEW(choice, mdp->n_states);
  coh_status status = coh_irl_best_response(irl, mdp, mdp->reward, choice);
  double epsilon = expert->policy == COH_IRL_EXPERT_EPSILON ? expert->epsilon : 0;
  for (int64_t s = 0; s < mdp->n_states && status == COH_OK; s++) {
    int64_t first = mdp->first_row[s], n = mdp->first_row[s + 1] - first;
    for (int64_t k = 0; k < n; k++)
      irl->expert_policy[first + k] = epsilon / (double)n + (k == choice[s] ? 1 - epsilon : 0);
  }
  coh_free(choice);
  return status;
}

static coh_status create_demos(coh_irl *irl) {
  const coh_irl_expert *expert = &irl->options->expert;
  const coh_mdp *mdp = irl->world.mdp;
  if (expert->policy == COH_IRL_EXPERT_FILE) {
    COH_TRY(coh_irl_demos_read(mdp, expert->path, expert->trajectories, expert->held_out,
                               &irl->demos, &irl->held));
  } else {
    COH_TRY(create_policy(irl));
    COH_TRY(coh_irl_demos_act(mdp, irl->expert_policy, irl->context->seed, 0,
                              expert->trajectories, expert->length, &irl->demos));
    // held-out ones have numbers that no number of demonstrations reaches
    if (expert->held_out > 0)
      COH_TRY(coh_irl_demos_act(mdp, irl->expert_policy, irl->context->seed, (int64_t)1 << 31,
                                expert->held_out, expert->length, &irl->held));
  }
  COH_CHECK(irl->demos.n_steps > 0, COH_E_DATA, "the demonstrations have no steps");
  COH_TRY(coh_irl_demos_weigh(&irl->demos, irl->options->objective == COH_SOFT_LIKELIHOOD));
  if (irl->held.n_steps > 0) COH_TRY(coh_irl_demos_weigh(&irl->held, true));
  COH_NEW(irl->expert_visits, mdp->n_states);
  coh_irl_demos_visits(&irl->demos, mdp->discount, mdp->n_states, irl->expert_visits);
  irl->expert_return = coh_irl_demos_return(&irl->demos, mdp->discount, mdp->reward);
  return COH_OK;
}

static coh_status create_best(coh_irl *irl) {
  const coh_mdp *mdp = irl->world.mdp;
  int32_t *choice;
  COH_NEW(irl->best_value, mdp->n_states);
  COH_NEW(choice, mdp->n_states);
  coh_status status = coh_irl_plan(irl, mdp, mdp->reward, irl->best_value, choice);
  coh_free(choice);
  for (int64_t s = 0; s < mdp->n_states; s++)
    irl->best_return += mdp->start[s] * irl->best_value[s];
  return status;
}

static coh_status create_soft(coh_irl *irl) {
  const coh_mdp *mdp = irl->world.mdp;
  const coh_irl_options *o = irl->options;
  coh_soft_model model = {mdp->n_states,    mdp->n_rows, mdp->first_row,
                          mdp->first_entry, mdp->next,   mdp->probability};
  coh_soft_config config = {
      .backup = o->method == COH_IRL_TRAJECTORY_ENTROPY ? COH_SOFT_TRAJECTORY : COH_SOFT_CAUSAL,
      .gamma = o->discount,
      .n_threads = irl->context->n_threads};
  return coh_soft_create(&model, &config, &irl->soft);
}

static coh_status create_fit(coh_irl *irl) {
  const coh_irl_options *o = irl->options;
  coh_soft_likelihood_config config = {.goal = (coh_soft_goal)o->objective,
                                       .gamma = o->discount,
                                       .horizon = o->horizon,
                                       .tolerance = o->tolerance};
  COH_TRY(coh_soft_likelihood_create(irl->soft, &irl->demos.uses, &config, &irl->likelihood));
  config.goal = COH_SOFT_LIKELIHOOD;
  if (irl->held.n_steps > 0)
    COH_TRY(coh_soft_likelihood_create(irl->soft, &irl->held.uses, &config, &irl->judge));
  if (coh_irl_has_network(irl)) return coh_irl_network_create(irl);
  return coh_lbfgs_create(irl->n_params, o->memory, o->l1, &irl->lbfgs);
}

static coh_status create(coh_irl *irl) {
  COH_TRY(coh_irl_options_check(irl->options, irl->context->config_name));
  COH_TRY(create_world(irl));
  const coh_mdp *mdp = irl->world.mdp;
  COH_NEW(irl->reward, mdp->n_rows);
  COH_NEW(irl->row_gradient, mdp->n_rows);
  COH_NEW(irl->model_reward, mdp->n_rows);
  COH_NEW(irl->params, irl->n_params);
  COH_NEW(irl->accepted, irl->n_params);
  COH_NEW(irl->trial, irl->n_params);
  COH_NEW(irl->gradient, irl->n_params);
  if (coh_irl_is_soft(irl) || irl->options->expert.policy == COH_IRL_EXPERT_SOFT)
    COH_TRY(create_soft(irl));
  COH_NEW(irl->plan_value, mdp->n_states);
  COH_NEW(irl->plan_next, mdp->n_states);
  COH_TRY(create_demos(irl));
  COH_TRY(create_best(irl));
  if (coh_irl_is_soft(irl)) COH_TRY(create_fit(irl));
  if (irl->options->method == COH_IRL_APPRENTICESHIP) {
    COH_NEW(irl->mixture, mdp->n_states);
    COH_NEW(irl->visits, mdp->n_states);
    COH_NEW(irl->choice, mdp->n_states);
  }
  irl->window_begun = coh_clock_now();
  return COH_OK;
}

coh_status coh_irl_create(const coh_run_context *context, const void *options, void **task) {
  coh_irl *irl = coh_alloc_array(1, sizeof *irl);
  coh_status status = irl ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for task irl");
  if (status == COH_OK) {
    irl->context = context;
    irl->options = options;
    irl->scored_at = -1;
    status = create(irl);
  }
  status = coh_comm_agree(context->world, status);
  if (status == COH_OK && coh_irl_has_network(irl))
    status = coh_learner_connect(&irl->net.learner);
  *task = irl;
  if (status != COH_OK && irl) coh_irl_destroy(task);
  return status;
}

void coh_irl_destroy(void **task) {
  coh_irl *irl = *task;
  if (!irl) return;
  coh_irl_network_destroy(irl);
  coh_lbfgs_destroy(&irl->lbfgs);
  coh_soft_likelihood_destroy(&irl->likelihood);
  coh_soft_likelihood_destroy(&irl->judge);
  coh_soft_destroy(&irl->soft);
  coh_mdp_incoming_destroy(&irl->incoming);
  coh_irl_demos_clear(&irl->demos);
  coh_irl_demos_clear(&irl->held);
  for (int64_t k = 0; irl->transfer && k < irl->options->transfer; k++)
    coh_irl_world_clear(&irl->transfer[k]);
  coh_irl_world_clear(&irl->world);
  coh_free(irl->transfer);
  coh_free(irl->expert_policy), coh_free(irl->expert_visits), coh_free(irl->best_value);
  coh_free(irl->params), coh_free(irl->accepted), coh_free(irl->trial);
  coh_free(irl->gradient), coh_free(irl->reward), coh_free(irl->row_gradient);
  coh_free(irl->model_reward), coh_free(irl->mixture), coh_free(irl->visits);
  coh_free(irl->choice), coh_free(irl->plan_value), coh_free(irl->plan_next);
  coh_free(irl);
  *task = NULL;
}
