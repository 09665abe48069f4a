/* From a dataset to points that are ready to move. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "task/tsne/tsne.h"

static int choose_method(const coh_tsne *t) {
  int method = t->options->method;
  if (method != COH_TSNE_AUTO) return method;
  if (t->n <= COH_TSNE_EXACT_ROWS) return COH_TSNE_EXACT;
  return t->n <= COH_TSNE_TREE_ROWS || t->dims == 3 ? COH_TSNE_TREE : COH_TSNE_GRID;
}

// the perplexities asked for
static int64_t perplexities_of(const coh_tsne_options *o, double *perplexity, int64_t most) {
  if (!o->perplexities.n_items) {
    perplexity[0] = o->perplexity;
    return 1;
  }
  int64_t n = o->perplexities.n_items < most ? o->perplexities.n_items : most;
  for (int64_t i = 0; i < n; i++)
    perplexity[i] = (double)o->perplexities.item[i];
  return n;
}

enum { MOST_PERPLEXITIES = 16 };

static coh_status check_rows(coh_tsne *t) {
  const coh_tsne_options *o = t->options;
  const char *config = t->context->config_name;
  COH_CHECK(t->n >= 4, COH_E_DATA, "%s has %lld row%s; a map needs at least 4",
            coh_dataset_spec_of(t->dataset)->name, (long long)t->n, t->n == 1 ? "" : "s");
  COH_CHECK(t->n <= INT32_MAX / 2, COH_E_DATA, "%lld rows are more than a map can have",
            (long long)t->n);
  COH_CHECK(o->perplexities.n_items <= MOST_PERPLEXITIES, COH_E_CONFIG,
            "%s: perplexities: at most %d", config, MOST_PERPLEXITIES);
  double perplexity[MOST_PERPLEXITIES], largest = 0;
  int64_t n = perplexities_of(o, perplexity, MOST_PERPLEXITIES);
  for (int64_t i = 0; i < n; i++)
    largest = fmax(largest, perplexity[i]);
  double most = t->method == COH_TSNE_EXACT ? (double)(t->n - 2) : (double)(t->n - 1) / 3;
  COH_CHECK(largest <= most, COH_E_CONFIG,
            "%s: perplexity: %g is too large for %lld rows; at most %.4g", config, largest,
            (long long)t->n, floor(most));
  t->k = t->method == COH_TSNE_EXACT && !*o->neighbors ? t->n - 1 : (int64_t)(3 * largest);
  return COH_OK;
}

// conditional probabilities of all rows, in place of the distances
static coh_status condition(const coh_tsne *t, float *distance) {
  double perplexity[MOST_PERPLEXITIES];
  int64_t n_scales = perplexities_of(t->options, perplexity, MOST_PERPLEXITIES);
  int failed = 0;
#pragma omp parallel default(none) shared(t, distance, perplexity, n_scales, failed) \
    num_threads(t->context->n_threads)
  {
    float *p = coh_alloc_array((size_t)(3 * t->k), sizeof *p);
    if (!p) {
#pragma omp atomic write
      failed = 1;
    }
#pragma omp for schedule(static)
    for (int64_t i = 0; i < t->n; i++) {
      if (!p) continue;
      coh_affinity_row(t->k, distance + i * t->k, n_scales, perplexity, p, p + t->k);
      memcpy(distance + i * t->k, p, (size_t)t->k * sizeof *p);
    }
    coh_free(p);
  }
  COH_CHECK(!failed, COH_E_MEMORY, "out of memory for the affinities");
  return COH_OK;
}

// all pairs: a full row of p for each of this rank's points
static coh_status join_dense(coh_tsne *t, const coh_affinity_table *table) {
  int64_t n = t->n, padded = (n + 7) / 8 * 8;
  float *conditional;
  COH_NEW(conditional, n * n);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < t->k; j++)
      conditional[table->place[i] * n + table->place[table->index[i * t->k + j]]] =
          table->conditional[i * t->k + j];
  t->p = (coh_affinities){.n = n, .first = t->first, .n_own = t->n_own};
  t->p.value = coh_alloc_array((size_t)(t->n_own * padded), sizeof(float));
  for (int64_t i = 0; t->p.value && i < t->n_own; i++)
    for (int64_t j = 0; j < n; j++)
      t->p.value[i * padded + j] =
          (conditional[(t->first + i) * n + j] + conditional[j * n + t->first + i]) *
          (0.5f / (float)n);
  coh_free(conditional);
  COH_CHECK(t->p.value, COH_E_MEMORY, "out of memory for the affinities of all pairs");
  return COH_OK;
}

static coh_status join(coh_tsne *t, const int32_t *index, const float *conditional) {
  int32_t *place;
  COH_NEW(place, t->n);
  for (int64_t i = 0; i < t->n; i++)
    place[t->order[i]] = (int32_t)i;
  coh_affinity_table table = {.n = t->n,
                              .k = t->k,
                              .index = index,
                              .place = place,
                              .order = t->order,
                              .conditional = conditional};
  coh_status status =
      t->method == COH_TSNE_EXACT
          ? join_dense(t, &table)
          : coh_affinities_join(&table, t->first, t->n_own, t->context->n_threads, &t->p);
  coh_free(place);
  return status;
}

static coh_status make_affinities(coh_tsne *t) {
  coh_world *world = t->context->world;
  int32_t *index = coh_alloc_array((size_t)(t->n * t->k), sizeof *index);
  float *distance = coh_alloc_array((size_t)(t->n * t->k), sizeof *distance);
  coh_status status = index && distance ? COH_OK
                                        : coh_fail(COH_E_MEMORY,
                                                   "out of memory for %lld neighbours of %lld "
                                                   "rows",
                                                   (long long)t->k, (long long)t->n);
  status = coh_comm_agree(world, status);
  if (status == COH_OK) status = coh_tsne_find_neighbors(t, index, distance);
  if (status == COH_OK) {
    status = condition(t, distance);
    if (status == COH_OK) status = join(t, index, distance);
    status = coh_comm_agree(world, status);
  }
  coh_free(index);
  coh_free(distance);
  return status;
}

// this rank's points: whole blocks, by its lanes
static coh_status part_points(coh_tsne *t) {
  const coh_run_context *c = t->context;
  int64_t n_blocks = (t->n + COH_TSNE_BLOCK - 1) / COH_TSNE_BLOCK;
  int size = coh_world_size(c->world), rank = coh_world_rank(c->world);
  COH_NEW(t->share, 2 * size);
  for (int r = 0; r < size; r++) {
    int64_t from = coh_lanes_first_of(c->world, c->lanes.n_lanes, r) * n_blocks /
                   c->lanes.n_lanes * COH_TSNE_BLOCK;
    int64_t end = coh_lanes_first_of(c->world, c->lanes.n_lanes, r + 1) * n_blocks /
                  c->lanes.n_lanes * COH_TSNE_BLOCK;
    from = from < t->n ? from : t->n;
    end = end < t->n ? end : t->n;
    t->share[r] = (size_t)((end - from) * t->stride) * sizeof *t->y;
    if (r != rank) continue;
    t->first = from;
    t->n_own = end - from;
  }
  COH_NEW(t->order, t->n);
  COH_NEW(t->y, t->n * t->stride);
  COH_NEW(t->own, t->n_own * t->stride);
  COH_NEW(t->velocity, t->n * t->stride);
  COH_NEW(t->gain, t->n * t->stride);
  COH_NEW(t->pull, t->n_own * t->stride);
  COH_NEW(t->push, t->n_own * t->stride);
  COH_NEW(t->block_sum, t->n_own / COH_TSNE_BLOCK + 1);
  COH_NEW(t->block_all, n_blocks);
  for (int i = 0; i < 3; i++)
    COH_NEW(t->saved[i], t->n * t->dims);
  for (int64_t i = 0; i < t->n * t->stride; i++)
    t->gain[i] = 1;
  if (t->options->film && t->dims > 1) COH_TRY(coh_map_film_init(&t->film, t->n));
  return coh_tsne_repel_create(t);
}

static coh_status create(coh_tsne *t) {
  const coh_run_context *c = t->context;
  coh_status status = coh_tsne_options_check(t->options, c->config_name);
  if (status == COH_OK)
    status = coh_map_source_open(&t->options->source, c->n_threads, &t->dataset, &t->images);
  if (status == COH_OK) {
    t->n = coh_dataset_spec_of(t->dataset)->n_rows;
    t->dims = t->options->dims;
    t->stride = t->dims == 3 ? 4 : t->dims;
    t->method = choose_method(t);
    status = check_rows(t);
  }
  if (status == COH_OK) status = part_points(t);
  COH_TRY(coh_comm_agree(c->world, status));
  COH_TRY(coh_tsne_read_rows(t));
  COH_TRY(coh_tsne_start(t));
  coh_tsne_film(t);
  return make_affinities(t);
}

coh_status coh_tsne_create(const coh_run_context *context, const void *options, void **task) {
  coh_tsne *t = coh_alloc_array(1, sizeof *t);
  COH_TRY(coh_comm_agree(context->world,
                         t ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for task tsne")));
  t->context = context;
  t->options = options;
  t->best = INFINITY;
  t->divergence = NAN;
  t->measured_at = t->trusted_at = -1;
  double begun = coh_clock_now();
  coh_status status = create(t);
  t->setup_seconds = coh_clock_now() - begun;
  t->window_begun = coh_clock_now();
  void *self = t;
  if (status != COH_OK) coh_tsne_destroy(&self);
  *task = self;
  return status;
}

void coh_tsne_destroy(void **task) {
  coh_tsne *t = *task;
  if (!t) return;
  coh_affinities_fini(&t->p);
  coh_map_film_fini(&t->film);
  coh_tsne_grid_destroy(&t->grid);
  coh_tsne_tree_destroy(&t->tree);
  coh_dataset_destroy(&t->dataset);
  coh_dataset_destroy(&t->images);
  coh_principal_fini(&t->principal);
  void *blocks[] = {t->rows,      t->order,   t->share,    t->y,        t->own,
                    t->velocity,  t->gain,    t->pull,     t->push,     t->block_sum,
                    t->block_all, t->columns, t->saved[0], t->saved[1], t->saved[2]};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    coh_free(blocks[i]);
  COH_DELETE(*task);
}
