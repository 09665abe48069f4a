/* One pass of a program over the lanes, in pieces from cut to cut. */
#include "task/lane_pass.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/trace.h"
#include "task/learner_overlap.h"

coh_status coh_lane_pass_create(coh_lane_pass *pass, const coh_run_context *context,
                                const coh_program *program, coh_learner *learner) {
  *pass = (coh_lane_pass){.context = context, .program = program};
  if (learner) coh_lane_pass_join(pass, learner);
  pass->n_cuts = coh_program_n_cuts(program);
  COH_NEW(pass->workspace, context->lanes.n_local);
  COH_NEW(pass->sources, context->lanes.n_local);
  COH_NEW(pass->cut, pass->n_cuts);
  for (int64_t k = 0; k < pass->n_cuts; k++)
    pass->cut[k] = coh_program_cut_at(program, k);
  return COH_OK;
}

void coh_lane_pass_join(coh_lane_pass *pass, coh_learner *learner) {
  pass->learner[pass->n_learners++] = learner;
}

void coh_lane_pass_destroy(coh_lane_pass *pass) {
  coh_lane_sum_destroy(&pass->sum);
  coh_free(pass->workspace), coh_free(pass->sources), coh_free(pass->cut);
  *pass = (coh_lane_pass){0};
}

void coh_lane_pass_set(coh_lane_pass *pass, int64_t local, coh_workspace *workspace) {
  pass->workspace[local] = workspace;
}

coh_status coh_lane_pass_connect(coh_lane_pass *pass) {
  int64_t most = 0;
  for (int64_t k = 0; k < pass->n_cuts; k++)
    if (pass->cut[k].count > most) most = pass->cut[k].count;
  if (most == 0) return COH_OK;
  return coh_lane_sum_create(pass->context->world, &pass->context->lanes, COH_SUM_F32, most, 1,
                             &pass->sum);
}

/* A piece of the program under way on all lanes. */
typedef struct piece {
  const coh_lane_pass *pass;
  int64_t first, last;
  coh_lane_function *prepare, *finish; /* NULL: not in this piece */
  void *context;
} piece;

static coh_status run_lane(void *pointer, int64_t local) {
  const piece *p = pointer;
  const coh_lane_pass *pass = p->pass;
  coh_workspace *workspace = pass->workspace[local];
  if (p->prepare) COH_TRY(p->prepare(p->context, local));
  if (pass->n_learners > 0)
    COH_TRY(coh_learners_run(pass->learner, pass->n_learners, workspace, p->first, p->last));
  else
    COH_TRY(coh_program_run_steps(pass->program, workspace, p->first, p->last));
  return p->finish ? p->finish(p->context, local) : COH_OK;
}

// the lanes' parts become the sum on every lane
static coh_status sum_at(coh_lane_pass *pass, const coh_cut *cut) {
  const float *part;
  float *first = NULL, *sum;
  double begun = coh_clock_now();
  for (int64_t i = 0; i < pass->context->lanes.n_local; i++) {
    coh_workspace_cut(pass->workspace[i], cut->step, &part, &sum);
    pass->sources[i] = part;
    if (i == 0) first = sum;
  }
  COH_TRY(coh_lane_sum_run(pass->sum, pass->sources, cut->count, first));
  for (int64_t i = 1; i < pass->context->lanes.n_local; i++) {
    coh_workspace_cut(pass->workspace[i], cut->step, &part, &sum);
    memcpy(sum, first, (size_t)cut->count * sizeof *sum);
  }
  coh_trace_note("sum over lanes", 0, begun, coh_clock_now());
  return COH_OK;
}

// a piece on all lanes; then the sums of all buckets that it finished have begun, on every rank
static coh_status run_piece(piece *p, int n_threads) {
  const coh_lane_pass *pass = p->pass;
  COH_TRY(coh_lane_loop(n_threads, pass->context->lanes.n_local, run_lane, p));
  return coh_learners_poll(pass->learner, pass->n_learners);
}

coh_status coh_lane_pass_run(coh_lane_pass *pass, int n_threads, coh_lane_function *prepare,
                             coh_lane_function *finish, void *context) {
  piece p = {.pass = pass, .prepare = prepare, .context = context};
  for (int64_t k = 0; k < pass->n_cuts; k++) {
    p.last = pass->cut[k].step;
    COH_TRY(run_piece(&p, n_threads));
    COH_TRY(sum_at(pass, &pass->cut[k]));
    p.first = p.last + 1;
    p.prepare = NULL;
  }
  p.last = coh_program_n_steps(pass->program);
  p.finish = finish;
  return run_piece(&p, n_threads);
}
