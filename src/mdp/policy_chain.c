/* See policy_chain.h. A level holds one chain; level 0 is the policy's, the others are over
 * groups of the level before. The pattern of every level covers all actions of the model, so
 * that another policy only fills in numbers. */
#include "mdp/policy_chain.h"

#include <math.h>
#include <omp.h>
#include <string.h>

#include "base/alloc.h"
#include "la/vectorise.h"
#include "mdp/mdp_blocks.h"

enum {
  MAX_LEVELS = 8,
  SMALL = 256,      /* states that need no coarser level */
  MAX_GROUP = 1024, /* states a group; a power of two, so that it divides a block */
  COARSE_PRODUCTS = 60,
};
static const double COARSE_RATIO = 0.02;
static const double FINE_SHARE = 0.1,
                    COARSE_SHARE = 0.5; /* of entries, that a coarser level may have */

typedef struct level {
  int64_t n;
  int64_t *at;    /* n + 1: where a state's entries begin */
  uint32_t *next; /* entries */
  double *probability;
  int group; /* states that one of the coarser level stands for; 0: there is none */
  double *memory;
  double *rhs, *r, *shadow, *p, *v, *t, *x, *z, *w;
  coh_mdp_dots *dots;
  double *factors; /* the smallest level: L and U of I - discount P, n x n */
} level;

struct coh_policy_chain {
  const coh_mdp *mdp;
  int n_threads;
  double discount;
  int n_levels;
  level level[MAX_LEVELS];
  double *scratch; /* n_threads x states of the largest coarse level */
  int64_t n_scratch;
};

/* ------------------------------------------------------------------------------- pattern -- */

/* Level 0: room for the longest row of each state. */
static coh_status shape_policy(coh_policy_chain *chain) {
  const coh_mdp *mdp = chain->mdp;
  level *fine = &chain->level[0];
  fine->n = mdp->n_states;
  COH_NEW(fine->at, fine->n + 1);
  for (int64_t s = 0; s < fine->n; s++) {
    int64_t longest = 0;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      int64_t length = mdp->first_entry[r + 1] - mdp->first_entry[r];
      if (length > longest) longest = length;
    }
    fine->at[s + 1] = fine->at[s] + longest;
  }
  COH_NEW(fine->next, fine->at[fine->n]);
  COH_NEW(fine->probability, fine->at[fine->n]);
  return COH_OK;
}

/* The range of the entries that state s of a level may lead by, over all actions. */
static void reach_of(const coh_policy_chain *chain, int of, int64_t s, const uint32_t **next,
                     int64_t *n) {
  if (of == 0) {
    const coh_mdp *mdp = chain->mdp;
    int64_t first = mdp->first_entry[mdp->first_row[s]];
    *next = mdp->next + first;
    *n = mdp->first_entry[mdp->first_row[s + 1]] - first;
    return;
  }
  const level *from = &chain->level[of];
  *next = from->next + from->at[s];
  *n = from->at[s + 1] - from->at[s];
}

/* Distinct groups that group g leads to; found: room for all of them. mark: 0 or a group's
 * number + 1 that saw it last. */
static int64_t groups_of(const coh_policy_chain *chain, int of, int group, int64_t g,
                         uint32_t *mark, uint32_t *found) {
  int64_t n_states = chain->level[of].n, n_found = 0;
  int64_t end = (g + 1) * group < n_states ? (g + 1) * group : n_states;
  for (int64_t s = g * group; s < end; s++) {
    const uint32_t *next;
    int64_t n;
    reach_of(chain, of, s, &next, &n);
    for (int64_t e = 0; e < n; e++) {
      uint32_t to = next[e] / (uint32_t)group;
      if (mark[to] == (uint32_t)g + 1) continue;
      mark[to] = (uint32_t)g + 1;
      found[n_found++] = to;
    }
  }
  return n_found;
}

/* The smallest group whose level would have few enough entries, by a sample; 0: none. */
static int choose_group(const coh_policy_chain *chain, int of, uint32_t *mark,
                        uint32_t *found) {
  int64_t n_states = chain->level[of].n;
  double most = (of == 0 ? FINE_SHARE : COARSE_SHARE) * (double)chain->level[of].at[n_states];
  for (int group = of == 0 ? 16 : 4; group <= MAX_GROUP; group *= 2) {
    int64_t n = (n_states + group - 1) / group, n_entries = 0, n_taken = 0;
    if (n < 8) return 0;
    memset(mark, 0, (size_t)n * sizeof *mark);
    for (int64_t g = 0; g < n; g += 1 + n / 64) {
      n_entries += groups_of(chain, of, group, g, mark, found);
      n_taken++;
    }
    double estimate = (double)n_entries / (double)n_taken * (double)n;
    if (estimate <= most) return group;
  }
  return 0;
}

static coh_status shape_coarse(coh_policy_chain *chain, int of, uint32_t *mark,
                               uint32_t *found) {
  level *fine = &chain->level[of], *coarse = fine + 1;
  int group = choose_group(chain, of, mark, found);
  if (group == 0) return COH_OK;
  coarse->n = (fine->n + group - 1) / group;
  COH_NEW(coarse->at, coarse->n + 1);
  memset(mark, 0, (size_t)coarse->n * sizeof *mark);
  int64_t capacity = 0;
  for (int64_t g = 0; g < coarse->n; g++) {
    int64_t n = groups_of(chain, of, group, g, mark, found), from = coarse->at[g];
    if (from + n > capacity) {
      int64_t grown = 2 * (from + n);
      uint32_t *next =
          coh_alloc_resize(coarse->next, (size_t)capacity, (size_t)grown, sizeof *next);
      COH_CHECK(next, COH_E_MEMORY, "out of memory for a coarser chain");
      coarse->next = next;
      capacity = grown;
    }
    memcpy(coarse->next + from, found, (size_t)n * sizeof *found);
    coarse->at[g + 1] = from + n;
  }
  COH_NEW(coarse->probability, coarse->at[coarse->n]);
  fine->group = group;
  chain->n_levels = of + 2;
  return COH_OK;
}

static coh_status shape(coh_policy_chain *chain) {
  COH_TRY(shape_policy(chain));
  chain->n_levels = 1;
  uint32_t *mark = coh_alloc_array((size_t)chain->mdp->n_states, sizeof *mark);
  uint32_t *found = coh_alloc_array((size_t)chain->mdp->n_states, sizeof *found);
  coh_status status = mark && found ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  for (int of = 0; status == COH_OK && of + 1 < MAX_LEVELS && of + 1 == chain->n_levels &&
                   chain->level[of].n > SMALL;
       of++)
    status = shape_coarse(chain, of, mark, found);
  coh_free(mark);
  coh_free(found);
  return status;
}

static coh_status prepare(coh_policy_chain *chain) {
  COH_TRY(shape(chain));
  for (int k = 0; k < chain->n_levels; k++) {
    level *at = &chain->level[k];
    double **vector[] = {&at->rhs, &at->r, &at->shadow, &at->p, &at->v,
                         &at->t,   &at->x, &at->z,      &at->w};
    enum { N_VECTORS = sizeof vector / sizeof *vector };
    int64_t stride = (at->n + 15) / 16 * 16;
    COH_NEW(at->memory, stride * N_VECTORS);
    for (int64_t i = 0; i < N_VECTORS; i++)
      *vector[i] = at->memory + stride * i;
    COH_TRY(coh_mdp_dots_create(at->n, k == 0 ? chain->n_threads : 1, &at->dots));
  }
  level *last = &chain->level[chain->n_levels - 1];
  if (last->n <= SMALL) COH_NEW(last->factors, last->n * last->n);
  chain->n_scratch = chain->n_levels > 1 ? chain->level[1].n : 0;
  COH_NEW(chain->scratch, chain->n_scratch * chain->n_threads);
  return COH_OK;
}

coh_status coh_policy_chain_create(const coh_mdp *mdp, int n_threads, coh_policy_chain **out) {
  coh_policy_chain *chain;
  COH_NEW(chain, 1);
  chain->mdp = mdp;
  chain->n_threads = n_threads;
  chain->discount = mdp->discount;
  coh_status status = prepare(chain);
  if (status != COH_OK) {
    coh_policy_chain_destroy(&chain);
    return status;
  }
  *out = chain;
  return COH_OK;
}

void coh_policy_chain_destroy(coh_policy_chain **given) {
  coh_policy_chain *chain = *given;
  if (!chain) return;
  for (int k = 0; k < MAX_LEVELS; k++) {
    level *at = &chain->level[k];
    coh_free(at->at);
    coh_free(at->next);
    coh_free(at->probability);
    coh_free(at->memory);
    coh_free(at->factors);
    coh_mdp_dots_destroy(&at->dots);
  }
  coh_free(chain->scratch);
  COH_DELETE(*given);
}

/* ------------------------------------------------------------------------------- numbers -- */

typedef struct copy_job {
  const coh_mdp *mdp;
  level *fine;
  const int32_t *choice;
} copy_job;

static void copy_block(void *given, int64_t first, int64_t end) {
  const copy_job *job = given;
  const coh_mdp *mdp = job->mdp;
  for (int64_t s = first; s < end; s++) {
    int64_t row = mdp->first_row[s] + job->choice[s], e = mdp->first_entry[row];
    int64_t n = mdp->first_entry[row + 1] - e, at = job->fine->at[s];
    uint32_t *next = job->fine->next + at;
    double *probability = job->fine->probability + at;
    for (int64_t k = 0; k < n; k++) {
      next[k] = mdp->next[e + k];
      probability[k] = mdp->probability[e + k];
    }
    // a shorter row is filled up: nothing, to itself
    for (int64_t k = n; k < job->fine->at[s + 1] - at; k++) {
      next[k] = (uint32_t)s;
      probability[k] = 0.0;
    }
  }
}

/* The mean row of each group, into the pattern of the coarser level. */
static void average_groups(const level *fine, level *coarse, int64_t first, int64_t end,
                           double *scratch) {
  uint32_t group = (uint32_t)fine->group;
  for (int64_t g = first; g < end; g++) {
    int64_t last = (g + 1) * group < fine->n ? (g + 1) * group : fine->n;
    for (int64_t e = fine->at[g * group]; e < fine->at[last]; e++)
      scratch[fine->next[e] / group] += fine->probability[e];
    double share = 1.0 / (double)(last - g * group);
    for (int64_t e = coarse->at[g]; e < coarse->at[g + 1]; e++) {
      coarse->probability[e] = share * scratch[coarse->next[e]];
      scratch[coarse->next[e]] = 0.0;
    }
  }
}

static void average(coh_policy_chain *chain, int of) {
  const level *fine = &chain->level[of];
  level *coarse = &chain->level[of + 1];
  int64_t n_groups = coarse->n, stretch = 64, n_stretches = (n_groups + stretch - 1) / stretch;
  int64_t n_scratch = chain->n_scratch;
  double *scratch = chain->scratch;
  int n_threads = of == 0 ? chain->n_threads : 1;
#pragma omp parallel for schedule(static) num_threads(n_threads) default(none) \
    shared(fine, coarse, n_groups, stretch, n_stretches, n_scratch, scratch)
  for (int64_t k = 0; k < n_stretches; k++) {
    int64_t end = (k + 1) * stretch < n_groups ? (k + 1) * stretch : n_groups;
    average_groups(fine, coarse, k * stretch, end, scratch + n_scratch * omp_get_thread_num());
  }
}

/* L and U of I - discount P, dense. Rows are diagonally dominant: no pivots are needed. */
static void factorise(level *at, double discount) {
  int64_t n = at->n;
  double *a = at->factors;
  memset(a, 0, (size_t)(n * n) * sizeof *a);
  for (int64_t i = 0; i < n; i++) {
    a[i * n + i] = 1.0;
    for (int64_t e = at->at[i]; e < at->at[i + 1]; e++)
      a[i * n + at->next[e]] -= discount * at->probability[e];
  }
  for (int64_t k = 0; k < n; k++)
    for (int64_t i = k + 1; i < n; i++) {
      if (a[i * n + k] == 0.0) continue;
      double factor = a[i * n + k] /= a[k * n + k];
      for (int64_t j = k + 1; j < n; j++)
        a[i * n + j] -= factor * a[k * n + j];
    }
}

static void solve_directly(level *at) {
  int64_t n = at->n;
  const double *a = at->factors;
  for (int64_t i = 0; i < n; i++) {
    double sum = at->rhs[i];
    for (int64_t j = 0; j < i; j++)
      sum -= a[i * n + j] * at->x[j];
    at->x[i] = sum;
  }
  for (int64_t i = n - 1; i >= 0; i--) {
    double sum = at->x[i];
    for (int64_t j = i + 1; j < n; j++)
      sum -= a[i * n + j] * at->x[j];
    at->x[i] = sum / a[i * n + i];
  }
}

void coh_policy_chain_set(coh_policy_chain *chain, const int32_t *choice) {
  copy_job job = {chain->mdp, &chain->level[0], choice};
  coh_mdp_blocks_run(chain->mdp->n_states, chain->n_threads, copy_block, &job);
  for (int of = 0; of + 1 < chain->n_levels; of++)
    average(chain, of);
  level *last = &chain->level[chain->n_levels - 1];
  if (last->factors) factorise(last, chain->discount);
}

/* ------------------------------------------------------------------------------ BiCGStab -- */

/* What the passes over vectors need; each block writes its partial sums. */
typedef struct pass {
  const level *at;
  const level *coarse;
  double discount, alpha, omega, beta;
  const double *x, *with;
  double *y;
} pass;

/* y = x - discount P x; sums: with . y and y . y */
static void product_block(void *given, int64_t first, int64_t end) {
  const pass *job = given;
  const level *at = job->at;
  const double *x = job->x, *probability = at->probability;
  const uint32_t *next = at->next;
  double with = 0.0, square = 0.0;
  int64_t e = at->at[first];
  for (int64_t s = first; s < end; s++) {
    double even = 0.0, odd = 0.0;
    int64_t stop = at->at[s + 1];
    for (; e + 2 <= stop; e += 2) {
      even += probability[e] * x[next[e]];
      odd += probability[e + 1] * x[next[e + 1]];
    }
    if (e < stop) {
      even += probability[e] * x[next[e]];
      e++;
    }
    double y = x[s] - job->discount * (even + odd);
    job->y[s] = y;
    with += job->with[s] * y;
    square += y * y;
  }
  coh_mdp_dots_put(at->dots, first, 0, with);
  coh_mdp_dots_put(at->dots, first, 1, square);
}

static void begin_block(void *given, int64_t first, int64_t end) {
  const level *at = ((const pass *)given)->at;
  double square = 0.0;
  for (int64_t s = first; s < end; s++) {
    double r = at->rhs[s];
    at->r[s] = at->shadow[s] = at->p[s] = r;
    at->x[s] = 0.0;
    square += r * r;
  }
  coh_mdp_dots_put(at->dots, first, 0, square);
}

/* r -= alpha v */
static void half_block(void *given, int64_t first, int64_t end) {
  const pass *job = given;
  const level *at = job->at;
  double *r = at->r;
  const double *v = at->v;
  double alpha = job->alpha;
  COH_VECTOR_LOOP
  for (int64_t s = first; s < end; s++)
    r[s] -= alpha * v[s];
}

/* x += alpha z + omega w; r -= omega t; sums: r . r and shadow . r */
static void step_block(void *given, int64_t first, int64_t end) {
  const pass *job = given;
  const level *at = job->at;
  double alpha = job->alpha, omega = job->omega;
  double square[8] = {0}, along[8] = {0};
  for (int64_t s = first; s < end; s++) {
    at->x[s] += alpha * at->z[s] + omega * at->w[s];
    double r = at->r[s] - omega * at->t[s];
    at->r[s] = r;
    square[s & 7] += r * r;
    along[s & 7] += at->shadow[s] * r;
  }
  for (int k = 4; k > 0; k /= 2)
    for (int i = 0; i < k; i++) {
      square[i] += square[i + k];
      along[i] += along[i + k];
    }
  coh_mdp_dots_put(at->dots, first, 0, square[0]);
  coh_mdp_dots_put(at->dots, first, 1, along[0]);
}

/* p = r + beta (p - omega v) */
static void turn_block(void *given, int64_t first, int64_t end) {
  const pass *job = given;
  const level *at = job->at;
  const double *r = at->r, *v = at->v;
  double *p = at->p, beta = job->beta, omega = job->omega;
  COH_VECTOR_LOOP
  for (int64_t s = first; s < end; s++)
    p[s] = r[s] + beta * (p[s] - omega * v[s]);
}

/* The groups' means of x, to the coarser level's right side. */
static void restrict_block(void *given, int64_t first, int64_t end) {
  const pass *job = given;
  int64_t group = job->at->group;
  for (int64_t s = first; s < end; s += group) {
    int64_t last = s + group < end ? s + group : end;
    double sum[4] = {0};
    for (int64_t i = s; i < last; i++)
      sum[i & 3] += job->x[i];
    job->coarse->rhs[s / group] = ((sum[0] + sum[2]) + (sum[1] + sum[3])) / (double)(last - s);
  }
}

/* y = x + what the coarser level made of the means, less the means */
static void prolong_block(void *given, int64_t first, int64_t end) {
  const pass *job = given;
  int64_t group = job->at->group;
  for (int64_t s = first; s < end; s += group) {
    int64_t last = s + group < end ? s + group : end;
    double change = job->coarse->x[s / group] - job->coarse->rhs[s / group];
    for (int64_t i = s; i < last; i++)
      job->y[i] = job->x[i] + change;
  }
}

static int64_t solve(coh_policy_chain *chain, int k, double ratio, int64_t max_products);

static void run(const coh_policy_chain *chain, int k, coh_mdp_block_work work, pass *job) {
  coh_mdp_blocks_run(chain->level[k].n, k == 0 ? chain->n_threads : 1, work, job);
}

static void precondition(coh_policy_chain *chain, int k, const double *x, double *y) {
  level *at = &chain->level[k];
  if (at->group == 0) {
    memcpy(y, x, (size_t)at->n * sizeof *y);
    return;
  }
  pass job = {.at = at, .coarse = at + 1, .x = x, .y = y};
  run(chain, k, restrict_block, &job);
  solve(chain, k + 1, COARSE_RATIO, COARSE_PRODUCTS);
  run(chain, k, prolong_block, &job);
}

static int64_t solve(coh_policy_chain *chain, int k, double ratio, int64_t max_products) {
  level *at = &chain->level[k];
  if (at->factors) {
    solve_directly(at);
    return 1;
  }
  pass job = {.at = at, .discount = chain->discount};
  double sum[2];
  run(chain, k, begin_block, &job);
  coh_mdp_dots_total(at->dots, 1, sum);
  double rho = sum[0], first = sqrt(rho), norm = first;
  int64_t n_products = 0;
  while (norm > ratio * first && n_products < max_products) {
    precondition(chain, k, at->p, at->z);
    job.x = at->z, job.with = at->shadow, job.y = at->v;
    run(chain, k, product_block, &job);
    coh_mdp_dots_total(at->dots, 2, sum);
    job.alpha = rho / sum[0];
    if (!isfinite(job.alpha)) break;
    run(chain, k, half_block, &job);
    precondition(chain, k, at->r, at->w);
    job.x = at->w, job.with = at->r, job.y = at->t;
    run(chain, k, product_block, &job);
    n_products += 2;
    coh_mdp_dots_total(at->dots, 2, sum);
    job.omega = sum[1] > 0.0 ? sum[0] / sum[1] : 0.0;
    run(chain, k, step_block, &job);
    coh_mdp_dots_total(at->dots, 2, sum);
    norm = sqrt(sum[0]);
    job.beta = sum[1] / rho * (job.alpha / job.omega);
    rho = sum[1];
    if (!isfinite(job.beta) || job.beta == 0.0 || !(norm < 1e4 * first)) break;
    run(chain, k, turn_block, &job);
  }
  // no nearer than at the start: take nothing, or as a preconditioner what changes nothing
  if (!(norm < first)) {
    if (k == 0)
      memset(at->x, 0, (size_t)at->n * sizeof *at->x);
    else
      memcpy(at->x, at->rhs, (size_t)at->n * sizeof *at->x);
  }
  return n_products;
}

/* ---------------------------------------------------------------------------- correction -- */

typedef struct correct_job {
  level *fine;
  double mean, shift, scale;
  const double *next;
  double *values;
} correct_job;

static void residual_block(void *given, int64_t first, int64_t end) {
  const correct_job *job = given;
  double *rhs = job->fine->rhs;
  double inverse = 1.0 / job->scale;
  COH_VECTOR_LOOP
  for (int64_t s = first; s < end; s++)
    rhs[s] = (job->next[s] - job->values[s] - job->mean) * inverse;
}

static void add_block(void *given, int64_t first, int64_t end) {
  const correct_job *job = given;
  const double *x = job->fine->x;
  double *values = job->values, shift = job->shift, scale = job->scale;
  COH_VECTOR_LOOP
  for (int64_t s = first; s < end; s++)
    values[s] += scale * x[s] + shift;
}

static void mean_block(void *given, int64_t first, int64_t end) {
  const correct_job *job = given;
  double sum[4] = {0.0};
  for (int64_t s = first; s < end; s++)
    sum[s & 3] += job->next[s] - job->values[s];
  coh_mdp_dots_put(job->fine->dots, first, 0, (sum[0] + sum[2]) + (sum[1] + sum[3]));
}

int64_t coh_policy_chain_entries(const coh_policy_chain *chain) {
  return chain->level[0].at[chain->level[0].n];
}

int64_t coh_policy_chain_correct(coh_policy_chain *chain, double spread, double ratio,
                                 int64_t max_products, const double *next, double *values) {
  int64_t n = chain->mdp->n_states;
  double sum;
  correct_job job = {.fine = &chain->level[0], .scale = spread, .next = next, .values = values};
  coh_mdp_blocks_run(n, chain->n_threads, mean_block, &job);
  coh_mdp_dots_total(chain->level[0].dots, 1, &sum);
  job.mean = sum / (double)n;
  job.shift = job.mean / (1.0 - chain->mdp->discount);
  coh_mdp_blocks_run(n, chain->n_threads, residual_block, &job);
  int64_t n_products = solve(chain, 0, ratio, max_products);
  coh_mdp_blocks_run(n, chain->n_threads, add_block, &job);
  return n_products;
}
