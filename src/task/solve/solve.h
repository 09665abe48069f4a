/* Task solve: the optimum of a decision process, or the value of a policy, inside bounds that
 * hold. A step is a round of the method. Discounted, a rank holds the rows of its lanes only;
 * undiscounted objectives, methods that need all of the model, and comparisons have the whole
 * of it on every rank. */
#ifndef COHORT_TASK_SOLVE_SOLVE_H
#define COHORT_TASK_SOLVE_SOLVE_H

#include "cohort/mdp.h"
#include "cohort/task.h"
#include "mdp/model_kind.h"
#include "mdp/plan.h"
#include "task/solve/solve_options.h"

enum { COH_SOLVE_POINTS = 128 };

/* What one method did. Doubles only: a checkpoint holds it as it is. */
typedef struct coh_solve_line {
  double n_rounds, n_transitions, width;
  double distance;                   /* largest difference from the first method's values */
  double has_failed;                 /* its bound does not close */
  double n_points, stride;           /* of the curve: every stride-th round */
  double point[COH_SOLVE_POINTS][2]; /* sweeps' worth of transitions, width */
} coh_solve_line;

typedef struct coh_solve {
  const coh_run_context *context;
  const coh_solve_options *options;
  bool is_whole; /* every rank holds everything */
  coh_mdp_supply supply;
  coh_mdp *chain_whole;        /* is_whole: the model under the given policy, or NULL */
  coh_mdp_shard *model;        /* of the model */
  coh_mdp_shard *chain;        /* of the model under the given policy, or NULL */
  coh_mdp_shard *subject;      /* what is solved: model or chain */
  int64_t n_states, n_actions; /* of all ranks */
  double *start;               /* own states; NULL: state 0 */
  uint8_t *target;             /* n_states, is_whole, or NULL */

  /* methods, one after the other; the first makes the answer */
  coh_choice contestant[32];
  int64_t n_contestants, turn;
  coh_solve_line *line; /* n_contestants */
  double seconds[32];   /* each took here; below 0: not known after a resume */
  coh_mdp_plan *plan;   /* of this turn; NULL: undiscounted */

  /* the answer, when has_answer */
  bool has_answer, is_done;
  double *values;        /* own states and ghosts of the model's share */
  double *lower, *upper; /* own states */
  int32_t *choice;       /* own states */
  double *scratch;       /* improve: as values */
  double width, gain;    /* improve: how far the optimum may be above */
  int64_t n_changed;     /* improve: states whose action changed */
  int64_t n_rounds;

  double saved[8]; /* numbers that a checkpoint borrows */
  double *saved_values[3];
  int32_t *saved_choice; /* n_states: the answer of all ranks, on rank 0 */
  double window_begun;
  int64_t window_transitions;
} coh_solve;

coh_status coh_solve_create(const coh_run_context *context, const void *options, void **task);
void coh_solve_destroy(void **task);

/* Begin the turn of method `turn`. */
coh_status coh_solve_begin_turn(coh_solve *solve);

coh_status coh_solve_step(void *task);

/* solve_policy.c: the policy that options name, for a whole model. choice (n_states) or weight
 * (n_rows): out, one of them, caller frees; both NULL: uniform. */
coh_status coh_solve_read_policy(const coh_solve *solve, const coh_mdp *mdp, int32_t **choice,
                                 double **weight);

/* solve_saving.c */
coh_status coh_solve_save(void *task, coh_saver *saver);
coh_status coh_solve_load(void *task, coh_loader *loader);
coh_status coh_solve_save_lane(void *task, int64_t lane, coh_saver *saver);
coh_status coh_solve_load_lane(void *task, int64_t lane, coh_loader *loader);

/* solve_answer.c: the answer of all ranks together. */
typedef struct coh_solve_answer {
  int64_t n_states, n_actions, n_ties, n_infinite;
  double start;                   /* value where it begins */
  double *values, *lower, *upper; /* n_states, as all of these on rank 0 only */
  int32_t *action, *n_best;       /* how many actions cannot be told from the best */
  int64_t *likely; /* the likeliest other state; -1: there is none, -2: nothing to choose */
  double *q;    /* n_states x n_actions, NaN where there is no such action; NULL: not asked */
  int64_t sent; /* bytes of halo a sweep, all ranks */
  double largest_share, n_rows; /* of transitions, on one rank; actions of all states */
} coh_solve_answer;

/* Collective. Caller clears, also after a failure. */
coh_status coh_solve_gather(coh_solve *solve, coh_solve_answer *answer);
void coh_solve_answer_clear(coh_solve_answer *answer);

/* Value where it begins: by start, or of state 0. values: own states. Collective. */
coh_status coh_solve_start_value(const coh_solve *solve, const double *values, double *value);

coh_status coh_solve_results(void *task, coh_results *results);
coh_status coh_solve_draw(const coh_solve *solve, const coh_solve_answer *answer,
                          coh_results *results);

/* solve_compare.c */
extern const char *const coh_solve_contestants[]; /* ends with NULL */
coh_status coh_solve_compare_results(coh_solve *solve, coh_results *results);

#endif
