/* Integrated gradients: (x - black) times the mean gradient on the straight way from black to
 * x. Sundararajan, Taly, Yan, ICML 2017. The attributions sum to f(x) - f(black); the way is
 * sampled at the middles of equal parts, twice as many until the sum is right. */
#include <math.h>

#include "base/alloc.h"
#include "explain/explainer.h"

typedef struct path_options {
  int64_t steps, max_steps;
  double completeness;
} path_options;

static const coh_option table[] = {
    {.name = "steps",
     .type = COH_INT,
     .offset = offsetof(path_options, steps),
     .initial = "64",
     .min = 1,
     .max = 1 << 20,
     .doc = "Parts of the way at first."},
    {.name = "completeness",
     .type = COH_REAL,
     .offset = offsetof(path_options, completeness),
     .initial = "1e-3",
     .min = 0,
     .max = 1e9,
     .doc = "Double the parts until the sum is right to this share of f(x) - f(black), or of 1 "
            "where that is less."},
    {.name = "max_steps",
     .type = COH_INT,
     .offset = offsetof(path_options, max_steps),
     .initial = "8192",
     .min = 1,
     .max = 1 << 24,
     .doc = "But no more parts than these."},
    {0},
};

typedef struct path {
  coh_explainer *e;
  const float *row;
  int32_t target;
  float *points, *gradient; // of a block
  double *sum;              // n_values
} path;

static coh_status integrate(const path *p, int64_t steps, float *out) {
  coh_explainer *e = p->e;
  int32_t targets[COH_EXPLAIN_BLOCK];
  for (int64_t i = 0; i < e->n_values; i++)
    p->sum[i] = 0;
  for (int64_t first = 0; first < steps; first += COH_EXPLAIN_BLOCK) {
    int64_t left = steps - first, now = left < COH_EXPLAIN_BLOCK ? left : COH_EXPLAIN_BLOCK;
    for (int64_t s = 0; s < now; s++) {
      float way = (float)(((double)(first + s) + 0.5) / (double)steps);
      targets[s] = p->target;
      for (int64_t i = 0; i < e->n_values; i++)
        p->points[s * e->n_values + i] = e->black + way * (p->row[i] - e->black);
    }
    COH_TRY(coh_explainer_gradient(e, false, p->points, targets, now, p->gradient, NULL));
    for (int64_t s = 0; s < now; s++)
      for (int64_t i = 0; i < e->n_values; i++)
        p->sum[i] += (double)p->gradient[s * e->n_values + i];
  }
  for (int64_t i = 0; i < e->n_values; i++)
    out[i] = (float)(p->sum[i] / (double)steps * ((double)p->row[i] - (double)e->black));
  return COH_OK;
}

static coh_status explain_row(const path *p, const path_options *o, float *out) {
  for (int64_t steps = o->steps;; steps *= 2) {
    double gap;
    COH_TRY(integrate(p, steps, out));
    if (2 * steps > o->max_steps) return COH_OK;
    COH_TRY(coh_explain_completeness(p->e, out, p->row, &p->target, 1, &gap));
    if (gap <= o->completeness) return COH_OK;
  }
}

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  path p = {.e = e};
  coh_status status = COH_OK;
  p.points = coh_alloc_array((size_t)(COH_EXPLAIN_BLOCK * e->n_values), sizeof *p.points);
  p.gradient = coh_alloc_array((size_t)(COH_EXPLAIN_BLOCK * e->n_values), sizeof *p.gradient);
  p.sum = coh_alloc_array((size_t)e->n_values, sizeof *p.sum);
  if (!p.points || !p.gradient || !p.sum)
    status = coh_fail(COH_E_MEMORY, "out of memory for integrated gradients");
  for (int64_t i = 0; i < n && status == COH_OK; i++) {
    p.row = rows + i * e->n_values;
    p.target = targets[i];
    status = explain_row(&p, options, out + i * e->n_values);
  }
  coh_free(p.points), coh_free(p.gradient), coh_free(p.sum);
  return status;
}

const coh_explain_method coh_explain_method_integrated_gradients = {
    .kind = {.name = "integrated_gradients",
             .doc = "Gradients averaged on the way from black (Sundararajan et al. 2017).",
             .options = table,
             .options_size = sizeof(path_options)},
    .is_per_value = true,
    .run = run,
};
