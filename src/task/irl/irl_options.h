/* The options of task irl. */
#ifndef COHORT_TASK_IRL_OPTIONS_H
#define COHORT_TASK_IRL_OPTIONS_H

#include <stdbool.h>

#include "cohort/nn.h"
#include "cohort/option.h"

typedef enum coh_irl_method {
  COH_IRL_CAUSAL_ENTROPY,
  COH_IRL_TRAJECTORY_ENTROPY,
  COH_IRL_LINEAR_PROGRAM,
  COH_IRL_APPRENTICESHIP,
} coh_irl_method;

typedef enum coh_irl_model { COH_IRL_LINEAR, COH_IRL_TABLE, COH_IRL_NETWORK } coh_irl_model;

typedef enum coh_irl_expert_policy {
  COH_IRL_EXPERT_OPTIMAL,
  COH_IRL_EXPERT_EPSILON,
  COH_IRL_EXPERT_SOFT,
  COH_IRL_EXPERT_FILE,
} coh_irl_expert_policy;

typedef struct coh_irl_expert {
  int policy; /* coh_irl_expert_policy */
  char *path;
  int64_t trajectories, length, held_out;
  double epsilon, temperature;
} coh_irl_expert;

typedef struct coh_irl_program {
  double penalty, bound;
} coh_irl_program;

typedef struct coh_irl_options {
  coh_choice world;
  double discount;
  int64_t world_seed, transfer;
  coh_irl_expert expert;
  int method;      /* coh_irl_method */
  int objective;   /* coh_soft_goal */
  int reward;      /* coh_irl_model */
  int reward_on;   /* 0: states, 1: state-action pairs */
  int64_t horizon; /* 0: infinite */
  double l1, l2;
  double tolerance; /* of soft values and visits */
  double stop;      /* of the fit */
  int64_t memory;
  coh_choice_list network;
  coh_choice initializer, optimizer;
  coh_irl_program program;
} coh_irl_options;

extern const coh_option coh_irl_option_table[];

/* Check what single rows cannot. Fails: COH_E_CONFIG, naming the keys. */
coh_status coh_irl_options_check(const coh_irl_options *options, const char *config_name);

#endif
