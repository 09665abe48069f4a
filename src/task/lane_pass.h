/* One pass of a program over the lanes of a run: what every learner does before its step. Where
 * the program sums over lanes (coh_op_lane_sum) the lanes stop together and go on with the sum,
 * which is a lane sum like all others: the same bits for every layout.
 *
 *     coh_lane_pass_create    when program and workspaces are there (not collective)
 *     coh_lane_pass_join      a second learner whose gradients travel meanwhile
 *     coh_lane_pass_connect   the lane sum (collective)
 *     coh_lane_pass_run       each update (collective) */
#ifndef COHORT_TASK_LANE_PASS_H
#define COHORT_TASK_LANE_PASS_H

#include "task/lane_loop.h"
#include "task/learner.h"

typedef struct coh_lane_pass {
  const coh_run_context *context;
  const coh_program *program;
  coh_workspace **workspace; /* n_local, borrowed */
  coh_learner *learner[COH_MAX_JOINED];
  int n_learners;
  int64_t n_cuts;
  coh_cut *cut;
  const void **sources;
  coh_lane_sum *sum;
} coh_lane_pass;

/* program: borrowed; its lanes' workspaces are set with coh_lane_pass_set. learner: whose
 * gradient it makes (coh_learner_overlap), or NULL. Fails: COH_E_MEMORY. */
coh_status coh_lane_pass_create(coh_lane_pass *pass, const coh_run_context *context,
                                const coh_program *program, coh_learner *learner);
void coh_lane_pass_join(coh_lane_pass *pass, coh_learner *learner);
void coh_lane_pass_destroy(coh_lane_pass *pass);
void coh_lane_pass_set(coh_lane_pass *pass, int64_t local, coh_workspace *workspace);

/* Collective. */
coh_status coh_lane_pass_connect(coh_lane_pass *pass);

/* For every local lane: prepare, the program, finish, on n_threads threads; prepare and finish
 * may be NULL and get context. Collective. Fails: as the lowest lane that failed. */
coh_status coh_lane_pass_run(coh_lane_pass *pass, int n_threads, coh_lane_function *prepare,
                             coh_lane_function *finish, void *context);

#endif
