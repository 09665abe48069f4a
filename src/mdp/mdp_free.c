/* Matrix-free sweeps. Two vectors are all that is kept: the old values and the new. Sweeps in
 * place take fixed stretches of states; within one, what is already new is read, across its
 * ends what is old, so that threads never meet and never matter. MacQueen's bound comes from
 * Jacobi sweeps alone. */
#include <float.h>
#include <math.h>
#include <omp.h>

#include "base/alloc.h"
#include "mdp/mdp_bound.h"
#include "mdp/mdp_source.h"

enum { N_STRETCHES = 64, MIN_STRETCH = 4096, JACOBI_EVERY = 4 };

typedef enum direction { JACOBI, FORWARD, BACKWARD } direction;

/* What the sweeps of one thread have met. */
typedef struct met {
  coh_mdp_state_rows rows;
  coh_mdp_rows about;
  double low, high, largest;
  int64_t bad; /* a state whose rows are none; -1 */
} met;

typedef struct free_solver {
  const coh_mdp_source *source;
  bool minimize;
  int n_threads;
  double tolerance;
  int64_t stretch;
  double *values, *next;
  met *by_thread;
} free_solver;

/* Note a row; false where it is none. */
static bool note_row(const coh_mdp_source *source, const coh_mdp_state_rows *rows, int64_t k,
                     coh_mdp_rows *about) {
  double sum = 0.0;
  int64_t n = rows->first_entry[k + 1] - rows->first_entry[k];
  if (n < 1 || rows->first_entry[k + 1] > source->max_entries || !isfinite(rows->reward[k]))
    return false;
  for (int64_t e = rows->first_entry[k]; e < rows->first_entry[k + 1]; e++) {
    if (rows->next[e] >= (uint64_t)source->n_states || !(rows->probability[e] >= 0.0))
      return false;
    sum += rows->probability[e];
  }
  if (!(fabs(sum - 1.0) <= 1e-6)) return false;
  if (n > about->longest) about->longest = n;
  if (sum < about->least_sum) about->least_sum = sum;
  if (sum > about->greatest_sum) about->greatest_sum = sum;
  if (fabs(rows->reward[k]) > about->greatest_reward)
    about->greatest_reward = fabs(rows->reward[k]);
  return true;
}

/* The best of a state's rows; where an entry lies within [from, until) new values are read. */
static double best_of(const free_solver *work, const coh_mdp_state_rows *rows, int64_t from,
                      int64_t until) {
  double best = -INFINITY, sign = work->minimize ? -1.0 : 1.0;
  const double *either[2] = {work->values, work->next};
  uint64_t n_new = (uint64_t)(until - from);
  for (int64_t k = 0; k < rows->n_rows; k++) {
    double sum = 0.0;
    for (int64_t e = rows->first_entry[k]; e < rows->first_entry[k + 1]; e++) {
      uint64_t to = rows->next[e];
      sum += rows->probability[e] * either[to - (uint64_t)from < n_new][to];
    }
    double q = sign * (rows->reward[k] + work->source->discount * sum);
    if (q > best) best = q;
  }
  return sign * best;
}

static void sweep_state(const free_solver *work, met *here, int64_t s, int64_t from,
                        int64_t until, bool check) {
  const coh_mdp_source *source = work->source;
  source->rows(source->context, s, &here->rows);
  if (check) {
    bool good = here->rows.n_rows >= 1 && here->rows.n_rows <= source->max_rows &&
                here->rows.first_entry[0] == 0;
    for (int64_t k = 0; good && k < here->rows.n_rows; k++)
      good = note_row(source, &here->rows, k, &here->about);
    if (!good) {
      if (here->bad < 0 || s < here->bad) here->bad = s;
      work->next[s] = 0.0;
      return;
    }
  }
  double value = best_of(work, &here->rows, from, until), change = value - work->values[s];
  work->next[s] = value;
  if (!(change >= here->low)) here->low = change;
  if (!(change <= here->high)) here->high = change;
  if (!(fabs(work->values[s]) <= here->largest)) here->largest = fabs(work->values[s]);
}

static void sweep(const free_solver *work, direction way, bool check) {
  int64_t n = work->source->n_states, stretch = work->stretch;
  int64_t n_stretches = (n + stretch - 1) / stretch;
  for (int t = 0; t < work->n_threads; t++) {
    work->by_thread[t].low = INFINITY;
    work->by_thread[t].high = -INFINITY;
    work->by_thread[t].largest = 0.0;
  }
#pragma omp parallel for schedule(dynamic) num_threads(work->n_threads) default(none) \
    shared(work, way, check, n, stretch, n_stretches)
  for (int64_t k = 0; k < n_stretches; k++) {
    met *here = &work->by_thread[omp_get_thread_num()];
    int64_t first = k * stretch, end = first + stretch < n ? first + stretch : n;
    if (way == BACKWARD)
      for (int64_t s = end - 1; s >= first; s--)
        sweep_state(work, here, s, s + 1, end, check);
    else
      for (int64_t s = first; s < end; s++)
        sweep_state(work, here, s, first, way == FORWARD ? s : first, check);
  }
}

/* Everything that the threads met, as one. */
static met together(const free_solver *work) {
  met all = work->by_thread[0];
  for (int t = 1; t < work->n_threads; t++) {
    const met *one = &work->by_thread[t];
    if (!(one->low >= all.low)) all.low = one->low;
    if (!(one->high <= all.high)) all.high = one->high;
    if (!(one->largest <= all.largest)) all.largest = one->largest;
    if (one->bad >= 0 && (all.bad < 0 || one->bad < all.bad)) all.bad = one->bad;
    if (one->about.longest > all.about.longest) all.about.longest = one->about.longest;
    if (one->about.least_sum < all.about.least_sum) all.about.least_sum = one->about.least_sum;
    if (one->about.greatest_sum > all.about.greatest_sum)
      all.about.greatest_sum = one->about.greatest_sum;
    if (one->about.greatest_reward > all.about.greatest_reward)
      all.about.greatest_reward = one->about.greatest_reward;
  }
  double slack = (double)(all.about.longest + 1) * DBL_EPSILON;
  all.about.least_sum -= slack;
  all.about.greatest_sum += slack;
  return all;
}

static void swap_vectors(free_solver *work) {
  double *swap = work->values;
  work->values = work->next;
  work->next = swap;
}

/* values = next + shift */
static void shift_values(free_solver *work, double shift) {
  int64_t n = work->source->n_states;
  swap_vectors(work);
  double *values = work->values;
#pragma omp parallel for schedule(static) num_threads(work->n_threads) default(none) \
    shared(values, n, shift)
  for (int64_t s = 0; s < n; s++)
    values[s] += shift;
}

static coh_status iterate(free_solver *work, int64_t max_sweeps, coh_mdp_solution *solution) {
  const coh_mdp_source *source = work->source;
  for (int64_t k = 1;; k++) {
    // the last one allowed has to be one that says the bound
    bool jacobi = k == 1 || k % JACOBI_EVERY == 0 || k >= max_sweeps;
    sweep(work, jacobi ? JACOBI : k % 2 ? FORWARD : BACKWARD, k == 1);
    solution->n_improvements = k;
    if (!jacobi) {
      swap_vectors(work);
      continue;
    }
    met found = together(work);
    COH_CHECK(found.bad < 0, COH_E_DATA,
              "state %lld: its rows are not 1 to %lld rows of probabilities that sum to one",
              (long long)found.bad, (long long)source->max_rows);
    COH_CHECK(source->discount * found.about.greatest_sum < 1.0, COH_E_DATA,
              "discount %.17g leaves no room for rounding", source->discount);
    double lower, upper;
    double rounding = coh_mdp_rounding(&found.about, source->discount, found.largest);
    coh_mdp_macqueen(&found.about, source->discount, rounding, found.low, found.high, &lower,
                     &upper);
    solution->width = upper - lower;
    COH_CHECK(isfinite(solution->width), COH_E_DIVERGED,
              "values are not finite after %lld sweeps", (long long)k);
    double wanted = work->tolerance > 0.0 ? work->tolerance : 1e-9 * found.largest;
    bool done = solution->width <= wanted || k >= max_sweeps;
    // in between a shift would only be undone by sweeps in place
    shift_values(work, done ? 0.5 * (lower + upper) : 0.0);
    if (done) return COH_OK;
  }
}

static coh_status solve(free_solver *work, int64_t max_sweeps, coh_mdp_solution *solution) {
  int64_t n = work->source->n_states;
  work->stretch = (n + N_STRETCHES - 1) / N_STRETCHES;
  if (work->stretch < MIN_STRETCH) work->stretch = MIN_STRETCH;
  COH_NEW(work->values, n);
  COH_NEW(work->next, n);
  COH_NEW(work->by_thread, work->n_threads);
  for (int t = 0; t < work->n_threads; t++) {
    work->by_thread[t].about.least_sum = INFINITY;
    work->by_thread[t].bad = -1;
    COH_TRY(coh_mdp_rows_create(work->source, &work->by_thread[t].rows));
  }
  COH_TRY(iterate(work, max_sweeps, solution));
  solution->values = work->values;
  work->values = NULL;
  return COH_OK;
}

coh_status coh_mdp_solve_source(const coh_mdp_source *source,
                                const coh_mdp_solve_options *options, int64_t max_sweeps,
                                coh_mdp_solution *solution) {
  COH_CHECK(source->discount > 0.0 && source->discount < 1.0, COH_E_DATA,
            "this solver is for a discount between 0 and 1");
  free_solver work = {.source = source, .n_threads = 1};
  if (options) {
    work.minimize = options->minimize;
    work.tolerance = options->tolerance;
    if (options->n_threads > 0) work.n_threads = options->n_threads;
  }
  *solution = (coh_mdp_solution){0};
  coh_status status = solve(&work, max_sweeps > 0 ? max_sweeps : 1, solution);
  for (int t = 0; work.by_thread && t < work.n_threads; t++)
    coh_mdp_rows_clear(&work.by_thread[t].rows);
  coh_free(work.by_thread);
  coh_free(work.values);
  coh_free(work.next);
  return status;
}
