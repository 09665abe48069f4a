/* What a solve leaves behind: arrays, a table for people, and words for what is no number. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/csv.h"
#include "io/file.h"
#include "task/solve/solve.h"

enum { PATH_BYTES = 4096, MOST_CSV_STATES = 2000000 };

static coh_status write_array(const coh_solve *solve, const char *name, coh_dtype dtype,
                              int64_t n, int64_t m, void *data) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results/%s.npy", solve->context->folder, name);
  return coh_npy_write(
      path,
      &(coh_array){.dtype = dtype, .n_dims = m > 0 ? 2 : 1, .shape = {n, m}, .data = data});
}

/* how many actions of a state cannot be told from the best one within the bounds */
static void count_best(const coh_solve *solve, const double *q, int32_t *n_best) {
  const coh_mdp *mdp = solve->mdp;
  double sign = solve->options->sense == 1 ? -1.0 : 1.0;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    double best = -INFINITY;
    n_best[s] = 0;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      best = fmax(best, sign * q[r]);
    double slack = fmax(solve->width, 1e-12 * fabs(best));
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      n_best[s] += sign * q[r] >= best - slack || sign * q[r] == best;
  }
}

static coh_status write_q(const coh_solve *solve, const double *q) {
  const coh_mdp *mdp = solve->mdp;
  double *table;
  COH_NEW(table, mdp->n_states * mdp->n_actions);
  for (int64_t k = 0; k < mdp->n_states * mdp->n_actions; k++)
    table[k] = NAN;
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      table[s * mdp->n_actions + mdp->action[r]] = q[r];
  coh_status status =
      write_array(solve, "q", COH_DTYPE_F64, mdp->n_states, mdp->n_actions, table);
  coh_free(table);
  return status;
}

/* a value, or the word for what is none */
static void add_value(coh_text *text, double value) {
  if (isinf(value))
    coh_csv_add_text(text, value > 0 ? "infinite" : "-infinite", false);
  else
    coh_csv_add_real(text, value, false);
}

static coh_status write_csv(const coh_solve *solve, const int32_t *action,
                            const int32_t *n_best) {
  char path[PATH_BYTES];
  coh_text text = {0};
  coh_text_add(&text, "state,value,lower,upper,action,best_actions\n");
  for (int64_t s = 0; s < solve->mdp->n_states; s++) {
    coh_text_add(&text, "%lld,", (long long)s);
    add_value(&text, solve->values[s]);
    add_value(&text, solve->lower[s]);
    add_value(&text, solve->upper[s]);
    coh_text_add(&text, "%d,%d\n", action[s], n_best[s]);
  }
  char *csv = NULL;
  COH_TRY(coh_text_take(&text, &csv));
  snprintf(path, sizeof path, "%s/results/solution.csv", solve->context->folder);
  coh_status status = coh_file_save(path, csv, strlen(csv));
  coh_free(csv);
  return status;
}

static coh_status write_files(coh_solve *solve, double *q, int32_t *action, int32_t *n_best,
                              int64_t *n_ties) {
  const coh_mdp *mdp = solve->mdp;
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results", solve->context->folder);
  COH_TRY(coh_folder_make(path));
  coh_mdp_action_values(mdp, solve->context->n_threads, solve->values, q);
  count_best(solve, q, n_best);
  for (int64_t s = 0; s < mdp->n_states; s++) {
    *n_ties += n_best[s] > 1 && isfinite(solve->values[s]) && !coh_mdp_is_terminal(mdp, s);
    action[s] = mdp->action[mdp->first_row[s] + solve->choice[s]];
  }
  COH_TRY(write_array(solve, "value", COH_DTYPE_F64, mdp->n_states, 0, solve->values));
  COH_TRY(write_array(solve, "lower", COH_DTYPE_F64, mdp->n_states, 0, solve->lower));
  COH_TRY(write_array(solve, "upper", COH_DTYPE_F64, mdp->n_states, 0, solve->upper));
  if (!solve->chain || solve->options->find == COH_SOLVE_IMPROVE) {
    COH_TRY(write_array(solve, "policy", COH_DTYPE_I32, mdp->n_states, 0, action));
    COH_TRY(write_array(solve, "best_actions", COH_DTYPE_I32, mdp->n_states, 0, n_best));
  }
  if (solve->options->q) COH_TRY(write_q(solve, q));
  return mdp->n_states <= MOST_CSV_STATES ? write_csv(solve, action, n_best) : COH_OK;
}

static void put_value(double value, char text[64]) {
  if (isinf(value))
    snprintf(text, 64, "%sinfinite", value < 0 ? "-" : "");
  else
    snprintf(text, 64, "%.10g", value);
}

static void add_numbers(const coh_solve *solve, int64_t n_ties, coh_results *results) {
  const coh_mdp *mdp = solve->mdp;
  char text[64], note[256];
  double value = coh_solve_start_value(solve, solve->values);
  put_value(value, text);
  snprintf(note, sizeof note, "%s; %lld states, %lld actions, %lld transitions",
           mdp->start ? "by where it begins" : "state 0", (long long)mdp->n_states,
           (long long)mdp->n_rows, (long long)mdp->n_entries);
  coh_results_number(results, "value", value, text, "value at the start", note);
  snprintf(text, sizeof text, "%.3g", solve->width);
  coh_results_number(results, "width", solve->width, text, "width of the bound",
                     solve->options->objective == COH_SOLVE_TOTAL
                         ? "the truth lies inside, of every state; of values above 1 relative"
                         : "the truth lies inside, of every state");
  snprintf(text, sizeof text, "%.0f", solve->line[0].n_rounds);
  if (solve->plan)
    snprintf(note, sizeof note, "%s; %.1f sweeps' worth of transitions",
             solve->contestant[0].kind->name,
             solve->line[0].n_transitions / (double)solve->subject->n_entries);
  else
    snprintf(note, sizeof note, "sweeps");
  coh_results_number(results, "rounds", solve->line[0].n_rounds, text, "rounds", note);
  if (solve->options->find == COH_SOLVE_EVALUATE) return;
  snprintf(text, sizeof text, "%lld", (long long)n_ties);
  coh_results_number(results, "ties", (double)n_ties, text, "states with ties",
                     "several actions are as good, as far as the bounds can tell");
}

static void add_words(const coh_solve *solve, coh_results *results) {
  int64_t n_infinite = 0;
  char text[512];
  for (int64_t s = 0; s < solve->mdp->n_states; s++)
    n_infinite += isinf(solve->values[s]);
  if (n_infinite > 0) {
    snprintf(text, sizeof text,
             "%lld of %lld states have an infinite value: %s. They count in no width.",
             (long long)n_infinite, (long long)solve->mdp->n_states,
             solve->chain                 ? "the policy may never end there"
             : solve->options->sense == 1 ? "every policy may miss the end there"
                                          : "some policy may go on for ever there");
    coh_results_warning(results, text);
  }
  if (solve->options->find != COH_SOLVE_IMPROVE) return;
  snprintf(text, sizeof text,
           "Improving the policy changes the action of %lld states; the optimum is nowhere "
           "more than %.6g better than the policy was.",
           (long long)solve->n_changed, solve->gain);
  coh_results_text(results, text);
}

static coh_status write_all(coh_solve *solve, coh_results *results) {
  double *q = coh_alloc_array((size_t)solve->mdp->n_rows, sizeof *q);
  int32_t *number = coh_alloc_array((size_t)(2 * solve->mdp->n_states), sizeof *number);
  int64_t n_ties = 0;
  coh_status status =
      q && number ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for the results");
  if (status == COH_OK)
    status = write_files(solve, q, number, number + solve->mdp->n_states, &n_ties);
  coh_free(q);
  coh_free(number);
  COH_TRY(status);
  add_numbers(solve, n_ties, results);
  add_words(solve, results);
  COH_TRY(coh_solve_compare_results(solve, results));
  return coh_solve_draw(solve, results);
}

coh_status coh_solve_results(void *task, coh_results *results) {
  coh_solve *solve = task;
  if (!solve->has_answer) {
    coh_results_warning(results, "The run ended before the bound was narrow enough: there is "
                                 "no answer yet. Give it more steps.");
    return COH_OK;
  }
  if (coh_world_rank(solve->context->world) != 0) return COH_OK;
  return write_all(solve, results);
}
