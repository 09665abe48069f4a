/* Matrix-free sweeps. Two vectors are all that is kept: the old values and the new. Sweeps in
 * place take fixed stretches of states; within one, what is already new is read, across its
 * ends what is old, so that threads never meet and never matter. MacQueen's bound comes from
 * Jacobi sweeps alone. Ranks divide the stretches. */
#include <float.h>
#include <math.h>
#include <omp.h>

#include "base/alloc.h"
#include "mdp/mdp_free.h"
#include "mdp/mdp_source.h"

enum { N_STRETCHES = 64, MIN_STRETCH = 4096, JACOBI_EVERY = 4 };

typedef enum direction { JACOBI, FORWARD, BACKWARD } direction;

/* What sweeps have found. */
struct coh_mdp_free_found {
  coh_mdp_rows about;
  double low, high, largest;
  int64_t bad; /* a state whose rows are none; -1 */
};
typedef struct coh_mdp_free_found found;

/* Of one thread. */
struct coh_mdp_free_met {
  coh_mdp_state_rows rows;
  found found;
};
typedef struct coh_mdp_free_met met;

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
static double best_of(const coh_mdp_free *work, const double *newest,
                      const coh_mdp_state_rows *rows, int64_t from, int64_t until,
                      int64_t *row) {
  double best = -INFINITY, sign = work->minimize ? -1.0 : 1.0;
  const double *either[2] = {work->values, newest};
  uint64_t n_new = (uint64_t)(until - from);
  for (int64_t k = 0; k < rows->n_rows; k++) {
    double sum = 0.0;
    for (int64_t e = rows->first_entry[k]; e < rows->first_entry[k + 1]; e++) {
      uint64_t to = rows->next[e];
      sum += rows->probability[e] * either[to - (uint64_t)from < n_new][to];
    }
    double q = sign * (rows->reward[k] + work->source->discount * sum);
    if (q > best) {
      best = q;
      *row = k;
    }
  }
  return sign * best;
}

static void sweep_state(const coh_mdp_free *work, met *here, int64_t s, int64_t from,
                        int64_t until, bool check) {
  const coh_mdp_source *source = work->source;
  source->rows(source->context, s, &here->rows);
  if (check) {
    bool good = here->rows.n_rows >= 1 && here->rows.n_rows <= source->max_rows &&
                here->rows.first_entry[0] == 0;
    for (int64_t k = 0; good && k < here->rows.n_rows; k++)
      good = note_row(source, &here->rows, k, &here->found.about);
    if (!good) {
      if (here->found.bad < 0 || s < here->found.bad) here->found.bad = s;
      work->next[s] = 0.0;
      return;
    }
  }
  int64_t row = 0;
  double value = best_of(work, work->next, &here->rows, from, until, &row),
         change = value - work->values[s];
  work->next[s] = value;
  found *seen = &here->found;
  if (!(change >= seen->low)) seen->low = change;
  if (!(change <= seen->high)) seen->high = change;
  if (!(fabs(work->values[s]) <= seen->largest)) seen->largest = fabs(work->values[s]);
}

static void sweep(const coh_mdp_free *work, direction way, bool check) {
  int64_t n = work->source->n_states, stretch = work->stretch;
  for (int t = 0; t < work->n_threads; t++) {
    found *seen = &work->by_thread[t].found;
    seen->low = INFINITY;
    seen->high = -INFINITY;
    seen->largest = 0.0;
  }
#pragma omp parallel for schedule(dynamic) num_threads(work->n_threads) default(none) \
    shared(work, way, check, n, stretch)
  for (int64_t k = work->from; k < work->until; k++) {
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

static void join(found *all, const found *one) {
  if (!(one->low >= all->low)) all->low = one->low;
  if (!(one->high <= all->high)) all->high = one->high;
  if (!(one->largest <= all->largest)) all->largest = one->largest;
  if (one->bad >= 0 && (all->bad < 0 || one->bad < all->bad)) all->bad = one->bad;
  coh_mdp_rows *about = &all->about;
  if (one->about.longest > about->longest) about->longest = one->about.longest;
  if (one->about.least_sum < about->least_sum) about->least_sum = one->about.least_sum;
  if (one->about.greatest_sum > about->greatest_sum)
    about->greatest_sum = one->about.greatest_sum;
  if (one->about.greatest_reward > about->greatest_reward)
    about->greatest_reward = one->about.greatest_reward;
}

/* Everything that threads and ranks found, as one. */
static coh_status together(const coh_mdp_free *work, found *all) {
  *all = work->by_thread[0].found;
  for (int t = 1; t < work->n_threads; t++)
    join(all, &work->by_thread[t].found);
  if (work->world) {
    COH_TRY(coh_comm_allgather(work->world, all, sizeof *all, work->by_rank));
    *all = work->by_rank[0];
    for (int rank = 1; rank < coh_world_size(work->world); rank++)
      join(all, &work->by_rank[rank]);
  }
  double slack = (double)(all->about.longest + 1) * DBL_EPSILON;
  all->about.least_sum -= slack;
  all->about.greatest_sum += slack;
  return COH_OK;
}

static int64_t state_of(const coh_mdp_free *work, int64_t stretch) {
  int64_t first = stretch * work->stretch, n = work->source->n_states;
  return first < n ? first : n;
}

/* values = next, of all ranks */
static coh_status take_next(coh_mdp_free *work) {
  double *next = work->next;
  if (work->world)
    return coh_comm_allgather_varied(work->world, next + state_of(work, work->from),
                                     work->n_bytes, work->values);
  work->next = work->values;
  work->values = next;
  return COH_OK;
}

static void shift_next(coh_mdp_free *work, double shift) {
  int64_t first = state_of(work, work->from), end = state_of(work, work->until);
  double *next = work->next;
#pragma omp parallel for schedule(static) num_threads(work->n_threads) default(none) \
    shared(next, first, end, shift)
  for (int64_t s = first; s < end; s++)
    next[s] += shift;
}

/* What a Jacobi sweep says about the optimum. */
static coh_status certify(coh_mdp_free *work, const found *all) {
  const coh_mdp_source *source = work->source;
  const coh_mdp_rows *about = &work->about;
  COH_CHECK(all->bad < 0, COH_E_DATA,
            "state %lld: its rows are not 1 to %lld rows of probabilities that sum to one",
            (long long)all->bad, (long long)source->max_rows);
  COH_CHECK(source->discount * about->greatest_sum < 1.0, COH_E_DATA,
            "discount %.17g leaves no room for rounding", source->discount);
  coh_mdp_certificate said = coh_mdp_certify(about, source->discount, all->low, all->high,
                                             all->largest, work->tolerance);
  work->width = said.width;
  work->middle = 0.5 * (said.lower + said.upper);
  work->wanted = said.wanted;
  work->is_done = said.width <= said.wanted || said.width == 0.0;
  return work->is_done ? COH_OK : coh_mdp_progress_note(&work->progress, &said);
}

coh_status coh_mdp_free_sweep(coh_mdp_free *work, bool is_last) {
  int64_t k = ++work->n_sweeps;
  bool jacobi = k == 1 || k % JACOBI_EVERY == 0 || is_last;
  sweep(work, jacobi ? JACOBI : k % 2 ? FORWARD : BACKWARD, k == 1);
  if (!jacobi) return take_next(work);
  found all;
  COH_TRY(together(work, &all));
  if (k == 1) work->about = all.about;
  COH_TRY(certify(work, &all));
  // in between a shift would only be undone by sweeps in place
  shift_next(work, work->is_done || is_last ? work->middle : 0.0);
  return take_next(work);
}

void coh_mdp_free_policy(coh_mdp_free *work, int32_t *action) {
  const coh_mdp_source *source = work->source;
  int64_t n = source->n_states, stretch = work->stretch;
  int64_t n_stretches = (n + stretch - 1) / stretch;
#pragma omp parallel for schedule(dynamic) num_threads(work->n_threads) default(none) \
    shared(work, source, action, n, stretch, n_stretches)
  for (int64_t k = 0; k < n_stretches; k++) {
    coh_mdp_state_rows *rows = &work->by_thread[omp_get_thread_num()].rows;
    int64_t end = (k + 1) * stretch < n ? (k + 1) * stretch : n;
    for (int64_t s = k * stretch; s < end; s++) {
      int64_t row = 0;
      source->rows(source->context, s, rows);
      best_of(work, work->values, rows, 0, 0, &row);
      action[s] = rows->action[row];
    }
  }
}

/* A state that leads to nothing but itself is worth what it pays for ever; the others as if all
 * paid the same. */
static coh_status begin_from(coh_mdp_free *work, double reward) {
  const coh_mdp_source *source = work->source;
  int64_t first = state_of(work, work->from), end = state_of(work, work->until);
  double horizon = 1.0 / (1.0 - source->discount);
#pragma omp parallel for schedule(static) num_threads(work->n_threads) default(none) \
    shared(work, source, first, end, reward, horizon)
  for (int64_t s = first; s < end; s++) {
    coh_mdp_state_rows *rows = &work->by_thread[omp_get_thread_num()].rows;
    source->rows(source->context, s, rows);
    bool is_end = rows->n_rows == 1 && rows->first_entry[1] == 1 &&
                  rows->next[0] == (uint64_t)s && isfinite(rows->reward[0]);
    work->next[s] = horizon * (is_end ? rows->reward[0] : reward);
  }
  return take_next(work);
}

/* Where most rows pay the same, values begin as if all did: what is left to find out is near
 * the others. Looks at a thousand states. */
static coh_status begin_values(coh_mdp_free *work) {
  const coh_mdp_source *source = work->source;
  coh_mdp_state_rows *rows = &work->by_thread[0].rows;
  int64_t n = source->n_states, stride = 1 + n / 1000, lead = 0, n_same = 0, n_rows = 0;
  double common = 0.0;
  for (int pass = 0; pass < 2; pass++)
    for (int64_t s = 0; s < n; s += stride) {
      source->rows(source->context, s, rows);
      if (rows->n_rows < 1 || rows->n_rows > source->max_rows) return COH_OK;
      for (int64_t r = 0; r < rows->n_rows; r++) {
        if (pass == 1) {
          n_rows++;
          n_same += rows->reward[r] == common;
          continue;
        }
        if (lead == 0) common = rows->reward[r];
        lead += rows->reward[r] == common ? 1 : -1;
      }
    }
  if (2 * n_same <= n_rows || !isfinite(common)) return COH_OK;
  return begin_from(work, common);
}

/* the stretches of every rank */
static coh_status divide(coh_mdp_free *work) {
  int64_t n_stretches = (work->source->n_states + work->stretch - 1) / work->stretch;
  work->until = n_stretches;
  if (!work->world) return COH_OK;
  int size = coh_world_size(work->world), own = coh_world_rank(work->world);
  COH_NEW(work->by_rank, size);
  COH_NEW(work->n_bytes, size);
  for (int rank = 0; rank < size; rank++) {
    int64_t from = n_stretches * rank / size, until = n_stretches * (rank + 1) / size;
    work->n_bytes[rank] =
        (size_t)(state_of(work, until) - state_of(work, from)) * sizeof(double);
    if (rank == own) work->from = from, work->until = until;
  }
  return COH_OK;
}

static coh_status allocate(coh_mdp_free *work) {
  int64_t n = work->source->n_states;
  work->stretch = (n + N_STRETCHES - 1) / N_STRETCHES;
  if (work->stretch < MIN_STRETCH) work->stretch = MIN_STRETCH;
  COH_NEW(work->values, n);
  COH_NEW(work->next, n);
  COH_NEW(work->by_thread, work->n_threads);
  for (int t = 0; t < work->n_threads; t++) {
    work->by_thread[t].found.about.least_sum = INFINITY;
    work->by_thread[t].found.bad = -1;
    COH_TRY(coh_mdp_rows_create(work->source, &work->by_thread[t].rows));
  }
  return divide(work);
}

static coh_status fill(coh_mdp_free *work) {
  coh_status status = allocate(work);
  if (work->world) status = coh_comm_agree(work->world, status);
  return status == COH_OK ? begin_values(work) : status;
}

coh_status coh_mdp_free_create(coh_world *world, const coh_mdp_source *source,
                               const coh_mdp_solve_options *options, coh_mdp_free **out) {
  COH_CHECK(source->discount > 0.0 && source->discount < 1.0, COH_E_DATA,
            "this solver is for a discount between 0 and 1");
  coh_mdp_free *work;
  COH_NEW(work, 1);
  work->source = source;
  work->world = world && coh_world_size(world) > 1 ? world : NULL;
  work->n_threads = 1;
  work->width = INFINITY;
  work->progress.narrowest = INFINITY;
  if (options) {
    work->minimize = options->minimize;
    work->tolerance = options->tolerance;
    if (options->n_threads > 0) work->n_threads = options->n_threads;
  }
  coh_status status = fill(work);
  if (status != COH_OK) {
    coh_mdp_free_destroy(&work);
    return status;
  }
  *out = work;
  return COH_OK;
}

void coh_mdp_free_destroy(coh_mdp_free **given) {
  coh_mdp_free *work = *given;
  if (!work) return;
  for (int t = 0; work->by_thread && t < work->n_threads; t++)
    coh_mdp_rows_clear(&work->by_thread[t].rows);
  coh_free(work->by_thread);
  coh_free(work->by_rank);
  coh_free(work->n_bytes);
  coh_free(work->values);
  coh_free(work->next);
  COH_DELETE(*given);
}

coh_status coh_mdp_solve_source(const coh_mdp_source *source,
                                const coh_mdp_solve_options *options, int64_t max_sweeps,
                                coh_mdp_solution *solution) {
  coh_mdp_free *work;
  *solution = (coh_mdp_solution){0};
  COH_TRY(coh_mdp_free_create(NULL, source, options, &work));
  coh_status status = COH_OK;
  do // the last one allowed has to be one that says the bound
    status = coh_mdp_free_sweep(work, work->n_sweeps + 1 >= max_sweeps);
  while (status == COH_OK && !work->is_done && work->n_sweeps < max_sweeps);
  if (status == COH_OK) {
    solution->values = work->values;
    solution->width = work->width;
    solution->n_improvements = work->n_sweeps;
    work->values = NULL;
  }
  coh_mdp_free_destroy(&work);
  return status;
}
