/* The registry of regressors, generated from regressor.def. */
#include "task/fqi/regressor.h"

#define X(name) extern const coh_regressor_type coh_regressor_type_##name;
#include "task/fqi/regressor.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_regressor_type_##name.kind,
#include "task/fqi/regressor.def"
#undef X
};

const coh_kind_set coh_regressor_kinds = {"regressor", kinds, sizeof kinds / sizeof *kinds};

coh_status coh_regressor_open(const coh_choice *choice, const coh_fqi_problem *problem,
                              coh_regressor *regressor) {
  *regressor = (coh_regressor){.type = (const coh_regressor_type *)choice->kind};
  coh_status status = regressor->type->create(problem, choice->options, &regressor->state);
  status = coh_comm_agree(problem->context->world, status);
  if (status == COH_OK && regressor->type->connect)
    status = regressor->type->connect(regressor->state);
  if (status != COH_OK) coh_regressor_close(regressor);
  return status;
}

void coh_regressor_close(coh_regressor *regressor) {
  if (regressor->state) regressor->type->destroy(&regressor->state);
}
