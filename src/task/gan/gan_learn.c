/* One update of both players. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "task/gan/gan.h"

void coh_gan_one_hot(const int32_t *labels, int64_t n, int64_t n_classes, float *to) {
  memset(to, 0, (size_t)(n * n_classes) * sizeof *to);
  for (int64_t i = 0; i < n; i++)
    to[i * n_classes + labels[i]] = 1;
}

// draws are of a row's place in the whole minibatch, so lanes do not change them
static coh_stream stream_of(coh_key key, const coh_gan *gan, const coh_gan_lane *lane,
                            int64_t row) {
  return coh_stream_begin(key, (uint32_t)(lane->index * gan->lane_rows + row),
                          (uint64_t)gan->maker_learner.n_updates);
}

static void draw_noise(const coh_gan *gan, const coh_gan_lane *lane) {
  float *noise = coh_workspace_data(lane->update, gan->update.noise);
  if (!gan->noise.rank || !noise) return;
  int64_t width = coh_shape_count(gan->noise);
  for (int64_t i = 0; i < gan->lane_rows; i++) {
    coh_stream stream = stream_of(gan->noise_key, gan, lane, i);
    for (int64_t k = 0; k < width; k++)
      noise[i * width + k] = (float)coh_stream_normal(&stream);
  }
}

static void draw_classes(const coh_gan *gan, coh_gan_lane *lane) {
  if (!gan->options->conditional) return;
  int64_t n = gan->lane_rows;
  for (int64_t i = 0; i < n; i++) {
    coh_stream stream = stream_of(gan->class_key, gan, lane, i);
    // restored images keep their class
    lane->fake_labels[i] = gan->source->is_latent
                               ? (int32_t)coh_stream_below(&stream, gan->n_classes)
                               : lane->labels[i];
  }
  coh_gan_one_hot(lane->labels, n, gan->n_classes,
                  coh_workspace_data(lane->update, gan->update.real_class));
  coh_gan_one_hot(lane->fake_labels, n, gan->n_classes,
                  coh_workspace_data(lane->update, gan->update.fake_class));
}

static void draw_mixtures(const coh_gan *gan, const coh_gan_lane *lane) {
  if (gan->update.mix == COH_NO_VALUE) return;
  float *mix = coh_workspace_data(lane->update, gan->update.mix);
  for (int64_t i = 0; mix && i < gan->lane_rows; i++) {
    coh_stream stream = stream_of(gan->mix_key, gan, lane, i);
    mix[i] = (float)coh_stream_uniform(&stream);
  }
}

static void draw_augments(const coh_gan *gan, const coh_gan_lane *lane) {
  const coh_choice_list *list = &gan->options->augments;
  int64_t at = 0;
  for (int64_t half = 0; half < 2 && list->n_items; half++)
    for (int64_t i = 0; i < gan->lane_rows; i++) {
      coh_stream stream = stream_of(gan->augment_key, gan, lane, i);
      stream.counter[3] += (uint32_t)(half << 30); // real and generated rows apart
      for (int64_t k = 0; k < list->n_items; k++) {
        const coh_gan_augment_type *type =
            (const coh_gan_augment_type *)(const void *)list->item[k].kind;
        int64_t width = coh_shape_count(type->input(list->item[k].options, gan->sample));
        double uniform[8];
        for (int64_t j = 0; j < type->n_uniforms; j++)
          uniform[j] = coh_stream_uniform(&stream);
        at = (half * gan->lane_rows + i) * width;
        type->fill(list->item[k].options, gan->sample, uniform,
                   coh_workspace_data(lane->update, gan->update.augment[k]) + at);
      }
    }
}

// what the metrics want, at the ends of the gradients
static coh_status finish_lane(void *pointer, int64_t local) {
  const coh_gan *gan = pointer;
  const coh_gan_lane *lane = &gan->lane[local];
  const coh_gan_update *u = &gan->update;
  const float *values = coh_workspace_data(lane->update, u->values);
  const float *critic_loss = coh_workspace_data(lane->update, u->critic_loss);
  const float *maker_loss = coh_workspace_data(lane->update, u->maker_loss);
  const float *penalty = coh_workspace_data(lane->update, u->penalty);
  const float *content = coh_workspace_data(lane->update, u->content);
  float *critic = coh_learner_gradient(&gan->critic_learner, local) + gan->critic_floats;
  float *maker = coh_learner_gradient(&gan->maker_learner, local) + gan->maker_floats;
  memset(critic, 0, COH_LEARNER_TAIL * sizeof *critic);
  memset(maker, 0, COH_LEARNER_TAIL * sizeof *maker);
  float share = 1 / (float)gan->options->loader.batch;
  int64_t n = gan->lane_rows;
  for (int64_t i = 0; i < n; i++) {
    float real = values[i], fake = values[n + i];
    critic[COH_GAN_TAIL_LOSS] += share * critic_loss[i];
    critic[COH_GAN_TAIL_REAL] += real;
    critic[COH_GAN_TAIL_FAKE] += fake;
    critic[COH_GAN_TAIL_WON] += real > fake ? 1 : 0;
    critic[COH_GAN_TAIL_PENALTY] += penalty[i];
    critic[COH_GAN_TAIL_REAL_SURE] += real > 0 ? 1 : 0;
    critic[COH_GAN_TAIL_FAKE_SURE] += fake < 0 ? 1 : 0;
    maker[COH_GAN_TAIL_MAKER_LOSS] += share * maker_loss[i];
    maker[COH_GAN_TAIL_CONTENT] += content[i];
  }
  return COH_OK;
}

static coh_status fill_lane(void *pointer, int64_t local) {
  const coh_gan *gan = pointer;
  coh_gan_lane *lane = &gan->lane[local];
  coh_loader_fill(gan->loader, gan->maker_learner.n_updates, lane->index,
                  coh_workspace_data(lane->update, gan->update.real),
                  gan->spec->has_labels ? lane->labels : NULL);
  draw_noise(gan, lane);
  draw_classes(gan, lane);
  draw_mixtures(gan, lane);
  draw_augments(gan, lane);
  return COH_OK;
}

// the averaged generator; its first updates forget faster, so that it does not keep the start
static void follow(coh_gan *gan) {
  double n = (double)gan->maker_learner.n_updates, decay = gan->options->average;
  decay = fmin(decay, (1 + n) / (10 + n));
  if (gan->options->average == 0) decay = 0;
  coh_block_polyak(gan->average, gan->params, 1 - decay, gan->maker_floats);
}

coh_status coh_gan_step(void *task) {
  coh_gan *gan = task;
  double begun = coh_clock_now();
  COH_TRY(coh_lane_pass_run(&gan->pass, gan->context->n_threads, fill_lane, finish_lane, gan));
  COH_TRY(coh_layer_states_gather(&gan->states, gan->params));
  if (gan->options->adversarial > 0)
    COH_TRY(coh_learner_step(&gan->critic_learner, gan->params + gan->maker_floats, 1));
  COH_TRY(coh_learner_step(&gan->maker_learner, gan->params, 1));
  coh_layer_states_renew(&gan->states, gan->params);
  follow(gan);
  gan->learn_seconds += coh_clock_now() - begun;
  return COH_OK;
}
