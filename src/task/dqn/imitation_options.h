/* The options of learning from an expert instead of from rewards. */
#ifndef COHORT_TASK_DQN_IMITATION_OPTIONS_H
#define COHORT_TASK_DQN_IMITATION_OPTIONS_H

#include "cohort/option.h"

typedef enum coh_imitation_method {
  COH_IMITATION_GAIL,
  COH_IMITATION_AIRL
} coh_imitation_method;

/* How GAIL's discriminator, the sigmoid D of a logit, becomes a reward. */
typedef enum coh_imitation_reward {
  COH_IMITATION_LOGIT,    /* log D - log(1 - D) */
  COH_IMITATION_POSITIVE, /* -log(1 - D) */
  COH_IMITATION_NEGATIVE, /* log D */
} coh_imitation_reward;

typedef struct coh_imitation_options {
  char *demonstrations; /* file of transitions; empty: rewards are the environment's */
  int64_t episodes;
  int method; /* coh_imitation_method */
  int reward; /* coh_imitation_reward */
  bool on_actions;
  coh_choice_list network;
  coh_choice loss, optimizer; /* of coh_gan_loss_kinds */
  coh_choice_list regularizers;
} coh_imitation_options;

extern const coh_option coh_imitation_option_table[];

#endif
