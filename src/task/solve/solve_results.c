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

/* a value, or the word for what is none */
static void add_value(coh_text *text, double value) {
  if (isinf(value))
    coh_csv_add_text(text, value > 0 ? "infinite" : "-infinite", false);
  else
    coh_csv_add_real(text, value, false);
}

static coh_status write_csv(const coh_solve *solve, const coh_solve_answer *answer) {
  char path[PATH_BYTES];
  coh_text text = {0};
  coh_text_add(&text, "state,value,lower,upper,action,best_actions\n");
  for (int64_t s = 0; s < answer->n_states; s++) {
    coh_text_add(&text, "%lld,", (long long)s);
    add_value(&text, answer->values[s]);
    add_value(&text, answer->lower[s]);
    add_value(&text, answer->upper[s]);
    coh_text_add(&text, "%d,%d\n", answer->action[s], answer->n_best[s]);
  }
  char *csv = NULL;
  COH_TRY(coh_text_take(&text, &csv));
  snprintf(path, sizeof path, "%s/results/solution.csv", solve->context->folder);
  coh_status status = coh_file_save(path, csv, strlen(csv));
  coh_free(csv);
  return status;
}

static coh_status write_files(const coh_solve *solve, const coh_solve_answer *answer) {
  int64_t n = answer->n_states;
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results", solve->context->folder);
  COH_TRY(coh_folder_make(path));
  COH_TRY(write_array(solve, "value", COH_DTYPE_F64, n, 0, answer->values));
  COH_TRY(write_array(solve, "lower", COH_DTYPE_F64, n, 0, answer->lower));
  COH_TRY(write_array(solve, "upper", COH_DTYPE_F64, n, 0, answer->upper));
  if (!solve->chain || solve->options->find == COH_SOLVE_IMPROVE) {
    COH_TRY(write_array(solve, "policy", COH_DTYPE_I32, n, 0, answer->action));
    COH_TRY(write_array(solve, "best_actions", COH_DTYPE_I32, n, 0, answer->n_best));
  }
  if (answer->q)
    COH_TRY(write_array(solve, "q", COH_DTYPE_F64, n, answer->n_actions, answer->q));
  return n <= MOST_CSV_STATES ? write_csv(solve, answer) : COH_OK;
}

static void put_value(double value, char text[64]) {
  if (isinf(value))
    snprintf(text, 64, "%sinfinite", value < 0 ? "-" : "");
  else
    snprintf(text, 64, "%.10g", value);
}

/* what the ranks had to do with it */
static void add_ranks(const coh_solve *solve, const coh_solve_answer *answer,
                      coh_results *results) {
  int size = coh_world_size(solve->context->world);
  char text[64], note[256];
  if (size == 1) return;
  if (solve->is_whole) {
    coh_results_text(results, "Every rank held the whole model and did the same: this "
                              "objective, method or comparison is not divided.");
    return;
  }
  snprintf(text, sizeof text, "%lld", (long long)answer->sent);
  snprintf(note, sizeof note,
           "of all %d ranks together, 8 for each value of another rank's that one reads; the "
           "largest share holds %.1f%% of the transitions",
           size, 100.0 * answer->largest_share);
  coh_results_number(results, "halo_bytes", (double)answer->sent, text, "bytes of halo a sweep",
                     note);
}

static void add_numbers(const coh_solve *solve, const coh_solve_answer *answer,
                        coh_results *results) {
  char text[64], note[256];
  put_value(answer->start, text);
  snprintf(note, sizeof note, "%s; %lld states, %.0f actions, %lld transitions",
           solve->start ? "by where it begins" : "state 0", (long long)answer->n_states,
           answer->n_rows, (long long)solve->model->n_entries);
  coh_results_number(results, "value", answer->start, text, "value at the start", note);
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
  snprintf(text, sizeof text, "%lld", (long long)answer->n_ties);
  coh_results_number(results, "ties", (double)answer->n_ties, text, "states with ties",
                     "several actions are as good, as far as the bounds can tell");
}

static void add_words(const coh_solve *solve, const coh_solve_answer *answer,
                      coh_results *results) {
  char text[512];
  if (answer->n_infinite > 0) {
    snprintf(text, sizeof text,
             "%lld of %lld states have an infinite value: %s. They count in no width.",
             (long long)answer->n_infinite, (long long)answer->n_states,
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

static coh_status write_all(coh_solve *solve, const coh_solve_answer *answer,
                            coh_results *results) {
  COH_TRY(write_files(solve, answer));
  add_numbers(solve, answer, results);
  add_ranks(solve, answer, results);
  add_words(solve, answer, results);
  COH_TRY(coh_solve_compare_results(solve, results));
  return coh_solve_draw(solve, answer, results);
}

coh_status coh_solve_results(void *task, coh_results *results) {
  coh_solve *solve = task;
  if (!solve->has_answer) {
    coh_results_warning(results, "The run ended before the bound was narrow enough: there is "
                                 "no answer yet. Give it more steps.");
    return COH_OK;
  }
  coh_solve_answer answer;
  coh_status status = coh_solve_gather(solve, &answer);
  if (status == COH_OK && coh_world_rank(solve->context->world) == 0)
    status = write_all(solve, &answer, results);
  coh_solve_answer_clear(&answer);
  return status;
}
