/* Inverse reinforcement learning in a known model: the state of the task, and its parts.
 *
 *   world (model, features, true reward) -> demonstrations -> epochs -> reward, policy
 *
 * An epoch of the entropy methods: rewards from parameters, the likelihood and its gradient by
 * reward (mdp/soft_likelihood.h), the chain rule, one step of L-BFGS or of the network's
 * optimiser. Lanes share the network's states; the model is replicated and threads take its
 * blocks, so ranks and threads do not change a bit. */
#ifndef COHORT_TASK_IRL_H
#define COHORT_TASK_IRL_H

#include "cohort/graph.h"
#include "cohort/nn.h"
#include "cohort/task.h"
#include "la/lbfgs.h"
#include "mdp/irl_world.h"
#include "mdp/soft_likelihood.h"
#include "task/irl/irl_demos.h"
#include "task/irl/irl_options.h"
#include "task/learner.h"

/* States that a network takes at once. */
enum { COH_IRL_BATCH = 2048 };

typedef struct coh_irl_lane {
  coh_workspace *forward, *backward;
  float *reward;   /* (lane_states, n_columns) */
  float *gradient; /* one batch's, before it is added to the learner's block */
} coh_irl_lane;

/* The network R(s) or R(s, .). */
typedef struct coh_irl_network {
  coh_network *network;
  coh_graph *layout;
  coh_program *forward, *backward;
  coh_value forward_input, forward_output, input, seed, *gradient;
  int64_t n_parameters, n_floats, n_rows; /* n_rows: of a batch */
  int64_t lane_states;
  float *params;
  float *rewards; /* (n_lanes x lane_states, n_columns), gathered */
  float *seeds;   /* likewise */
  coh_learner learner;
  coh_irl_lane *lane;
} coh_irl_network;

/* What an evaluation found. */
typedef struct coh_irl_score {
  double evd;           /* E V*(start) - E V^pi(start), pi optimal for the learnt reward */
  double learner, best; /* the two values */
  double likelihood;    /* mean log pi(a|s) of held-out steps under the soft policy */
  double visits;        /* total variation between expert's and learner's visits */
  double correlation;   /* of recovered and true rewards over states */
  double transfer;      /* mean EVD on further worlds, NAN without any */
} coh_irl_score;

typedef struct coh_irl {
  const coh_run_context *context;
  const coh_irl_options *options;
  coh_irl_world world;
  coh_irl_world *transfer;     /* options->transfer of them */
  coh_mdp_incoming *incoming;  /* of the world's model */
  int64_t n_columns, n_params; /* rewards of a state; numbers to fit (not the network's) */
  /* the expert */
  double *expert_policy; /* (n_rows), NULL for a file */
  double *expert_visits; /* (n_states): mean discounted visits of the demonstrations */
  double *best_value;    /* (n_states): V* under the true reward */
  double expert_return, best_return;
  coh_irl_demos demos, held;
  /* the learner */
  double *params, *accepted, *trial, *gradient; /* (n_params) */
  double *reward, *row_gradient;                /* (n_rows) */
  double *model_reward;                         /* (n_rows): of the model to be judged */
  coh_soft *soft;
  coh_soft_likelihood *likelihood, *judge;
  coh_lbfgs *lbfgs;
  coh_irl_network net;
  /* apprenticeship: the learner's mixture of policies so far */
  double *mixture; /* (n_states): its discounted visits */
  double *visits;  /* (n_states): those of the policy that joins it */
  int32_t *choice; /* (n_states): that policy */
  /* memory to plan in: (n_states) each */
  double *plan_value, *plan_next;
  int64_t n_epochs;
  bool is_done;
  double objective, gradient_norm, margin;
  coh_soft_effort effort; /* summed over the window */
  int64_t n_window;
  double window_begun;
  coh_irl_score score;
  int64_t scored_at;
  double saved[8];
} coh_irl;

static inline bool coh_irl_is_soft(const coh_irl *irl) {
  return irl->options->method <= COH_IRL_TRAJECTORY_ENTROPY;
}

static inline bool coh_irl_has_network(const coh_irl *irl) {
  return irl->options->reward == COH_IRL_NETWORK;
}

/* ---- irl_reward.c: parameters to rewards and back */

/* reward (out, n_rows of a world's model) of linear or table parameters. */
void coh_irl_linear_rewards(const coh_irl *irl, const coh_irl_world *world,
                            const double *params, double *reward);

/* gradient (out, n_params) from the gradient by rows. */
void coh_irl_linear_gradient(const coh_irl *irl, const double *by_row, double *gradient);

/* ---- irl_network.c */
coh_status coh_irl_network_create(coh_irl *irl);
void coh_irl_network_destroy(coh_irl *irl);

/* Rewards of the network (out, n_rows). Collective. */
coh_status coh_irl_network_rewards(coh_irl *irl, double *reward);

/* Rewards on another world (out, its n_rows), computed by every rank alike. */
coh_status coh_irl_network_rewards_on(coh_irl *irl, const coh_irl_world *world, double *reward);

/* Step the network against the gradient by rows. Collective. */
coh_status coh_irl_network_step(coh_irl *irl, const double *by_row, double objective);

/* ---- irl_planning.c: linear programs and projection */

/* The sparse form of Ng and Russell's linear program, solved once. */
coh_status coh_irl_solve_program(coh_irl *irl);

/* One iteration of Abbeel and Ng's projection. */
coh_status coh_irl_project(coh_irl *irl);

/* The optimal values of a model of as many states as the task's that pays rewards (n_rows),
 * within 1e-7 of the largest reward, and a policy. value: in/out (n_states), a start. choice:
 * out, n_states. */
coh_status coh_irl_plan(coh_irl *irl, const coh_mdp *mdp, const double *reward, double *value,
                        int32_t *choice);

/* choice (out, n_states): an optimal policy of such a model. */
coh_status coh_irl_best_response(coh_irl *irl, const coh_mdp *mdp, const double *reward,
                                 int32_t *choice);

/* ---- irl_epoch.c */
coh_status coh_irl_step(void *task);

/* The rewards of rows to be judged now: of the accepted parameters. Collective. */
coh_status coh_irl_current_rewards(coh_irl *irl, double *reward);

/* ---- task functions in files of their own */
coh_status coh_irl_create(const coh_run_context *context, const void *options, void **task);
void coh_irl_destroy(void **task);
coh_status coh_irl_save(void *task, coh_saver *saver);
coh_status coh_irl_load(void *task, coh_loader *loader);
coh_status coh_irl_evaluate(void *task, coh_metric_row *exact);
coh_status coh_irl_measure(coh_irl *irl, coh_irl_score *score);
coh_status coh_irl_results(void *task, coh_results *results);

/* ---- irl_pictures.c: of irl->model_reward, into the run folder; rank 0 only. */
coh_status coh_irl_draw(coh_irl *irl, coh_results *results);

#endif
