/* Everything that the rest of the run depends on. The model is the reward's parameters. */
#include <math.h>
#include <string.h>

#include "task/irl/irl.h"
#include "task/network_save.h"
#include "task/tensor_visit.h"

enum { N_NUMBERS = 8 };

static coh_status visit_vector(coh_tensor_visit *visit, void *context, coh_store store,
                               const char *name, int64_t n, double *data) {
  if (!data) return COH_OK;
  return visit(context, store, name,
               &(coh_array){.dtype = COH_DTYPE_F64, .n_dims = 1, .shape = {n}, .data = data});
}

static coh_status visit_all(coh_irl *irl, double *numbers, coh_tensor_visit *visit,
                            void *context) {
  int64_t n_states = irl->world.mdp->n_states, n;
  if (!coh_irl_has_network(irl)) {
    COH_TRY(
        visit_vector(visit, context, COH_STORE_MODEL, "reward", irl->n_params, irl->accepted));
    COH_TRY(visit_vector(visit, context, COH_STORE_STATE, "trial", irl->n_params, irl->params));
  }
  if (irl->lbfgs) {
    double *block = coh_lbfgs_state(irl->lbfgs, &n);
    COH_TRY(visit_vector(visit, context, COH_STORE_STATE, "lbfgs", n, block));
  }
  if (irl->likelihood) {
    double *value = coh_soft_likelihood_value(irl->likelihood, &n);
    COH_TRY(visit_vector(visit, context, COH_STORE_STATE, "soft.value", n, value));
    COH_TRY(visit_vector(visit, context, COH_STORE_STATE, "soft.visits", n_states,
                         coh_soft_likelihood_visits(irl->likelihood)));
  }
  COH_TRY(visit_vector(visit, context, COH_STORE_STATE, "mixture", n_states, irl->mixture));
  return visit_vector(visit, context, COH_STORE_STATE, "numbers", N_NUMBERS, numbers);
}

coh_status coh_irl_save(void *task, coh_saver *saver) {
  coh_irl *irl = task;
  for (int64_t k = 0; k < irl->n_params && !coh_irl_has_network(irl); k++)
    COH_CHECK(isfinite(irl->accepted[k]), COH_E_DIVERGED, "a reward is not finite");
  double numbers[N_NUMBERS] = {
      (double)irl->n_epochs,
      (double)irl->is_done,
      irl->objective,
      irl->gradient_norm,
      irl->margin,
      (double)irl->effort.value.n_sweeps,
      (double)(irl->effort.value.n_products + irl->effort.visit.n_products),
      (double)irl->n_window};
  memcpy(irl->saved, numbers, sizeof numbers);
  COH_TRY(visit_all(irl, irl->saved, coh_visit_save, saver));
  if (!coh_irl_has_network(irl)) return COH_OK;
  coh_network_facts facts = {.role = "reward"};
  COH_TRY(coh_network_save(saver, irl->net.network, irl->net.layout, irl->net.params, &facts));
  return coh_learner_save(&irl->net.learner, saver);
}

coh_status coh_irl_load(void *task, coh_loader *loader) {
  coh_irl *irl = task;
  double numbers[N_NUMBERS];
  COH_TRY(visit_all(irl, numbers, coh_visit_load, loader));
  COH_CHECK(numbers[0] >= 0 && numbers[0] < 0x1p53, COH_E_CHECKPOINT,
            "state.safetensors: the number of epochs is %g", numbers[0]);
  irl->n_epochs = (int64_t)numbers[0];
  irl->is_done = numbers[1] != 0;
  irl->objective = numbers[2];
  irl->gradient_norm = numbers[3];
  irl->margin = numbers[4];
  irl->effort = (coh_soft_effort){0};
  irl->effort.value.n_sweeps = (int64_t)numbers[5];
  irl->effort.value.n_products = (int64_t)numbers[6];
  irl->n_window = (int64_t)numbers[7];
  if (!coh_irl_has_network(irl)) return COH_OK;
  COH_TRY(coh_network_load(loader, irl->net.layout, irl->net.params));
  return coh_learner_load(&irl->net.learner, loader);
}
