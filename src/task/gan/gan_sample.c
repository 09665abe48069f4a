/* Rows out of the averaged generator, in blocks that lanes take in turn. */
#include <string.h>

#include "base/alloc.h"
#include "io/array.h"
#include "task/gan/gan.h"
#include "task/gan/image_scores.h"
#include "task/lane_loop.h"

typedef struct generation {
  coh_gan *gan;
  const coh_gan_request *request;
  int64_t blocks_a_lane, width, source_width;
  float *rows, *sources; /* of the local lanes */
  int32_t *labels;
  coh_affine affine;
} generation;

static void fill_noise(const generation *g, const coh_gan_lane *lane, int64_t first) {
  const coh_gan *gan = g->gan;
  float *noise = coh_workspace_data(lane->maker, gan->maker.noise);
  int64_t width = coh_shape_count(gan->noise);
  if (!gan->noise.rank || !noise) return;
  for (int64_t i = 0; i < COH_GAN_BLOCK; i++) {
    const float *given = g->request->noise;
    if (given && first + i < g->request->n) {
      memcpy(noise + i * width, given + (first + i) * width, (size_t)width * sizeof *noise);
      continue;
    }
    coh_stream stream = coh_stream_begin(g->request->key, (uint32_t)(first + i), 0);
    for (int64_t k = 0; k < width; k++)
      noise[i * width + k] = (float)coh_stream_normal(&stream);
  }
}

// classes go round, so that every one is made as often, unless one is asked for
static void fill_classes(const generation *g, const coh_gan_lane *lane, int64_t first,
                         int32_t *labels) {
  const coh_gan *gan = g->gan;
  const coh_gan_request *r = g->request;
  float *to =
      gan->options->conditional ? coh_workspace_data(lane->maker, gan->maker.condition) : NULL;
  int64_t n_classes = gan->n_classes;
  if (to) memset(to, 0, (size_t)(COH_GAN_BLOCK * n_classes) * sizeof *to);
  for (int64_t i = 0; to && i < COH_GAN_BLOCK; i++) {
    int64_t row = first + i;
    int32_t label = (int32_t)(row % n_classes);
    if (r->label >= 0) label = (int32_t)r->label;
    if (r->real) label = coh_dataset_labels(r->real)[row < r->n ? row : r->n - 1];
    to[i * n_classes + label] = 1;
    labels[i] = label;
  }
}

static coh_status generate_lane(void *pointer, int64_t local) {
  generation *g = pointer;
  const coh_gan *gan = g->gan;
  const coh_gan_request *r = g->request;
  coh_gan_lane *lane = &gan->lane[local];
  for (int64_t b = 0; b < g->blocks_a_lane; b++) {
    int64_t place = local * g->blocks_a_lane + b;
    int64_t first = (lane->index * g->blocks_a_lane + b) * COH_GAN_BLOCK;
    if (first >= r->n) continue;
    fill_noise(g, lane, first);
    fill_classes(g, lane, first, g->labels + place * COH_GAN_BLOCK);
    float *real = coh_workspace_data(lane->maker, gan->maker.real);
    if (r->real && real) {
      int64_t n = r->n - first < COH_GAN_BLOCK ? r->n - first : COH_GAN_BLOCK;
      coh_dataset_read(r->real, first, n, g->affine, real);
    }
    COH_TRY(coh_program_run(gan->maker.program, lane->maker));
    memcpy(g->rows + place * COH_GAN_BLOCK * g->width,
           coh_workspace_data(lane->maker, gan->maker.out),
           (size_t)(COH_GAN_BLOCK * g->width) * sizeof *g->rows);
    memcpy(g->sources + place * COH_GAN_BLOCK * g->source_width,
           coh_workspace_data(lane->maker, gan->maker.source),
           (size_t)(COH_GAN_BLOCK * g->source_width) * sizeof *g->rows);
  }
  return COH_OK;
}

// bring pieces of all lanes together and keep the first n rows
static coh_status gather(const generation *g, const void *local, size_t row_bytes, void *out) {
  const coh_run_context *context = g->gan->context;
  size_t piece = (size_t)(g->blocks_a_lane * COH_GAN_BLOCK) * row_bytes;
  char *all = coh_alloc_array((size_t)context->lanes.n_lanes, piece);
  coh_status status = all ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for generated rows");
  status = coh_comm_agree(context->world, status);
  if (status == COH_OK)
    status = coh_lanes_gather(context->world, &context->lanes, local, piece, all);
  if (status == COH_OK) memcpy(out, all, (size_t)g->request->n * row_bytes);
  coh_free(all);
  return status;
}

static coh_status make(generation *g) {
  const coh_run_context *context = g->gan->context;
  int64_t n_rows = context->lanes.n_local * g->blocks_a_lane * COH_GAN_BLOCK;
  g->rows = coh_alloc_array((size_t)(n_rows * g->width), sizeof *g->rows);
  g->sources = coh_alloc_array((size_t)(n_rows * g->source_width), sizeof *g->sources);
  g->labels = coh_alloc_array((size_t)n_rows, sizeof *g->labels);
  COH_CHECK(g->rows && g->sources && g->labels, COH_E_MEMORY,
            "out of memory for %lld generated rows", (long long)n_rows);
  return coh_lane_loop(context->n_threads, context->lanes.n_local, generate_lane, g);
}

coh_key coh_gan_noise_key(const coh_gan *gan, const char *purpose) {
  return coh_key_make(gan->context->seed, purpose);
}

coh_status coh_gan_generate(coh_gan *gan, const coh_gan_request *request, float *rows,
                            int32_t *labels, float *sources) {
  int64_t per_round = gan->context->lanes.n_lanes * COH_GAN_BLOCK;
  generation g = {.gan = gan,
                  .request = request,
                  .blocks_a_lane = (request->n + per_round - 1) / per_round,
                  .width = gan->spec->n_values,
                  .source_width = coh_graph_shape(gan->maker_layout, 0).rank
                                      ? coh_shape_count(coh_graph_shape(gan->maker_layout, 0))
                                      : 1,
                  .affine = coh_loader_affine(gan->loader)};
  COH_TRY(coh_gan_settle(gan));
  coh_status status = coh_comm_agree(gan->context->world, make(&g));
  if (status == COH_OK) status = gather(&g, g.rows, (size_t)g.width * sizeof *rows, rows);
  if (status == COH_OK && labels) status = gather(&g, g.labels, sizeof *labels, labels);
  if (status == COH_OK && sources)
    status = gather(&g, g.sources, (size_t)g.source_width * sizeof *sources, sources);
  coh_free(g.rows), coh_free(g.sources), coh_free(g.labels);
  return status;
}

// ---- for others ---------------------------------------------------------------------------

static coh_status check_request(const coh_gan *gan, const coh_sample_request *request) {
  COH_CHECK(request->label < 0 || gan->options->conditional, COH_E_CONFIG,
            "class: the run's generator is not conditional; it cannot make one class alone");
  COH_CHECK(request->label < (gan->n_classes ? gan->n_classes : 1), COH_E_CONFIG,
            "class: %lld is not one of the %lld classes of %s", (long long)request->label,
            (long long)gan->n_classes, gan->spec->name);
  if (gan->source->is_latent) return COH_OK;
  int64_t n_rows = coh_dataset_spec_of(gan->test ? gan->test : gan->train)->n_rows;
  COH_CHECK(request->n <= n_rows, COH_E_CONFIG,
            "n: %lld rows cannot be restored of the %lld that there are", (long long)request->n,
            (long long)n_rows);
  return COH_OK;
}

static coh_status sample_rows(coh_gan *gan, const coh_gan_request *request, float *rows,
                              coh_array *stored, coh_array *labels) {
  int32_t *classes = labels->data;
  COH_TRY(coh_gan_generate(gan, request, rows, classes, NULL));
  return coh_comm_agree(
      gan->context->world,
      coh_images_store(gan->spec, coh_loader_affine(gan->loader), rows, request->n, stored));
}

coh_status coh_gan_sample(void *task, const coh_sample_request *request, coh_array *rows,
                          coh_array *labels) {
  coh_gan *gan = task;
  COH_TRY(check_request(gan, request));
  const coh_gan_request wanted = {.n = request->n,
                                  .key = coh_key_make(request->seed, "gan.sample"),
                                  .label = request->label,
                                  .real = gan->source->is_latent ? NULL
                                          : gan->test            ? gan->test
                                                                 : gan->train};
  *rows = *labels = (coh_array){0};
  float *made = coh_alloc_array((size_t)(request->n * gan->spec->n_values), sizeof *made);
  coh_status status =
      made ? COH_OK
           : coh_fail(COH_E_MEMORY, "out of memory for %lld rows", (long long)request->n);
  if (gan->options->conditional) {
    *labels = (coh_array){.dtype = COH_DTYPE_I32, .n_dims = 1, .shape = {request->n}};
    if (status == COH_OK) status = coh_array_allocate("labels", labels);
  }
  status = coh_comm_agree(gan->context->world, status);
  if (status == COH_OK) status = sample_rows(gan, &wanted, made, rows, labels);
  coh_free(made);
  if (status != COH_OK) coh_array_clear(labels);
  return status;
}
