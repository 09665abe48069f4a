/* Projections: there, back, and of a whole dataset. */
#include "task/pca/principal.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/blas.h"

enum { PANEL = 1024 };

struct coh_projector {
  int64_t n_values, k;
  float *mean;    /* (n_values) */
  float *forward; /* (k, n_values): components / scale (/ sqrt(variance)) */
  float *back;    /* (k, n_values): components * scale (* sqrt(variance)) */
};

coh_status coh_principal_init(int64_t n_values, int64_t k, coh_principal *p) {
  *p = (coh_principal){.n_values = n_values, .k = k};
  COH_NEW(p->mean, n_values);
  COH_NEW(p->scale, n_values);
  COH_NEW(p->components, k * n_values);
  COH_NEW(p->variances, k);
  return COH_OK;
}

void coh_principal_fini(coh_principal *p) {
  COH_DELETE(p->mean);
  COH_DELETE(p->scale);
  COH_DELETE(p->components);
  COH_DELETE(p->variances);
}

static coh_status fill(const coh_principal *p, coh_projector *t) {
  COH_NEW(t->mean, p->n_values);
  COH_NEW(t->forward, p->k * p->n_values);
  COH_NEW(t->back, p->k * p->n_values);
  for (int64_t j = 0; j < p->n_values; j++)
    t->mean[j] = (float)p->mean[j];
  for (int64_t i = 0; i < p->k; i++) {
    // a direction without variance stays at zero
    double white = p->whiten ? sqrt(p->variances[i]) : 1;
    double inverse = white > 0 ? 1 / white : 0;
    for (int64_t j = 0; j < p->n_values; j++) {
      int64_t at = i * p->n_values + j;
      t->forward[at] = (float)(p->components[at] / p->scale[j] * inverse);
      t->back[at] = (float)(p->components[at] * p->scale[j] * white);
    }
  }
  return COH_OK;
}

coh_status coh_projector_create(const coh_principal *principal, coh_projector **projector) {
  coh_projector *t;
  COH_NEW(t, 1);
  t->n_values = principal->n_values;
  t->k = principal->k;
  coh_status status = fill(principal, t);
  if (status != COH_OK) coh_projector_destroy(&t);
  *projector = t;
  return status;
}

void coh_projector_destroy(coh_projector **projector) {
  if (!*projector) return;
  coh_free((*projector)->mean);
  coh_free((*projector)->forward);
  coh_free((*projector)->back);
  COH_DELETE(*projector);
}

void coh_projector_transform(const coh_projector *t, int64_t n, const float *rows,
                             float *scratch, float *out) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < t->n_values; j++)
      scratch[i * t->n_values + j] = rows[i * t->n_values + j] - t->mean[j];
  coh_la_sgemm(false, true, n, t->k, t->n_values, 1, scratch, t->n_values, t->forward,
               t->n_values, 0, out, t->k);
}

void coh_projector_inverse(const coh_projector *t, int64_t n, const float *projected,
                           float *out) {
  for (int64_t i = 0; i < n; i++)
    memcpy(out + i * t->n_values, t->mean, (size_t)t->n_values * sizeof *out);
  coh_la_sgemm(false, false, n, t->n_values, t->k, 1, projected, t->k, t->back, t->n_values, 1,
               out, t->n_values);
}

// panels [first, end) of a dataset
static coh_status run_panels(const coh_projector *t, int n_threads, const coh_dataset *dataset,
                             coh_affine affine, int64_t first, int64_t end, float *out) {
  int64_t n_rows = coh_dataset_spec_of(dataset)->n_rows;
  int failed = 0;
#pragma omp parallel default(none) shared(t, dataset, affine, first, end, out, n_rows, failed) \
    num_threads(n_threads)
  {
    float *rows = coh_alloc_array((size_t)(PANEL * t->n_values), sizeof *rows);
    if (!rows) {
#pragma omp atomic write
      failed = 1;
    }
#pragma omp for schedule(dynamic)
    for (int64_t panel = first; panel < end; panel++) {
      if (!rows) continue;
      int64_t from = panel * PANEL, n = n_rows - from < PANEL ? n_rows - from : PANEL;
      coh_dataset_read(dataset, from, n, affine, rows);
      coh_projector_transform(t, n, rows, rows, out + from * t->k);
    }
    coh_free(rows);
  }
  COH_CHECK(!failed, COH_E_MEMORY, "out of memory to project rows");
  return COH_OK;
}

coh_status coh_projector_run(const coh_projector *t, coh_world *world, const coh_lanes *lanes,
                             int n_threads, const coh_dataset *dataset, coh_affine affine,
                             float *out) {
  int64_t n_rows = coh_dataset_spec_of(dataset)->n_rows;
  int64_t n_panels = (n_rows + PANEL - 1) / PANEL;
  int size = coh_world_size(world), rank = coh_world_rank(world);
  size_t *n_bytes = coh_alloc_array((size_t)size, sizeof *n_bytes);
  coh_status status =
      n_bytes ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to project rows");
  int64_t begin = 0, mine = 0;
  for (int r = 0; n_bytes && r < size; r++) {
    int64_t first = coh_lanes_first_of(world, lanes->n_lanes, r) * n_panels / lanes->n_lanes;
    int64_t end = coh_lanes_first_of(world, lanes->n_lanes, r + 1) * n_panels / lanes->n_lanes;
    int64_t last = end * PANEL < n_rows ? end * PANEL : n_rows;
    n_bytes[r] = (size_t)((last - first * PANEL) * t->k) * sizeof *out;
    if (last <= first * PANEL) n_bytes[r] = 0;
    if (r != rank) continue;
    begin = first * PANEL;
    mine = (int64_t)(n_bytes[r] / sizeof *out);
    status = run_panels(t, n_threads, dataset, affine, first, end, out);
  }
  status = coh_comm_agree(world, status);
  float *copy = NULL;
  if (status == COH_OK && size > 1) {
    copy = coh_alloc_array((size_t)mine, sizeof *copy);
    status = copy ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to project rows");
    status = coh_comm_agree(world, status);
    if (status == COH_OK) {
      memcpy(copy, out + begin * t->k, (size_t)mine * sizeof *copy);
      status = coh_comm_allgather_varied(world, copy, n_bytes, out);
    }
  }
  coh_free(copy);
  coh_free(n_bytes);
  return status;
}
