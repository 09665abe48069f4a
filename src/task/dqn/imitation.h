/* Imitation: the reward is a second network, which learns to tell the expert's transitions from
 * those that the agent has stored, while the agent learns to be taken for the expert. The
 * discriminator's losses and penalties are the GAN's, the policy is this task's.
 *
 *   gail   logit = D(s, a)                                     reward = e.g. log D - log(1 - D)
 *   airl   logit = g(s, a) + gamma h(s') - h(s) - log pi(a|s)  reward = the logit's part before
 *                                                              log pi; g is what was recovered
 *
 * An episode that ends would be worth less (or more) than one that goes on by the sign of the
 * rewards alone. So the end counts as a state of its own that lasts for ever, with a logit of
 * its own (after Kostrikov et al., "Discriminator-Actor-Critic", ICLR 2019).
 * Sources: Ho and Ermon, NeurIPS 2016; Fu, Luo and Levine, ICLR 2018. */
#ifndef COHORT_TASK_DQN_IMITATION_H
#define COHORT_TASK_DQN_IMITATION_H

#include "cohort/graph.h"
#include "cohort/nn.h"
#include "cohort/random.h"
#include "data/transitions.h"
#include "task/dqn/imitation_options.h"
#include "task/learner.h"

/* The tail of the lanes' gradients; all but the loss are sums over rows. */
typedef enum coh_imitation_tail {
  COH_IMITATION_TAIL_LOSS, /* mean over the batch, penalties included */
  COH_IMITATION_TAIL_EXPERT,
  COH_IMITATION_TAIL_AGENT,   /* logits */
  COH_IMITATION_TAIL_CORRECT, /* rows on the right side, of both kinds */
  COH_IMITATION_TAIL_REWARD,  /* of the agent's rows */
} coh_imitation_tail;

/* What it is made in. */
typedef struct coh_imitation_config {
  const coh_run_context *context;       /* borrowed */
  const coh_imitation_options *options; /* borrowed */
  int64_t n_values, n_actions;          /* of the environment */
  int64_t batch, lane_rows;
  double gamma, temperature;
} coh_imitation_config;

/* One lane's rows: the expert's first, then the agent's. */
typedef struct coh_imitation_lane {
  coh_workspace *workspace;
} coh_imitation_lane;

typedef struct coh_imitation {
  coh_imitation_config config;
  coh_transitions *expert;
  int64_t n_expert;     /* rows used */
  double expert_return; /* mean of the whole episodes used; NAN: none */
  int64_t expert_episodes;
  coh_network *reward, *shaping; /* shaping: NULL unless airl */
  coh_graph *layout;             /* of the reward's network alone */
  coh_graph *graph;
  coh_program *program;
  /* inputs, the expert's n rows first, then the agent's */
  coh_value rows;   /* (2n, state, action, next state) */
  coh_value ends;   /* (2n): 1 where the episode terminated */
  coh_value policy; /* (2n): log pi(a|s); airl */
  coh_value mix;    /* (n), for penalties between; else COH_NO_VALUE */
  /* outputs */
  coh_value logits;  /* (2n) */
  coh_value rewards; /* (2n): what the agent is to maximise */
  coh_value end;     /* (1): the reward of one step in the end */
  coh_value losses;  /* (n) */
  coh_value *gradient;
  int64_t n_parameters, n_floats;
  float *params;
  coh_learner learner;
  coh_imitation_lane *lane; /* n_local */
  coh_key draw_key, mix_key;
} coh_imitation;

/* Read the demonstrations, make networks and memory. Not collective. config: copied.
 * Fails: COH_E_CONFIG, COH_E_DATA (the file; states of another size than the environment's),
 * COH_E_MEMORY. */
coh_status coh_imitation_create(const coh_imitation_config *config, coh_imitation **out);
void coh_imitation_destroy(coh_imitation **imitation);

/* The program: imitation_program.c. */
coh_status coh_imitation_build(coh_imitation *imitation);

/* Draw the expert's rows of an update for a lane; those of different updates, lanes and rows
 * differ. lane: of the run. states: where to copy the states to (n, n_values), or NULL. */
void coh_imitation_draw(coh_imitation *imitation, uint64_t update, int64_t lane, int64_t local,
                        float *states);

/* The agent's rows of a lane, and log pi of all rows (expert first; NULL unless airl). */
typedef struct coh_imitation_rows {
  const float *states, *next_states; /* (n, n_values) */
  const int32_t *actions;            /* (n) */
  const float *discounts;            /* (n), 0: terminated */
  const float *log_policy;           /* (2n) or NULL */
} coh_imitation_rows;

/* Run the discriminator over the drawn and the agent's rows: its gradient into the learner's
 * block, and the agent's rewards, with what the end is worth where an episode terminated.
 * returns: out (n). */
coh_status coh_imitation_run(coh_imitation *imitation, int64_t local,
                             const coh_imitation_rows *rows, float *returns);

/* The expert's action in drawn row i of a lane. */
int32_t coh_imitation_action(const coh_imitation *imitation, int64_t local, int64_t i);

/* Metrics of the window, and a new window. */
void coh_imitation_metrics(coh_imitation *imitation, coh_metric_row *exact);

coh_status coh_imitation_save(coh_imitation *imitation, coh_saver *saver);
coh_status coh_imitation_load(coh_imitation *imitation, coh_loader *loader);

#endif
