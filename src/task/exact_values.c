/* An agent's values beside the optimum of its environment. */
#include "task/exact_values.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/cells.h"
#include "draw/figure.h"
#include "io/file.h"
#include "mdp/mdp_chain.h"
#include "mdp/model_kind.h"

enum { PATH_BYTES = 4096, ROOM = 460, BATCH = 256 };

typedef struct comparison {
  const coh_exact_values *given;
  coh_mdp *mdp;
  double *best, *learnt, *policy; /* n_states: V*, max Q, the greedy policy's value */
  int32_t *best_choice, *choice;  /* n_states: an optimal action; the greedy one */
  uint8_t *counts;                /* n_states: reached, and something is to be chosen there */
  double *q;                      /* n_states x n_actions */
} comparison;

static coh_status allocate(comparison *c) {
  int64_t n = c->mdp->n_states;
  COH_NEW(c->best, n);
  COH_NEW(c->learnt, n);
  COH_NEW(c->policy, n);
  COH_NEW(c->best_choice, n);
  COH_NEW(c->choice, n);
  COH_NEW(c->counts, n);
  COH_NEW(c->q, n * c->mdp->n_actions);
  return COH_OK;
}

static void clear(comparison *c) {
  coh_mdp_destroy(&c->mdp);
  coh_free(c->best);
  coh_free(c->learnt);
  coh_free(c->policy);
  coh_free(c->best_choice);
  coh_free(c->choice);
  coh_free(c->counts);
  coh_free(c->q);
}

/* The optimum, discounted or in total. */
static coh_status solve(const coh_mdp *mdp, double *values, int32_t *choice) {
  size_t n = (size_t)mdp->n_states;
  if (mdp->discount < 1.0) {
    coh_mdp_solution solution;
    COH_TRY(coh_mdp_solve(mdp, NULL, &solution));
    memcpy(values, solution.values, n * sizeof *values);
    memcpy(choice, solution.choice, n * sizeof *choice);
    coh_mdp_solution_clear(&solution);
    return COH_OK;
  }
  coh_mdp_bounds bounds;
  COH_TRY(coh_mdp_total_until(mdp, NULL, NULL, &bounds));
  for (size_t s = 0; s < n; s++)
    values[s] =
        isinf(bounds.lower[s]) ? bounds.lower[s] : 0.5 * (bounds.lower[s] + bounds.upper[s]);
  memcpy(choice, bounds.choice, n * sizeof *choice);
  coh_mdp_bounds_clear(&bounds);
  return COH_OK;
}

/* Where some policy can get to; of those, where there is something to choose. */
static coh_status find_reached(comparison *c) {
  const coh_mdp *mdp = c->mdp;
  int64_t n = 0, *queue;
  COH_NEW(queue, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    if (mdp->start[s] > 0.0) {
      c->counts[s] = 1;
      queue[n++] = s;
    }
  for (int64_t k = 0; k < n; k++)
    for (int64_t e = mdp->first_entry[mdp->first_row[queue[k]]];
         e < mdp->first_entry[mdp->first_row[queue[k] + 1]]; e++)
      if (!c->counts[mdp->next[e]]) {
        c->counts[mdp->next[e]] = 1;
        queue[n++] = mdp->next[e];
      }
  for (int64_t s = 0; s < mdp->n_states; s++)
    if (coh_mdp_is_terminal(mdp, s)) c->counts[s] = 0;
  coh_free(queue);
  return COH_OK;
}

/* Ask for the values of all cells, in batches of one-hot rows. */
static coh_status ask(comparison *c) {
  int64_t n = c->mdp->n_states, n_actions = c->mdp->n_actions;
  float *states;
  COH_NEW(states, BATCH * n);
  coh_status status = COH_OK;
  for (int64_t first = 0; first < n && status == COH_OK; first += BATCH) {
    int64_t size = first + BATCH < n ? BATCH : n - first;
    memset(states, 0, (size_t)(size * n) * sizeof *states);
    for (int64_t k = 0; k < size; k++)
      states[k * n + first + k] = 1.0f;
    status = c->given->values(c->given->agent, size, states, c->q + first * n_actions);
  }
  coh_free(states);
  return status;
}

static void be_greedy(comparison *c) {
  const coh_mdp *mdp = c->mdp;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    const double *q = c->q + s * mdp->n_actions;
    c->learnt[s] = -INFINITY;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      if (!(q[mdp->action[r]] > c->learnt[s])) continue;
      c->learnt[s] = q[mdp->action[r]];
      c->choice[s] = (int32_t)(r - mdp->first_row[s]);
    }
    if (coh_mdp_is_terminal(mdp, s)) c->learnt[s] = 0.0;
  }
}

static coh_status judge_policy(comparison *c) {
  coh_mdp *chain;
  int32_t *unused;
  COH_TRY(coh_mdp_chain_make(c->mdp, (coh_mdp_policy){.choice = c->choice}, &chain));
  unused = coh_alloc_array((size_t)c->mdp->n_states, sizeof *unused);
  coh_status status = unused ? solve(chain, c->policy, unused)
                             : coh_fail(COH_E_MEMORY, "out of memory for a policy");
  coh_free(unused);
  coh_mdp_destroy(&chain);
  return status;
}

static double start_value(const coh_mdp *mdp, const double *values) {
  double sum = 0.0;
  for (int64_t s = 0; s < mdp->n_states; s++)
    if (mdp->start[s] > 0.0) sum += mdp->start[s] * values[s];
  return sum;
}

/* ---- what is said */

static void add(coh_results *results, const char *key, double value, const char *label,
                const char *note) {
  char text[64];
  snprintf(text, sizeof text, isfinite(value) ? "%.5g" : "without bound", value);
  coh_results_number(results, key, value, text, label, note);
}

static void say(const comparison *c, coh_results *results) {
  double squares = 0.0, largest = 0.0;
  int64_t n = 0, worst = 0;
  for (int64_t s = 0; s < c->mdp->n_states; s++) {
    if (!c->counts[s] || !isfinite(c->best[s])) continue;
    double error = fabs(c->learnt[s] - c->best[s]);
    squares += error * error;
    n++;
    if (error <= largest) continue;
    largest = error;
    worst = s;
  }
  char note[128];
  const char *kind = c->mdp->discount < 1.0 ? "discounted" : "total";
  snprintf(note, sizeof note, "%s reward from the start, solved exactly without time limit",
           kind);
  add(results, "exact_value", start_value(c->mdp, c->best), "the optimum", note);
  add(results, "policy_value", start_value(c->mdp, c->policy), "the greedy policy's worth",
      "the same for the agent's policy, solved exactly too");
  snprintf(note, sizeof note, "root mean square of max Q - V* over %lld states", (long long)n);
  add(results, "values_rms", n > 0 ? sqrt(squares / (double)n) : 0.0, "values are off by",
      note);
  snprintf(note, sizeof note, "in cell %lld, row %lld, column %lld", (long long)worst,
           (long long)(worst / c->mdp->picture.n_cols),
           (long long)(worst % c->mdp->picture.n_cols));
  add(results, "values_largest", largest, "and by at most", note);
}

static void point(const comparison *c, const int32_t *choice, int8_t *arrow) {
  const coh_mdp *mdp = c->mdp;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    int32_t action = mdp->action[mdp->first_row[s] + choice[s]];
    arrow[s] = (int8_t)(c->counts[s] && action <= 3 ? mdp->picture.direction[action] : -1);
  }
}

static coh_status draw_pair(const comparison *c, const char *path, int8_t *arrow) {
  const coh_mdp_picture *picture = &c->mdp->picture;
  coh_cells cells = {.n_rows = picture->n_rows,
                     .n_cols = picture->n_cols,
                     .value = c->best,
                     .wall = picture->wall,
                     .arrow = arrow,
                     .room = ROOM};
  char label[2][96];
  const char *labels[2] = {label[0], label[1]};
  coh_image image[2] = {{0}};
  coh_cells_range(&cells, &cells.low, &cells.high);
  point(c, c->best_choice, arrow);
  snprintf(label[0], sizeof label[0], "exact: dark %.3g to bright %.3g", cells.low, cells.high);
  coh_status status = coh_cells_draw(&cells, &image[0]);
  cells.value = c->learnt;
  point(c, c->choice, arrow);
  snprintf(label[1], sizeof label[1], "the agent's, same colours");
  if (status == COH_OK) status = coh_cells_draw(&cells, &image[1]);
  const uint8_t *cell[2] = {image[0].data, image[1].data};
  if (status == COH_OK)
    status = coh_grid_write(&(coh_grid){.cell = cell,
                                        .n_cells = 2,
                                        .width = image[0].width,
                                        .height = image[0].height,
                                        .n_channels = 3,
                                        .columns = picture->n_cols > picture->n_rows ? 1 : 2,
                                        .scale = 1,
                                        .label = labels},
                            path);
  coh_image_clear(&image[0]);
  coh_image_clear(&image[1]);
  return status;
}

static coh_status draw(const comparison *c, coh_results *results) {
  char path[PATH_BYTES];
  const char *folder = c->given->context->folder;
  snprintf(path, sizeof path, "%s/figures", folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, sizeof path, "%s/figures/exact.png", folder);
  int8_t *arrow;
  COH_NEW(arrow, c->mdp->n_states);
  coh_status status = draw_pair(c, path, arrow);
  coh_free(arrow);
  if (status == COH_OK)
    coh_results_picture(results, "figures/exact.png",
                        "Values of the environment solved exactly, and the agent's max Q, with "
                        "the actions of either policy. Cells that nobody can choose in have no "
                        "arrow; the agent never learns of them.",
                        false);
  return status;
}

static coh_status compare(comparison *c, coh_results *results) {
  COH_TRY(allocate(c));
  COH_TRY(find_reached(c));
  COH_TRY(ask(c));
  be_greedy(c);
  if (coh_world_rank(c->given->context->world) != 0) return COH_OK;
  // rewards of both signs have no bound that is known here
  if (solve(c->mdp, c->best, c->best_choice) != COH_OK || judge_policy(c) != COH_OK) {
    coh_results_text(results, "The environment's exact values are not known without discount.");
    return COH_OK;
  }
  say(c, results);
  return c->given->context->folder ? draw(c, results) : COH_OK;
}

coh_status coh_exact_values_results(const coh_exact_values *given, coh_results *results) {
  if (!coh_mdp_env_is_finite(given->env)) return COH_OK;
  comparison c = {.given = given};
  coh_status status = coh_mdp_from_env(given->env, given->gamma, &c.mdp);
  if (status == COH_OK) status = compare(&c, results);
  clear(&c);
  return status;
}
