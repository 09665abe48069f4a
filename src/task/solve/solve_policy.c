/* Reading a policy: actions by state, or probabilities by row. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/csv.h"
#include "task/solve/solve.h"

static bool ends_with(const char *text, const char *ending) {
  size_t n = strlen(text), m = strlen(ending);
  return n >= m && strcmp(text + n - m, ending) == 0;
}

static coh_status set_action(const coh_mdp *mdp, const char *path, int64_t state,
                             int64_t action, int32_t *choice) {
  COH_CHECK(state >= 0 && state < mdp->n_states, COH_E_DATA,
            "%s: state %lld; the model has %lld", path, (long long)state,
            (long long)mdp->n_states);
  for (int64_t r = mdp->first_row[state]; r < mdp->first_row[state + 1]; r++) {
    if (mdp->action[r] != action) continue;
    choice[state] = (int32_t)(r - mdp->first_row[state]);
    return COH_OK;
  }
  // where there is nothing to choose any action will do
  if (mdp->first_row[state + 1] - mdp->first_row[state] == 1) return COH_OK;
  return coh_fail(COH_E_DATA, "%s: state %lld has no action %lld", path, (long long)state,
                  (long long)action);
}

static coh_status from_npy(const coh_mdp *mdp, const char *path, coh_array *array,
                           int32_t *choice, double *weight, bool *is_weight) {
  int64_t n = coh_array_count(array);
  *is_weight = array->dtype == COH_DTYPE_F64;
  if (*is_weight) {
    COH_CHECK(n == mdp->n_rows, COH_E_DATA,
              "%s: %lld probabilities; the model has %lld rows (state by state, action by "
              "action)",
              path, (long long)n, (long long)mdp->n_rows);
    memcpy(weight, array->data, (size_t)n * sizeof *weight);
    return COH_OK;
  }
  COH_CHECK(array->dtype == COH_DTYPE_I32 || array->dtype == COH_DTYPE_I64, COH_E_DATA,
            "%s: action numbers are int32 or int64, probabilities float64", path);
  COH_CHECK(n == mdp->n_states, COH_E_DATA, "%s: %lld actions; the model has %lld states", path,
            (long long)n, (long long)mdp->n_states);
  for (int64_t s = 0; s < n; s++)
    COH_TRY(set_action(mdp, path, s,
                       array->dtype == COH_DTYPE_I32 ? ((const int32_t *)array->data)[s]
                                                     : ((const int64_t *)array->data)[s],
                       choice));
  return COH_OK;
}

static coh_status from_csv(const coh_mdp *mdp, const char *path, const coh_csv *csv,
                           int32_t *choice) {
  COH_CHECK(csv->n_columns == 2 && strcmp(csv->field[0], "state") == 0 &&
                strcmp(csv->field[1], "action") == 0,
            COH_E_DATA, "%s:1: a policy's columns are state,action", path);
  COH_CHECK(csv->n_rows - 1 == mdp->n_states, COH_E_DATA,
            "%s: %lld rows; the model has %lld states", path, (long long)csv->n_rows - 1,
            (long long)mdp->n_states);
  for (int64_t k = 1; k < csv->n_rows; k++) {
    double state, action;
    COH_TRY(coh_csv_number(path, csv, k, 0, &state));
    COH_TRY(coh_csv_number(path, csv, k, 1, &action));
    COH_CHECK(state == (double)(k - 1) && action >= 0 && action < 0x1p31, COH_E_DATA,
              "%s:%lld: states come in order from 0, actions are numbers", path,
              (long long)k + 1);
    COH_TRY(set_action(mdp, path, k - 1, (int64_t)action, choice));
  }
  return COH_OK;
}

static coh_status read_file(const coh_mdp *mdp, const char *path, int32_t *choice,
                            double *weight, bool *is_weight) {
  if (ends_with(path, ".csv")) {
    coh_csv csv;
    COH_TRY(coh_csv_read(path, (size_t)1 << 32, ',', &csv));
    coh_status status = from_csv(mdp, path, &csv, choice);
    coh_csv_clear(&csv);
    return status;
  }
  COH_CHECK(ends_with(path, ".npy"), COH_E_CONFIG,
            "policy: '%s' is neither uniform nor a file .npy or .csv", path);
  coh_array array;
  COH_TRY(coh_npy_read(path, &array));
  coh_status status = from_npy(mdp, path, &array, choice, weight, is_weight);
  coh_array_clear(&array);
  return status;
}

coh_status coh_solve_read_policy(const coh_solve *solve, const coh_mdp *mdp, int32_t **choice,
                                 double **weight) {
  const char *path = solve->options->policy;
  if (strcmp(path, "uniform") == 0) return COH_OK;
  bool is_weight = false;
  COH_NEW(*choice, mdp->n_states);
  COH_NEW(*weight, mdp->n_rows);
  COH_TRY(read_file(mdp, path, *choice, *weight, &is_weight));
  if (is_weight)
    COH_DELETE(*choice);
  else
    COH_DELETE(*weight);
  return COH_OK;
}
