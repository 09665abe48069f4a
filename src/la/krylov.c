/* BiCGStab and restarted GMRES over the caller's product and passes. Updates of vectors and the
 * sums that follow them are one pass. */
#include "la/krylov.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/vectorise.h"

enum { MAX_RESTART = 60, N_BICGSTAB = 7, MAX_TARGETS = 40 };
static const double MAX_GROWTH = 1e4;

struct coh_krylov {
  coh_krylov_system system;
  int restart;
  double *memory;                  /* vectors one behind the other */
  double *vector[MAX_RESTART + 2]; /* into memory */
  double *hessenberg;              /* (restart + 1) x restart, column by column */
};

coh_status coh_krylov_create(const coh_krylov_system *system, int restart, coh_krylov **out) {
  COH_CHECK(restart == 0 || (restart >= 2 && restart <= MAX_RESTART), COH_E_INTERNAL,
            "GMRES restarts after 2 to %d products, not %d", MAX_RESTART, restart);
  coh_krylov *krylov;
  COH_NEW(krylov, 1);
  int n_bicgstab = system->precondition ? N_BICGSTAB : N_BICGSTAB - 2;
  int n_vectors = restart + 2 > n_bicgstab ? restart + 2 : n_bicgstab;
  int64_t stride = (system->n + system->room + 7) / 8 * 8;
  krylov->system = *system;
  krylov->restart = restart;
  krylov->memory = coh_alloc_array((size_t)(stride * n_vectors), sizeof(double));
  krylov->hessenberg = coh_alloc_array((size_t)((restart + 1) * (restart + 1)), sizeof(double));
  if (!krylov->memory || !krylov->hessenberg) {
    coh_krylov_destroy(&krylov);
    return coh_fail(COH_E_MEMORY, "out of memory for %d Krylov vectors of %lld", n_vectors,
                    (long long)system->n);
  }
  for (int k = 0; k < n_vectors; k++)
    krylov->vector[k] = krylov->memory + stride * k;
  *out = krylov;
  return COH_OK;
}

void coh_krylov_destroy(coh_krylov **krylov) {
  if (!*krylov) return;
  coh_free((*krylov)->memory);
  coh_free((*krylov)->hessenberg);
  COH_DELETE(*krylov);
}

/* ------------------------------------------------------------------------ vector updates -- */

/* z = a x + b y + c z over a stretch; x, y may be NULL where their factor is 0. */
typedef struct update_job {
  const double *x, *y;
  double *z;
  double a, b, c;
} update_job;

static void update_stretch(void *given, int64_t first, int64_t end, double *sums) {
  (void)sums;
  const update_job *job = given;
  const double *x = job->x, *y = job->y;
  double *z = job->z, a = job->a, b = job->b, c = job->c;
  if (y && c != 0.0) {
    COH_VECTOR_LOOP
    for (int64_t i = first; i < end; i++)
      z[i] = a * x[i] + b * y[i] + c * z[i];
  } else if (y) {
    COH_VECTOR_LOOP
    for (int64_t i = first; i < end; i++)
      z[i] = a * x[i] + b * y[i];
  } else if (c != 0.0) {
    COH_VECTOR_LOOP
    for (int64_t i = first; i < end; i++)
      z[i] = a * x[i] + c * z[i];
  } else {
    COH_VECTOR_LOOP
    for (int64_t i = first; i < end; i++)
      z[i] = a * x[i];
  }
}

static coh_status run_pass(coh_krylov *krylov, int n_sums, coh_krylov_work work, void *job,
                           double *sums) {
  return krylov->system.pass(krylov->system.context, n_sums, work, job, sums);
}

static coh_status update(coh_krylov *krylov, update_job job) {
  return run_pass(krylov, 0, update_stretch, &job, NULL);
}

static coh_status product(coh_krylov *krylov, double *x, double *y, const double *with,
                          double *sums, coh_krylov_outcome *outcome) {
  outcome->n_products++;
  return krylov->system.product(krylov->system.context, x, y, with, sums);
}

/* Eight sums in turn, as one. */
static double add_eight(const double *sum) {
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

static double dot_stretch(const double *x, const double *y, int64_t first, int64_t end) {
  double sum[8] = {0};
  int64_t i = first;
  for (; i + 8 <= end; i += 8)
    for (int k = 0; k < 8; k++)
      sum[k] += x[i + k] * y[i + k];
  for (int k = 0; i < end; i++, k++)
    sum[k] += x[i] * y[i];
  return add_eight(sum);
}

void coh_krylov_dots_work(void *given, int64_t first, int64_t end, double *sums) {
  const coh_krylov_dots *job = given;
  for (int k = 0; k < job->n; k++)
    sums[k] = dot_stretch(job->x[k], job->y[k], first, end);
}

static coh_status dots(coh_krylov *krylov, int n, const double *const x[],
                       const double *const y[], double *out) {
  coh_krylov_dots job = {n, x, y};
  return run_pass(krylov, n, coh_krylov_dots_work, &job, out);
}

typedef struct residual_job {
  const double *b;
  double *r;
} residual_job;

/* r = b - r; sum: r . r */
static void residual_stretch(void *given, int64_t first, int64_t end, double *sums) {
  const residual_job *job = given;
  double sum[8] = {0};
  for (int64_t i = first; i < end; i++) {
    double r = job->b[i] - job->r[i];
    job->r[i] = r;
    sum[(i - first) & 7] += r * r;
  }
  sums[0] = add_eight(sum);
}

/* r = b - A x and its norm */
static coh_status true_residual(coh_krylov *krylov, const double *b, double *x, double *r,
                                coh_krylov_outcome *outcome) {
  COH_TRY(product(krylov, x, r, NULL, NULL, outcome));
  residual_job job = {b, r};
  double square;
  COH_TRY(run_pass(krylov, 1, residual_stretch, &job, &square));
  outcome->residual = sqrt(square);
  return COH_OK;
}

/* ------------------------------------------------------------------------------ BiCGStab -- */

/* z, w: what the preconditioner makes of p and r; the same vectors where there is none. */
typedef struct bicgstab {
  double *r, *shadow, *p, *v, *t, *z, *w, *x;
  double alpha, omega, beta;
} bicgstab;

/* shadow = p = r */
static void begin_stretch(void *given, int64_t first, int64_t end, double *sums) {
  (void)sums;
  const bicgstab *job = given;
  size_t n_bytes = (size_t)(end - first) * sizeof(double);
  memcpy(job->shadow + first, job->r + first, n_bytes);
  memcpy(job->p + first, job->r + first, n_bytes);
}

/* r -= alpha v: what half a step leaves */
static void half_stretch(void *given, int64_t first, int64_t end, double *sums) {
  (void)sums;
  const bicgstab *job = given;
  const double *v = job->v;
  double *r = job->r, alpha = job->alpha;
  COH_VECTOR_LOOP
  for (int64_t i = first; i < end; i++)
    r[i] -= alpha * v[i];
}

/* x += alpha z + omega w; r -= omega t; sums: shadow . r and r . r */
static void step_stretch(void *given, int64_t first, int64_t end, double *sums) {
  const bicgstab *job = given;
  const double *shadow = job->shadow, *t = job->t, *z = job->z, *w = job->w;
  double *r = job->r, *x = job->x, alpha = job->alpha, omega = job->omega;
  double along[8] = {0}, square[8] = {0};
  for (int64_t i = first; i < end; i++) {
    x[i] += alpha * z[i] + omega * w[i]; // w may be r
    double left = r[i] - omega * t[i];
    r[i] = left;
    along[(i - first) & 7] += shadow[i] * left;
    square[(i - first) & 7] += left * left;
  }
  sums[0] = add_eight(along);
  sums[1] = add_eight(square);
}

/* p = r + beta (p - omega v) */
static void turn_stretch(void *given, int64_t first, int64_t end, double *sums) {
  (void)sums;
  const bicgstab *job = given;
  const double *r = job->r, *v = job->v;
  double *p = job->p, beta = job->beta, omega = job->omega;
  COH_VECTOR_LOOP
  for (int64_t i = first; i < end; i++)
    p[i] = r[i] + beta * (p[i] - omega * v[i]);
}

static coh_status precondition(coh_krylov *krylov, const double *x, double *z) {
  if (!krylov->system.precondition) return COH_OK; // z is x
  return krylov->system.precondition(krylov->system.context, x, z);
}

/* From the residual r until the target is reached, the recurrence breaks down or grows beyond
 * `most`, or the products are used up. */
static coh_status bicgstab_run(coh_krylov *krylov, double target, double most,
                               int64_t max_products, double *x, coh_krylov_outcome *outcome) {
  double **vector = krylov->vector;
  bool is_plain = !krylov->system.precondition;
  bicgstab job = {.r = vector[0],
                  .shadow = vector[1],
                  .p = vector[2],
                  .v = vector[3],
                  .t = vector[4],
                  .x = x};
  job.z = is_plain ? job.p : vector[5];
  job.w = is_plain ? job.r : vector[6];
  COH_TRY(run_pass(krylov, 0, begin_stretch, &job, NULL));
  double rho = outcome->residual * outcome->residual, sum[2];
  while (outcome->residual > target && outcome->n_products < max_products) {
    COH_TRY(precondition(krylov, job.p, job.z));
    COH_TRY(product(krylov, job.z, job.v, job.shadow, sum, outcome));
    job.alpha = rho / sum[0];
    if (!isfinite(job.alpha)) return COH_OK;
    COH_TRY(run_pass(krylov, 0, half_stretch, &job, NULL));
    COH_TRY(precondition(krylov, job.r, job.w));
    COH_TRY(product(krylov, job.w, job.t, job.r, sum, outcome));
    job.omega = sum[1] > 0.0 ? sum[0] / sum[1] : 0.0;
    COH_TRY(run_pass(krylov, 2, step_stretch, &job, sum));
    outcome->residual = sqrt(sum[1]);
    job.beta = sum[0] / rho * (job.alpha / job.omega);
    rho = sum[0];
    if (!isfinite(job.beta) || job.beta == 0.0 || !(outcome->residual < most)) return COH_OK;
    COH_TRY(run_pass(krylov, 0, turn_stretch, &job, NULL));
  }
  return COH_OK;
}

static coh_status bicgstab_cycle(coh_krylov *krylov, double target, int64_t max_products,
                                 double *x, coh_krylov_outcome *outcome) {
  return bicgstab_run(krylov, target, INFINITY, max_products, x, outcome);
}

typedef struct zero_job {
  const double *b;
  double *r, *x;
} zero_job;

/* r = b, x = 0; sum: r . r */
static void zero_stretch(void *given, int64_t first, int64_t end, double *sums) {
  const zero_job *job = given;
  size_t n_bytes = (size_t)(end - first) * sizeof(double);
  memcpy(job->r + first, job->b + first, n_bytes);
  memset(job->x + first, 0, n_bytes);
  sums[0] = dot_stretch(job->b, job->b, first, end);
}

coh_status coh_krylov_correct(coh_krylov *krylov, const double *b, double ratio,
                              int64_t max_products, double *x, coh_krylov_outcome *outcome) {
  zero_job job = {b, krylov->vector[0], x};
  double square;
  *outcome = (coh_krylov_outcome){0};
  COH_TRY(run_pass(krylov, 1, zero_stretch, &job, &square));
  outcome->start = outcome->residual = sqrt(square);
  double target = ratio * outcome->start;
  COH_TRY(bicgstab_run(krylov, target, MAX_GROWTH * outcome->start, max_products, x, outcome));
  outcome->reached = outcome->residual <= target;
  return COH_OK;
}

/* -------------------------------------------------------------------------------- cycles -- */

/* Cycles of a method, each begun with the true residual: a recurrence that drifted away, or
 * broke down, is set right. Ends when a cycle no longer helps. */
typedef coh_status (*krylov_cycle)(coh_krylov *, double, int64_t, double *,
                                   coh_krylov_outcome *);

static coh_status solve(coh_krylov *krylov, krylov_cycle cycle, int patience, const double *b,
                        double target, int64_t max_products, double *x,
                        coh_krylov_outcome *outcome) {
  *outcome = (coh_krylov_outcome){0};
  COH_TRY(true_residual(krylov, b, x, krylov->vector[0], outcome));
  double best = outcome->start = outcome->residual;
  int n_stalls = 0;
  while (outcome->residual > target && outcome->n_products < max_products) {
    if (!isfinite(outcome->residual)) break;
    COH_TRY(cycle(krylov, target, max_products, x, outcome));
    COH_TRY(true_residual(krylov, b, x, krylov->vector[0], outcome));
    n_stalls = outcome->residual < 0.9 * best ? 0 : n_stalls + 1;
    if (outcome->residual < best) best = outcome->residual;
    if (n_stalls > patience) break;
  }
  outcome->reached = outcome->residual <= target;
  return COH_OK;
}

coh_status coh_krylov_bicgstab(coh_krylov *krylov, const double *b, double target,
                               int64_t max_products, double *x, coh_krylov_outcome *outcome) {
  return solve(krylov, bicgstab_cycle, 3, b, target, max_products, x, outcome);
}

/* --------------------------------------------------------------------------------- GMRES -- */

static void rotate(double c, double s, double *a, double *b) {
  double first = c * *a + s * *b;
  *b = c * *b - s * *a;
  *a = first;
}

/* x += basis y where the triangle H y = g */
static coh_status add_correction(coh_krylov *krylov, int n, const double *g, double *x) {
  double y[MAX_RESTART];
  int stride = krylov->restart + 1;
  for (int i = n - 1; i >= 0; i--) {
    double sum = g[i];
    for (int j = i + 1; j < n; j++)
      sum -= krylov->hessenberg[j * stride + i] * y[j];
    y[i] = sum / krylov->hessenberg[i * stride + i];
  }
  for (int i = 0; i < n; i++)
    COH_TRY(update(krylov, (update_job){.x = krylov->vector[i], .z = x, .a = y[i], .c = 1.0}));
  return COH_OK;
}

/* Orthogonalise vector n against the basis, twice (classical Gram-Schmidt, one sum of all dots
 * each), and scale it; column: its coefficients, n + 1 of them. */
static coh_status extend_basis(coh_krylov *krylov, int n, double *column) {
  double *w = krylov->vector[n];
  const double *left[MAX_RESTART + 1], *right[MAX_RESTART + 1];
  double sum[MAX_RESTART + 1];
  memset(column, 0, (size_t)(n + 1) * sizeof *column);
  for (int pass = 0; pass < 2; pass++) {
    for (int i = 0; i < n; i++) {
      left[i] = krylov->vector[i];
      right[i] = w;
    }
    COH_TRY(dots(krylov, n, left, right, sum));
    for (int i = 0; i < n; i++) {
      column[i] += sum[i];
      COH_TRY(update(krylov, (update_job){.x = left[i], .z = w, .a = -sum[i], .c = 1.0}));
    }
  }
  COH_TRY(dots(krylov, 1, (const double *[]){w}, (const double *[]){w}, sum));
  column[n] = sqrt(sum[0]);
  return column[n] > 0.0 ? update(krylov, (update_job){.x = w, .z = w, .a = 1.0 / column[n]})
                         : COH_OK;
}

static coh_status gmres_cycle(coh_krylov *krylov, double target, int64_t max_products,
                              double *x, coh_krylov_outcome *outcome) {
  double cosine[MAX_RESTART], sine[MAX_RESTART], g[MAX_RESTART + 1] = {outcome->residual};
  int stride = krylov->restart + 1, n = 0;
  double *first = krylov->vector[0];
  COH_TRY(update(krylov, (update_job){.x = first, .z = first, .a = 1.0 / outcome->residual}));
  while (n < krylov->restart && outcome->residual > target &&
         outcome->n_products < max_products) {
    double *column = krylov->hessenberg + n * stride;
    COH_TRY(product(krylov, krylov->vector[n], krylov->vector[n + 1], NULL, NULL, outcome));
    COH_TRY(extend_basis(krylov, n + 1, column));
    for (int i = 0; i < n; i++)
      rotate(cosine[i], sine[i], &column[i], &column[i + 1]);
    double length = hypot(column[n], column[n + 1]);
    if (!(length > 0.0)) break;
    bool complete = column[n + 1] == 0.0;
    cosine[n] = column[n] / length;
    sine[n] = column[n + 1] / length;
    rotate(cosine[n], sine[n], &column[n], &column[n + 1]);
    g[n + 1] = 0.0;
    rotate(cosine[n], sine[n], &g[n], &g[n + 1]);
    outcome->residual = fabs(g[n + 1]);
    n++;
    if (complete) break;
  }
  return add_correction(krylov, n, g, x);
}

coh_status coh_krylov_gmres(coh_krylov *krylov, const double *b, double target,
                            int64_t max_products, double *x, coh_krylov_outcome *outcome) {
  COH_CHECK(krylov->restart > 0, COH_E_INTERNAL, "this solver was made without GMRES's basis");
  return solve(krylov, gmres_cycle, 3, b, target, max_products, x, outcome);
}

/* ------------------------------------------------------------------------------- largest -- */

/* Asks for less than the last Euclidean residual until no component is too large. */
// of the true residual, which lies in the first vector; NAN where there is one
static double largest_residual(const coh_krylov *krylov) {
  const double *r = krylov->vector[0];
  double largest = 0.0;
  for (int64_t i = 0; i < krylov->system.n; i++)
    if (!(fabs(r[i]) <= largest)) largest = fabs(r[i]);
  return largest;
}

coh_status coh_krylov_richardson(coh_krylov *krylov, const double *b, double tolerance,
                                 int64_t max_products, double *x, coh_krylov_outcome *outcome) {
  *outcome = (coh_krylov_outcome){0};
  for (;;) {
    COH_TRY(true_residual(krylov, b, x, krylov->vector[0], outcome));
    if (outcome->n_products == 1) outcome->start = outcome->residual;
    outcome->residual = largest_residual(krylov);
    outcome->reached = outcome->residual <= tolerance;
    if (outcome->reached || !isfinite(outcome->residual) || outcome->n_products >= max_products)
      return COH_OK;
    COH_TRY(update(krylov, (update_job){.x = krylov->vector[0], .z = x, .a = 1.0, .c = 1.0}));
  }
}

coh_status coh_krylov_settle(coh_krylov *krylov, bool gmres, const double *b, double tolerance,
                             int64_t max_products, double *x, coh_krylov_outcome *outcome) {
  int64_t n = krylov->system.n, n_products = 0;
  double target = tolerance * sqrt((double)n), start = 0.0, largest = INFINITY;
  for (int turn = 0; turn < MAX_TARGETS && !(largest <= tolerance); turn++) {
    COH_TRY((gmres ? coh_krylov_gmres : coh_krylov_bicgstab)(
        krylov, b, target, max_products - n_products, x, outcome));
    if (turn == 0) start = outcome->start;
    n_products += outcome->n_products;
    largest = largest_residual(krylov);
    if (!isfinite(largest) || !outcome->reached) break;
    target = 0.25 * outcome->residual;
  }
  *outcome = (coh_krylov_outcome){start, largest, n_products, largest <= tolerance};
  return COH_OK;
}
