/* The option table of imitation. Losses and penalties are those of the GAN. */
#include "task/dqn/imitation_options.h"

#include "cohort/nn.h"
#include "task/gan/gan_kinds.h"

#define FIELD(member) .offset = offsetof(coh_imitation_options, member)
const coh_option coh_imitation_option_table[] = {
    {.name = "demonstrations",
     .type = COH_STRING,
     FIELD(demonstrations),
     .initial = "\"\"",
     .doc = "File of an expert's transitions, such as `cohort record` writes; empty: no "
            "imitation, rewards are the environment's."},
    {.name = "episodes",
     .type = COH_INT,
     FIELD(episodes),
     .initial = "0",
     .min = 0,
     .max = 0x1p62,
     .doc = "Use only so many of its episodes, the first ones; 0: all."},
    {.name = "method",
     .type = COH_CHOICE,
     FIELD(method),
     .initial = "gail",
     .choices = "gail|airl",
     .doc =
         "gail: the reward is a discriminator of expert and agent (Ho and Ermon 2016); airl: "
         "the discriminator is a reward, a shaping term and the policy, so that a reward is "
         "recovered (Fu, Luo and Levine 2018)."},
    {.name = "reward",
     .type = COH_CHOICE,
     FIELD(reward),
     .initial = "logit",
     .choices = "logit|positive|negative",
     .doc =
         "gail: log D - log(1 - D), -log(1 - D), or log D; the last two favour long or short "
         "episodes by themselves."},
    {.name = "on_actions",
     .type = COH_BOOL,
     FIELD(on_actions),
     .initial = "true",
     .doc = "The discriminator (airl: the reward) sees the action, not the state alone."},
    {.name = "network",
     .type = COH_KINDS,
     FIELD(network),
     .initial = "[dense: 64, tanh, dense: 64, tanh]",
     .kinds = &coh_layer_kinds,
     .doc =
         "Layers of the discriminator (airl: of the reward and of the shaping term each) over "
         "the flat observation, and the action as one-hot behind it."},
    {.name = "loss",
     .type = COH_KIND,
     FIELD(loss),
     .initial = "non_saturating",
     .kinds = &coh_gan_loss_kinds,
     .doc = "The discriminator's loss; airl needs one of probabilities: non_saturating or "
            "minimax."},
    {.name = "regularizers",
     .type = COH_KINDS,
     FIELD(regularizers),
     .initial = "[gradient_penalty: 1]",
     .kinds = &coh_gan_regularizer_kinds,
     .doc = "Penalties on the discriminator's slope."},
    {.name = "optimizer",
     .type = COH_KIND,
     FIELD(optimizer),
     .initial = "{adam: {learning_rate: 1e-3}}",
     .kinds = &coh_optimizer_kinds,
     .doc = "How the discriminator follows its gradients."},
    {0},
};
