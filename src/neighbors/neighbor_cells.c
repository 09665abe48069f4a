/* Cells by k-means on a sample (Lloyd 1982), and how many of them a search must read. All rows
 * of a cell are searched with the cells nearest to its centre, so a cell's work is a few large
 * matrix products (inverted file with exhaustive lists: Jegou, Douze, Schmid, PAMI 33, 2011).
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "la/vector.h"
#include "neighbors/neighbor_block.h"

enum { ROUNDS = 6, SAMPLE_A_CELL = 48, CHECKED = 512, MOST_CELLS = 4096, BLOCK = 1024 };

struct coh_neighbor_cells {
  int64_t n, n_values, k, n_cells, n_read;
  double recall;
  coh_neighbor_table table; /* rows in the order of the cells */
  float *center;            /* (n_cells, n_values), about the table's center */
  int32_t *row;             /* (n): in the order of the cells */
  int64_t *start;           /* (n_cells + 1) */
  int32_t *near;            /* (n_cells, n_cells): cells by distance, itself first */
};

// the nearest centre of each row; rows about the origin that centres have
static coh_status assign(int64_t n, int64_t n_values, const float *rows, int64_t n_cells,
                         const float *center, int n_threads, int32_t *cell) {
  coh_neighbor_search search = {.n_references = n_cells,
                                .n_queries = n,
                                .n_values = n_values,
                                .references = center,
                                .queries = rows,
                                .k = 1,
                                .self = -1,
                                .n_threads = n_threads};
  return coh_neighbors_exact(&search, cell, NULL);
}

// each centre to the mean of its rows; one without rows stays
static coh_status move_centers(int64_t n, int64_t d, const float *rows, const int32_t *cell,
                               int64_t n_cells, float *center) {
  double *sum;
  int64_t *count = NULL;
  COH_NEW(sum, n_cells * d);
  count = coh_alloc_array((size_t)n_cells, sizeof *count);
  if (count) {
    for (int64_t i = 0; i < n; i++) {
      count[cell[i]]++;
      for (int64_t j = 0; j < d; j++)
        sum[cell[i] * d + j] += (double)rows[i * d + j];
    }
    for (int64_t c = 0; c < n_cells; c++)
      for (int64_t j = 0; j < d && count[c]; j++)
        center[c * d + j] = (float)(sum[c * d + j] / (double)count[c]);
  }
  coh_status status = count ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for cells");
  coh_free(sum);
  coh_free(count);
  return status;
}

// k-means over a sample that is spread evenly over a random order of the rows
static coh_status find_centers(coh_neighbor_cells *c, const float *rows, uint64_t seed,
                               int n_threads) {
  int64_t d = c->n_values, sample = SAMPLE_A_CELL * c->n_cells;
  if (sample > c->n) sample = c->n;
  float *taken;
  int32_t *cell = NULL;
  COH_NEW(taken, sample * d);
  coh_stream stream = coh_stream_begin(coh_key_make(seed, "neighbor cells"), 0, 0);
  for (int64_t i = 0; i < sample; i++) {
    // one row of each of `sample` equal stretches
    int64_t from = i * c->n / sample, end = (i + 1) * c->n / sample;
    int64_t row = from + coh_stream_below(&stream, end - from);
    memcpy(taken + i * d, rows + row * d, (size_t)d * sizeof *taken);
  }
  for (int64_t i = 0; i < c->n_cells; i++)
    memcpy(c->center + i * d, taken + i * sample / c->n_cells * d, (size_t)d * sizeof *taken);
  cell = coh_alloc_array((size_t)sample, sizeof *cell);
  coh_status status = cell ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for cells");
  for (int round = 0; round < ROUNDS && status == COH_OK; round++) {
    status = assign(sample, d, taken, c->n_cells, c->center, n_threads, cell);
    if (status == COH_OK) status = move_centers(sample, d, taken, cell, c->n_cells, c->center);
  }
  coh_free(taken);
  coh_free(cell);
  return status;
}

// rows in the order of their cells: a counting sort
static coh_status sort_rows(coh_neighbor_cells *c, const float *rows, int n_threads) {
  int32_t *cell;
  COH_NEW(cell, c->n);
  coh_status status = assign(c->n, c->n_values, rows, c->n_cells, c->center, n_threads, cell);
  if (status == COH_OK) {
    for (int64_t i = 0; i < c->n; i++)
      c->start[cell[i] + 1]++;
    for (int64_t i = 0; i < c->n_cells; i++)
      c->start[i + 1] += c->start[i];
    for (int64_t i = 0; i < c->n; i++)
      c->row[c->start[cell[i]]++] = (int32_t)i;
    for (int64_t i = c->n_cells; i > 0; i--)
      c->start[i] = c->start[i - 1];
    c->start[0] = 0;
  }
  coh_free(cell);
  return status;
}

// every cell's others by distance
static coh_status order_cells(coh_neighbor_cells *c, int n_threads) {
  coh_neighbor_search search = {.n_references = c->n_cells,
                                .n_queries = c->n_cells,
                                .n_values = c->n_values,
                                .references = c->center,
                                .queries = c->center,
                                .k = c->n_cells,
                                .self = -1,
                                .n_threads = n_threads};
  return coh_neighbors_exact(&search, c->near, NULL);
}

// the first `want` cells near cell i, and more until they hold k + 1 rows; ranges: out
static int64_t ranges_of(const coh_neighbor_cells *c, int64_t cell, int64_t want,
                         coh_neighbor_range *ranges) {
  int64_t held = 0, used = 0;
  for (; used < c->n_cells && (used < want || held < c->k + 1); used++) {
    int64_t near = c->near[cell * c->n_cells + used];
    ranges[used] = (coh_neighbor_range){c->start[near], c->start[near + 1] - c->start[near]};
    held += ranges[used].n;
  }
  return used;
}

// queries at places [first, first + n) of the table; results are rows of the set
static void search_places(const coh_neighbor_cells *c, coh_neighbor_scratch *scratch,
                          int64_t first, int64_t n, const coh_neighbor_range *ranges,
                          int64_t n_ranges, int32_t *index, float *distance) {
  int32_t self[COH_NEIGHBOR_BLOCK];
  for (int64_t q = 0; q < n; q++)
    self[q] = (int32_t)(first + q);
  coh_neighbor_block_run(&c->table, scratch, n, c->table.rows + first * c->table.stride,
                         c->table.stride, self, c->row, ranges, n_ranges, index, distance);
  for (int64_t i = 0; i < n * c->k; i++)
    index[i] = c->row[index[i]];
}

typedef struct check_work {
  const coh_neighbor_cells *cells;
  int64_t n_checked;
  const int64_t *place; /* (n_checked): in the table */
  const int32_t *truth; /* (n_checked, k): rows of the set */
  int64_t *found;       /* (n_checked) */
} check_work;

// how many of the true neighbours of a sampled row are found by reading `want` cells
static int64_t count_found(const check_work *w, coh_neighbor_scratch *scratch, int64_t s,
                           int64_t want, coh_neighbor_range *ranges, int32_t *index,
                           float *distance) {
  const coh_neighbor_cells *c = w->cells;
  int64_t cell = 0;
  while (c->start[cell + 1] <= w->place[s])
    cell++;
  int64_t n_ranges = ranges_of(c, cell, want, ranges), found = 0;
  search_places(c, scratch, w->place[s], 1, ranges, n_ranges, index, distance);
  for (int64_t i = 0; i < c->k; i++)
    for (int64_t j = 0; j < c->k; j++)
      found += w->truth[s * c->k + i] == index[j];
  return found;
}

static coh_status measure_recall(const check_work *w, int64_t want, int n_threads,
                                 double *recall) {
  const coh_neighbor_cells *c = w->cells;
  int failed = 0;
#pragma omp parallel default(none) shared(w, c, want, failed) num_threads(n_threads)
  {
    coh_neighbor_scratch *scratch = NULL;
    coh_status status = coh_neighbor_scratch_create(&c->table, c->k, &scratch);
    coh_neighbor_range *ranges = coh_alloc_array((size_t)c->n_cells, sizeof *ranges);
    int32_t *index = coh_alloc_array((size_t)c->k, sizeof *index);
    float *distance = coh_alloc_array((size_t)c->k, sizeof *distance);
    bool ready = status == COH_OK && ranges && index && distance;
    if (!ready) {
#pragma omp atomic write
      failed = 1;
    }
#pragma omp for schedule(dynamic, 8)
    for (int64_t s = 0; s < w->n_checked; s++)
      if (ready) w->found[s] = count_found(w, scratch, s, want, ranges, index, distance);
    coh_neighbor_scratch_destroy(&scratch);
    coh_free(ranges);
    coh_free(index);
    coh_free(distance);
  }
  COH_CHECK(!failed, COH_E_MEMORY, "out of memory to search neighbours");
  int64_t found = 0;
  for (int64_t s = 0; s < w->n_checked; s++)
    found += w->found[s];
  *recall = (double)found / (double)(w->n_checked * c->k);
  return COH_OK;
}

// the sample's true neighbours, by looking at all rows
static coh_status find_truth(const coh_neighbor_cells *c, const float *rows, int64_t n_checked,
                             const int64_t *place, int n_threads, int32_t *truth) {
  int64_t d = c->n_values, k = c->k;
  float *queries = coh_alloc_array((size_t)(n_checked * d), sizeof *queries);
  int32_t *index = coh_alloc_array((size_t)(n_checked * (k + 1)), sizeof *index);
  coh_status status =
      queries && index ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to search neighbours");
  for (int64_t s = 0; status == COH_OK && s < n_checked; s++)
    memcpy(queries + s * d, rows + c->row[place[s]] * d, (size_t)d * sizeof *queries);
  coh_neighbor_search search = {.n_references = c->n,
                                .n_queries = n_checked,
                                .n_values = d,
                                .references = rows,
                                .queries = queries,
                                .k = k + 1,
                                .self = -1,
                                .n_threads = n_threads};
  if (status == COH_OK) status = coh_neighbors_exact(&search, index, NULL);
  for (int64_t s = 0; status == COH_OK && s < n_checked; s++) {
    int64_t n = 0;
    for (int64_t i = 0; i <= k && n < k; i++)
      if (index[s * (k + 1) + i] != c->row[place[s]])
        truth[s * k + n++] = index[s * (k + 1) + i];
  }
  coh_free(queries);
  coh_free(index);
  return status;
}

// read half as many cells again until the sample's recall is reached
static coh_status choose_reading(coh_neighbor_cells *c, const float *rows, double recall,
                                 int n_threads) {
  int64_t n_checked = c->n < CHECKED ? c->n : CHECKED;
  int64_t *place = coh_alloc_array((size_t)n_checked, sizeof *place);
  int64_t *found = coh_alloc_array((size_t)n_checked, sizeof *found);
  int32_t *truth = coh_alloc_array((size_t)(n_checked * c->k), sizeof *truth);
  coh_status status = place && found && truth
                          ? COH_OK
                          : coh_fail(COH_E_MEMORY, "out of memory to search neighbours");
  for (int64_t s = 0; status == COH_OK && s < n_checked; s++)
    place[s] = s * c->n / n_checked;
  if (status == COH_OK) status = find_truth(c, rows, n_checked, place, n_threads, truth);
  check_work work = {c, n_checked, place, truth, found};
  for (c->n_read = 2; status == COH_OK; c->n_read += c->n_read / 2) {
    if (c->n_read > c->n_cells) c->n_read = c->n_cells;
    status = measure_recall(&work, c->n_read, n_threads, &c->recall);
    if (c->recall >= recall || c->n_read == c->n_cells) break;
  }
  coh_free(place);
  coh_free(found);
  coh_free(truth);
  return status;
}

static coh_status fill(coh_neighbor_cells *c, const float *rows, double recall, uint64_t seed,
                       int n_threads) {
  COH_NEW(c->center, c->n_cells * c->n_values);
  COH_NEW(c->row, c->n);
  COH_NEW(c->start, c->n_cells + 1);
  COH_NEW(c->near, c->n_cells * c->n_cells);
  COH_TRY(find_centers(c, rows, seed, n_threads));
  COH_TRY(sort_rows(c, rows, n_threads));
  COH_TRY(order_cells(c, n_threads));
  COH_TRY(coh_neighbor_table_init(c->n, c->n_values, rows, c->row, n_threads, &c->table));
  return choose_reading(c, rows, recall, n_threads);
}

coh_status coh_neighbor_cells_create(int64_t n, int64_t n_values, const float *rows, int64_t k,
                                     double recall, uint64_t seed, int n_threads,
                                     coh_neighbor_cells **cells) {
  COH_CHECK(k >= 1 && k <= n - 1, COH_E_CONFIG,
            "%lld nearest neighbours asked for, but there are only %lld other rows",
            (long long)k, (long long)(n - 1));
  coh_neighbor_cells *c;
  COH_NEW(c, 1);
  c->n = n;
  c->n_values = n_values;
  c->k = k;
  c->n_cells = (int64_t)sqrt((double)n);
  if (c->n_cells > MOST_CELLS) c->n_cells = MOST_CELLS;
  coh_status status = fill(c, rows, recall, seed, n_threads);
  if (status != COH_OK) coh_neighbor_cells_destroy(&c);
  *cells = c;
  return status;
}

void coh_neighbor_cells_destroy(coh_neighbor_cells **cells) {
  coh_neighbor_cells *c = *cells;
  if (!c) return;
  coh_neighbor_table_fini(&c->table);
  coh_free(c->center);
  coh_free(c->row);
  coh_free(c->start);
  coh_free(c->near);
  COH_DELETE(*cells);
}

int64_t coh_neighbor_cells_count(const coh_neighbor_cells *cells) {
  return cells->n_cells;
}

int64_t coh_neighbor_cells_read(const coh_neighbor_cells *cells) {
  return cells->n_read;
}

double coh_neighbor_cells_recall(const coh_neighbor_cells *cells) {
  return cells->recall;
}

const int32_t *coh_neighbor_cells_rows(const coh_neighbor_cells *cells) {
  return cells->row;
}

const int64_t *coh_neighbor_cells_start(const coh_neighbor_cells *cells) {
  return cells->start;
}

coh_status coh_neighbor_cells_search(const coh_neighbor_cells *c, int64_t first,
                                     int64_t n_cells, int n_threads, int32_t *index,
                                     float *distance) {
  int64_t base = c->start[first];
  int failed = 0;
#pragma omp parallel default(none) shared(c, first, n_cells, index, distance, base, failed) \
    num_threads(n_threads)
  {
    coh_neighbor_scratch *scratch = NULL;
    coh_status status = coh_neighbor_scratch_create(&c->table, c->k, &scratch);
    coh_neighbor_range *ranges = coh_alloc_array((size_t)c->n_cells, sizeof *ranges);
    bool ready = status == COH_OK && ranges;
    if (!ready) {
#pragma omp atomic write
      failed = 1;
    }
#pragma omp for schedule(dynamic)
    for (int64_t cell = first; cell < first + n_cells; cell++) {
      if (!ready) continue;
      int64_t n_ranges = ranges_of(c, cell, c->n_read, ranges);
      for (int64_t at = c->start[cell]; at < c->start[cell + 1]; at += COH_NEIGHBOR_BLOCK) {
        int64_t n = c->start[cell + 1] - at;
        if (n > COH_NEIGHBOR_BLOCK) n = COH_NEIGHBOR_BLOCK;
        search_places(c, scratch, at, n, ranges, n_ranges, index + (at - base) * c->k,
                      distance + (at - base) * c->k);
      }
    }
    coh_neighbor_scratch_destroy(&scratch);
    coh_free(ranges);
  }
  COH_CHECK(!failed, COH_E_MEMORY, "out of memory to search neighbours");
  return COH_OK;
}
