/* Restored images without a network: what the generator is given, enlarged to the image's size
 * by bicubic interpolation where it is smaller. The row that every restoration is measured
 * against. */
#include <string.h>

#include "base/alloc.h"
#include "task/gan/gan.h"

/* A program that enlarges a block of what the generator is given. */
typedef struct enlarger {
  coh_graph *graph;
  coh_program *program;
  coh_workspace *workspace;
  coh_value in, out;
} enlarger;

static coh_shape source_shape(const coh_gan *gan) {
  coh_shape shape = coh_graph_shape(gan->maker_layout, 0);
  shape.size[0] = COH_GAN_BLOCK;
  return shape;
}

static coh_status build(const coh_gan *gan, enlarger *e) {
  coh_shape shape = source_shape(gan);
  int64_t height = gan->sample.size[0];
  COH_TRY(coh_graph_create(&e->graph));
  e->in = e->out = coh_graph_input(e->graph, "given", shape);
  if (shape.size[1] < height)
    e->out = coh_op_enlarge(e->graph, e->in, height / shape.size[1], COH_RESAMPLE_BICUBIC);
  if (shape.size[3] != gan->sample.size[2])
    e->out = coh_op_add(e->graph, e->out,
                        coh_graph_constant_array(
                            e->graph, COH_SHAPE(1, 1, 1, gan->sample.size[2]),
                            (const float[]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  e->out = coh_op_scale(e->graph, e->out, 1);
  COH_TRY(coh_program_compile(e->graph, &e->out, 1, NULL, &e->program));
  return coh_workspace_create(e->program, &e->workspace);
}

static void clear(enlarger *e) {
  coh_workspace_destroy(&e->workspace);
  coh_program_destroy(&e->program);
  coh_graph_destroy(&e->graph);
}

static coh_status enlarge(const coh_gan *gan, enlarger *e, const float *sources, int64_t n,
                          float *rows) {
  int64_t from = coh_shape_count(source_shape(gan)) / COH_GAN_BLOCK, to = gan->spec->n_values;
  for (int64_t first = 0; first < n; first += COH_GAN_BLOCK) {
    int64_t now = n - first < COH_GAN_BLOCK ? n - first : COH_GAN_BLOCK;
    memcpy(coh_workspace_data(e->workspace, e->in), sources + first * from,
           (size_t)(now * from) * sizeof *sources);
    COH_TRY(coh_program_run(e->program, e->workspace));
    memcpy(rows + first * to, coh_workspace_data(e->workspace, e->out),
           (size_t)(now * to) * sizeof *rows);
  }
  return COH_OK;
}

coh_status coh_gan_given(coh_gan *gan, const coh_gan_request *request, float *rows) {
  int64_t width = coh_shape_count(source_shape(gan)) / COH_GAN_BLOCK, n = request->n;
  coh_world *world = gan->context->world;
  float *made = coh_alloc_array((size_t)(n * gan->spec->n_values), sizeof *made);
  float *sources = coh_alloc_array((size_t)(n * width), sizeof *sources);
  coh_status status = made && sources
                          ? COH_OK
                          : coh_fail(COH_E_MEMORY, "out of memory for %lld rows", (long long)n);
  enlarger e = {0};
  if (status == COH_OK) status = build(gan, &e);
  status = coh_comm_agree(world, status);
  if (status == COH_OK) status = coh_gan_generate(gan, request, made, NULL, sources);
  if (status == COH_OK) status = coh_comm_agree(world, enlarge(gan, &e, sources, n, rows));
  clear(&e);
  coh_free(made), coh_free(sources);
  return status;
}
