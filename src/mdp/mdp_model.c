/* The model as plain data: release, labels, start. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/mdp.h"
#include "mdp/mdp_compact.h"

void coh_mdp_destroy(coh_mdp **given) {
  coh_mdp *mdp = *given;
  if (!mdp) return;
  coh_free(mdp->first_row);
  coh_free(mdp->first_entry);
  coh_free(mdp->next);
  coh_free(mdp->probability);
  coh_free(mdp->reward);
  coh_free(mdp->action);
  coh_free(mdp->start);
  coh_free(mdp->picture.wall);
  for (int64_t k = 0; k < mdp->n_labels; k++) {
    coh_free(mdp->label[k].name);
    coh_free(mdp->label[k].holds);
  }
  coh_free(mdp->label);
  coh_mdp_compact_destroy(&mdp->compact);
  COH_DELETE(*given);
}

const uint8_t *coh_mdp_label_find(const coh_mdp *mdp, const char *name) {
  for (int64_t k = 0; k < mdp->n_labels; k++)
    if (strcmp(mdp->label[k].name, name) == 0) return mdp->label[k].holds;
  return NULL;
}

coh_status coh_mdp_label_add(coh_mdp *mdp, const char *name, const uint8_t *holds) {
  coh_mdp_label label = {coh_alloc_string(name), coh_alloc_array((size_t)mdp->n_states, 1)};
  coh_mdp_label *grown = coh_alloc_resize(mdp->label, (size_t)mdp->n_labels,
                                          (size_t)mdp->n_labels + 1, sizeof *grown);
  if (grown) mdp->label = grown;
  if (!label.name || !label.holds || !grown) {
    coh_free(label.name);
    coh_free(label.holds);
    return coh_fail(COH_E_MEMORY, "out of memory for a label of %lld states",
                    (long long)mdp->n_states);
  }
  memcpy(label.holds, holds, (size_t)mdp->n_states);
  mdp->label[mdp->n_labels++] = label;
  return COH_OK;
}

size_t coh_mdp_bytes(const coh_mdp *mdp) {
  size_t states = (size_t)mdp->n_states, rows = (size_t)mdp->n_rows;
  size_t bytes = (states + 1) * sizeof(int64_t) + (rows + 1) * sizeof(int64_t) +
                 rows * (sizeof(double) + sizeof(int32_t)) +
                 (size_t)mdp->n_entries * (sizeof(uint32_t) + sizeof(double));
  if (mdp->start) bytes += states * sizeof(double);
  if (mdp->picture.wall) bytes += states;
  return bytes + (size_t)mdp->n_labels * states;
}

bool coh_mdp_is_terminal(const coh_mdp *mdp, int64_t state) {
  int64_t row = mdp->first_row[state], entry = mdp->first_entry[row];
  return mdp->first_row[state + 1] == row + 1 && mdp->first_entry[row + 1] == entry + 1 &&
         mdp->next[entry] == (uint64_t)state && mdp->reward[row] == 0.0;
}

coh_status coh_mdp_set_start(coh_mdp *mdp, const double *start) {
  double sum = 0.0;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    COH_CHECK(start[s] >= 0.0 && isfinite(start[s]), COH_E_DATA,
              "start of state %lld: %g is not a probability", (long long)s, start[s]);
    sum += start[s];
  }
  COH_CHECK(sum > 0.0 && isfinite(sum), COH_E_DATA, "the start probabilities sum to %g", sum);
  if (!mdp->start) COH_NEW(mdp->start, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    mdp->start[s] = start[s] / sum;
  return COH_OK;
}
