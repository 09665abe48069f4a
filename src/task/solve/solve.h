/* Task solve: the optimum of a decision process, or the value of a policy, inside bounds that
 * hold. A step is a round of the method. Every rank does the same. */
#ifndef COHORT_TASK_SOLVE_SOLVE_H
#define COHORT_TASK_SOLVE_SOLVE_H

#include "cohort/mdp.h"
#include "cohort/task.h"
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
  coh_mdp *mdp;
  coh_mdp *chain;         /* under the given policy, or NULL */
  const coh_mdp *subject; /* what is solved: mdp or chain */
  uint8_t *target;        /* n_states, or NULL */

  /* methods, one after the other; the first makes the answer */
  coh_choice contestant[32];
  int64_t n_contestants, turn;
  coh_solve_line *line; /* n_contestants */
  double seconds[32];   /* each took here; below 0: not known after a resume */
  coh_mdp_plan *plan;   /* of this turn; NULL: undiscounted */

  /* the answer, when has_answer */
  bool has_answer, is_done;
  double *values, *lower, *upper; /* n_states */
  int32_t *choice;                /* n_states */
  double width, gain;             /* improve: how far the optimum may be above */
  int64_t n_changed;              /* improve: states whose action changed */
  int64_t n_rounds;

  double saved[8]; /* numbers that a checkpoint borrows */
  double window_begun;
  int64_t window_transitions;
} coh_solve;

coh_status coh_solve_create(const coh_run_context *context, const void *options, void **task);
void coh_solve_destroy(void **task);

/* Begin the turn of method `turn`. */
coh_status coh_solve_begin_turn(coh_solve *solve);

coh_status coh_solve_step(void *task);

/* solve_policy.c: the policy that options name. choice (n_states) or weight (n_rows): out, one
 * of them, caller frees; both NULL: uniform. */
coh_status coh_solve_read_policy(const coh_solve *solve, int32_t **choice, double **weight);

coh_status coh_solve_results(void *task, coh_results *results);
coh_status coh_solve_draw(coh_solve *solve, coh_results *results);

/* solve_compare.c */
extern const char *const coh_solve_contestants[]; /* ends with NULL */
coh_status coh_solve_compare_results(coh_solve *solve, coh_results *results);

/* Value where it begins: by start, or by state 0. */
double coh_solve_start_value(const coh_solve *solve, const double *values);

#endif
