/* The registries, by the plural that people type. */
#include "cli/registries.h"

#include "cohort/data.h"
#include "cohort/env.h"
#include "cohort/explain.h"
#include "cohort/nn.h"
#include "cohort/task.h"
#include "explain/topic.h"
#include "mdp/irl_world.h"
#include "mdp/model_kind.h"

const coh_registry coh_registries[] = {
    {"tasks", &coh_task_kinds},
    {"envs", &coh_env_kinds},
    {"datasets", &coh_dataset_kinds},
    {"augmentations", &coh_augmentation_kinds},
    {"layers", &coh_layer_kinds},
    {"activations", &coh_activation_kinds},
    {"losses", &coh_loss_kinds},
    {"optimizers", &coh_optimizer_kinds},
    {"initializers", &coh_initializer_kinds},
    {"explanations", &coh_explain_kinds},
    {"topics", &coh_explain_topic_kinds},
    {"worlds", &coh_irl_world_kinds},
    {"models", &coh_mdp_model_kinds},
    {0},
};
