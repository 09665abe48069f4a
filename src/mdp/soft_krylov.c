/* Solves with I - gamma P_pi and its transpose by BiCGStab (van der Vorst 1992), and the
 * visits. Inner products are summed in blocks that the vector's length alone fixes. */
#include <math.h>
#include <string.h>

#include "mdp/soft_plan.h"

// sum of the blocks' partial sums: the left half, then the right
static double tree_sum(const double *partial, int64_t n) {
  if (n == 1) return partial[0];
  int64_t half = (n + 1) / 2;
  return tree_sum(partial, half) + tree_sum(partial + half, n - half);
}

// a . b and a . c in one pass
static void dot_two(coh_soft *soft, const double *a, const double *b, const double *c,
                    double *ab, double *ac) {
  int64_t n = soft->model.n_states, n_blocks = soft->n_blocks;
  double *first = soft->partial, *second = soft->partial + n_blocks;
#pragma omp parallel for num_threads(soft->config.n_threads) schedule(static) default(none) \
    shared(a, b, c, n, n_blocks, first, second)
  for (int64_t block = 0; block < n_blocks; block++) {
    int64_t begin = block * COH_SOFT_BLOCK;
    int64_t end = begin + COH_SOFT_BLOCK < n ? begin + COH_SOFT_BLOCK : n;
    double sums[2][4] = {{0}};
    for (int64_t i = begin; i < end; i++) {
      sums[0][i & 3] += a[i] * b[i];
      sums[1][i & 3] += a[i] * c[i];
    }
    first[block] = (sums[0][0] + sums[0][1]) + (sums[0][2] + sums[0][3]);
    second[block] = (sums[1][0] + sums[1][1]) + (sums[1][2] + sums[1][3]);
  }
  *ab = tree_sum(first, n_blocks);
  *ac = tree_sum(second, n_blocks);
}

static double largest(coh_soft *soft, const double *a) {
  int64_t n = soft->model.n_states;
  double top = 0;
  int n_threads = soft->config.n_threads;
#pragma omp parallel for num_threads(n_threads) schedule(static) default(none) shared(a, n) \
    reduction(max                                                                           \
              : top)
  for (int64_t i = 0; i < n; i++)
    top = fabs(a[i]) > top ? fabs(a[i]) : top;
  return top;
}

// z = a + x b + y c, element by element; z may be any of them
static void combine(coh_soft *soft, const double *a, double x, const double *b, double y,
                    const double *c, double *z) {
  int64_t n = soft->model.n_states;
#pragma omp parallel for simd num_threads(soft->config.n_threads) \
    schedule(static) default(none) shared(a, b, c, x, y, z, n)
  for (int64_t i = 0; i < n; i++)
    z[i] = a[i] + x * b[i] + y * c[i];
}

enum { STALLED_PRODUCTS = 400 };

void coh_soft_krylov(coh_soft *soft, bool transpose, double gamma, const double *b,
                     double tolerance, int64_t most, double *x, double *residual,
                     int64_t *n_products) {
  int64_t n = soft->model.n_states;
  double *r = soft->krylov, *shadow = r + n, *p = r + 2 * n, *v = r + 3 * n, *t = r + 4 * n;
  size_t n_bytes = (size_t)n * sizeof *r;
  double rho = 1, alpha = 1, omega = 1, left = INFINITY, before = INFINITY;
  int64_t made = 0;
  bool fresh = true;
  while (made < most) {
    if (fresh) { // at first, and where the recurrence has broken down or drifted away
      coh_soft_apply(soft, transpose, gamma, x, v);
      made++;
      combine(soft, b, -1, v, 0, v, r);
      left = largest(soft, r);
      if (!(left > tolerance) || !(left < before)) break;
      before = left;
      memcpy(shadow, r, n_bytes);
      memset(p, 0, n_bytes);
      memset(v, 0, n_bytes);
      rho = alpha = omega = 1;
      fresh = false;
    }
    double rho_next, unused;
    dot_two(soft, shadow, r, r, &rho_next, &unused);
    double beta = rho_next / rho * (alpha / omega);
    combine(soft, r, beta, p, -beta * omega, v, p);
    coh_soft_apply(soft, transpose, gamma, p, v);
    double shadow_v;
    dot_two(soft, shadow, v, v, &shadow_v, &unused);
    alpha = rho_next / shadow_v;
    if (!isfinite(alpha)) {
      fresh = true;
      continue;
    }
    combine(soft, r, -alpha, v, 0, v, r); // now s
    coh_soft_apply(soft, transpose, gamma, r, t);
    made += 2;
    double tt, ts;
    dot_two(soft, t, t, r, &tt, &ts);
    omega = tt > 0 ? ts / tt : 0;
    combine(soft, x, alpha, p, omega, r, x);
    combine(soft, r, -omega, t, 0, t, r);
    rho = rho_next;
    left = largest(soft, r);
    // the recurrence's residual is checked against the true one before it is believed
    if (!(left > tolerance) || !(omega != 0) || !(rho != 0) || made % STALLED_PRODUCTS == 0)
      fresh = true;
  }
  if (fresh == false) {
    coh_soft_apply(soft, transpose, gamma, x, v);
    combine(soft, b, -1, v, 0, v, r);
    left = largest(soft, r);
    made++;
  }
  *residual = left;
  *n_products = made;
}

enum { MOST_VISIT_PRODUCTS = 100000, MOST_STEPS = 200 };

coh_status coh_soft_visit(coh_soft *soft, const double *source, double tolerance,
                          double *visits, coh_soft_report *report) {
  double gamma = soft->config.gamma, left = INFINITY;
  int64_t made = 0, n = soft->model.n_states;
  double *step = soft->krylov + 6 * n;
  for (int64_t turn = 0; turn < MOST_STEPS; turn++) {
    int64_t n_products = 0;
    coh_soft_krylov(soft, true, gamma, source, tolerance, MOST_VISIT_PRODUCTS, visits, &left,
                    &n_products);
    made += n_products;
    if (!(left > tolerance) || !isfinite(left)) break;
    // plain steps of the visits settle what the solver cannot
    coh_soft_step_visits(soft, gamma, visits, source, step);
    coh_soft_step_visits(soft, gamma, step, source, visits);
    made += 2;
  }
  if (report) *report = (coh_soft_report){.residual = left, .n_products = made};
  COH_CHECK(left <= tolerance, COH_E_DIVERGED,
            "expected visits did not converge: residual %g after %lld products", left,
            (long long)made);
  return COH_OK;
}
