/* What a finished run shows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/file.h"
#include "task/irl/irl.h"

enum { PATH_BYTES = 4096 };

static coh_status write_array(const coh_irl *irl, const char *name, int64_t n, double *data) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results/%s.npy", irl->context->folder, name);
  return coh_npy_write(
      path, &(coh_array){.dtype = COH_DTYPE_F64, .n_dims = 1, .shape = {n}, .data = data});
}

static coh_status write_arrays(coh_irl *irl) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results", irl->context->folder);
  COH_TRY(coh_folder_make(path));
  const coh_mdp *mdp = irl->world.mdp;
  COH_TRY(write_array(irl, "reward", mdp->n_rows, irl->model_reward));
  return write_array(irl, "true_reward", mdp->n_rows, mdp->reward);
}

coh_status coh_irl_results(void *task, coh_results *results) {
  coh_irl *irl = task;
  coh_irl_score score = irl->score;
  if (irl->scored_at != irl->n_epochs) COH_TRY(coh_irl_measure(irl, &score));
  COH_TRY(coh_irl_current_rewards(irl, irl->model_reward));
  coh_results_number(results, "evd", score.evd, NULL, "expected value difference",
                     "value lost by acting optimally for the learnt reward");
  coh_results_number(results, "return", score.learner, NULL, "return of the learnt policy",
                     "expected, discounted, under the true reward");
  coh_results_number(results, "best_return", score.best, NULL, "best return",
                     "of the optimal policy");
  coh_results_number(results, "expert_return", irl->expert_return, NULL,
                     "return of the demonstrations", "discounted mean, as far as they go");
  coh_results_number(results, "correlation", score.correlation, NULL, "correlation of rewards",
                     "recovered with true, over states");
  if (isfinite(score.likelihood))
    coh_results_number(results, "log_likelihood", score.likelihood, NULL,
                       "held-out log-likelihood", "mean of a demonstrated action");
  if (isfinite(score.transfer))
    coh_results_number(results, "transfer_evd", score.transfer, NULL,
                       "value difference on unseen worlds", "mean over worlds");
  if (coh_world_rank(irl->context->world) != 0) return COH_OK;
  COH_TRY(write_arrays(irl));
  return coh_irl_draw(irl, results);
}
