/* Other rows through a finished projection, there and back. */
#include <stdlib.h>

#include "base/alloc.h"
#include "task/map/map_place.h"
#include "task/pca/pca.h"

static coh_status check(const coh_pca *pca, const coh_dataset *data, bool back) {
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  const coh_dataset_spec *spec = coh_dataset_spec_of(data),
                         *old = coh_dataset_spec_of(pca->dataset);
  if (back)
    COH_CHECK(spec->n_values == r->k && spec->dtype == COH_DTYPE_F32, COH_E_DATA,
              "%s: rows of %lld values; a projection has %lld floats", spec->name,
              (long long)spec->n_values, (long long)r->k);
  else
    COH_CHECK(spec->n_values == old->n_values && spec->dtype == old->dtype, COH_E_DATA,
              "%s: rows of %lld %s; those of the run have %lld %s", spec->name,
              (long long)spec->n_values, spec->dtype == COH_DTYPE_U8 ? "bytes" : "floats",
              (long long)old->n_values, old->dtype == COH_DTYPE_U8 ? "bytes" : "floats");
  return coh_dataset_check_finite(data, 0, spec->n_rows);
}

// rows in the units that they were stored in
static void rebuild(const coh_pca *pca, const coh_projector *projector, int64_t n,
                    const float *projected, float *out) {
  coh_affine affine = pca->problem.affine;
  int64_t d = coh_principal_fit_result(pca->fit)->n_values;
  coh_projector_inverse(projector, n, projected, out);
  for (int64_t i = 0; i < n * d; i++)
    out[i] = (out[i] - affine.shift) / affine.scale;
}

static coh_status draw(coh_pca *pca, const coh_dataset *data, const float *places,
                       const char *path) {
  coh_map_placed placed = {.map = pca->projected,
                           .places = places,
                           .n = coh_dataset_spec_of(pca->dataset)->n_rows,
                           .dims = coh_principal_fit_result(pca->fit)->k,
                           .rows = data};
  return coh_map_placed_write(&placed, path);
}

static coh_status run(coh_pca *pca, const coh_place_request *request, const coh_dataset *data,
                      float *out) {
  const coh_run_context *c = pca->context;
  coh_projector *projector = NULL;
  coh_status status = coh_comm_agree(
      c->world, coh_projector_create(coh_principal_fit_result(pca->fit), &projector));
  if (status == COH_OK && request->back)
    rebuild(pca, projector, coh_dataset_spec_of(data)->n_rows, coh_dataset_row(data, 0), out);
  else if (status == COH_OK)
    status = coh_projector_run(projector, c->world, &c->lanes, c->n_threads, data,
                               pca->problem.affine, out);
  coh_projector_destroy(&projector);
  if (status != COH_OK || request->back || !request->picture) return status;
  COH_TRY(coh_pca_project(pca));
  if (coh_world_rank(c->world) == 0) status = draw(pca, data, out, request->picture);
  return coh_comm_agree(c->world, status);
}

coh_status coh_pca_place(void *task, const coh_place_request *request, coh_array *places) {
  coh_pca *pca = task;
  const coh_principal *r = coh_principal_fit_result(pca->fit);
  coh_map_source plain = {.data = *request->data, .network = (char[]){""}};
  const coh_map_source *source = request->back ? &plain : &pca->options->source;
  coh_dataset *data = NULL;
  float *out = NULL;
  coh_status status =
      coh_map_source_like(source, request->data, pca->context->n_threads, &data);
  if (status == COH_OK) status = check(pca, data, request->back);
  int64_t n = status == COH_OK ? coh_dataset_spec_of(data)->n_rows : 0;
  int64_t width = request->back ? r->n_values : r->k;
  if (status == COH_OK) {
    out = coh_alloc_array((size_t)(n * width), sizeof *out);
    if (!out) status = coh_fail(COH_E_MEMORY, "out of memory for %lld rows", (long long)n);
  }
  status = coh_comm_agree(pca->context->world, status);
  if (status == COH_OK) status = run(pca, request, data, out);
  if (status == COH_OK)
    *places = (coh_array){COH_DTYPE_F32, 2, {n, width}, out};
  else
    coh_free(out);
  coh_dataset_destroy(&data);
  return status;
}
