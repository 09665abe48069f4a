/* Task dqn: the metrics, the charts, and the descriptor. */
#include "task/dqn/dqn.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"

static int64_t dqn_position(const void *task) {
  return ((const coh_dqn *)task)->env_steps;
}

// sum the lanes' finished episodes and their counts
static coh_status sum_episodes(coh_dqn *dqn, coh_dqn_episodes *all) {
  int64_t n_local = dqn->lanes.n_local;
  double sums[2];
  for (int64_t i = 0; i < n_local; i++)
    dqn->sources[i] = &dqn->lane[i].episodes->returns;
  COH_TRY(coh_lane_sum_run(dqn->sum_real, dqn->sources, 2, sums));
  for (int64_t i = 0; i < n_local; i++)
    dqn->sources[i] = &dqn->lane[i].episodes->count;
  COH_TRY(coh_lane_sum_run(dqn->sum_count, dqn->sources, 1, &all->count));
  all->returns = sums[0];
  all->lengths = sums[1];
  return COH_OK;
}

static void add_learning(const coh_dqn *dqn, coh_metric_row *exact) {
  const coh_learner *learner = &dqn->learner;
  const double *tail = learner->tail;
  double rows = (double)(learner->n_window * dqn->options->batch);
  coh_metric_add(exact, "train/loss", tail[COH_DQN_TAIL_LOSS] / (double)learner->n_window);
  coh_metric_add(exact, "train/error", tail[COH_DQN_TAIL_ERROR] / rows);
  coh_metric_add(exact, "train/q", tail[COH_DQN_TAIL_Q] / rows);
  coh_metric_add(exact, "train/q_max", tail[COH_DQN_TAIL_Q_MAX] / rows);
  coh_metric_add(exact, "train/staleness", tail[COH_DQN_TAIL_AGE] / rows);
  if (learner->n_norms) coh_metric_add(exact, "train/gradient_norm", coh_learner_norm(learner));
  coh_metric_add(exact, "train/learning_rate", coh_optimizer_learning_rate(learner->optimizer));
}

// experience is counted over all ranks; the counts are integers, so any order will do
static coh_status add_replay(coh_dqn *dqn, coh_metric_row *exact) {
  coh_replay_stats stats;
  coh_replay_stats_of(dqn->replay, &stats);
  int64_t counts[3] = {stats.n_transitions, stats.bytes_used, stats.n_early};
  COH_TRY(coh_comm_reduce_int(dqn->roles.learn.world, COH_REDUCE_SUM, counts, 3));
  coh_metric_add(exact, "replay/transitions", (double)counts[0]);
  coh_metric_add(exact, "replay/bytes_per_transition",
                 counts[0] ? (double)counts[1] / (double)counts[0] : 0);
  coh_metric_add(exact, "replay/evicted_early", (double)counts[2]);
  return COH_OK;
}

// how acting and learning keep step: rows learned for every transition stored since learning began,
// and the updates that the last round's actors lagged behind
static void add_schedule(const coh_dqn *dqn, coh_metric_row *exact) {
  int64_t inserted = dqn->env_steps - dqn->options->learning_starts;
  if (inserted <= 0) return;
  coh_metric_add(exact, "schedule/samples_per_insert",
                 (double)(dqn->learner.n_updates * dqn->options->batch) / (double)inserted);
  coh_metric_add(exact, "schedule/policy_lag", (double)dqn->lag);
}

// schedule free: which lane's actors are slowest since the last row; one that makes less than
// half of the mean lane's steps is named in the log
static coh_status add_slowest(coh_dqn *dqn, coh_metric_row *timing) {
  const coh_lanes *lanes = &dqn->lanes;
  if (dqn->options->schedule != COH_DQN_FREE || lanes->n_lanes == 1) return COH_OK;
  int64_t slowest = INT64_MAX, all = 0; // slowest: steps first, then the lane
  pthread_mutex_lock(&dqn->experience);
  for (int64_t i = 0; i < lanes->n_local; i++) {
    coh_dqn_lane *lane = &dqn->lane[i];
    int64_t steps = *lane->n_steps - lane->steps_at_window;
    lane->steps_at_window = *lane->n_steps;
    all += steps;
    if (steps * lanes->n_lanes + lane->index < slowest)
      slowest = steps * lanes->n_lanes + lane->index;
  }
  pthread_mutex_unlock(&dqn->experience);
  coh_world *world = dqn->context->world;
  COH_TRY(coh_comm_reduce_int(world, COH_REDUCE_MIN, &slowest, 1));
  COH_TRY(coh_comm_reduce_int(world, COH_REDUCE_SUM, &all, 1));
  if (all == 0) return COH_OK;
  double share = (double)(slowest / lanes->n_lanes) * (double)lanes->n_lanes / (double)all;
  int64_t lane = slowest % lanes->n_lanes, rank = coh_lanes_owner(world, lanes->n_lanes, lane);
  coh_metric_add(timing, "actors/slowest_rank", (double)rank);
  coh_metric_add(timing, "actors/slowest_lane", (double)lane);
  coh_metric_add(timing, "actors/slowest_pace", share);
  if (share < 0.5 && coh_world_rank(world) == 0 && dqn->slow_lane != lane + 1) {
    coh_log(COH_LOG_WARNING,
            "slow actor: lane %lld, on rank %lld, makes %.0f%% of the mean lane's steps",
            (long long)lane, (long long)rank, 100 * share);
    dqn->slow_lane = lane + 1;
  }
  return COH_OK;
}

static void add_timing(coh_dqn *dqn, coh_metric_row *timing) {
  double now = coh_clock_now(), seconds = now - dqn->window_begun;
  pthread_mutex_lock(&dqn->experience); // schedule free: actors add to it
  double act_seconds = dqn->act_seconds;
  dqn->act_seconds = 0;
  pthread_mutex_unlock(&dqn->experience);
  double steps = (double)(dqn->env_steps - dqn->steps_at_window);
  coh_metric_add(timing, "rate/steps", steps / seconds);
  coh_metric_add(timing, "rate/updates",
                 (double)(dqn->learner.n_updates - dqn->updates_at_window) / seconds);
  coh_metric_add(timing, "share/act", act_seconds / seconds);
  coh_metric_add(timing, "share/learn", dqn->learn_seconds / seconds);
  coh_metric_add(timing, "share/reduce", dqn->learner.reduce_seconds / seconds);
  dqn->window_begun = now;
  dqn->steps_at_window = dqn->env_steps;
  dqn->updates_at_window = dqn->learner.n_updates;
  dqn->learn_seconds = 0;
}

// lane 0's slice of the minibatch that was learnt from last
static coh_status add_layers(coh_dqn *dqn, coh_metric_row *exact) {
  const float *gradient = NULL;
  if (dqn->has_learnt && dqn->roles.learns)
    COH_TRY(coh_learner_settle(&dqn->learner, &gradient));
  if (!gradient || !dqn->lanes.n_local) return COH_OK;
  const coh_health_rows rows = {.values =
                                    coh_workspace_data(dqn->lane[0].update, dqn->update.input),
                                .n = dqn->lane_rows};
  return coh_layer_watch_look(&dqn->watch, dqn->params, &rows, gradient, exact);
}

// what actors go on adding to meanwhile, schedule free
static coh_status add_experience(coh_dqn *dqn, coh_metric_row *exact) {
  coh_dqn_episodes episodes;
  COH_TRY(sum_episodes(dqn, &episodes));
  for (int64_t i = 0; i < dqn->lanes.n_local; i++)
    *dqn->lane[i].episodes = (coh_dqn_episodes){0};
  coh_metric_add(exact, "train/episodes", (double)episodes.count);
  if (episodes.count) {
    coh_metric_add(exact, "train/return", episodes.returns / (double)episodes.count);
    coh_metric_add(exact, "train/length", episodes.lengths / (double)episodes.count);
  }
  return add_replay(dqn, exact);
}

static coh_status dqn_metrics(void *task, coh_metric_row *exact, coh_metric_row *timing) {
  coh_dqn *dqn = task;
  if (!dqn->roles.learns) { // the learners have what this rank's lanes have counted
    for (int64_t i = 0; i < dqn->lanes.n_local; i++)
      *dqn->lane[i].episodes = (coh_dqn_episodes){0};
    return COH_OK;
  }
  pthread_mutex_lock(&dqn->experience);
  coh_status status = add_experience(dqn, exact);
  pthread_mutex_unlock(&dqn->experience);
  COH_TRY(status);
  coh_metric_add(exact, "train/epsilon",
                 coh_dqn_epsilon(&dqn->options->exploration, dqn->options->learning_starts,
                                 dqn->env_steps, 0, dqn->options->envs));
  coh_metric_add(exact, "train/updates", (double)dqn->learner.n_updates);
  if (dqn->learner.n_window) add_learning(dqn, exact);
  COH_TRY(add_layers(dqn, exact));
  if (dqn->imitation) coh_imitation_metrics(dqn->imitation, exact);
  add_schedule(dqn, exact);
  if (dqn->options->schedule == COH_DQN_FREE) dqn->lag = 0;
  add_timing(dqn, timing);
  COH_TRY(add_slowest(dqn, timing));
  coh_learner_restart(&dqn->learner);
  return COH_OK;
}

static const coh_task_chart charts[] = {
    {.name = "return",
     .title = "Return an episode",
     .y_label = "return",
     .caption = "Return of training episodes (with exploration) and of evaluations (mean and "
                "95% interval), and what a random agent gets.",
     .reference = "random_return",
     .reference_label = "random agent",
     .curve = {{"train/return", "training", NULL, NULL, COH_CURVE_SMOOTHED},
               {"eval/return", "evaluation", "eval/return_low", "eval/return_high",
                COH_CURVE_MARKED}}},
    {.name = "length",
     .title = "Length of episodes",
     .y_label = "steps",
     .caption = "Steps an episode.",
     .curve = {{"train/length", "training", NULL, NULL, COH_CURVE_SMOOTHED},
               {"eval/length", "evaluation", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "loss",
     .title = "Loss",
     .y_label = "loss",
     .logarithmic = true,
     .caption = "Mean loss and mean absolute temporal difference error.",
     .curve = {{"train/loss", "loss", NULL, NULL, COH_CURVE_SMOOTHED},
               {"train/error", "|error|", NULL, NULL, COH_CURVE_SMOOTHED}}},
    {.name = "q",
     .title = "Action values",
     .y_label = "Q",
     .caption = "Mean Q of the actions taken and of the best actions, over minibatches.",
     .curve = {{"train/q", "Q(s, a)", NULL, NULL, COH_CURVE_SMOOTHED},
               {"train/q_max", "max Q(s, .)", NULL, NULL, COH_CURVE_SMOOTHED}}},
    {.name = "epsilon",
     .title = "Exploration",
     .y_label = "epsilon",
     .caption = "Chance of a random action (of the first actor).",
     .curve = {{"train/epsilon", "epsilon", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "staleness",
     .title = "Age of sampled experience",
     .y_label = "steps",
     .caption = "How many steps of their environment ago the sampled transitions were made.",
     .curve = {{"train/staleness", "mean age", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "schedule",
     .title = "Acting and learning",
     .y_label = "rows, updates",
     .caption = "Rows learned for every transition stored, and updates that the actors' weights "
                "lag behind.",
     .curve = {{"schedule/samples_per_insert", "rows a transition", NULL, NULL, COH_CURVE_LINE},
               {"schedule/policy_lag", "updates of lag", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "gradient",
     .title = "Gradient norm",
     .y_label = "norm",
     .logarithmic = true,
     .caption = "Euclidean norm of the gradient, every 64th update.",
     .curve = {{"train/gradient_norm", "norm", NULL, NULL, COH_CURVE_SMOOTHED}}},
    {.name = "imitation",
     .title = "Telling the expert from the agent",
     .y_label = "logit",
     .caption =
         "Mean logit of the discriminator at the expert's and at the agent's transitions; "
         "they meet where it cannot tell them apart.",
     .curve = {{"imitation/expert_logit", "expert", NULL, NULL, COH_CURVE_SMOOTHED},
               {"imitation/agent_logit", "agent", NULL, NULL, COH_CURVE_SMOOTHED}}},
    COH_LAYER_CHARTS,
    {.name = "rate",
     .title = "Speed",
     .y_label = "a second",
     .from_timing = true,
     .logarithmic = true,
     .caption = "Environment steps and updates a second on this machine.",
     .curve = {{"rate/steps", "environment steps", NULL, NULL, COH_CURVE_LINE},
               {"rate/updates", "updates", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "share",
     .title = "Where the time goes",
     .y_label = "share of wall time",
     .from_timing = true,
     .caption = "Shares of acting, learning and the gradient sum (part of "
                "learning) on rank 0.",
     .curve = {{"share/act", "acting", NULL, NULL, COH_CURVE_LINE},
               {"share/learn", "learning", NULL, NULL, COH_CURVE_LINE},
               {"share/reduce", "gradient sum", NULL, NULL, COH_CURVE_LINE}}},
    {0},
};

static const char *const progress[] = {"train/return", "train/loss", "train/epsilon",
                                       "rate/updates", NULL};

const coh_task_type coh_task_dqn = {
    .kind = {"dqn",
             "Deep Q-learning with experience replay and a target network (Mnih et al. 2015).",
             coh_dqn_option_table, sizeof(coh_dqn_options)},
    .unit = "environment steps",
    .create = coh_dqn_create,
    .destroy = coh_dqn_destroy,
    .step = coh_dqn_round,
    .position = dqn_position,
    .metrics = dqn_metrics,
    .evaluate = coh_dqn_evaluate,
    .held = coh_dqn_held,
    .save = coh_dqn_save,
    .load = coh_dqn_load,
    .save_lane = coh_dqn_save_lane,
    .load_lane = coh_dqn_load_lane,
    .results = coh_dqn_results,
    .environment = coh_dqn_environment,
    .act = coh_dqn_act_greedily,
    .charts = charts,
    .progress = progress,
};
