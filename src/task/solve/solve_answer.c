/* The answer of all ranks on one: values, actions, ties, and where the policy leads. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/solve/solve.h"

/* how many actions of a state cannot be told from the best one within the bounds */
static int32_t count_best(const coh_solve *solve, const double *q, int64_t s) {
  const coh_mdp *mdp = solve->model->mdp;
  double sign = solve->options->sense == 1 ? -1.0 : 1.0, best = -INFINITY;
  int32_t n_best = 0;
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
    best = fmax(best, sign * q[r]);
  double slack = fmax(solve->width, 1e-12 * fabs(best));
  for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
    n_best += sign * q[r] >= best - slack || sign * q[r] == best;
  return n_best;
}

/* the likeliest next state, staying where it is left out */
static int64_t likely_next(const coh_solve *solve, int64_t s) {
  const coh_mdp_shard *model = solve->model;
  const coh_mdp *mdp = model->mdp;
  int64_t row = mdp->first_row[s] + solve->choice[s], best = -1;
  if (coh_mdp_is_terminal(mdp, s)) return -2;
  for (int64_t e = mdp->first_entry[row]; e < mdp->first_entry[row + 1]; e++)
    if (mdp->next[e] != (uint64_t)s &&
        (best < 0 || mdp->probability[e] > mdp->probability[best]))
      best = e;
  if (best < 0) return -1;
  int64_t to = mdp->next[best];
  return to < model->n_own ? model->first + to : model->ghost[to - model->n_own];
}

/* what a rank says of its own states */
typedef struct local_answer {
  double *q;     /* rows */
  double *table; /* states x actions, or NULL */
  int32_t *action, *n_best;
  int64_t *likely;
} local_answer;

static void fill_table(const coh_solve *solve, local_answer *own) {
  const coh_mdp *mdp = solve->model->mdp;
  for (int64_t k = 0; k < mdp->n_states * solve->n_actions; k++)
    own->table[k] = NAN;
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      own->table[s * solve->n_actions + mdp->action[r]] = own->q[r];
}

static coh_status fill(coh_solve *solve, local_answer *own, coh_solve_answer *answer) {
  const coh_mdp *mdp = solve->model->mdp;
  COH_NEW(own->q, mdp->n_rows);
  COH_NEW(own->action, mdp->n_states);
  COH_NEW(own->n_best, mdp->n_states);
  COH_NEW(own->likely, mdp->n_states);
  coh_mdp_action_values(mdp, solve->context->n_threads, solve->values, own->q);
  for (int64_t s = 0; s < mdp->n_states; s++) {
    own->n_best[s] = count_best(solve, own->q, s);
    own->action[s] = mdp->action[mdp->first_row[s] + solve->choice[s]];
    own->likely[s] = likely_next(solve, s);
    answer->n_ties += own->n_best[s] > 1 && isfinite(solve->values[s]) && own->likely[s] != -2;
    answer->n_infinite += isinf(solve->values[s]) != 0;
  }
  if (!solve->options->q) return COH_OK;
  COH_NEW(own->table, mdp->n_states * solve->n_actions);
  fill_table(solve, own);
  return COH_OK;
}

static coh_status make_room(const coh_solve *solve, coh_solve_answer *answer) {
  int64_t n = solve->model->first == 0 ? solve->n_states : 0;
  COH_NEW(answer->values, n);
  COH_NEW(answer->lower, n);
  COH_NEW(answer->upper, n);
  COH_NEW(answer->action, n);
  COH_NEW(answer->n_best, n);
  COH_NEW(answer->likely, n);
  if (solve->options->q) COH_NEW(answer->q, n * solve->n_actions);
  return COH_OK;
}

static coh_status collect(coh_solve *solve, const local_answer *own, coh_solve_answer *answer) {
  coh_mdp_shard *model = solve->model;
  COH_TRY(coh_mdp_shard_collect(model, solve->values, sizeof(double), answer->values));
  COH_TRY(coh_mdp_shard_collect(model, solve->lower, sizeof(double), answer->lower));
  COH_TRY(coh_mdp_shard_collect(model, solve->upper, sizeof(double), answer->upper));
  COH_TRY(coh_mdp_shard_collect(model, own->action, sizeof(int32_t), answer->action));
  COH_TRY(coh_mdp_shard_collect(model, own->n_best, sizeof(int32_t), answer->n_best));
  COH_TRY(coh_mdp_shard_collect(model, own->likely, sizeof(int64_t), answer->likely));
  return answer->q ? coh_mdp_shard_collect(model, own->table,
                                           (size_t)solve->n_actions * sizeof(double), answer->q)
                   : COH_OK;
}

static coh_status add_up(const coh_solve *solve, coh_solve_answer *answer) {
  const coh_mdp_shard *model = solve->model;
  coh_mdp_shard_info info = coh_mdp_shard_describe(model);
  int64_t sum[4] = {answer->n_ties, answer->n_infinite, (int64_t)info.sent, info.n_rows};
  answer->largest_share = (double)info.n_entries / (double)model->n_entries;
  if (model->world) {
    COH_TRY(coh_comm_reduce_int(model->world, COH_REDUCE_SUM, sum, 4));
    COH_TRY(coh_comm_reduce_real(model->world, COH_REDUCE_MAX, &answer->largest_share, 1));
  }
  answer->n_ties = sum[0];
  answer->n_infinite = sum[1];
  answer->sent = sum[2];
  answer->n_rows = (double)sum[3];
  return COH_OK;
}

coh_status coh_solve_gather(coh_solve *solve, coh_solve_answer *answer) {
  coh_world *world = solve->context->world;
  *answer = (coh_solve_answer){.n_states = solve->n_states, .n_actions = solve->n_actions};
  local_answer own = {0};
  coh_status status = coh_mdp_shard_fetch(solve->model, solve->values);
  if (status == COH_OK) status = fill(solve, &own, answer);
  if (status == COH_OK) status = make_room(solve, answer);
  status = coh_comm_agree(world, status);
  if (status == COH_OK) status = collect(solve, &own, answer);
  if (status == COH_OK) status = add_up(solve, answer);
  if (status == COH_OK) status = coh_solve_start_value(solve, solve->values, &answer->start);
  coh_free(own.q);
  coh_free(own.table);
  coh_free(own.action);
  coh_free(own.n_best);
  coh_free(own.likely);
  return status;
}

void coh_solve_answer_clear(coh_solve_answer *answer) {
  coh_free(answer->values);
  coh_free(answer->lower);
  coh_free(answer->upper);
  coh_free(answer->action);
  coh_free(answer->n_best);
  coh_free(answer->likely);
  coh_free(answer->q);
  *answer = (coh_solve_answer){0};
}
