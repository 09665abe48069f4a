/* The policy's matrix P_pi and its transpose, and solves with I - gamma P_pi. The places of its
 * entries are fixed by the model: a policy only fills them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "la/elementary_double.h"
#include "mdp/soft_plan.h"

static int compare_columns(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

// the distinct successors of a state, ascending, into list; returns their number
static int64_t gather_successors(const coh_soft_model *model, int64_t state, uint32_t *list) {
  int64_t n = 0, n_distinct = 0;
  int64_t first = model->row_begin[model->state_row[state]];
  int64_t last = model->row_begin[model->state_row[state + 1]];
  for (int64_t t = first; t < last; t++)
    list[n++] = model->successor[t];
  qsort(list, (size_t)n, sizeof *list, compare_columns);
  for (int64_t i = 0; i < n; i++)
    if (i == 0 || list[i] != list[i - 1]) list[n_distinct++] = list[i];
  return n_distinct;
}

static int64_t most_transitions(const coh_soft_model *model) {
  int64_t most = 0;
  for (int64_t s = 0; s < model->n_states; s++) {
    int64_t n =
        model->row_begin[model->state_row[s + 1]] - model->row_begin[model->state_row[s]];
    most = n > most ? n : most;
  }
  return most;
}

static uint16_t find_slot(const uint32_t *list, int64_t n, uint32_t wanted) {
  int64_t low = 0, high = n - 1;
  while (low < high) {
    int64_t middle = (low + high) / 2;
    if (list[middle] < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return (uint16_t)low;
}

static void fill_pattern(coh_soft *soft, uint32_t *list) {
  const coh_soft_model *model = &soft->model;
  for (int64_t s = 0; s < model->n_states; s++) {
    int64_t n = gather_successors(model, s, list);
    memcpy(soft->column + soft->begin[s], list, (size_t)n * sizeof *list);
    int64_t first = model->row_begin[model->state_row[s]];
    int64_t last = model->row_begin[model->state_row[s + 1]];
    for (int64_t t = first; t < last; t++)
      soft->slot[t] = find_slot(list, n, model->successor[t]);
  }
}

// the same entries by column: a counting sort, so origins ascend in a column
static coh_status transpose_pattern(coh_soft *soft) {
  int64_t n = soft->model.n_states, n_entries = soft->begin[n], *fill;
  COH_NEW(soft->from, n + 1);
  COH_NEW(soft->origin, n_entries);
  COH_NEW(soft->place, n_entries);
  COH_NEW(soft->transposed, n_entries);
  COH_NEW(fill, n + 1);
  for (int64_t i = 0; i < n_entries; i++)
    soft->from[soft->column[i] + 1]++;
  for (int64_t s = 0; s < n; s++)
    soft->from[s + 1] += soft->from[s];
  memcpy(fill, soft->from, (size_t)n * sizeof *fill);
  for (int64_t s = 0; s < n; s++)
    for (int64_t i = soft->begin[s]; i < soft->begin[s + 1]; i++) {
      int64_t at = fill[soft->column[i]]++;
      soft->origin[at] = (uint32_t)s;
      soft->place[at] = (uint32_t)i;
    }
  coh_free(fill);
  return COH_OK;
}

static coh_status create_pattern(coh_soft *soft) {
  const coh_soft_model *model = &soft->model;
  uint32_t *list;
  COH_NEW(soft->begin, model->n_states + 1);
  COH_NEW(list, most_transitions(model) + 1);
  int64_t widest = 0;
  for (int64_t s = 0; s < model->n_states; s++) {
    int64_t n = gather_successors(model, s, list);
    widest = n > widest ? n : widest;
    soft->begin[s + 1] = soft->begin[s] + n;
  }
  int64_t n_entries = soft->begin[model->n_states];
  coh_status status = COH_OK;
  if (widest > UINT16_MAX || n_entries > UINT32_MAX)
    status = coh_fail(COH_E_DATA, "soft values: a state has %lld successors, at most %d fit",
                      (long long)widest, UINT16_MAX);
  if (status == COH_OK) {
    soft->column = coh_alloc_array((size_t)n_entries, sizeof *soft->column);
    soft->slot = coh_alloc_array((size_t)model->row_begin[model->n_rows], sizeof *soft->slot);
    soft->entry = coh_alloc_array((size_t)n_entries, sizeof *soft->entry);
    if (!soft->column || !soft->slot || !soft->entry)
      status = coh_fail(COH_E_MEMORY, "out of memory for the policy's matrix (%lld entries)",
                        (long long)n_entries);
  }
  if (status == COH_OK) fill_pattern(soft, list);
  coh_free(list);
  return status == COH_OK ? transpose_pattern(soft) : status;
}

static coh_status create(const coh_soft_model *model, const coh_soft_config *config,
                         coh_soft *soft) {
  soft->model = *model;
  soft->config = *config;
  soft->n_blocks = (model->n_states + COH_SOFT_BLOCK - 1) / COH_SOFT_BLOCK;
  COH_NEW(soft->row_scratch, model->n_rows);
  COH_NEW(soft->state_scratch, model->n_states);
  COH_NEW(soft->defect, model->n_states);
  COH_NEW(soft->delta, model->n_states);
  COH_NEW(soft->partial, soft->n_blocks);
  COH_TRY(coh_soft_krylov_create(soft));
  return create_pattern(soft);
}

coh_status coh_soft_create(const coh_soft_model *model, const coh_soft_config *config,
                           coh_soft **soft) {
  coh_soft *own;
  COH_NEW(own, 1);
  coh_status status = create(model, config, own);
  if (status == COH_OK)
    *soft = own;
  else
    coh_soft_destroy(&own);
  return status;
}

void coh_soft_destroy(coh_soft **pointer) {
  coh_soft *soft = *pointer;
  if (!soft) return;
  coh_free(soft->begin), coh_free(soft->column), coh_free(soft->slot), coh_free(soft->entry);
  coh_free(soft->from), coh_free(soft->origin), coh_free(soft->place);
  coh_free(soft->transposed);
  coh_free(soft->row_scratch), coh_free(soft->state_scratch);
  coh_free(soft->defect), coh_free(soft->delta), coh_free(soft->partial);
  coh_krylov_destroy(&soft->krylov);
  coh_mdp_sums_destroy(&soft->sums);
  coh_free(soft);
  *pointer = NULL;
}

const coh_soft_model *coh_soft_model_of(const coh_soft *soft) {
  return &soft->model;
}

coh_soft_backup coh_soft_backup_of(const coh_soft *soft) {
  return soft->config.backup;
}

// the weight P e^V / sum P e^V needs this much of a row
typedef struct tilt {
  double top, share;
} tilt;

static tilt tilt_of(const coh_soft_model *model, int64_t row, const double *value) {
  double top = -INFINITY, sum = 0;
  for (int64_t t = model->row_begin[row]; t < model->row_begin[row + 1]; t++)
    top = fmax(top, value[model->successor[t]]);
  for (int64_t t = model->row_begin[row]; t < model->row_begin[row + 1]; t++)
    sum += model->probability[t] * coh_exp(value[model->successor[t]] - top);
  return (tilt){top, 1 / sum};
}

static void fill_state(coh_soft *soft, const double *policy, const double *value, int64_t s) {
  const coh_soft_model *model = &soft->model;
  double *entry = soft->entry + soft->begin[s];
  memset(entry, 0, (size_t)(soft->begin[s + 1] - soft->begin[s]) * sizeof *entry);
  for (int64_t row = model->state_row[s]; row < model->state_row[s + 1]; row++) {
    double weight = policy[row];
    int64_t first = model->row_begin[row], last = model->row_begin[row + 1];
    if (soft->config.backup == COH_SOFT_CAUSAL) {
      for (int64_t t = first; t < last; t++)
        entry[soft->slot[t]] += weight * model->probability[t];
    } else {
      tilt by = tilt_of(model, row, value);
      for (int64_t t = first; t < last; t++)
        entry[soft->slot[t]] += weight * model->probability[t] * by.share *
                                coh_exp(value[model->successor[t]] - by.top);
    }
  }
}

void coh_soft_take_policy(coh_soft *soft, const double *policy, const double *value) {
  int64_t n = soft->model.n_states;
#pragma omp parallel for num_threads(soft->config.n_threads) schedule(static) default(none) \
    shared(soft, policy, value, n)
  for (int64_t s = 0; s < n; s++)
    fill_state(soft, policy, value, s);
  soft->is_transposed = false;
}

static void transpose_entries(coh_soft *soft) {
  if (soft->is_transposed) return;
  int64_t n_entries = soft->begin[soft->model.n_states];
#pragma omp parallel for num_threads(soft->config.n_threads) schedule(static) default(none) \
    shared(soft, n_entries)
  for (int64_t i = 0; i < n_entries; i++)
    soft->transposed[i] = soft->entry[soft->place[i]];
  soft->is_transposed = true;
}

void coh_soft_scatter_row(const coh_soft *soft, int64_t row, double weight, const double *value,
                          double *to) {
  const coh_soft_model *model = &soft->model;
  int64_t first = model->row_begin[row], last = model->row_begin[row + 1];
  if (soft->config.backup == COH_SOFT_CAUSAL) {
    for (int64_t t = first; t < last; t++)
      to[model->successor[t]] += weight * model->probability[t];
    return;
  }
  tilt by = tilt_of(model, row, value);
  for (int64_t t = first; t < last; t++)
    to[model->successor[t]] += weight * model->probability[t] * by.share *
                               coh_exp(value[model->successor[t]] - by.top);
}

// y = base + factor M x for states of a matrix by rows
typedef struct product {
  const int64_t *begin;
  const uint32_t *column;
  const double *entry, *base, *x;
  double factor;
  double *y;
} product;

static void multiply(const product *work, int64_t n, int n_threads) {
#pragma omp parallel for num_threads(n_threads) schedule(static) default(none) shared(work, n)
  for (int64_t s = 0; s < n; s++) {
    double sum = 0;
    for (int64_t i = work->begin[s]; i < work->begin[s + 1]; i++)
      sum += work->entry[i] * work->x[work->column[i]];
    work->y[s] = work->base[s] + work->factor * sum;
  }
}

void coh_soft_step_visits(coh_soft *soft, double gamma, const double *from,
                          const double *source, double *to) {
  transpose_entries(soft);
  product work = {soft->from, soft->origin, soft->transposed, source, from, gamma, to};
  multiply(&work, soft->model.n_states, soft->config.n_threads);
}

void coh_soft_apply(coh_soft *soft, bool transpose, double gamma, const double *x, double *y) {
  product work = {soft->begin, soft->column, soft->entry, x, x, -gamma, y};
  if (transpose) {
    transpose_entries(soft);
    work = (product){soft->from, soft->origin, soft->transposed, x, x, -gamma, y};
  }
  multiply(&work, soft->model.n_states, soft->config.n_threads);
}
