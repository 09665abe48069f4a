/* Principal components and nearest neighbours alone, for comparison with scikit-learn.
 *   bench_maps pca ROWS.npy COMPONENTS THREADS OUT.npy [exact|randomised]
 *   bench_maps neighbors ROWS.npy K THREADS OUT.npy [RECALL]
 * pca writes the components (k, values), neighbors the rows of the neighbours (n, k), exact
 * ones without RECALL. Prints JSON: seconds of fitting and projecting, or of the search, and of
 * all threads together. Reading the file is not included; mapped rows are touched first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "cohort/io.h"
#include "neighbors/neighbors.h"
#include "task/pca/principal.h"

typedef struct job {
  const char *rows, *out, *how;
  int64_t k;
  int n_threads;
} job;

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static coh_status fit(const job *j, coh_principal_problem *problem, float *projected,
                      coh_principal *principal) {
  double begun = coh_clock_now(), cpu = cpu_seconds();
  COH_TRY(coh_principal_compute(problem, principal));
  double fitted = coh_clock_now(), fitted_cpu = cpu_seconds();
  coh_projector *projector = NULL;
  COH_TRY(coh_projector_create(principal, &projector));
  COH_TRY(coh_projector_run(projector, problem->world, &problem->lanes, j->n_threads,
                            problem->dataset, problem->affine, projected));
  coh_projector_destroy(&projector);
  printf("{\"fit\": %.4f, \"fit_cpu\": %.4f, \"transform\": %.4f, \"transform_cpu\": %.4f}\n",
         fitted - begun, fitted_cpu - cpu, coh_clock_now() - fitted,
         cpu_seconds() - fitted_cpu);
  coh_array out = {
      COH_DTYPE_F64, 2, {principal->k, principal->n_values}, principal->components};
  return coh_npy_write(j->out, &out);
}

static coh_status run_pca(const job *j) {
  coh_world *world = NULL;
  COH_TRY(coh_world_open(&world));
  coh_array rows = {0};
  COH_TRY(coh_npy_read(j->rows, &rows));
  coh_dataset *dataset = NULL;
  COH_TRY(coh_dataset_of_arrays(j->rows, &rows, NULL, &dataset));
  coh_principal_problem problem = {
      .world = world,
      .n_threads = j->n_threads,
      .seed = 1,
      .dataset = dataset,
      .affine = {1, 0},
      .options = {.components = j->k, .oversample = 10, .powers = 3, .center = true}};
  problem.options.method =
      strcmp(j->how, "randomised") ? COH_PRINCIPAL_EXACT : COH_PRINCIPAL_RANDOMISED;
  COH_TRY(coh_lanes_split(world, 2, &problem.lanes));
  float *projected;
  COH_NEW(projected, coh_dataset_spec_of(dataset)->n_rows * j->k); // rows were taken
  coh_principal principal = {0};
  COH_TRY(fit(j, &problem, projected, &principal));
  coh_free(projected);
  coh_principal_fini(&principal);
  coh_dataset_destroy(&dataset);
  coh_world_close(&world);
  return COH_OK;
}

static coh_status search(const job *j, const coh_array *rows, int32_t *index, float *distance) {
  int64_t n = rows->shape[0], d = rows->shape[1], n_read = 0, n_cells = 0;
  double begun = coh_clock_now(), cpu = cpu_seconds(), recall = atof(j->how);
  if (recall > 0) {
    coh_neighbor_cells *cells = NULL;
    COH_TRY(coh_neighbor_cells_create(n, d, rows->data, j->k, recall, 1, j->n_threads, &cells));
    n_cells = coh_neighbor_cells_count(cells);
    n_read = coh_neighbor_cells_read(cells);
    COH_TRY(coh_neighbor_cells_search(cells, 0, n_cells, j->n_threads, index, distance));
    int32_t *sorted;
    COH_NEW(sorted, n * j->k);
    for (int64_t i = 0; i < n; i++)
      memcpy(sorted + coh_neighbor_cells_rows(cells)[i] * j->k, index + i * j->k,
             (size_t)j->k * sizeof *index);
    memcpy(index, sorted, (size_t)(n * j->k) * sizeof *index);
    coh_free(sorted);
    coh_neighbor_cells_destroy(&cells);
  } else {
    coh_neighbor_search all = {.n_references = n,
                               .n_queries = n,
                               .n_values = d,
                               .references = rows->data,
                               .queries = rows->data,
                               .k = j->k,
                               .n_threads = j->n_threads};
    COH_TRY(coh_neighbors_exact(&all, index, distance));
  }
  printf("{\"search\": %.4f, \"search_cpu\": %.4f, \"cells\": %lld, \"read\": %lld}\n",
         coh_clock_now() - begun, cpu_seconds() - cpu, (long long)n_cells, (long long)n_read);
  return COH_OK;
}

static coh_status run_neighbors(const job *j) {
  coh_array rows = {0};
  COH_TRY(coh_npy_read(j->rows, &rows));
  COH_CHECK(rows.dtype == COH_DTYPE_F32 && rows.n_dims == 2, COH_E_DATA,
            "%s: float32 (n, values) is expected", j->rows);
  int32_t *index;
  float *distance;
  COH_NEW(index, rows.shape[0] * j->k);
  COH_NEW(distance, rows.shape[0] * j->k);
  COH_TRY(search(j, &rows, index, distance));
  coh_array out = {COH_DTYPE_I32, 2, {rows.shape[0], j->k}, index};
  COH_TRY(coh_npy_write(j->out, &out));
  coh_free(index);
  coh_free(distance);
  coh_array_clear(&rows);
  return COH_OK;
}

int main(int count, char **argument) {
  coh_status status = COH_E_CONFIG;
  if (count >= 6) {
    job j = {.rows = argument[2],
             .k = atoll(argument[3]),
             .n_threads = atoi(argument[4]),
             .out = argument[5],
             .how = count > 6 ? argument[6] : "0"};
    status = strcmp(argument[1], "pca") ? run_neighbors(&j) : run_pca(&j);
  } else {
    fprintf(stderr, "usage: bench_maps pca|neighbors ROWS.npy K THREADS OUT.npy [HOW]\n");
    return 2;
  }
  if (status != COH_OK) fprintf(stderr, "bench_maps: %s\n", coh_error_message());
  return status != COH_OK;
}
