/* Neighbours of all rows: searched by all ranks together, or read from files. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "neighbors/neighbors.h"
#include "task/tsne/tsne.h"

// bring every rank's rows, [first of rank, first of the next), to all
static coh_status gather_rows(coh_tsne *t, const int64_t *first, int64_t k, int32_t *index,
                              float *distance) {
  coh_world *world = t->context->world;
  int size = coh_world_size(world), rank = coh_world_rank(world);
  if (size == 1) return COH_OK;
  size_t *n_bytes = NULL;
  int64_t count = (first[rank + 1] - first[rank]) * k;
  int32_t *copy = coh_alloc_array((size_t)count, sizeof *copy);
  n_bytes = coh_alloc_array((size_t)size, sizeof *n_bytes);
  coh_status status = copy && n_bytes ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  status = coh_comm_agree(world, status);
  for (int r = 0; status == COH_OK && r < size; r++)
    n_bytes[r] = (size_t)((first[r + 1] - first[r]) * k) * sizeof *copy;
  void *all[] = {index, distance};
  for (int i = 0; i < 2 && status == COH_OK; i++) {
    memcpy(copy, (char *)all[i] + (size_t)(first[rank] * k) * sizeof *copy,
           (size_t)count * sizeof *copy);
    status = coh_comm_allgather_varied(world, copy, n_bytes, all[i]);
  }
  coh_free(copy);
  coh_free(n_bytes);
  return status;
}

static coh_status search_exact(coh_tsne *t, int64_t *first, int32_t *index, float *distance) {
  coh_world *world = t->context->world;
  int64_t n_blocks = (t->n + COH_NEIGHBOR_BLOCK - 1) / COH_NEIGHBOR_BLOCK;
  int64_t n_lanes = t->context->lanes.n_lanes;
  int size = coh_world_size(world), rank = coh_world_rank(world);
  for (int r = 0; r <= size; r++) {
    int64_t row =
        coh_lanes_first_of(world, n_lanes, r) * n_blocks / n_lanes * COH_NEIGHBOR_BLOCK;
    first[r] = row < t->n ? row : t->n;
  }
  int64_t from = first[rank];
  coh_neighbor_search search = {.n_references = t->n,
                                .n_queries = first[rank + 1] - from,
                                .n_values = t->n_values,
                                .references = t->rows,
                                .queries = t->rows + from * t->n_values,
                                .k = t->k,
                                .self = from,
                                .n_threads = t->context->n_threads};
  coh_status status = coh_neighbors_exact(&search, index + from * t->k, distance + from * t->k);
  COH_TRY(coh_comm_agree(world, status));
  return gather_rows(t, first, t->k, index, distance);
}

// rows come in the order of the cells: put them where they belong
static coh_status unsort(const coh_tsne *t, const int32_t *rows, void *values) {
  size_t width = (size_t)t->k * sizeof(int32_t);
  char *copy;
  COH_NEW(copy, (size_t)t->n * width);
  memcpy(copy, values, (size_t)t->n * width);
  for (int64_t i = 0; i < t->n; i++)
    memcpy((char *)values + (size_t)rows[i] * width, copy + (size_t)i * width, width);
  coh_free(copy);
  return COH_OK;
}

static coh_status search_cells(coh_tsne *t, int64_t *first, int32_t *index, float *distance) {
  const coh_run_context *c = t->context;
  coh_neighbor_cells *cells = NULL;
  coh_status status = coh_neighbor_cells_create(
      t->n, t->n_values, t->rows, t->k, t->options->recall, c->seed, c->n_threads, &cells);
  COH_TRY(coh_comm_agree(c->world, status));
  t->recall = coh_neighbor_cells_recall(cells);
  const int64_t *start = coh_neighbor_cells_start(cells);
  int64_t n_cells = coh_neighbor_cells_count(cells), n_lanes = c->lanes.n_lanes;
  int rank = coh_world_rank(c->world), size = coh_world_size(c->world);
  for (int r = 0; r <= size; r++)
    first[r] = start[coh_lanes_first_of(c->world, n_lanes, r) * n_cells / n_lanes];
  int64_t from = coh_lanes_first_of(c->world, n_lanes, rank) * n_cells / n_lanes;
  int64_t end = coh_lanes_first_of(c->world, n_lanes, rank + 1) * n_cells / n_lanes;
  status = coh_neighbor_cells_search(cells, from, end - from, c->n_threads,
                                     index + first[rank] * t->k, distance + first[rank] * t->k);
  status = coh_comm_agree(c->world, status);
  if (status == COH_OK) status = gather_rows(t, first, t->k, index, distance);
  const int32_t *rows = coh_neighbor_cells_rows(cells);
  if (status == COH_OK) status = unsort(t, rows, index);
  if (status == COH_OK) status = unsort(t, rows, distance);
  coh_neighbor_cells_destroy(&cells);
  return status;
}

// element i of an array of numbers
static double number_at(const coh_array *array, int64_t i) {
  switch (array->dtype) {
  case COH_DTYPE_F32:
    return (double)((const float *)array->data)[i];
  case COH_DTYPE_F64:
    return ((const double *)array->data)[i];
  case COH_DTYPE_I32:
    return ((const int32_t *)array->data)[i];
  case COH_DTYPE_I64:
    return (double)((const int64_t *)array->data)[i];
  case COH_DTYPE_U32:
    return ((const uint32_t *)array->data)[i];
  default:
    return NAN;
  }
}

static coh_status check_table(const coh_tsne *t, const char *path, const coh_array *array) {
  COH_CHECK(array->n_dims == 2 && array->shape[0] == t->n, COH_E_DATA,
            "%s: a table of %lld rows is expected", path, (long long)t->n);
  COH_CHECK(isfinite(number_at(array, 0)), COH_E_DATA,
            "%s: numbers of 32 or 64 bits are expected", path);
  return COH_OK;
}

static coh_status copy_neighbors(const coh_tsne *t, const coh_array *rows,
                                 const coh_array *distances, int32_t *index, float *distance) {
  const coh_tsne_options *o = t->options;
  COH_TRY(check_table(t, o->neighbors, rows));
  COH_TRY(check_table(t, o->distances, distances));
  COH_CHECK(rows->shape[1] == distances->shape[1], COH_E_DATA,
            "%s has %lld columns, %s has %lld", o->neighbors, (long long)rows->shape[1],
            o->distances, (long long)distances->shape[1]);
  COH_CHECK(rows->shape[1] >= t->k, COH_E_DATA,
            "%s: perplexity %g needs %lld neighbours of a row; there are %lld", o->neighbors,
            o->perplexity, (long long)t->k, (long long)rows->shape[1]);
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t j = 0; j < t->k; j++) {
      double row = number_at(rows, i * rows->shape[1] + j);
      double d = number_at(distances, i * rows->shape[1] + j);
      COH_CHECK(row >= 0 && row < (double)t->n && row == floor(row) && (int64_t)row != i,
                COH_E_DATA, "%s: row %lld, column %lld: %g is not the number of another row",
                o->neighbors, (long long)i, (long long)j, row);
      COH_CHECK(isfinite(d) && d >= 0, COH_E_DATA,
                "%s: row %lld, column %lld: %g is not a distance", o->distances, (long long)i,
                (long long)j, d);
      index[i * t->k + j] = (int32_t)row;
      distance[i * t->k + j] = (float)(d * d);
    }
  return COH_OK;
}

static coh_status read_neighbors(coh_tsne *t, int32_t *index, float *distance) {
  coh_array rows = {0}, distances = {0};
  coh_status status = coh_npy_read(t->options->neighbors, &rows);
  if (status == COH_OK) status = coh_npy_read(t->options->distances, &distances);
  if (status == COH_OK) status = copy_neighbors(t, &rows, &distances, index, distance);
  coh_array_clear(&rows);
  coh_array_clear(&distances);
  return status;
}

// the k least distances of a row, in order: insertion into a short list
static coh_status nearest_in_row(const coh_tsne *t, const coh_array *matrix, int64_t i,
                                 int32_t *index, float *distance) {
  int64_t found = 0;
  for (int64_t j = 0; j < t->n; j++) {
    double d = number_at(matrix, i * t->n + j);
    COH_CHECK(isfinite(d) && d >= 0, COH_E_DATA,
              "%s: row %lld, column %lld: %g is not a distance", t->options->matrix,
              (long long)i, (long long)j, d);
    float squared = (float)(d * d);
    if (j == i || (found == t->k && squared >= distance[found - 1])) continue;
    if (found < t->k) found++;
    int64_t at = found - 1;
    for (; at > 0 && distance[at - 1] > squared; at--) {
      distance[at] = distance[at - 1];
      index[at] = index[at - 1];
    }
    distance[at] = squared;
    index[at] = (int32_t)j;
  }
  return COH_OK;
}

static coh_status read_matrix(coh_tsne *t, int32_t *index, float *distance) {
  coh_array matrix = {0};
  COH_TRY(coh_npy_read(t->options->matrix, &matrix));
  coh_status status = check_table(t, t->options->matrix, &matrix);
  if (status == COH_OK && matrix.shape[1] != t->n)
    status = coh_fail(COH_E_DATA, "%s: %lld columns instead of %lld", t->options->matrix,
                      (long long)matrix.shape[1], (long long)t->n);
  for (int64_t i = 0; i < t->n && status == COH_OK; i++)
    status = nearest_in_row(t, &matrix, i, index + i * t->k, distance + i * t->k);
  coh_array_clear(&matrix);
  return status;
}

coh_status coh_tsne_find_neighbors(coh_tsne *t, int32_t *index, float *distance) {
  const coh_tsne_options *o = t->options;
  t->recall = 1;
  if (*o->neighbors)
    return coh_comm_agree(t->context->world, read_neighbors(t, index, distance));
  if (*o->matrix) return coh_comm_agree(t->context->world, read_matrix(t, index, distance));
  int64_t *first;
  COH_NEW(first, coh_world_size(t->context->world) + 1);
  bool cells = o->search == COH_TSNE_SEARCH_APPROXIMATE ||
               (o->search == COH_TSNE_SEARCH_AUTO && t->n > COH_TSNE_APPROXIMATE_ROWS);
  coh_status status =
      cells ? search_cells(t, first, index, distance) : search_exact(t, first, index, distance);
  coh_free(first);
  return status;
}
