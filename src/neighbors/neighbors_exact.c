/* Exact neighbours: every block of queries against all references. */
#include <string.h>

#include "base/alloc.h"
#include "neighbors/neighbor_block.h"

typedef struct exact_work {
  const coh_neighbor_search *search;
  coh_neighbor_table table;
  int32_t *index;
  float *distance; /* may be NULL */
} exact_work;

// one block of queries; centred, self: scratch
static void run_block(const exact_work *work, coh_neighbor_scratch *scratch, int64_t block,
                      float *centred, int32_t *self, float *distance) {
  const coh_neighbor_search *s = work->search;
  int64_t first = block * COH_NEIGHBOR_BLOCK, n = s->n_queries - first;
  if (n > COH_NEIGHBOR_BLOCK) n = COH_NEIGHBOR_BLOCK;
  for (int64_t q = 0; q < n; q++) {
    const float *row = s->queries + (first + q) * s->n_values;
    for (int64_t j = 0; j < s->n_values; j++)
      centred[q * s->n_values + j] = row[j] - work->table.center[j];
    self[q] = s->self < 0 ? -1 : (int32_t)(s->self + first + q);
  }
  coh_neighbor_range all = {0, s->n_references};
  coh_neighbor_block_run(&work->table, scratch, n, centred, s->n_values, self, NULL, &all, 1,
                         work->index + first * s->k, distance);
  if (work->distance)
    memcpy(work->distance + first * s->k, distance, (size_t)(n * s->k) * sizeof *distance);
}

static coh_status run_blocks(const exact_work *work) {
  const coh_neighbor_search *s = work->search;
  int64_t n_blocks = (s->n_queries + COH_NEIGHBOR_BLOCK - 1) / COH_NEIGHBOR_BLOCK;
  int failed = 0;
#pragma omp parallel default(none) shared(work, s, n_blocks, failed) num_threads(s->n_threads)
  {
    coh_neighbor_scratch *scratch = NULL;
    coh_status status = coh_neighbor_scratch_create(&work->table, s->k, &scratch);
    float *centred =
        coh_alloc_array((size_t)(COH_NEIGHBOR_BLOCK * s->n_values), sizeof *centred);
    int32_t *self = coh_alloc_array(COH_NEIGHBOR_BLOCK, sizeof *self);
    float *distance = coh_alloc_array((size_t)(COH_NEIGHBOR_BLOCK * s->k), sizeof *distance);
    bool ready = status == COH_OK && centred && self && distance;
    if (!ready) {
#pragma omp atomic write
      failed = 1;
    }
#pragma omp for schedule(dynamic)
    for (int64_t block = 0; block < n_blocks; block++)
      if (ready) run_block(work, scratch, block, centred, self, distance);
    coh_neighbor_scratch_destroy(&scratch);
    coh_free(centred);
    coh_free(self);
    coh_free(distance);
  }
  COH_CHECK(!failed, COH_E_MEMORY, "out of memory to search neighbours");
  return COH_OK;
}

coh_status coh_neighbors_exact(const coh_neighbor_search *search, int32_t *index,
                               float *distance) {
  int64_t others = search->n_references - (search->self >= 0);
  COH_CHECK(search->k >= 1 && search->k <= others, COH_E_CONFIG,
            "%lld nearest neighbours asked for, but there are only %lld other rows",
            (long long)search->k, (long long)(others < 0 ? 0 : others));
  exact_work work = {.search = search, .index = index, .distance = distance};
  COH_TRY(coh_neighbor_table_init(search->n_references, search->n_values, search->references,
                                  NULL, search->n_threads, &work.table));
  coh_status status = run_blocks(&work);
  coh_neighbor_table_fini(&work.table);
  return status;
}
