/* Statistics for the averaged generator. Running means of what the trained generator saw do not
 * fit averaged weights, so before it is measured, shown or saved, the averaged generator runs
 * in training on some thousand rows, block by block, and keeps the mean of the blocks'
 * statistics; the same is done to power iterations. (Izmailov et al., "Averaging Weights", UAI
 * 2018, section 3.2.) A block's statistics are its own, so lanes meet only once, at the end. */
#include <string.h>

#include "base/alloc.h"
#include "task/gan/gan.h"
#include "task/lane_loop.h"

enum { SETTLE_ROWS = 5000 };

static coh_status build(coh_gan *gan, coh_value **outputs) {
  coh_gan_settler *s = &gan->settler;
  COH_TRY(coh_graph_create(&s->graph));
  s->real = coh_graph_input(s->graph, "real", coh_gan_batch(COH_GAN_BLOCK, gan->sample));
  s->noise = s->condition = COH_NO_VALUE;
  if (gan->noise.rank)
    s->noise = coh_graph_input(s->graph, "noise", coh_gan_batch(COH_GAN_BLOCK, gan->noise));
  if (gan->options->conditional)
    s->condition = coh_graph_input(s->graph, "class", COH_SHAPE(COH_GAN_BLOCK, gan->n_classes));
  const coh_network_use use = {.is_conditional = gan->options->conditional,
                               .condition = s->condition};
  coh_value source;
  COH_TRY(
      gan->source->build(gan->options->source.options, s->graph, s->real, s->noise, &source));
  COH_TRY(coh_network_build_for(gan->generator, s->graph, source, &use, &s->refresh, &s->out));
  COH_NEW(*outputs, s->refresh.n);
  for (int64_t k = 0; k < s->refresh.n; k++)
    (*outputs)[k] = s->refresh.value[k];
  return COH_OK;
}

static coh_status create_parts(coh_gan *gan) {
  coh_gan_settler *s = &gan->settler;
  const coh_lanes *lanes = &gan->context->lanes;
  int64_t n_rows = SETTLE_ROWS;
  if (!gan->source->is_latent && gan->spec->n_rows < n_rows) n_rows = gan->spec->n_rows;
  int64_t at_once = lanes->n_lanes * COH_GAN_BLOCK;
  s->blocks_a_lane = (n_rows + at_once - 1) / at_once;
  COH_TRY(coh_layer_states_create(&s->states, gan->context, s->graph, &s->refresh));
  COH_NEW(s->part, lanes->n_local);
  for (int64_t i = 0; i < lanes->n_local; i++)
    COH_NEW(s->part[i], s->states.n_floats);
  return COH_OK;
}

coh_status coh_gan_settler_create(coh_gan *gan) {
  coh_gan_settler *s = &gan->settler;
  s->settled_at = -1;
  coh_value *outputs = NULL;
  coh_status status = build(gan, &outputs);
  if (status == COH_OK && s->refresh.n > 0)
    status = coh_program_compile(s->graph, outputs, s->refresh.n, NULL, &s->program);
  coh_free(outputs);
  return status == COH_OK && s->program ? create_parts(gan) : status;
}

coh_status coh_gan_settler_lane(coh_gan *gan, coh_gan_lane *lane, int64_t local) {
  coh_gan_settler *s = &gan->settler;
  if (!s->program) return COH_OK;
  COH_TRY(coh_workspace_create(s->program, &lane->settler));
  COH_TRY(coh_workspace_bind_parameters(lane->settler, gan->average));
  return coh_layer_states_bind(&s->states, local, lane->settler);
}

coh_status coh_gan_settler_connect(coh_gan *gan) {
  coh_gan_settler *s = &gan->settler;
  if (!s->program) return COH_OK;
  return coh_lane_sum_create(gan->context->world, &gan->context->lanes, COH_SUM_F64,
                             s->states.n_floats, 1, &s->sum);
}

void coh_gan_settler_destroy(coh_gan *gan) {
  coh_gan_settler *s = &gan->settler;
  coh_lane_sum_destroy(&s->sum);
  for (int64_t i = 0; s->part && i < gan->context->lanes.n_local; i++)
    coh_free(s->part[i]);
  coh_free(s->part);
  coh_layer_states_destroy(&s->states);
  coh_program_destroy(&s->program);
  coh_graph_destroy(&s->graph);
}

// rows go round where there are fewer than blocks want
static void fill_real(const coh_gan *gan, int64_t first, float *real, int32_t *labels) {
  int64_t n_rows = gan->spec->n_rows, width = gan->spec->n_values;
  for (int64_t i = 0; i < COH_GAN_BLOCK; i++) {
    int64_t row = (first + i) % n_rows;
    coh_dataset_read(gan->train, row, 1, coh_loader_affine(gan->loader), real + i * width);
    if (gan->spec->has_labels) labels[i] = coh_dataset_labels(gan->train)[row];
  }
}

static void fill_block(const coh_gan *gan, const coh_gan_lane *lane, int64_t first) {
  const coh_gan_settler *s = &gan->settler;
  int32_t labels[COH_GAN_BLOCK] = {0};
  float *real = coh_workspace_data(lane->settler, s->real);
  if (real && !gan->source->is_latent) fill_real(gan, first, real, labels);
  int64_t width = gan->noise.rank ? coh_shape_count(gan->noise) : 0;
  float *noise = width ? coh_workspace_data(lane->settler, s->noise) : NULL;
  for (int64_t i = 0; i < COH_GAN_BLOCK; i++) {
    coh_stream stream = coh_stream_begin(gan->settle_key, (uint32_t)(first + i), 0);
    for (int64_t k = 0; noise && k < width; k++)
      noise[i * width + k] = (float)coh_stream_normal(&stream);
    if (gan->source->is_latent && gan->options->conditional)
      labels[i] = (int32_t)((first + i) % gan->n_classes);
  }
  // pruned where no statistic depends on the class
  float *condition =
      gan->options->conditional ? coh_workspace_data(lane->settler, s->condition) : NULL;
  if (condition) coh_gan_one_hot(labels, COH_GAN_BLOCK, gan->n_classes, condition);
}

static coh_status settle_lane(void *pointer, int64_t local) {
  const coh_gan *gan = pointer;
  const coh_gan_settler *s = &gan->settler;
  const coh_gan_lane *lane = &gan->lane[local];
  double *part = s->part[local];
  memset(part, 0, (size_t)s->states.n_floats * sizeof *part);
  for (int64_t b = 0; b < s->blocks_a_lane; b++) {
    fill_block(gan, lane, (lane->index * s->blocks_a_lane + b) * COH_GAN_BLOCK);
    COH_TRY(coh_program_run(s->program, lane->settler));
    for (int64_t i = 0; i < s->states.n_floats; i++)
      part[i] += (double)s->states.lane[local][i];
  }
  double share = 1 / (double)(s->blocks_a_lane * gan->context->lanes.n_lanes);
  for (int64_t i = 0; i < s->states.n_floats; i++)
    part[i] *= share;
  return COH_OK;
}

coh_status coh_gan_settle(coh_gan *gan) {
  coh_gan_settler *s = &gan->settler;
  if (!s->program || s->settled_at == gan->maker_learner.n_updates) return COH_OK;
  s->settled_at = gan->maker_learner.n_updates;
  coh_status status =
      coh_lane_loop(gan->context->n_threads, gan->context->lanes.n_local, settle_lane, gan);
  COH_TRY(coh_comm_agree(gan->context->world, status));
  COH_TRY(
      coh_lane_sum_run(s->sum, (const void *const *)s->part, s->states.n_floats, s->part[0]));
  coh_layer_states_replace(&s->states, s->part[0], gan->average);
  return COH_OK;
}
