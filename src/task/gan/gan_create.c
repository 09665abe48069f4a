/* Making the task: data, networks, programs, and each lane's memory. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "task/gan/gan.h"
#include "task/gan/image_modes.h"
#include "task/gan/image_novelty.h"
#include "task/gan/image_scores.h"

static coh_status check_classes(const coh_gan *gan) {
  const coh_dataset_spec *spec = gan->spec;
  COH_CHECK(spec->has_labels, COH_E_DATA,
            "conditional: dataset %s has no labels to generate by", spec->name);
  int64_t *counts;
  COH_NEW(counts, spec->n_classes);
  coh_dataset_count_classes(gan->train, counts);
  int64_t empty = -1;
  for (int64_t k = 0; k < spec->n_classes && empty < 0; k++)
    if (counts[k] == 0) empty = k;
  coh_free(counts);
  COH_CHECK(empty < 0, COH_E_DATA,
            "conditional: dataset %s has no rows of class %" PRId64
            " (%s); a generator cannot learn it",
            spec->name, empty, spec->class_names[empty]);
  return COH_OK;
}

static void say_shape(coh_shape shape, char text[64]) {
  *text = '\0';
  for (int k = 0; k < shape.rank; k++)
    snprintf(text + strlen(text), 64 - strlen(text), k ? " x %" PRId64 : "%" PRId64,
             shape.size[k]);
}

static coh_status check_options(const coh_gan *gan) {
  const coh_gan_options *o = gan->options;
  bool is_image = gan->sample.rank == 3;
  COH_CHECK(is_image || o->augments.n_items == 0, COH_E_CONFIG,
            "augments: '%s' is for images, but the rows of dataset %s are vectors",
            o->augments.item[0].kind->name, gan->spec->name);
  COH_CHECK(o->augments.n_items <= COH_GAN_MAX_AUGMENTS, COH_E_CONFIG,
            "augments: more than %d are too many", COH_GAN_MAX_AUGMENTS);
  COH_CHECK(gan->source->is_latent || is_image, COH_E_CONFIG,
            "source: '%s' is for images, but the rows of dataset %s are vectors",
            gan->source->kind.name, gan->spec->name);
  COH_CHECK(!gan->source->is_latent || (o->content.weight == 0 && !o->see_source), COH_E_CONFIG,
            "content, see_source: images out of noise have no real image to be compared with; "
            "choose another source");
  COH_CHECK(o->adversarial > 0 || o->content.weight > 0, COH_E_CONFIG,
            "adversarial, content: with both weights at 0 the generator would learn nothing");
  COH_CHECK(o->augments.n_items == 0 || !o->see_source, COH_E_CONFIG,
            "augments: with see_source image and source would no longer fit each other");
  return COH_OK;
}

// that a classifier fits is known before the first update, not after the last
static coh_status check_classifier(const coh_gan *gan, const char *name, const char *path) {
  coh_network_file *file = NULL;
  if (!*path) return COH_OK;
  coh_status status = coh_network_file_open(path, NULL, &file);
  if (status != COH_OK) return coh_fail_within(status, "%s", name);
  coh_shape takes = coh_network_file_input(file);
  bool fits = coh_shape_equal(takes, gan->sample) || coh_image_modes_fit(file, gan->spec);
  coh_network_file_close(&file);
  char of_rows[64], of_classifier[64];
  say_shape(gan->sample, of_rows);
  say_shape(takes, of_classifier);
  COH_CHECK(fits, COH_E_CONFIG, "%s: %s takes images of %s, the rows of dataset %s are of %s",
            name, path, of_classifier, gan->spec->name, of_rows);
  return COH_OK;
}

static coh_status create_data(coh_gan *gan) {
  const coh_gan_options *o = gan->options;
  COH_TRY(coh_dataset_create(&o->dataset, &gan->train));
  gan->spec = coh_dataset_spec_of(gan->train);
  gan->n_classes = gan->spec->n_classes;
  gan->sample.rank = gan->spec->n_dims;
  for (int k = 0; k < gan->sample.rank; k++)
    gan->sample.size[k] = gan->spec->shape[k];
  if (o->test.kind) {
    COH_TRY(coh_dataset_create(&o->test, &gan->test));
    COH_CHECK(coh_dataset_spec_of(gan->test)->n_values == gan->spec->n_values, COH_E_DATA,
              "test: its rows have another shape than those of %s", gan->spec->name);
  }
  gan->source = (const coh_gan_source_type *)(const void *)o->source.kind;
  gan->noise = gan->source->noise(o->source.options, gan->sample);
  if (o->conditional) COH_TRY(check_classes(gan));
  COH_TRY(check_options(gan));
  COH_TRY(check_classifier(gan, "evaluation.classifier", o->evaluation.classifier));
  COH_TRY(check_classifier(gan, "evaluation.second", o->evaluation.second));
  COH_TRY(coh_loader_create(gan->train, &o->loader, gan->context->seed,
                            gan->context->lanes.n_lanes, &gan->loader));
  gan->lane_rows = coh_loader_lane_rows(gan->loader);
  return COH_OK;
}

static coh_status create_params(coh_gan *gan) {
  COH_NEW(gan->params, gan->maker_floats + gan->critic_floats);
  COH_NEW(gan->average, gan->maker_floats);
  COH_TRY(coh_network_initialize(gan->generator, gan->context->seed, gan->params));
  COH_TRY(coh_network_initialize(gan->discriminator, gan->context->seed,
                                 gan->params + gan->maker_floats));
  coh_block_copy(gan->average, gan->params, gan->maker_floats);
  COH_TRY(coh_learner_create(&gan->maker_learner, gan->context, "generator.",
                             &gan->options->generator_optimizer, gan->maker_floats));
  return coh_learner_create(&gan->critic_learner, gan->context, "discriminator.",
                            &gan->options->discriminator_optimizer, gan->critic_floats);
}

// each parameter's gradient goes to its player's block
static coh_status bind_gradients(coh_gan *gan, coh_gan_lane *lane, int64_t local) {
  float *maker = coh_learner_gradient(&gan->maker_learner, local);
  float *critic = coh_learner_gradient(&gan->critic_learner, local);
  for (int64_t k = 0; k < coh_graph_n_parameters(gan->graph); k++) {
    int64_t offset = coh_graph_parameter_at(gan->graph, k).offset;
    float *to =
        offset < gan->maker_floats ? maker + offset : critic + (offset - gan->maker_floats);
    COH_TRY(coh_workspace_bind(lane->update, gan->update.gradient[k], to));
  }
  return COH_OK;
}

static coh_status create_lane(coh_gan *gan, coh_gan_lane *lane, int64_t local) {
  lane->index = gan->context->lanes.first + local;
  COH_NEW(lane->labels, gan->lane_rows);
  COH_NEW(lane->fake_labels, gan->lane_rows);
  COH_TRY(coh_workspace_create(gan->update.program, &lane->update));
  COH_TRY(coh_workspace_create(gan->maker.program, &lane->maker));
  COH_TRY(coh_workspace_bind_parameters(lane->update, gan->params));
  COH_TRY(coh_workspace_bind_parameters(lane->maker, gan->average));
  COH_TRY(coh_layer_states_bind(&gan->states, local, lane->update));
  coh_lane_pass_set(&gan->pass, local, lane->update);
  COH_TRY(coh_gan_settler_lane(gan, lane, local));
  return bind_gradients(gan, lane, local);
}

// the discriminator's gradients are finished first; without a game it has none
static coh_status create_pass(coh_gan *gan) {
  const coh_program *program = gan->update.program;
  const coh_value *gradient = gan->update.gradient;
  bool plays = gan->options->adversarial > 0;
  if (plays)
    COH_TRY(coh_learner_overlap(&gan->critic_learner, program, gan->critic_layout,
                                gradient + coh_graph_n_parameters(gan->maker_layout)));
  COH_TRY(coh_learner_overlap(&gan->maker_learner, program, gan->maker_layout, gradient));
  COH_TRY(coh_lane_pass_create(&gan->pass, gan->context, program,
                               plays ? &gan->critic_learner : NULL));
  coh_lane_pass_join(&gan->pass, &gan->maker_learner);
  return COH_OK;
}

static coh_status create(coh_gan *gan) {
  int64_t n_local = gan->context->lanes.n_local;
  COH_TRY(create_data(gan));
  COH_TRY(coh_gan_programs_create(gan));
  COH_TRY(create_params(gan));
  COH_TRY(
      coh_layer_states_create(&gan->states, gan->context, gan->graph, &gan->update.refresh));
  COH_TRY(create_pass(gan));
  COH_TRY(coh_gan_settler_create(gan));
  gan->noise_key = coh_key_make(gan->context->seed, "gan.noise");
  gan->class_key = coh_key_make(gan->context->seed, "gan.class");
  gan->mix_key = coh_key_make(gan->context->seed, "gan.mix");
  gan->augment_key = coh_key_make(gan->context->seed, "gan.augment");
  gan->settle_key = coh_key_make(gan->context->seed, "gan.settle");
  COH_NEW(gan->lane, n_local);
  for (int64_t i = 0; i < n_local; i++)
    COH_TRY(create_lane(gan, &gan->lane[i], i));
  gan->window_begun = coh_clock_now();
  return COH_OK;
}

// the collective parts
static coh_status connect(coh_gan *gan) {
  COH_TRY(coh_learner_connect(&gan->maker_learner));
  COH_TRY(coh_learner_connect(&gan->critic_learner));
  COH_TRY(coh_lane_pass_connect(&gan->pass));
  COH_TRY(coh_layer_states_connect(&gan->states));
  return coh_gan_settler_connect(gan);
}

coh_status coh_gan_create(const coh_run_context *context, const void *options, void **task) {
  coh_gan *gan = coh_alloc_array(1, sizeof *gan);
  coh_status status = gan ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for task gan");
  if (status == COH_OK) {
    gan->context = context;
    gan->options = options;
    gan->scored_at = -1;
    coh_gan_forget(&gan->score);
    coh_gan_forget(&gan->simple);
    status = create(gan);
  }
  status = coh_comm_agree(context->world, status);
  if (status == COH_OK) status = connect(gan);
  *task = gan;
  if (status != COH_OK && gan) coh_gan_destroy(task);
  return status;
}

void coh_gan_destroy(void **task) {
  coh_gan *gan = *task;
  if (!gan) return;
  for (int64_t i = 0; gan->lane && i < gan->context->lanes.n_local; i++) {
    coh_gan_lane *lane = &gan->lane[i];
    coh_workspace_destroy(&lane->update);
    coh_workspace_destroy(&lane->maker);
    coh_workspace_destroy(&lane->settler);
    coh_free(lane->labels), coh_free(lane->fake_labels);
  }
  coh_free(gan->lane);
  coh_lane_pass_destroy(&gan->pass);
  coh_layer_states_destroy(&gan->states);
  coh_gan_settler_destroy(gan);
  if (gan->maker_learner.context) coh_learner_destroy(&gan->maker_learner);
  if (gan->critic_learner.context) coh_learner_destroy(&gan->critic_learner);
  for (int k = 0; k < 2; k++)
    coh_image_scores_destroy(&gan->scores[k]);
  coh_image_novelty_destroy(&gan->novelty);
  coh_network_file_close(&gan->stack);
  coh_gan_programs_destroy(gan);
  coh_loader_destroy(&gan->loader);
  coh_dataset_destroy(&gan->train), coh_dataset_destroy(&gan->test);
  coh_free(gan->params), coh_free(gan->average);
  coh_free(gan);
  *task = NULL;
}
