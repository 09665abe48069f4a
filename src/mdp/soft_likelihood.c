/* The likelihood of demonstrations under a soft policy, and its gradient. */
#include "mdp/soft_likelihood.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

struct coh_soft_likelihood {
  coh_soft *soft;
  const coh_soft_demos *demos;
  coh_soft_likelihood_config config;
  coh_soft_backup backup;
  double step_gamma; /* of the recursion: 1 where rewards carry the discount themselves */
  int64_t n_states, n_rows;
  int64_t *state_of; /* (n_rows) */
  double *value;     /* (n_states) or (horizon + 1, n_states) */
  double *visits;    /* (n_states) */
  double *source, *next, *policy;
};

// finite horizons over whole trajectories discount rewards by their time, all others values
static bool discounts_rewards(const coh_soft_likelihood *own) {
  return own->config.horizon > 0 && own->backup == COH_SOFT_TRAJECTORY;
}

static double scale_at(const coh_soft_likelihood *own, int64_t time) {
  return discounts_rewards(own) ? pow(own->config.gamma, (double)time) : 1;
}

// weight of a use in n: matching counts with the discount of its time where values have one
static double weight_at(const coh_soft_likelihood *own, const coh_soft_use *use) {
  if (own->config.goal == COH_SOFT_LIKELIHOOD || discounts_rewards(own)) return use->weight;
  return use->weight * pow(own->config.gamma, (double)use->time);
}

static coh_status check_times(const coh_soft_demos *demos, int64_t horizon) {
  for (int64_t i = 0; horizon > 0 && i < demos->n_uses; i++)
    COH_CHECK(demos->use[i].time < horizon, COH_E_DATA,
              "a demonstration has a step at time %lld, the horizon is %lld",
              (long long)demos->use[i].time, (long long)horizon);
  return COH_OK;
}

static coh_status create(coh_soft_likelihood *own) {
  const coh_soft_model *model = coh_soft_model_of(own->soft);
  COH_TRY(check_times(own->demos, own->config.horizon));
  own->n_states = model->n_states;
  own->n_rows = model->n_rows;
  COH_NEW(own->state_of, own->n_rows);
  for (int64_t s = 0; s < own->n_states; s++)
    for (int64_t row = model->state_row[s]; row < model->state_row[s + 1]; row++)
      own->state_of[row] = s;
  COH_NEW(own->value, own->n_states * (own->config.horizon + 1));
  COH_NEW(own->visits, own->n_states);
  COH_NEW(own->source, own->n_states);
  COH_NEW(own->next, own->n_states);
  COH_NEW(own->policy, own->n_rows);
  return COH_OK;
}

coh_status coh_soft_likelihood_create(coh_soft *soft, const coh_soft_demos *demos,
                                      const coh_soft_likelihood_config *config,
                                      coh_soft_likelihood **likelihood) {
  coh_soft_likelihood *own;
  COH_NEW(own, 1);
  own->soft = soft;
  own->demos = demos;
  own->config = *config;
  own->backup = coh_soft_backup_of(soft);
  own->step_gamma = discounts_rewards(own) ? 1 : config->gamma;
  coh_status status = create(own);
  if (status == COH_OK)
    *likelihood = own;
  else
    coh_soft_likelihood_destroy(&own);
  return status;
}

void coh_soft_likelihood_destroy(coh_soft_likelihood **pointer) {
  coh_soft_likelihood *own = *pointer;
  if (!own) return;
  coh_free(own->state_of), coh_free(own->value), coh_free(own->visits);
  coh_free(own->source), coh_free(own->next), coh_free(own->policy);
  coh_free(own);
  *pointer = NULL;
}

double *coh_soft_likelihood_value(coh_soft_likelihood *own, int64_t *n_values) {
  *n_values = own->n_states * (own->config.horizon + 1);
  return own->value;
}

double *coh_soft_likelihood_visits(coh_soft_likelihood *own) {
  return own->visits;
}

// V of the state a use leaves, and V of what follows it
static const double *value_at(const coh_soft_likelihood *own, int64_t time) {
  return own->config.horizon > 0 ? own->value + time * own->n_states : own->value;
}

static double log_policy(const coh_soft_likelihood *own, const double *reward,
                         const coh_soft_use *use) {
  double q = coh_soft_row(own->soft, use->row, scale_at(own, use->time) * reward[use->row],
                          own->step_gamma, value_at(own, use->time + 1));
  return q - value_at(own, use->time)[own->state_of[use->row]];
}

double coh_soft_likelihood_of(const coh_soft_likelihood *own, const double *reward,
                              const coh_soft_demos *demos) {
  double sum = 0;
  for (int64_t i = 0; i < demos->n_uses; i++)
    sum += log_policy(own, reward, &demos->use[i]);
  return sum / (double)demos->n_uses;
}

static double objective_of(const coh_soft_likelihood *own, const double *reward) {
  const coh_soft_demos *demos = own->demos;
  double sum = 0;
  if (own->config.goal == COH_SOFT_LIKELIHOOD) {
    for (int64_t i = 0; i < demos->n_uses; i++)
      sum += weight_at(own, &demos->use[i]) * log_policy(own, reward, &demos->use[i]);
    return sum;
  }
  for (int64_t i = 0; i < demos->n_uses; i++) {
    const coh_soft_use *use = &demos->use[i];
    sum += weight_at(own, use) * scale_at(own, use->time) * reward[use->row];
    if (use->time == 0) sum -= use->weight * value_at(own, 0)[own->state_of[use->row]];
  }
  for (int64_t i = 0; i < demos->n_ends; i++) {
    const coh_soft_use *end = &demos->end[i];
    if (own->config.horizon > 0 && end->time >= own->config.horizon) continue;
    sum += weight_at(own, end) * value_at(own, end->time)[end->row];
  }
  return sum;
}

// add a stretch of uses to the source q; shifted uses are those one step earlier
static void add_source(coh_soft_likelihood *own, const coh_soft_use *use, int64_t n,
                       bool is_earlier, const double *value) {
  for (int64_t i = 0; i < n; i++) {
    double weight = weight_at(own, &use[i]);
    if (own->config.goal == COH_SOFT_MATCHING) {
      if (!is_earlier && use[i].time == 0) own->source[own->state_of[use[i].row]] += weight;
    } else if (is_earlier) {
      coh_soft_scatter_row(own->soft, use[i].row, -own->step_gamma * weight, value,
                           own->source);
    } else {
      own->source[own->state_of[use[i].row]] += weight;
    }
  }
}

static void add_ends(coh_soft_likelihood *own, int64_t first, int64_t last) {
  if (own->config.goal == COH_SOFT_LIKELIHOOD) return;
  for (int64_t i = first; i < last; i++)
    own->source[own->demos->end[i].row] -= weight_at(own, &own->demos->end[i]);
}

// gradient -= scale pi x for all rows
static void subtract_visits(const coh_soft_likelihood *own, double scale, const double *visits,
                            double *gradient) {
  const coh_soft_model *model = coh_soft_model_of(own->soft);
  for (int64_t s = 0; s < own->n_states; s++) {
    double weight = scale * visits[s];
    for (int64_t row = model->state_row[s]; row < model->state_row[s + 1]; row++)
      gradient[row] -= own->policy[row] * weight;
  }
}

static coh_status run_infinite(coh_soft_likelihood *own, const double *reward,
                               double *objective, double *gradient, coh_soft_effort *effort) {
  const coh_soft_demos *demos = own->demos;
  double tolerance = own->config.tolerance;
  COH_TRY(coh_soft_solve(own->soft, reward, tolerance, own->value, &effort->value));
  *objective = objective_of(own, reward);
  if (!gradient) return COH_OK;
  coh_soft_sweep(own->soft, reward, 1, own->step_gamma, own->value, own->next, own->policy);
  coh_soft_take_policy(own->soft, own->policy, own->value);
  memset(own->source, 0, (size_t)own->n_states * sizeof *own->source);
  add_source(own, demos->use, demos->n_uses, false, own->value);
  add_source(own, demos->use, demos->n_uses, true, own->value);
  add_ends(own, 0, demos->n_ends);
  COH_TRY(coh_soft_visit(own->soft, own->source, tolerance, own->visits, &effort->visit));
  memset(gradient, 0, (size_t)own->n_rows * sizeof *gradient);
  for (int64_t i = 0; i < demos->n_uses; i++)
    gradient[demos->use[i].row] += weight_at(own, &demos->use[i]);
  subtract_visits(own, 1, own->visits, gradient);
  return COH_OK;
}

static void solve_backward(coh_soft_likelihood *own, const double *reward) {
  int64_t n = own->n_states;
  memset(own->value + own->config.horizon * n, 0, (size_t)n * sizeof *own->value);
  for (int64_t t = own->config.horizon - 1; t >= 0; t--)
    coh_soft_sweep(own->soft, reward, scale_at(own, t), own->step_gamma,
                   own->value + (t + 1) * n, own->value + t * n, NULL);
}

// uses [*first, result) are those of this time
static int64_t stretch_of(const coh_soft_use *use, int64_t n, int64_t first, int64_t time) {
  while (first < n && use[first].time == time)
    first++;
  return first;
}

static void run_forward(coh_soft_likelihood *own, const double *reward, double *gradient) {
  const coh_soft_demos *demos = own->demos;
  int64_t n = own->n_states, earlier = 0, now = 0, end_now = 0;
  memset(gradient, 0, (size_t)own->n_rows * sizeof *gradient);
  for (int64_t t = 0; t < own->config.horizon; t++) {
    int64_t later = stretch_of(demos->use, demos->n_uses, now, t);
    int64_t end_later = stretch_of(demos->end, demos->n_ends, end_now, t);
    memset(own->source, 0, (size_t)n * sizeof *own->source);
    add_source(own, demos->use + now, later - now, false, NULL);
    add_source(own, demos->use + earlier, now - earlier, true, value_at(own, t));
    add_ends(own, end_now, end_later);
    if (t == 0) {
      memcpy(own->visits, own->source, (size_t)n * sizeof *own->visits);
    } else { // the matrix still is of time t - 1
      coh_soft_step_visits(own->soft, own->step_gamma, own->visits, own->source, own->next);
      memcpy(own->visits, own->next, (size_t)n * sizeof *own->visits);
    }
    double scale = scale_at(own, t);
    coh_soft_sweep(own->soft, reward, scale, own->step_gamma, value_at(own, t + 1), own->next,
                   own->policy);
    coh_soft_take_policy(own->soft, own->policy, value_at(own, t + 1));
    for (int64_t i = now; i < later; i++)
      gradient[demos->use[i].row] += scale * weight_at(own, &demos->use[i]);
    subtract_visits(own, scale, own->visits, gradient);
    earlier = now, now = later, end_now = end_later;
  }
}

coh_status coh_soft_likelihood_run(coh_soft_likelihood *own, const double *reward,
                                   double *objective, double *gradient,
                                   coh_soft_effort *effort) {
  coh_soft_effort unused = {0};
  coh_soft_effort *spent = effort ? effort : &unused;
  *spent = unused;
  double result = 0;
  if (own->config.horizon == 0) {
    COH_TRY(run_infinite(own, reward, &result, gradient, spent));
  } else {
    solve_backward(own, reward);
    spent->value.n_sweeps = own->config.horizon;
    result = objective_of(own, reward);
    if (gradient) run_forward(own, reward, gradient);
  }
  COH_CHECK(isfinite(result), COH_E_DIVERGED, "the likelihood is not finite");
  *objective = result;
  return COH_OK;
}
