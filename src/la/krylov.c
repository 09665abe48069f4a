/* BiCGStab and restarted GMRES over the caller's product and sums. Vector updates are fused and
 * run over the caller's stretches. */
#include "la/krylov.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/vectorise.h"

enum { MAX_RESTART = 60, N_BICGSTAB = 6 };

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
  int n_vectors = restart + 2 > N_BICGSTAB ? restart + 2 : N_BICGSTAB;
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

static void update_stretch(void *given, int64_t first, int64_t end) {
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

static void update(coh_krylov *krylov, update_job job) {
  krylov->system.stretches(krylov->system.context, update_stretch, &job);
}

static coh_status product(coh_krylov *krylov, double *x, double *y,
                          coh_krylov_outcome *outcome) {
  outcome->n_products++;
  return krylov->system.product(krylov->system.context, x, y);
}

static coh_status dots(coh_krylov *krylov, int n, const double *const x[],
                       const double *const y[], double *out) {
  return krylov->system.dots(krylov->system.context, n, x, y, out);
}

/* r = b - A x and its norm */
static coh_status true_residual(coh_krylov *krylov, const double *b, double *x, double *r,
                                coh_krylov_outcome *outcome) {
  COH_TRY(product(krylov, x, r, outcome));
  update(krylov, (update_job){.x = b, .z = r, .a = 1.0, .c = -1.0});
  double square;
  COH_TRY(dots(krylov, 1, (const double *[]){r}, (const double *[]){r}, &square));
  outcome->residual = sqrt(square);
  return COH_OK;
}

/* ------------------------------------------------------------------------------ BiCGStab -- */

/* From the true residual until it is reached, breaks down or the products are used up. */
static coh_status bicgstab_cycle(coh_krylov *krylov, double target, int64_t max_products,
                                 double *x, coh_krylov_outcome *outcome) {
  double *r = krylov->vector[0], *shadow = krylov->vector[1], *p = krylov->vector[2];
  double *v = krylov->vector[3], *t = krylov->vector[4];
  update(krylov, (update_job){.x = r, .z = shadow, .a = 1.0});
  update(krylov, (update_job){.x = r, .z = p, .a = 1.0});
  double rho = outcome->residual * outcome->residual;
  while (outcome->residual > target && outcome->n_products < max_products) {
    double along;
    COH_TRY(product(krylov, p, v, outcome));
    COH_TRY(dots(krylov, 1, (const double *[]){shadow}, (const double *[]){v}, &along));
    double alpha = rho / along;
    if (!isfinite(alpha)) return COH_OK;
    update(krylov, (update_job){.x = v, .z = r, .a = -alpha, .c = 1.0}); // r is now s
    COH_TRY(product(krylov, r, t, outcome));
    double sum[2];
    COH_TRY(dots(krylov, 2, (const double *[]){t, t}, (const double *[]){r, t}, sum));
    double omega = sum[1] > 0.0 ? sum[0] / sum[1] : 0.0;
    update(krylov, (update_job){.x = p, .y = r, .z = x, .a = alpha, .b = omega, .c = 1.0});
    update(krylov, (update_job){.x = t, .z = r, .a = -omega, .c = 1.0});
    COH_TRY(dots(krylov, 2, (const double *[]){shadow, r}, (const double *[]){r, r}, sum));
    outcome->residual = sqrt(sum[1]);
    double beta = sum[0] / rho * (alpha / omega);
    rho = sum[0];
    if (!isfinite(beta) || beta == 0.0 || !isfinite(outcome->residual)) return COH_OK;
    update(krylov,
           (update_job){.x = r, .y = v, .z = p, .a = 1.0, .b = -beta * omega, .c = beta});
  }
  return COH_OK;
}

/* Cycles of a method, each begun with the true residual: a recurrence that drifted away, or
 * broke down, is set right. Ends when a cycle no longer helps. */
typedef coh_status (*krylov_cycle)(coh_krylov *, double, int64_t, double *,
                                   coh_krylov_outcome *);

static coh_status solve(coh_krylov *krylov, krylov_cycle cycle, int patience, const double *b,
                        double target, int64_t max_products, double *x,
                        coh_krylov_outcome *outcome) {
  *outcome = (coh_krylov_outcome){0};
  COH_TRY(true_residual(krylov, b, x, krylov->vector[0], outcome));
  double best = outcome->residual;
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
static void add_correction(coh_krylov *krylov, int n, const double *g, double *x) {
  double y[MAX_RESTART];
  int stride = krylov->restart + 1;
  for (int i = n - 1; i >= 0; i--) {
    double sum = g[i];
    for (int j = i + 1; j < n; j++)
      sum -= krylov->hessenberg[j * stride + i] * y[j];
    y[i] = sum / krylov->hessenberg[i * stride + i];
  }
  for (int i = 0; i < n; i++)
    update(krylov, (update_job){.x = krylov->vector[i], .z = x, .a = y[i], .c = 1.0});
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
      update(krylov, (update_job){.x = left[i], .z = w, .a = -sum[i], .c = 1.0});
    }
  }
  COH_TRY(dots(krylov, 1, (const double *[]){w}, (const double *[]){w}, sum));
  column[n] = sqrt(sum[0]);
  if (column[n] > 0.0) update(krylov, (update_job){.x = w, .z = w, .a = 1.0 / column[n]});
  return COH_OK;
}

static coh_status gmres_cycle(coh_krylov *krylov, double target, int64_t max_products,
                              double *x, coh_krylov_outcome *outcome) {
  double cosine[MAX_RESTART], sine[MAX_RESTART], g[MAX_RESTART + 1] = {outcome->residual};
  int stride = krylov->restart + 1, n = 0;
  double *first = krylov->vector[0];
  update(krylov, (update_job){.x = first, .z = first, .a = 1.0 / outcome->residual});
  while (n < krylov->restart && outcome->residual > target &&
         outcome->n_products < max_products) {
    double *column = krylov->hessenberg + n * stride;
    COH_TRY(product(krylov, krylov->vector[n], krylov->vector[n + 1], outcome));
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
  add_correction(krylov, n, g, x);
  return COH_OK;
}

coh_status coh_krylov_gmres(coh_krylov *krylov, const double *b, double target,
                            int64_t max_products, double *x, coh_krylov_outcome *outcome) {
  COH_CHECK(krylov->restart > 0, COH_E_INTERNAL, "this solver was made without GMRES's basis");
  return solve(krylov, gmres_cycle, 3, b, target, max_products, x, outcome);
}
