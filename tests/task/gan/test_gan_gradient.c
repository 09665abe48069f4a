/* The gradients of both players against finite differences of what each minimises: every loss,
 * every regulariser, every augmentation, and discriminators of every kind. */
#include "world_at_hand.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "io/file.h"
#include "task/gan/gan.h"

/* A GAN of one lane and its options. */
typedef struct game {
  coh_run_context context;
  coh_gan_options options;
  coh_gan *gan;
} game;

static void begin(game *s, const char *yaml) {
  *s = (game){0};
  coh_config *root = NULL;
  s->context = (coh_run_context){
      .world = world, .n_threads = 1, .seed = 1, .steps = 1, .config_name = "test.yaml"};
  assert_ok(coh_lanes_split(world, 1, &s->context.lanes));
  assert_ok(coh_config_parse("test.yaml", yaml, strlen(yaml), &root));
  assert_ok(coh_options_fill(coh_gan_option_table, root, &s->options));
  coh_config_destroy(&root);
  void *task = NULL;
  assert_ok(coh_gan_create(&s->context, &s->options, &task));
  s->gan = task;
}

static void end(game *s) {
  void *task = s->gan;
  coh_gan_destroy(&task);
  coh_options_clear(coh_gan_option_table, &s->options);
}

/* What the players minimise, of the lane's rows as they lie in the workspace. */
static void losses(const game *s, double *critic, double *maker) {
  const coh_gan *gan = s->gan;
  const coh_gan_update *u = &gan->update;
  coh_workspace *w = gan->lane[0].update;
  assert_ok(coh_program_run(u->program, w));
  double share = 1 / (double)gan->options->loader.batch;
  *critic = *maker = 0;
  for (int64_t i = 0; i < gan->lane_rows; i++) {
    *critic += share * ((double)coh_workspace_data(w, u->critic_loss)[i] +
                        (double)coh_workspace_data(w, u->penalty)[i]);
    *maker +=
        share * (gan->options->adversarial * (double)coh_workspace_data(w, u->maker_loss)[i] +
                 gan->options->content.weight * (double)coh_workspace_data(w, u->content)[i]);
  }
}

// along random directions of a player's block, and along its gradient
static void compare(const game *s, bool is_maker, const char *what) {
  coh_gan *gan = s->gan;
  int64_t n = is_maker ? gan->maker_floats : gan->critic_floats;
  float *params = gan->params + (is_maker ? 0 : gan->maker_floats);
  const coh_learner *learner = is_maker ? &gan->maker_learner : &gan->critic_learner;
  float *slope = coh_alloc_array((size_t)n, sizeof *slope);
  float *start = coh_alloc_array((size_t)n, sizeof *start);
  float *step = coh_alloc_array((size_t)n, sizeof *step);
  double loss[2], norm = 0;
  losses(s, &loss[0], &loss[1]);
  memcpy(slope, coh_learner_gradient(learner, 0), (size_t)n * sizeof *slope);
  memcpy(start, params, (size_t)n * sizeof *start);
  for (int64_t i = 0; i < n; i++)
    norm += (double)slope[i] * (double)slope[i];
  norm = sqrt(norm);
  if (!(norm > 1e-4)) fail_msg("%s: no gradient (%g)", what, norm);
  for (int d = 0; d < 4; d++) {
    double expected = 0, difference = 0;
    const double h = 2e-3;
    coh_stream stream = coh_stream_begin(coh_key_make(7, "direction"), (uint32_t)d, 0);
    for (int64_t i = 0; i < n; i++) {
      double along = (double)slope[i] / norm;
      // states and padding have no gradient and stay
      step[i] = (float)(d == 0          ? along
                        : slope[i] != 0 ? along + coh_stream_normal(&stream) / sqrt((double)n)
                                        : 0);
      expected += (double)slope[i] * (double)step[i];
    }
    for (int sign = -1; sign <= 1; sign += 2) {
      for (int64_t i = 0; i < n; i++)
        params[i] = start[i] + (float)(sign * h) * step[i];
      losses(s, &loss[0], &loss[1]);
      difference += sign * loss[is_maker] / (2 * h);
    }
    memcpy(params, start, (size_t)n * sizeof *params);
    if (!(fabs(difference - expected) < 2e-3 * norm + 2e-4))
      fail_msg("%s, %s: gradient %g, difference %g, norm %g", what,
               is_maker ? "generator" : "discriminator", expected, difference, norm);
  }
  coh_free(slope), coh_free(start), coh_free(step);
}

// one update, so that inputs are drawn and weights are off their start, then both players
static void check(const char *yaml) {
  game s;
  begin(&s, yaml);
  assert_ok(coh_gan_step(s.gan));
  if (s.options.adversarial > 0) compare(&s, false, yaml);
  compare(&s, true, yaml);
  end(&s);
}

#define PLANE                                                                      \
  "dataset: gaussian_ring\nloader: {batch: 32}\nsource: {latent: 3}\naverage: 0\n" \
  "generator: [dense: 12, tanh, dense: 2]\ninitializer: glorot_normal\n"           \
  "discriminator: [dense: 16, tanh, dense: 12, silu]\n"

static void every_loss_has_its_gradient(void **state) {
  (void)state;
  char yaml[1024];
  for (int64_t k = 0; k < coh_gan_loss_kinds.n_kinds; k++) {
    snprintf(yaml, sizeof yaml, PLANE "loss: %s\nregularizers: []\n",
             coh_gan_loss_kinds.kinds[k]->name);
    check(yaml);
  }
  check(PLANE "loss: {non_saturating: {smoothing: 0.2}}\nregularizers: []\n");
  check(PLANE "loss: {minimax: {smoothing: 0.1}}\nregularizers: []\nadversarial: 0.3\n");
}

static void every_regularizer_has_its_gradient(void **state) {
  (void)state;
  char yaml[1024];
  for (int64_t k = 0; k < coh_gan_regularizer_kinds.n_kinds; k++) {
    snprintf(yaml, sizeof yaml, PLANE "loss: wasserstein\nregularizers: [%s: 2]\n",
             coh_gan_regularizer_kinds.kinds[k]->name);
    check(yaml);
  }
  check(PLANE "loss: relativistic\nregularizers: [r1: 1, r2: 0.5, gradient_penalty: 1]\n");
}

#define IMAGES                                                                       \
  "dataset: {fashion_mnist: {split: test}}\nloader: {batch: 8, values: symmetric}\n" \
  "average: 0\ninitializer: glorot_normal\n"

static void every_discriminator_has_its_gradient(void **state) {
  (void)state;
  if (!coh_file_exists("/usr/share/datasets/fashion-mnist")) skip();
  static const char *const critics[] = {
      "[conv: {channels: 4, kernel: 4, stride: 2, padding: same}, silu, conv: {channels: 6, "
      "kernel: 4, stride: 4, groups: 2}, tanh]",
      "[conv: {channels: 4, kernel: 4, stride: 4}, batch_norm, tanh, dense: 5, "
      "{batch_norm: {over: lane}}]",
      "[shrink, conv: {channels: 4, kernel: 3, stride: 2}, residual: {body: [silu, conv: "
      "{channels: 4, kernel: 3, padding: same}]}, tanh]"};
  char yaml[1024];
  for (size_t k = 0; k < sizeof critics / sizeof *critics; k++) {
    snprintf(yaml, sizeof yaml,
             IMAGES "source: {latent: 6}\ngenerator: [dense: 98, reshape: [7, 7, 2], "
                    "batch_norm, tanh, conv_transpose: 2, conv_transpose: 1, tanh]\n"
                    "discriminator: %s\nregularizers: [r1: 0.05, r2: 0.05]\n",
             critics[k]);
    check(yaml);
  }
  check(IMAGES
        "source: {latent: 6}\nconditional: true\ngenerator: [embedding: 4, dense: 784, "
        "tanh, reshape: [28, 28, 1]]\ndiscriminator: [conv: {channels: 4, kernel: 4, "
        "stride: 4}, tanh, projection]\nregularizers: [r1: 0.05]\naugments: [brightness, "
        "translation, erasing]\n");
  check(IMAGES "source: {small: 2}\ngenerator: [enlarge: 2, conv: {channels: 3, kernel: 3, "
               "padding: same}, tanh, conv: {channels: 1, kernel: 3, padding: same}]\n"
               "discriminator: [conv: {channels: 4, kernel: 4, stride: 4}, silu]\nsee_source: "
               "true\ncontent: {weight: 3, norm: l2}\nregularizers: [r2: 0.05]\n");
}

static void without_a_game_the_discriminator_is_left_alone(void **state) {
  (void)state;
  if (!coh_file_exists("/usr/share/datasets/fashion-mnist")) skip();
  const char *yaml =
      IMAGES "source: {small: 2}\ngenerator: [enlarge: 2, conv: {channels: 1, kernel: 3, "
             "padding: same}]\ndiscriminator: [conv: {channels: 4, kernel: 4, stride: 4}, "
             "batch_norm]\nadversarial: 0\ncontent: {weight: 1, norm: l2}\n"
             "discriminator_optimizer: {adam: {learning_rate: 1, weight_decay: 0.1}}\n";
  game s;
  begin(&s, yaml);
  const float *critic = s.gan->params + s.gan->maker_floats;
  size_t n_bytes = (size_t)s.gan->critic_floats * sizeof *critic;
  float *before = coh_alloc_array((size_t)s.gan->critic_floats, sizeof *before);
  memcpy(before, critic, n_bytes);
  for (int i = 0; i < 3; i++)
    assert_ok(coh_gan_step(s.gan));
  assert_memory_equal(before, critic, n_bytes);
  coh_free(before);
  // its layers are not even computed: the generator's one convolution and its gradient
  assert_true(coh_program_flops(s.gan->update.program) == 2 * (2 * 8 * 28 * 28 * 9));
  compare(&s, true, yaml);
  end(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_loss_has_its_gradient),
      cmocka_unit_test(every_regularizer_has_its_gradient),
      cmocka_unit_test(every_discriminator_has_its_gradient),
      cmocka_unit_test(without_a_game_the_discriminator_is_left_alone),
  };
  return cmocka_run_group_tests(tests, world_enter, world_leave);
}
