/* Bellman sweeps: the maximum over actions is taken on the way, Q is never stored. */
#include <math.h>

#include "cohort/mdp.h"
#include "mdp/mdp_blocks.h"
#include "mdp/mdp_compact.h"
#include "mdp/mdp_kernel.h"
#include "mdp/mdp_sweep.h"

/* Memory is asked for this many bytes before it is used: the processor's own prefetchers follow
 * every stream, but not far enough. Plain rows are asked into the second cache, and from
 * further: what the first one can await at a time bounds 14 bytes a transition more than what
 * memory gives does. */
enum { AHEAD = 4096, PLAIN_AHEAD = 8192 };
#define COH_ASK(pointer) __builtin_prefetch((const char *)(pointer) + AHEAD)
#define COH_ASK_SECOND(pointer) __builtin_prefetch((const char *)(pointer) + PLAIN_AHEAD, 0, 2)

/* The sum of P values of a row that begins at entry e, in four parts; *e: out, where the next
 * row begins. length: of every row, 0: look. form and length are constants where this is
 * inlined. */
static inline __attribute__((always_inline)) coh_mdp_four expect(const coh_mdp_sweep_job *job,
                                                                 coh_mdp_form form,
                                                                 int64_t length, int64_t s,
                                                                 int64_t row, int64_t *e) {
  const coh_mdp *mdp = job->mdp;
  const struct coh_mdp_compact *compact = job->compact;
  int64_t at = *e;
  if (form == COH_MDP_PLAIN) {
    COH_ASK_SECOND(mdp->probability + at);
    // two rows of eight columns share a line
    if (length != 8 || !(row & 1)) COH_ASK_SECOND(mdp->next + at);
    *e = length ? at + length : mdp->first_entry[row + 1];
    return coh_mdp_row_sum_parts(mdp->next + at, mdp->probability + at, *e - at, job->values);
  }
  if (form == COH_MDP_SINGLE) {
    COH_ASK(compact->single + at);
    *e = at + (length ? length : compact->code[row]);
    return coh_mdp_single_sum_parts(compact->away + at, compact->single + at, *e - at,
                                    job->values + s);
  }
  uint64_t code = compact->code[row];
  uint64_t from = length ? code * (uint64_t)length : compact->pattern[code];
  *e = at + (length ? length : (int64_t)(compact->pattern[code + 1] - from));
  return coh_mdp_near_sum_parts(compact->away + at, compact->probability + from, *e - at,
                                job->values + s);
}

/* Rewards are turned round where the least is sought: then the greatest is. A sum and its
 * mirror image round alike. */
static inline __attribute__((always_inline)) double best_value(const coh_mdp_sweep_job *job,
                                                               coh_mdp_form form,
                                                               int64_t length, int64_t s,
                                                               int64_t row, int64_t *e) {
  const double *reward = job->mdp->reward;
  double best = -INFINITY, sign = job->sign, discount = job->discount;
  int64_t end = job->mdp->first_row[s + 1];
  for (; row + 4 <= end; row += 4) {
    coh_mdp_four part[4];
    for (int i = 0; i < 4; i++)
      part[i] = expect(job, form, length, s, row + i, e);
    coh_mdp_four q = sign * coh_mdp_load_four(reward + row) + discount * coh_mdp_add_rows(part);
    double one = q[0] > q[1] ? q[0] : q[1], other = q[2] > q[3] ? q[2] : q[3];
    one = one > other ? one : other;
    best = one > best ? one : best;
  }
  for (; row < end; row++) {
    double q =
        sign * reward[row] + discount * coh_mdp_add_four(expect(job, form, length, s, row, e));
    best = q > best ? q : best;
  }
  return best;
}

static inline __attribute__((always_inline)) double best_row(const coh_mdp_sweep_job *job,
                                                             coh_mdp_form form, int64_t length,
                                                             int64_t s, int64_t row, int64_t *e,
                                                             int32_t *choice) {
  const double *reward = job->mdp->reward;
  double best = -INFINITY, sign = job->sign, discount = job->discount;
  int32_t taken = 0, n = (int32_t)(job->mdp->first_row[s + 1] - row);
  for (int32_t k = 0; k < n; k++, row++) {
    double q =
        sign * reward[row] + discount * coh_mdp_add_four(expect(job, form, length, s, row, e));
    // without a branch: which action is best is not to be foretold
    bool better = q > best;
    best = better ? q : best;
    taken = better ? k : taken;
  }
  *choice = taken;
  return best;
}

/* form and length are constants where this is inlined */
static inline __attribute__((always_inline)) void sweep_stretch(coh_mdp_sweep_job *job,
                                                                int64_t first, int64_t end,
                                                                coh_mdp_form form,
                                                                int64_t length) {
  const int64_t *first_row = job->mdp->first_row;
  const double *values = job->values;
  double *next = job->next;
  double sign = job->sign, least = job->low, greatest = job->high, broken = 0.0;
  int64_t e = job->mdp->first_entry[first_row[first]];
  for (int64_t s = first; s < end; s++) {
    if (form != COH_MDP_PLAIN) COH_ASK(job->compact->away + e);
    double best =
        sign * (job->choice ? best_row(job, form, length, s, first_row[s], &e, &job->choice[s])
                            : best_value(job, form, length, s, first_row[s], &e));
    double change = best - values[s];
    least = change < least ? change : least;
    greatest = change > greatest ? change : greatest;
    broken += 0.0 * change; // no number once one change was none
    next[s] = best;
  }
  job->low = least + broken;
  job->high = greatest + broken;
}

/* A loop of its own for every form, and for rows of eight. */
void coh_mdp_sweep_stretch(coh_mdp_sweep_job *job, int64_t first, int64_t end) {
  coh_mdp_form form = job->compact ? job->compact->form : COH_MDP_PLAIN;
  bool eight = job->mdp->row_length == 8;
  if (form == COH_MDP_PLAIN && eight)
    sweep_stretch(job, first, end, COH_MDP_PLAIN, 8);
  else if (form == COH_MDP_PLAIN)
    sweep_stretch(job, first, end, COH_MDP_PLAIN, 0);
  else if (form == COH_MDP_PATTERNS && eight)
    sweep_stretch(job, first, end, COH_MDP_PATTERNS, 8);
  else if (form == COH_MDP_PATTERNS)
    sweep_stretch(job, first, end, COH_MDP_PATTERNS, 0);
  else if (eight)
    sweep_stretch(job, first, end, COH_MDP_SINGLE, 8);
  else
    sweep_stretch(job, first, end, COH_MDP_SINGLE, 0);
}

static void sweep(const coh_mdp_sweep_job *job, int n_threads, double *low, double *high) {
  int64_t n = job->mdp->n_states, n_blocks = coh_mdp_n_blocks(n);
  double least = INFINITY, greatest = -INFINITY, broken = 0.0;
#pragma omp parallel for schedule(static)                                           \
    num_threads(n_threads) if (n_blocks > 1) default(none) shared(job, n, n_blocks) \
        reduction(min                                                               \
                  : least) reduction(max                                            \
                                     : greatest) reduction(+ : broken)
  for (int64_t block = 0; block < n_blocks; block++) {
    coh_mdp_sweep_job here = *job;
    coh_mdp_sweep_stretch(&here, block * COH_MDP_BLOCK, coh_mdp_block_end(block, n));
    least = fmin(least, here.low);
    greatest = fmax(greatest, here.high);
    broken += 0.0 * here.low;
  }
  *low = least + broken;
  *high = greatest + broken;
}

void coh_mdp_sweep(const coh_mdp *mdp, bool minimize, int n_threads, const double *values,
                   double *next, int32_t *choice, double *low, double *high) {
  coh_mdp_sweep_job job = coh_mdp_sweep_begin(mdp, minimize);
  job.values = values;
  job.next = next;
  job.choice = choice;
  sweep(&job, n_threads, low, high);
}

typedef struct q_job {
  const coh_mdp *mdp;
  const double *values;
  double *q;
} q_job;

static void q_block(void *given, int64_t first, int64_t end) {
  const q_job *job = given;
  const coh_mdp *mdp = job->mdp;
  for (int64_t r = mdp->first_row[first]; r < mdp->first_row[end]; r++) {
    int64_t e = mdp->first_entry[r];
    job->q[r] = mdp->reward[r] +
                mdp->discount * coh_mdp_row_sum(mdp->next + e, mdp->probability + e,
                                                mdp->first_entry[r + 1] - e, job->values);
  }
}

void coh_mdp_action_values(const coh_mdp *mdp, int n_threads, const double *values, double *q) {
  q_job job = {mdp, values, q};
  coh_mdp_blocks_run(mdp->n_states, n_threads, q_block, &job);
}
