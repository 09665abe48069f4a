/* Rows as the map needs them, where points begin, and the order they are kept in. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "task/pca/principal.h"
#include "task/tsne/tsne.h"

static const double start_deviation = 1e-4;

static coh_principal_problem problem_of(const coh_tsne *t, coh_affine affine, int64_t k) {
  const coh_run_context *c = t->context;
  return (coh_principal_problem){
      .world = c->world,
      .lanes = c->lanes,
      .n_threads = c->n_threads,
      .seed = c->seed,
      .dataset = t->dataset,
      .affine = affine,
      .options = {.components = k, .oversample = 10, .powers = 3, .center = true}};
}

// the first k principal components of all rows, (n, k)
static coh_status project(coh_tsne *t, coh_affine affine, int64_t k, coh_principal *principal,
                          float *out) {
  coh_principal_problem problem = problem_of(t, affine, k);
  coh_projector *projector = NULL;
  COH_TRY(coh_principal_compute(&problem, principal));
  coh_status status =
      coh_comm_agree(t->context->world, coh_projector_create(principal, &projector));
  if (status == COH_OK)
    status = coh_projector_run(projector, t->context->world, &t->context->lanes,
                               t->context->n_threads, t->dataset, affine, out);
  coh_projector_destroy(&projector);
  return status;
}

coh_status coh_tsne_read_rows(coh_tsne *t) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(t->dataset);
  coh_status status = coh_dataset_check_finite(t->dataset, 0, t->n);
  if (status == COH_OK)
    status = coh_dataset_affine(t->dataset, (coh_values)t->options->values, &t->affine);
  bool reduce =
      t->options->pca > 0 && spec->n_values > t->options->pca && t->options->pca < t->n - 1;
  t->n_values = reduce ? t->options->pca : spec->n_values;
  if (status == COH_OK) {
    t->rows = coh_alloc_array((size_t)(t->n * t->n_values), sizeof *t->rows);
    if (!t->rows)
      status = coh_fail(COH_E_MEMORY, "out of memory for %lld rows", (long long)t->n);
  }
  COH_TRY(coh_comm_agree(t->context->world, status));
  if (reduce) return project(t, t->affine, t->n_values, &t->principal, t->rows);
  coh_dataset_read(t->dataset, 0, t->n, t->affine, t->rows);
  return COH_OK;
}

static void start_random(coh_tsne *t, float *start) {
  coh_key key = coh_key_make(t->context->seed, "tsne start");
  for (int64_t i = 0; i < t->n; i++) {
    coh_stream stream = coh_stream_begin(key, (uint32_t)i, 0);
    for (int64_t a = 0; a < t->dims; a++)
      start[i * t->dims + a] = (float)(start_deviation * coh_stream_normal(&stream));
  }
}

// components scaled so that the first has the standard deviation of a start; noise where rows
// have fewer values than the map
static coh_status start_components(coh_tsne *t, float *start) {
  int64_t k = t->dims < t->n_values ? t->dims : t->n_values;
  const float *from = t->rows;
  int64_t pitch = t->n_values;
  float *components = NULL;
  start_random(t, start);
  if (coh_dataset_spec_of(t->dataset)->n_values == t->n_values) {
    coh_principal principal = {0};
    COH_NEW(components, t->n * k);
    coh_status status = project(t, t->affine, k, &principal, components);
    coh_principal_fini(&principal);
    if (status != COH_OK) {
      coh_free(components);
      return status;
    }
    from = components;
    pitch = k;
  }
  double squares = 0;
  for (int64_t i = 0; i < t->n; i++)
    squares += (double)from[i * pitch] * (double)from[i * pitch];
  double scale = squares > 0 ? start_deviation / sqrt(squares / (double)t->n) : 0;
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t a = 0; a < k; a++)
      start[i * t->dims + a] = (float)(scale * (double)from[i * pitch + a]);
  coh_free(components);
  return COH_OK;
}

static coh_status start_given(const coh_tsne *t, float *start) {
  const char *path = t->options->start_file;
  coh_array array = {0};
  COH_TRY(coh_npy_read(path, &array));
  bool fits = array.n_dims == 2 && array.shape[0] == t->n && array.shape[1] == t->dims &&
              (array.dtype == COH_DTYPE_F32 || array.dtype == COH_DTYPE_F64);
  coh_status status = fits ? COH_OK
                           : coh_fail(COH_E_DATA, "%s: %lld x %lld floats are expected", path,
                                      (long long)t->n, (long long)t->dims);
  for (int64_t i = 0; status == COH_OK && i < t->n * t->dims; i++) {
    double v = array.dtype == COH_DTYPE_F64 ? ((const double *)array.data)[i]
                                            : (double)((const float *)array.data)[i];
    if (!isfinite(v) || fabs(v) > 1e6)
      status = coh_fail(COH_E_DATA, "%s: row %lld: %g is no place on a map", path,
                        (long long)(i / t->dims), v);
    start[i] = (float)v;
  }
  coh_array_clear(&array);
  return status;
}

// along a Z-curve through the start
static coh_status choose_order(coh_tsne *t, const float *start) {
  coh_tsne_tree *tree = NULL;
  COH_TRY(coh_tsne_tree_create(t->n, t->dims, 0, 1, 1, &tree));
  coh_tsne_tree_build(tree, start, t->dims);
  for (int64_t i = 0; i < t->n; i++)
    t->order[i] = (int32_t)coh_tsne_tree_point(tree, i);
  coh_tsne_tree_destroy(&tree);
  return COH_OK;
}

coh_status coh_tsne_start(coh_tsne *t) {
  float *start;
  COH_NEW(start, t->n * t->dims);
  coh_status status = COH_OK;
  if (t->options->start == COH_TSNE_START_GIVEN)
    status = start_given(t, start);
  else if (t->options->start == COH_TSNE_START_RANDOM)
    start_random(t, start);
  else
    status = start_components(t, start);
  if (status == COH_OK) status = choose_order(t, start);
  for (int64_t i = 0; status == COH_OK && i < t->n; i++)
    for (int64_t a = 0; a < t->dims; a++)
      t->y[i * t->stride + a] = start[t->order[i] * t->dims + a];
  coh_free(start);
  return coh_comm_agree(t->context->world, status);
}
