/* The two methods that need a planner but no entropy: Ng and Russell's linear program and
 * Abbeel and Ng's projection.
 *
 * The linear program is written in the values V of the expert's policy instead of the rewards
 * R = (I - gamma P*) V, so that every constraint has as few entries as the model:
 *
 *   maximise  sum z - penalty sum u
 *   (P* - P_a) V >= z >= 0 where the expert was seen to prefer * to a
 *   -u <= V - gamma P* V <= u <= bound,      V - gamma P* V = Phi theta for linear rewards
 *
 * Sources: Ng and Russell, "Algorithms for inverse reinforcement learning", 2000; Abbeel and
 * Ng, "Apprenticeship learning via inverse reinforcement learning", 2004. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/linear_program.h"
#include "task/irl/irl.h"

// rows of a linear program as they are written; equal variables of a row are added up
typedef struct program_rows {
  int64_t n_rows, n_entries;
  int64_t *first, *place; /* place: of a variable in the row under way, -1: not there */
  int32_t *variable;
  double *factor, *low, *high;
} program_rows;

static void begin_row(program_rows *rows, double low, double high) {
  rows->low[rows->n_rows] = low;
  rows->high[rows->n_rows] = high;
}

static void add_entry(program_rows *rows, int64_t variable, double factor) {
  int64_t *place = &rows->place[variable];
  if (*place < 0) {
    *place = rows->n_entries++;
    rows->variable[*place] = (int32_t)variable;
    rows->factor[*place] = 0;
  }
  rows->factor[*place] += factor;
}

static void end_row(program_rows *rows) {
  for (int64_t i = rows->first[rows->n_rows]; i < rows->n_entries; i++)
    rows->place[rows->variable[i]] = -1;
  rows->first[++rows->n_rows] = rows->n_entries;
}

// the row that the demonstrations take most often in each state, -1 where there are none
static coh_status count_choices(const coh_irl *irl, int64_t *chosen) {
  const coh_mdp *mdp = irl->world.mdp;
  int64_t *count;
  COH_NEW(count, mdp->n_rows);
  for (int64_t i = 0; i < irl->demos.n_steps; i++)
    count[irl->demos.row[i]]++;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    int64_t best = -1;
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++)
      if (count[row] > 0 && (best < 0 || count[row] > count[best])) best = row;
    chosen[s] = best;
  }
  coh_free(count);
  return COH_OK;
}

static void add_transitions(program_rows *rows, const coh_mdp *mdp, int64_t row,
                            double factor) {
  for (int64_t e = mdp->first_entry[row]; e < mdp->first_entry[row + 1]; e++)
    add_entry(rows, mdp->next[e], factor * mdp->probability[e]);
}

// factor (V - gamma P* V) in state s; where nothing was seen every action is as likely
static void add_reward(program_rows *rows, const coh_mdp *mdp, const int64_t *chosen, int64_t s,
                       double factor) {
  add_entry(rows, s, factor);
  int64_t first = mdp->first_row[s], last = mdp->first_row[s + 1];
  double share = -factor * mdp->discount;
  if (chosen[s] >= 0)
    add_transitions(rows, mdp, chosen[s], share);
  else
    for (int64_t row = first; row < last; row++)
      add_transitions(rows, mdp, row, share / (double)(last - first));
}

static void write_rows(const coh_irl *irl, const int64_t *chosen, program_rows *rows) {
  const coh_irl_world *world = &irl->world;
  const coh_mdp *mdp = world->mdp;
  int64_t n = mdp->n_states;
  for (int64_t s = 0; s < n; s++) {
    for (int sign = -1; sign <= 1; sign += 2) { // u >= |R|
      begin_row(rows, 0, INFINITY);
      add_entry(rows, n + s, 1);
      add_reward(rows, mdp, chosen, s, sign);
      end_row(rows);
    }
    if (irl->options->reward == COH_IRL_LINEAR) {
      begin_row(rows, 0, 0);
      add_reward(rows, mdp, chosen, s, -1);
      if (world->feature) {
        add_entry(rows, 3 * n + world->feature[s], 1);
      } else {
        for (int64_t k = 0; k < world->n_features; k++)
          if (world->features[s * world->n_features + k] != 0)
            add_entry(rows, 3 * n + k, (double)world->features[s * world->n_features + k]);
      }
      end_row(rows);
    }
    for (int64_t row = mdp->first_row[s]; chosen[s] >= 0 && row < mdp->first_row[s + 1];
         row++) {
      if (row == chosen[s]) continue;
      begin_row(rows, 0, INFINITY);
      add_transitions(rows, mdp, chosen[s], 1);
      add_transitions(rows, mdp, row, -1);
      add_entry(rows, 2 * n + s, -1);
      end_row(rows);
    }
  }
}

static coh_status make_rows(const coh_irl *irl, int64_t n_variables, program_rows *rows) {
  const coh_mdp *mdp = irl->world.mdp;
  int64_t n_rows = 3 * mdp->n_states + mdp->n_rows;
  int64_t widest = 0, features = irl->world.feature ? 1 : irl->world.n_features;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    int64_t n = mdp->first_entry[mdp->first_row[s + 1]] - mdp->first_entry[mdp->first_row[s]];
    widest = n > widest ? n : widest;
  }
  int64_t n_entries = 3 * (mdp->n_entries + 2 * mdp->n_states) + mdp->n_states * features +
                      mdp->n_rows * (widest + 1);
  COH_NEW(rows->first, n_rows + 1);
  COH_NEW(rows->low, n_rows);
  COH_NEW(rows->high, n_rows);
  COH_NEW(rows->place, n_variables);
  COH_NEW(rows->variable, n_entries);
  COH_NEW(rows->factor, n_entries);
  for (int64_t i = 0; i < n_variables; i++)
    rows->place[i] = -1;
  return COH_OK;
}

static void clear_rows(program_rows *rows) {
  coh_free(rows->first), coh_free(rows->low), coh_free(rows->high), coh_free(rows->place);
  coh_free(rows->variable), coh_free(rows->factor);
}

// the rewards of the solution, V - gamma P* V, or theta itself
static void read_solution(coh_irl *irl, const int64_t *chosen, const double *x) {
  const coh_mdp *mdp = irl->world.mdp;
  int64_t n = mdp->n_states;
  if (irl->options->reward == COH_IRL_LINEAR) {
    memcpy(irl->params, x + 3 * n, (size_t)irl->n_params * sizeof *x);
    return;
  }
  for (int64_t s = 0; s < n; s++) {
    double next = 0, n_rows = 0;
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++) {
      if (chosen[s] >= 0 && row != chosen[s]) continue;
      for (int64_t e = mdp->first_entry[row]; e < mdp->first_entry[row + 1]; e++)
        next += mdp->probability[e] * x[mdp->next[e]];
      n_rows++;
    }
    irl->params[s] = x[s] - mdp->discount * next / n_rows;
  }
}

static coh_status solve_with(coh_irl *irl, int64_t *chosen, program_rows *rows,
                             double *columns) {
  int64_t n = irl->world.mdp->n_states;
  int64_t n_theta = irl->options->reward == COH_IRL_LINEAR ? irl->n_params : 0;
  int64_t n_variables = 3 * n + n_theta;
  double *objective = columns, *low = columns + n_variables, *high = low + n_variables;
  double *x = high + n_variables;
  COH_TRY(count_choices(irl, chosen));
  COH_TRY(make_rows(irl, n_variables, rows));
  write_rows(irl, chosen, rows);
  for (int64_t i = 0; i < n_variables; i++) {
    bool is_size = i >= n && i < 2 * n, is_margin = i >= 2 * n && i < 3 * n;
    low[i] = is_size || is_margin ? 0 : -INFINITY;
    high[i] = is_size ? irl->options->program.bound : INFINITY;
    objective[i] = is_size ? -irl->options->program.penalty : is_margin ? 1 : 0;
    // a state without a choice has no margin
    if (is_margin && chosen[i - 2 * n] < 0) high[i] = 0;
  }
  for (int64_t s = 0; s < n; s++) // nor has one with a single action
    if (irl->world.mdp->first_row[s + 1] - irl->world.mdp->first_row[s] == 1)
      high[2 * n + s] = 0;
  coh_linear_program program = {n_variables,    rows->n_rows, objective,  low,
                                high,           rows->low,    rows->high, rows->first,
                                rows->variable, rows->factor};
  COH_TRY(coh_linear_program_solve(&program, x, &irl->objective, NULL));
  read_solution(irl, chosen, x);
  return COH_OK;
}

coh_status coh_irl_solve_program(coh_irl *irl) {
  int64_t n = irl->world.mdp->n_states;
  program_rows rows = {0};
  int64_t *chosen = coh_alloc_array((size_t)n, sizeof *chosen);
  double *columns = coh_alloc_array((size_t)(4 * (3 * n + irl->n_params)), sizeof *columns);
  coh_status status = chosen && columns
                          ? COH_OK
                          : coh_fail(COH_E_MEMORY, "out of memory for the linear program");
  if (status == COH_OK) status = solve_with(irl, chosen, &rows, columns);
  clear_rows(&rows);
  coh_free(chosen);
  coh_free(columns);
  return status;
}

// ---- projection

enum { MOST_SWEEPS = 100000 };

// value iteration to MacQueen's bound: its sweeps are cheap, and ties and plateaus, of which
// sparse rewards have many, do not hold it up
coh_status coh_irl_plan(coh_irl *irl, const coh_mdp *mdp, const double *reward, double *value,
                        int32_t *choice) {
  coh_mdp paying = *mdp;
  memcpy(&paying.reward, &reward, sizeof reward); // only read
  int64_t n = mdp->n_states;
  double largest = 0, low = -INFINITY, high = INFINITY, *next = irl->plan_next;
  double reach = mdp->discount / (1 - mdp->discount);
  for (int64_t row = 0; row < mdp->n_rows; row++)
    largest = fmax(largest, fabs(reward[row]));
  for (int64_t turn = 0; turn < MOST_SWEEPS && (high - low) * reach > 1e-7 * largest; turn++) {
    coh_mdp_sweep(&paying, false, irl->context->n_threads, value, next, choice, &low, &high);
    memcpy(value, next, (size_t)n * sizeof *value);
  }
  for (int64_t s = 0; s < n; s++) // the middle of the bounds
    value[s] += reach * (low + high) / 2;
  COH_CHECK((high - low) * reach <= 1e-7 * largest, COH_E_DIVERGED,
            "value iteration did not converge: its bound stays %g wide", (high - low) * reach);
  return COH_OK;
}

coh_status coh_irl_best_response(coh_irl *irl, const coh_mdp *mdp, const double *reward,
                                 int32_t *choice) {
  memset(irl->plan_value, 0, (size_t)mdp->n_states * sizeof *irl->plan_value);
  return coh_irl_plan(irl, mdp, reward, irl->plan_value, choice);
}

// w = Phi^T (expert's visits - mixture's), for a table the difference itself
static double set_weights(coh_irl *irl, double scale) {
  const coh_mdp *mdp = irl->world.mdp;
  double sum = 0;
  memset(irl->row_gradient, 0, (size_t)mdp->n_rows * sizeof *irl->row_gradient);
  for (int64_t s = 0; s < mdp->n_states; s++)
    irl->row_gradient[mdp->first_row[s]] = scale * irl->expert_visits[s] - irl->mixture[s];
  coh_irl_linear_gradient(irl, irl->row_gradient, irl->params);
  for (int64_t k = 0; k < irl->n_params; k++)
    sum += irl->params[k] * irl->params[k];
  return sqrt(sum);
}

// move the mixture towards visits by the projection of the expert's features onto the way
static void move_mixture(coh_irl *irl, const double *visits) {
  const coh_mdp *mdp = irl->world.mdp;
  double along = 0, square = 0;
  memset(irl->row_gradient, 0, (size_t)mdp->n_rows * sizeof *irl->row_gradient);
  for (int64_t s = 0; s < mdp->n_states; s++)
    irl->row_gradient[mdp->first_row[s]] = visits[s] - irl->mixture[s];
  coh_irl_linear_gradient(irl, irl->row_gradient, irl->gradient);
  for (int64_t k = 0; k < irl->n_params; k++) {
    along += irl->gradient[k] * irl->params[k];
    square += irl->gradient[k] * irl->gradient[k];
  }
  double step = square > 0 ? fmin(1, fmax(0, along / square)) : 0;
  for (int64_t s = 0; s < mdp->n_states; s++)
    irl->mixture[s] += step * (visits[s] - irl->mixture[s]);
}

coh_status coh_irl_project(coh_irl *irl) {
  const coh_mdp *mdp = irl->world.mdp;
  int64_t n = mdp->n_states;
  int n_threads = irl->context->n_threads;
  double total = 0, tolerance = irl->options->tolerance;
  for (int64_t s = 0; s < n; s++)
    total += irl->expert_visits[s];
  // demonstrations that were cut are taken to go on as they were
  double scale = 1 / (1 - mdp->discount) / total;
  if (irl->n_epochs == 0) // the first policy acts at random
    COH_TRY(coh_mdp_visits(irl->incoming, (coh_mdp_policy){0}, mdp->start, tolerance, n_threads,
                           irl->mixture));
  irl->margin = irl->gradient_norm = set_weights(irl, scale);
  irl->objective = -irl->margin;
  coh_irl_linear_rewards(irl, &irl->world, irl->params, irl->reward);
  memcpy(irl->accepted, irl->params, (size_t)irl->n_params * sizeof *irl->params);
  if (irl->margin <= irl->options->stop) {
    irl->is_done = true;
    return COH_OK;
  }
  COH_TRY(coh_irl_best_response(irl, mdp, irl->reward, irl->choice));
  // visits of equations that are solved by iteration: they start from none
  memset(irl->visits, 0, (size_t)n * sizeof *irl->visits);
  COH_TRY(coh_mdp_visits(irl->incoming, (coh_mdp_policy){.choice = irl->choice}, mdp->start,
                         tolerance, n_threads, irl->visits));
  move_mixture(irl, irl->visits);
  return COH_OK;
}
