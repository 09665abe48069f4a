/* Linear rewards theta . phi(s), and a table, which is linear in one-hot states. With rewards
 * of actions every action has its own theta: parameter (feature, action) is feature * n_columns
 * + action. */
#include <string.h>

#include "task/irl/irl.h"

static int64_t column_of(const coh_irl *irl, const coh_mdp *mdp, int64_t row) {
  return irl->n_columns == 1 ? 0 : mdp->action[row];
}

static double reward_of(const coh_irl *irl, const coh_irl_world *world, const double *params,
                        int64_t state, int64_t column) {
  int64_t stride = irl->n_columns;
  if (irl->options->reward == COH_IRL_TABLE) return params[state * stride + column];
  if (world->feature) return params[world->feature[state] * stride + column];
  const float *features = world->features + state * world->n_features;
  double sum = 0;
  for (int64_t k = 0; k < world->n_features; k++)
    sum += (double)features[k] * params[k * stride + column];
  return sum;
}

void coh_irl_linear_rewards(const coh_irl *irl, const coh_irl_world *world,
                            const double *params, double *reward) {
  const coh_mdp *mdp = world->mdp;
#pragma omp parallel for num_threads(irl->context->n_threads) schedule(static) default(none) \
    shared(irl, world, params, reward, mdp)
  for (int64_t s = 0; s < mdp->n_states; s++) {
    double shared_reward = irl->n_columns == 1 ? reward_of(irl, world, params, s, 0) : 0;
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++)
      reward[row] = irl->n_columns == 1
                        ? shared_reward
                        : reward_of(irl, world, params, s, column_of(irl, mdp, row));
  }
}

static void add_gradient(const coh_irl *irl, int64_t state, int64_t column, double by_reward,
                         double *gradient) {
  const coh_irl_world *world = &irl->world;
  int64_t stride = irl->n_columns;
  if (irl->options->reward == COH_IRL_TABLE) {
    gradient[state * stride + column] += by_reward;
  } else if (world->feature) {
    gradient[world->feature[state] * stride + column] += by_reward;
  } else {
    const float *features = world->features + state * world->n_features;
    for (int64_t k = 0; k < world->n_features; k++)
      gradient[k * stride + column] += by_reward * (double)features[k];
  }
}

// in the order of states, by one thread: the same bits everywhere
void coh_irl_linear_gradient(const coh_irl *irl, const double *by_row, double *gradient) {
  const coh_mdp *mdp = irl->world.mdp;
  memset(gradient, 0, (size_t)irl->n_params * sizeof *gradient);
  for (int64_t s = 0; s < mdp->n_states; s++) {
    double sum = 0;
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++) {
      if (irl->n_columns == 1)
        sum += by_row[row];
      else
        add_gradient(irl, s, column_of(irl, mdp, row), by_row[row], gradient);
    }
    if (irl->n_columns == 1) add_gradient(irl, s, 0, sum, gradient);
  }
}
