/* Episodes of an evaluation, stepped together; the score of all of them. */
#include "task/episodes.h"

#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "task/mean_interval.h"

coh_status coh_episodes_open(const coh_evaluation *evaluation, int64_t first, int64_t n,
                             coh_episode *episode, coh_episodes *e) {
  *e = (coh_episodes){.n = n,
                      .n_going = n,
                      .max_steps = evaluation->max_steps,
                      .gamma = evaluation->gamma,
                      .discount = 1,
                      .episode = episode};
  uint64_t seed = evaluation->run_seed ^ (uint64_t)evaluation->seed << 20;
  COH_TRY(coh_env_create(evaluation->env, n, first, seed, &e->env));
  e->spec = *coh_env_spec_of(e->env);
  COH_NEW(e->rows, (size_t)n * e->spec.observation_bytes);
  COH_NEW(e->terminated, n);
  COH_NEW(e->truncated, n);
  COH_NEW(e->over, n);
  COH_NEW(e->rewards, n);
  COH_NEW(e->actions, n);
  coh_env_reset(e->env, e->rows);
  return COH_OK;
}

void coh_episodes_close(coh_episodes *e) {
  coh_env_destroy(&e->env);
  coh_free(e->rows), coh_free(e->terminated), coh_free(e->truncated), coh_free(e->over);
  coh_free(e->rewards), coh_free(e->actions);
  *e = (coh_episodes){0};
}

void coh_episodes_observe(const coh_episodes *e, float *states) {
  coh_env_expand(&e->spec, e->n, e->rows, states);
}

coh_status coh_episodes_step(coh_episodes *e) {
  COH_TRY(coh_env_step(e->env, e->actions, e->rows, e->rewards, e->terminated, e->truncated));
  bool last = ++e->n_steps == e->max_steps;
  for (int64_t i = 0; i < e->n; i++) {
    if (e->over[i]) continue;
    e->episode[i].reward += (double)e->rewards[i];
    e->episode[i].discounted += e->discount * (double)e->rewards[i];
    e->episode[i].length++;
    e->over[i] = e->terminated[i] | e->truncated[i] | last;
    e->n_going -= e->over[i];
  }
  e->discount *= e->gamma;
  coh_env_reset_ended(e->env, e->rows);
  return COH_OK;
}

void coh_score_episodes(int64_t n, const coh_episode *episode, coh_score *score) {
  *score = (coh_score){.best = -INFINITY, .worst = INFINITY, .n_episodes = n};
  for (int64_t i = 0; i < n; i++) {
    score->discounted += episode[i].discounted;
    score->length += episode[i].length;
    score->best = fmax(score->best, episode[i].reward);
    score->worst = fmin(score->worst, episode[i].reward);
  }
  score->discounted /= (double)n;
  score->length /= (double)n;
  coh_mean_interval(n, sizeof *episode / sizeof(double), &episode->reward, &score->mean,
                    &score->low, &score->high);
}

void coh_score_metrics(const coh_score *score, coh_metric_row *row) {
  coh_metric_add(row, "eval/return", score->mean);
  coh_metric_add(row, "eval/return_low", score->low);
  coh_metric_add(row, "eval/return_high", score->high);
  coh_metric_add(row, "eval/discounted_return", score->discounted);
  coh_metric_add(row, "eval/length", score->length);
  coh_metric_add(row, "eval/best", score->best);
  coh_metric_add(row, "eval/worst", score->worst);
  coh_metric_add(row, "eval/episodes", (double)score->n_episodes);
}

void coh_score_results(const coh_score *score, const char *key, const char *label,
                       coh_results *results) {
  char note[200];
  snprintf(note, sizeof note, "95%% interval %.4g to %.4g, %lld episodes of %.4g steps",
           score->low, score->high, (long long)score->n_episodes, score->length);
  coh_results_number(results, key, score->mean, NULL, label, note);
}
