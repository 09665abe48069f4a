/* Demonstrations: acted by a policy of the model, or read from files and checked against it. */
#include "task/irl/irl_demos.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "data/transitions.h"

static coh_status allocate(coh_irl_demos *demos, int64_t n_trajectories, int64_t n_steps) {
  *demos = (coh_irl_demos){0};
  COH_NEW(demos->first, n_trajectories + 1);
  COH_NEW(demos->last, n_trajectories);
  COH_NEW(demos->state, n_steps);
  COH_NEW(demos->row, n_steps);
  return COH_OK;
}

void coh_irl_demos_clear(coh_irl_demos *demos) {
  coh_free(demos->first), coh_free(demos->state), coh_free(demos->row);
  coh_free(demos->last), coh_free(demos->use), coh_free(demos->end);
  *demos = (coh_irl_demos){0};
}

// ---- acting

// the index that u in [0, 1) falls on; rounding never leads past the last that has weight
static int64_t draw_index(const double *weight, int64_t n, double u) {
  int64_t chosen = -1;
  for (int64_t k = 0; k < n; k++) {
    if (!(weight[k] > 0)) continue;
    chosen = k;
    if (u < weight[k]) break;
    u -= weight[k];
  }
  return chosen;
}

// starts are drawn by bisection in their running sum
static int64_t draw_start(const double *running, int64_t n, double u) {
  int64_t low = 0, high = n - 1;
  u *= running[n - 1];
  while (low < high) {
    int64_t middle = (low + high) / 2;
    if (running[middle] > u)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static void act(const coh_mdp *mdp, const double *policy, coh_key key, int64_t index,
                int64_t length, int64_t state, coh_irl_demos *demos) {
  for (int64_t t = 0; t < length && !coh_mdp_is_terminal(mdp, state); t++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)index, (uint64_t)t + 1);
    int64_t first_row = mdp->first_row[state];
    int64_t row =
        first_row + draw_index(policy + first_row, mdp->first_row[state + 1] - first_row,
                               coh_stream_uniform(&stream));
    int64_t first = mdp->first_entry[row];
    int64_t entry =
        first + draw_index(mdp->probability + first, mdp->first_entry[row + 1] - first,
                           coh_stream_uniform(&stream));
    demos->state[demos->n_steps] = (uint32_t)state;
    demos->row[demos->n_steps++] = row;
    state = mdp->next[entry];
  }
  demos->last[demos->n_trajectories++] = (uint32_t)state;
  demos->first[demos->n_trajectories] = demos->n_steps;
}

coh_status coh_irl_demos_act(const coh_mdp *mdp, const double *policy, uint64_t seed,
                             int64_t first_index, int64_t n, int64_t length,
                             coh_irl_demos *demos) {
  COH_TRY(allocate(demos, n, n * length));
  double *running, sum = 0;
  COH_NEW(running, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    running[s] = sum += mdp->start ? mdp->start[s] : 1;
  coh_key key = coh_key_make(seed, "demonstrations");
  for (int64_t k = first_index; k < first_index + n; k++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)k, 0);
    int64_t state = draw_start(running, mdp->n_states, coh_stream_uniform(&stream));
    act(mdp, policy, key, k, length, state, demos);
  }
  coh_free(running);
  return COH_OK;
}

// ---- reading

static coh_status state_of(const coh_mdp *mdp, const coh_transitions *data, const float *values,
                           int64_t at, int64_t *state) {
  long long episode = (long long)data->episodes[at];
  int64_t found = -1;
  if (data->n_values == 1 && values[0] >= 0 && (double)values[0] < (double)mdp->n_states &&
      floorf(values[0]) == values[0])
    found = (int64_t)values[0];
  bool is_vector = data->n_values > 1 && data->n_values <= mdp->n_states;
  for (int64_t k = 0; is_vector && k < data->n_values; k++) {
    if (values[k] == 0) continue;
    COH_CHECK(values[k] == 1 && found < 0, COH_E_DATA,
              "%s: row %lld (trajectory %lld): the state is not one-hot", data->source,
              (long long)at, episode);
    found = k;
  }
  COH_CHECK(found >= 0, COH_E_DATA,
            "%s: row %lld (trajectory %lld): no state of the model, which has %lld: it takes "
            "their numbers, or one-hot vectors",
            data->source, (long long)at, episode, (long long)mdp->n_states);
  *state = found;
  return COH_OK;
}

static int64_t row_of(const coh_mdp *mdp, int64_t state, int32_t action) {
  for (int64_t row = mdp->first_row[state]; row < mdp->first_row[state + 1]; row++)
    if (mdp->action[row] == action) return row;
  return -1;
}

static bool can_follow(const coh_mdp *mdp, int64_t row, int64_t next) {
  for (int64_t e = mdp->first_entry[row]; e < mdp->first_entry[row + 1]; e++)
    if (mdp->next[e] == next) return mdp->probability[e] > 0;
  return false;
}

// copy the episodes [first, last) out of a file, checking every step
static coh_status take(const coh_mdp *mdp, const coh_transitions *data, int64_t first,
                       int64_t last, coh_irl_demos *demos) {
  int64_t step = 0, before = -1;
  COH_TRY(allocate(demos, last - first, data->n_rows));
  for (int64_t i = 0; i < data->n_rows; i++) {
    int64_t episode = data->episodes[i], state, next;
    if (episode < first || episode >= last) continue;
    bool begins = i == 0 || data->episodes[i - 1] != episode;
    step = begins ? 0 : step + 1;
    COH_TRY(state_of(mdp, data, data->states + i * data->n_values, i, &state));
    COH_TRY(state_of(mdp, data, data->next_states + i * data->n_values, i, &next));
    COH_CHECK(
        begins || state == before, COH_E_DATA,
        "%s: trajectory %lld, step %lld begins in state %lld, the step before led to %lld",
        data->source, (long long)episode, (long long)step, (long long)state, (long long)before);
    int64_t row = row_of(mdp, state, data->actions[i]);
    COH_CHECK(row >= 0, COH_E_DATA,
              "%s: trajectory %lld, step %lld: state %lld has no action %d", data->source,
              (long long)episode, (long long)step, (long long)state, data->actions[i]);
    COH_CHECK(can_follow(mdp, row, next), COH_E_DATA,
              "%s: trajectory %lld, step %lld: the model gives probability zero to state %lld "
              "after action %d in state %lld",
              data->source, (long long)episode, (long long)step, (long long)next,
              data->actions[i], (long long)state);
    demos->state[demos->n_steps] = (uint32_t)state;
    demos->row[demos->n_steps++] = row;
    demos->last[episode - first] = (uint32_t)next;
    demos->n_trajectories = episode - first + 1;
    demos->first[demos->n_trajectories] = demos->n_steps;
    before = next;
  }
  return COH_OK;
}

coh_status coh_irl_demos_read(const coh_mdp *mdp, const char *path, int64_t most,
                              int64_t held_out, coh_irl_demos *demos, coh_irl_demos *held) {
  coh_transitions *data = NULL;
  COH_TRY(coh_transitions_read(path, mdp->n_actions, &data));
  int64_t n = data->n_episodes - held_out;
  coh_status status = COH_OK;
  if (n < 1)
    status = coh_fail(COH_E_DATA,
                      "%s: %lld trajectories are not enough to learn from and to hold %lld out",
                      path, (long long)data->n_episodes, (long long)held_out);
  if (status == COH_OK) status = take(mdp, data, 0, n < most ? n : most, demos);
  if (status == COH_OK && held_out > 0) status = take(mdp, data, n, n + held_out, held);
  coh_transitions_destroy(&data);
  return status;
}

// ---- for the likelihood

coh_status coh_irl_demos_weigh(coh_irl_demos *demos, bool by_step) {
  int64_t n = demos->n_trajectories, longest = 0, n_uses = 0, n_ends = 0;
  double weight = 1 / (double)(by_step ? demos->n_steps : n);
  COH_NEW(demos->use, demos->n_steps);
  COH_NEW(demos->end, n);
  for (int64_t k = 0; k < n; k++)
    longest = demos->first[k + 1] - demos->first[k] > longest
                  ? demos->first[k + 1] - demos->first[k]
                  : longest;
  int64_t *open; // trajectories that are not over yet
  COH_NEW(open, n);
  int64_t n_open = 0;
  for (int64_t k = 0; k < n; k++)
    open[n_open++] = k;
  for (int64_t t = 0; t <= longest; t++) {
    int64_t n_left = 0;
    for (int64_t i = 0; i < n_open; i++) {
      int64_t k = open[i], at = demos->first[k] + t;
      if (at < demos->first[k + 1]) {
        demos->use[n_uses++] = (coh_soft_use){t, demos->row[at], weight};
        open[n_left++] = k;
      } else if (t > 0) {
        demos->end[n_ends++] = (coh_soft_use){t, demos->last[k], weight};
      }
    }
    n_open = n_left;
  }
  coh_free(open);
  demos->uses = (coh_soft_demos){demos->use, demos->end, n_uses, n_ends};
  return COH_OK;
}

void coh_irl_demos_visits(const coh_irl_demos *demos, double discount, int64_t n_states,
                          double *visits) {
  memset(visits, 0, (size_t)n_states * sizeof *visits);
  for (int64_t k = 0; k < demos->n_trajectories; k++) {
    double weight = 1 / (double)demos->n_trajectories;
    for (int64_t i = demos->first[k]; i < demos->first[k + 1]; i++, weight *= discount)
      visits[demos->state[i]] += weight;
  }
}

double coh_irl_demos_return(const coh_irl_demos *demos, double discount, const double *reward) {
  double sum = 0;
  for (int64_t k = 0; k < demos->n_trajectories; k++) {
    double weight = 1;
    for (int64_t i = demos->first[k]; i < demos->first[k + 1]; i++, weight *= discount)
      sum += weight * reward[demos->row[i]];
  }
  return sum / (double)demos->n_trajectories;
}
