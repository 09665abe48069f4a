/* Whether an explanation can be believed: completeness, insertion and deletion, and the sanity
 * check that randomises weights layer by layer. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "explain/explainer.h"
#include "nn/network.h"

coh_status coh_explain_completeness(coh_explainer *e, const float *values, const float *rows,
                                    const int32_t *targets, int64_t n, double *gap) {
  float *outputs, *black;
  COH_NEW(outputs, (n + 1) * e->n_outputs);
  black = coh_alloc_array((size_t)e->n_values, sizeof *black);
  coh_status status = black ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  for (int64_t i = 0; status == COH_OK && i < e->n_values; i++)
    black[i] = e->black;
  if (status == COH_OK) status = coh_explainer_outputs(e, rows, n, outputs);
  float *nothing = outputs + n * e->n_outputs;
  if (status == COH_OK) status = coh_explainer_outputs(e, black, 1, nothing);
  double worst = 0;
  for (int64_t i = 0; status == COH_OK && i < n; i++) {
    double sum = 0;
    for (int64_t k = 0; k < e->n_values; k++)
      sum += (double)values[i * e->n_values + k];
    double difference =
        (double)outputs[i * e->n_outputs + targets[i]] - (double)nothing[targets[i]];
    worst = fmax(worst, fabs(sum - difference) / fmax(fabs(difference), 1));
  }
  if (status == COH_OK) *gap = worst;
  coh_free(outputs), coh_free(black);
  return status;
}

// ---- insertion and deletion ----------------------------------------------------------------

typedef struct ranked {
  float value;
  int32_t place;
} ranked;

// largest first; equal ones by place, so that the order is one
static int compare_ranked(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->value != y->value) return x->value > y->value ? -1 : 1;
  return x->place < y->place ? -1 : 1;
}

static double probability(const float *outputs, int64_t n, int32_t target) {
  if (n == 1) return 1 / (1 + exp(-(double)outputs[0]));
  double top = (double)outputs[0], sum = 0;
  for (int64_t k = 1; k < n; k++)
    top = fmax(top, (double)outputs[k]);
  for (int64_t k = 0; k < n; k++)
    sum += exp((double)outputs[k] - top);
  return exp((double)outputs[target] - top) / sum;
}

// a box blur of a third of the image, twice: what stays is a shape without detail
static void blur(const coh_explainer *e, const float *row, float *scratch, float *out) {
  int64_t channels = e->size[2], radius[2] = {e->size[0] / 6, e->size[1] / 6};
  memcpy(out, row, (size_t)e->n_values * sizeof *out);
  for (int pass = 0; pass < 4; pass++) {
    int axis = pass % 2;
    memcpy(scratch, out, (size_t)e->n_values * sizeof *out);
    for (int64_t i = 0; i < e->n_values; i++) {
      int64_t pixel = i / channels, at[2] = {pixel / e->size[1], pixel % e->size[1]};
      int64_t step = axis == 0 ? e->size[1] * channels : channels;
      float sum = 0;
      int count = 0;
      for (int64_t d = -radius[axis]; d <= radius[axis]; d++) {
        if (at[axis] + d < 0 || at[axis] + d >= e->size[axis]) continue;
        sum += scratch[i + d * step];
        count++;
      }
      out[i] = sum / (float)count;
    }
  }
}

typedef struct curve_memory {
  ranked *order;
  float *blurred, *scratch, *rows, *outputs;
} curve_memory;

// the mean probability while pixels of `to` replace those of `from`, by rank
static coh_status area(coh_explainer *e, const curve_memory *m, const float *from,
                       const float *to, int32_t target, int64_t steps, double *out) {
  double sum = 0;
  for (int64_t first = 0; first <= steps; first += COH_EXPLAIN_BLOCK) {
    int64_t left = steps + 1 - first;
    int64_t now = left < COH_EXPLAIN_BLOCK ? left : COH_EXPLAIN_BLOCK;
    for (int64_t s = 0; s < now; s++) {
      float *row = m->rows + s * e->n_values;
      memcpy(row, from, (size_t)e->n_values * sizeof *row);
      int64_t n_pixels = e->n_pixels * (first + s) / steps;
      for (int64_t k = 0; k < n_pixels; k++)
        memcpy(row + m->order[k].place * e->size[2], to + m->order[k].place * e->size[2],
               (size_t)e->size[2] * sizeof *row);
    }
    COH_TRY(coh_explainer_outputs(e, m->rows, now, m->outputs));
    for (int64_t s = 0; s < now; s++) {
      double p = probability(m->outputs + s * e->n_outputs, e->n_outputs, target);
      bool is_end = first + s == 0 || first + s == steps; // trapezoids
      sum += is_end ? p / 2 : p;
    }
  }
  *out = sum / (double)steps;
  return COH_OK;
}

static coh_status curves_of(coh_explainer *e, const curve_memory *m, const float *map,
                            const float *row, int32_t target, int64_t steps,
                            coh_explain_curves *out) {
  for (int64_t i = 0; i < e->n_pixels; i++)
    m->order[i] = (ranked){map[i], (int32_t)i};
  qsort(m->order, (size_t)e->n_pixels, sizeof *m->order, compare_ranked);
  blur(e, row, m->scratch, m->blurred);
  COH_TRY(area(e, m, m->blurred, row, target, steps, &out->insertion));
  for (int64_t i = 0; i < e->n_values; i++)
    m->scratch[i] = e->black;
  return area(e, m, row, m->scratch, target, steps, &out->deletion);
}

coh_status coh_explain_insertion(coh_explainer *e, const float *maps, const float *rows,
                                 const int32_t *targets, int64_t n, int64_t steps,
                                 coh_explain_curves *curves) {
  curve_memory m = {0};
  size_t values = (size_t)e->n_values;
  m.order = coh_alloc_array((size_t)e->n_pixels, sizeof *m.order);
  m.blurred = coh_alloc_array(values, sizeof *m.blurred);
  m.scratch = coh_alloc_array(values, sizeof *m.scratch);
  m.rows = coh_alloc_array(COH_EXPLAIN_BLOCK * values, sizeof *m.rows);
  m.outputs = coh_alloc_array((size_t)(COH_EXPLAIN_BLOCK * e->n_outputs), sizeof *m.outputs);
  coh_status status = COH_OK;
  if (!m.order || !m.blurred || !m.scratch || !m.rows || !m.outputs)
    status = coh_fail(COH_E_MEMORY, "out of memory for insertion and deletion");
  coh_explain_curves sum = {0};
  for (int64_t i = 0; i < n && status == COH_OK; i++) {
    coh_explain_curves one;
    status = curves_of(e, &m, maps + i * e->n_pixels, rows + i * e->n_values, targets[i], steps,
                       &one);
    if (status != COH_OK) break;
    sum.insertion += one.insertion / (double)n;
    sum.deletion += one.deletion / (double)n;
  }
  if (status == COH_OK) *curves = sum;
  coh_free(m.order), coh_free(m.blurred), coh_free(m.scratch);
  coh_free(m.rows), coh_free(m.outputs);
  return status;
}

// ---- the sanity check ----------------------------------------------------------------------

// ranks of magnitudes, ties sharing their mean rank
static void rank_magnitudes(const float *map, int64_t n, ranked *order, double *rank) {
  for (int64_t i = 0; i < n; i++)
    order[i] = (ranked){fabsf(map[i]), (int32_t)i};
  qsort(order, (size_t)n, sizeof *order, compare_ranked);
  for (int64_t i = 0; i < n;) {
    int64_t end = i + 1;
    while (end < n && order[end].value == order[i].value)
      end++;
    for (int64_t k = i; k < end; k++)
      rank[order[k].place] = 0.5 * (double)(i + end - 1);
    i = end;
  }
}

coh_status coh_explain_rank_correlation(const float *a, const float *b, int64_t n,
                                        double *correlation) {
  ranked *order;
  COH_NEW(order, n);
  double *rank = coh_alloc_array((size_t)(2 * n), sizeof *rank);
  if (!rank) {
    coh_free(order);
    return coh_fail(COH_E_MEMORY, "out of memory for a rank correlation");
  }
  rank_magnitudes(a, n, order, rank);
  rank_magnitudes(b, n, order, rank + n);
  double mean = 0.5 * (double)(n - 1), ab = 0, aa = 0, bb = 0;
  for (int64_t i = 0; i < n; i++) {
    double x = rank[i] - mean, y = rank[n + i] - mean;
    ab += x * y, aa += x * x, bb += y * y;
  }
  *correlation = aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
  coh_free(order), coh_free(rank);
  return COH_OK;
}

static coh_status compare(const coh_explainer *e, const float *first, const float *now,
                          int64_t n, double *similarity) {
  *similarity = 0;
  for (int64_t i = 0; i < n; i++) {
    double one;
    COH_TRY(coh_explain_rank_correlation(first + i * e->n_pixels, now + i * e->n_pixels,
                                         e->n_pixels, &one));
    *similarity += one / (double)n;
  }
  return COH_OK;
}

// give the parameters of one layer the values of another block; false when it has none
static bool randomise_layer(coh_explainer *e, int64_t layer, const float *random) {
  const coh_network *network = coh_network_file_network(e->file);
  bool any = false;
  for (int64_t k = 0; k < network->n_parameters; k++) {
    const coh_network_parameter *p = &network->parameter[k];
    if (p->layer != layer) continue;
    memcpy(coh_network_file_params(e->file) + p->offset, random + p->offset,
           (size_t)coh_shape_count(p->plan.shape) * sizeof *random);
    any = true;
  }
  return any;
}

typedef struct sanity_memory {
  float *params, *random, *first, *now;
} sanity_memory;

static coh_status cascade(coh_explainer *e, const coh_choice *method, const float *rows,
                          const int32_t *targets, int64_t n, const sanity_memory *m,
                          double *similarity, int64_t *n_stages) {
  int64_t room = *n_stages;
  *n_stages = 0;
  COH_TRY(coh_explain(e, method, rows, targets, n, m->first));
  for (int64_t i = coh_network_file_n_layers(e->file) - 1; i >= 0 && *n_stages < room; i--) {
    if (!randomise_layer(e, i, m->random)) continue;
    COH_TRY(coh_explain(e, method, rows, targets, n, m->now));
    COH_TRY(compare(e, m->first, m->now, n, &similarity[(*n_stages)++]));
  }
  return COH_OK;
}

coh_status coh_explain_sanity(coh_explainer *e, const coh_choice *method, const float *rows,
                              const int32_t *targets, int64_t n, uint64_t seed,
                              double *similarity, int64_t *n_stages) {
  const coh_network *network = coh_network_file_network(e->file);
  size_t n_floats = (size_t)coh_network_floats(network), n_maps = (size_t)(n * e->n_pixels);
  sanity_memory m = {0};
  m.params = coh_alloc_array(n_floats, sizeof *m.params);
  m.random = coh_alloc_array(n_floats, sizeof *m.random);
  m.first = coh_alloc_array(n_maps, sizeof *m.first);
  m.now = coh_alloc_array(n_maps, sizeof *m.now);
  coh_status status = COH_OK;
  if (!m.params || !m.random || !m.first || !m.now)
    status = coh_fail(COH_E_MEMORY, "out of memory for the sanity check");
  if (status == COH_OK) status = coh_network_initialize(network, seed, m.random);
  if (status == COH_OK) {
    memcpy(m.params, coh_network_file_params(e->file), n_floats * sizeof *m.params);
    status = cascade(e, method, rows, targets, n, &m, similarity, n_stages);
    memcpy(coh_network_file_params(e->file), m.params, n_floats * sizeof *m.params);
  }
  coh_free(m.params), coh_free(m.random), coh_free(m.first), coh_free(m.now);
  return status;
}
