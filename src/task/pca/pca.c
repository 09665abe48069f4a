/* Task pca: create, step, save, metrics, and the descriptor. */
#include "task/pca/pca.h"

#include <math.h>

#include "base/alloc.h"
#include "task/tensor_visit.h"

static void pca_destroy(void **task) {
  coh_pca *pca = *task;
  if (!pca) return;
  coh_principal_fit_destroy(&pca->fit);
  coh_dataset_destroy(&pca->dataset);
  coh_dataset_destroy(&pca->images);
  coh_free(pca->projected);
  COH_DELETE(*task);
}

static coh_status create(coh_pca *pca) {
  const coh_run_context *c = pca->context;
  coh_status status =
      coh_map_source_open(&pca->options->source, c->n_threads, &pca->dataset, &pca->images);
  pca->problem = (coh_principal_problem){.world = c->world,
                                         .lanes = c->lanes,
                                         .n_threads = c->n_threads,
                                         .seed = c->seed,
                                         .options = pca->options->principal,
                                         .dataset = pca->dataset};
  if (status == COH_OK && pca->options->values != COH_VALUES_STANDARD)
    status = coh_dataset_affine(pca->dataset, (coh_values)pca->options->values,
                                &pca->problem.affine);
  else if (status == COH_OK)
    status = coh_fail(COH_E_CONFIG, "values: standard does not change components of centred "
                                    "rows; use scale: true to scale every column");
  COH_TRY(coh_comm_agree(c->world, status));
  return coh_principal_fit_create(&pca->problem, &pca->fit);
}

static coh_status pca_create(const coh_run_context *context, const void *options, void **task) {
  coh_pca *pca = coh_alloc_array(1, sizeof *pca);
  COH_TRY(coh_comm_agree(context->world,
                         pca ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for task pca")));
  pca->context = context;
  pca->options = options;
  coh_status status = create(pca);
  void *self = pca;
  if (status != COH_OK) pca_destroy(&self);
  *task = self;
  return status;
}

static coh_status pca_step(void *task) {
  return coh_principal_fit_pass(((coh_pca *)task)->fit);
}

static int64_t pca_position(const void *task) {
  return coh_principal_fit_passes(((const coh_pca *)task)->fit);
}

static bool pca_finished(const void *task) {
  return coh_principal_fit_done(((const coh_pca *)task)->fit);
}

static coh_status pca_metrics(void *task, coh_metric_row *exact, coh_metric_row *timing) {
  (void)timing;
  coh_pca *pca = task;
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  coh_metric_add(exact, "pca/total_variance", r->total);
  coh_metric_add(exact, "train/updates", (double)coh_principal_fit_passes(pca->fit));
  double kept = 0;
  for (int64_t i = 0; i < r->k; i++)
    kept += r->variances[i];
  coh_metric_add(exact, "pca/explained", kept / r->total);
  coh_metric_add(exact, "pca/largest_variance", r->variances[0]);
  return COH_OK;
}

// visit what a checkpoint holds
static coh_status visit_tensors(coh_pca *pca, coh_tensor_visit *visit, void *context) {
  coh_principal *r = coh_principal_fit_result(pca->fit);
  int64_t columns;
  float *basis = coh_principal_fit_basis(pca->fit, &columns);
  const struct {
    coh_store store;
    const char *name;
    coh_array array;
  } rows[] = {
      {COH_STORE_MODEL, "mean", {COH_DTYPE_F64, 1, {r->n_values}, r->mean}},
      {COH_STORE_MODEL, "scale", {COH_DTYPE_F64, 1, {r->n_values}, r->scale}},
      {COH_STORE_MODEL, "components", {COH_DTYPE_F64, 2, {r->k, r->n_values}, r->components}},
      {COH_STORE_MODEL, "variances", {COH_DTYPE_F64, 1, {r->k}, r->variances}},
      {COH_STORE_STATE, "passes", {COH_DTYPE_I64, 1, {1}, &pca->saved_passes}},
      {COH_STORE_STATE, "total", {COH_DTYPE_F64, 1, {1}, &pca->total}},
      {COH_STORE_STATE, "basis", {COH_DTYPE_F32, 2, {r->n_values, columns}, basis}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows - (basis ? 0 : 1); i++)
    COH_TRY(visit(context, rows[i].store, rows[i].name, &rows[i].array));
  return COH_OK;
}

static coh_status pca_save(void *task, coh_saver *saver) {
  coh_pca *pca = task;
  pca->saved_passes = coh_principal_fit_passes(pca->fit);
  pca->total = coh_principal_fit_result(pca->fit)->total;
  return visit_tensors(pca, coh_visit_save, saver);
}

static coh_status pca_load(void *task, coh_loader *loader) {
  coh_pca *pca = task;
  COH_TRY(visit_tensors(pca, coh_visit_load, loader));
  COH_CHECK(pca->saved_passes >= 0 && isfinite(pca->total), COH_E_CHECKPOINT,
            "state.safetensors: passes and total variance make no sense");
  coh_principal_fit_set_passes(pca->fit, pca->saved_passes);
  coh_principal_fit_result(pca->fit)->total = pca->total;
  return COH_OK;
}

coh_status coh_pca_project(coh_pca *pca) {
  if (pca->projected) return COH_OK;
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  const coh_run_context *c = pca->context;
  coh_projector *projector = NULL;
  int64_t n_rows = coh_dataset_spec_of(pca->dataset)->n_rows;
  pca->projected = coh_alloc_array((size_t)(n_rows * r->k), sizeof *pca->projected);
  coh_status status =
      pca->projected ? coh_projector_create(r, &projector)
                     : coh_fail(COH_E_MEMORY, "out of memory for %lld rows", (long long)n_rows);
  status = coh_comm_agree(c->world, status);
  if (status == COH_OK)
    status = coh_projector_run(projector, c->world, &c->lanes, c->n_threads, pca->dataset,
                               pca->problem.affine, pca->projected);
  coh_projector_destroy(&projector);
  return status;
}

static coh_status pca_evaluate(void *task, coh_metric_row *exact) {
  // what is not explained is the mean squared error of rows rebuilt from their projections
  const coh_principal *r = coh_principal_fit_result(((coh_pca *)task)->fit);
  double kept = 0;
  for (int64_t i = 0; i < r->k; i++)
    kept += r->variances[i];
  coh_metric_add(exact, "eval/rebuilt_error", (r->total - kept) / (double)r->n_values);
  return COH_OK;
}

static const coh_task_chart charts[] = {{0}};
static const char *const progress[] = {"pca/explained", NULL};

const coh_task_type coh_task_pca = {
    .kind = {"pca",
             "Principal component analysis: exact or randomised, over ranks (Pearson "
             "1901; Halko, Martinsson, Tropp 2011).",
             coh_pca_option_table, sizeof(coh_pca_options)},
    .unit = "passes",
    .create = pca_create,
    .destroy = pca_destroy,
    .step = pca_step,
    .position = pca_position,
    .finished = pca_finished,
    .metrics = pca_metrics,
    .evaluate = pca_evaluate,
    .save = pca_save,
    .load = pca_load,
    .results = coh_pca_results,
    .place = coh_pca_place,
    .charts = charts,
    .progress = progress,
};
