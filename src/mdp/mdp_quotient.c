/* Building the model of collapsed end components. */
#include "mdp/mdp_quotient.h"

#include "base/alloc.h"

typedef struct members {
  int64_t *first;  /* n + 1 */
  uint32_t *state; /* of the model, by state of the quotient */
} members;

/* number the states of the question: components first, then the others */
static coh_status number(const coh_mdp *mdp, const coh_mdp_collapse *how, coh_mdp_quotient *out,
                         members *list) {
  COH_NEW(out->of, mdp->n_states);
  out->n = how->n_ends;
  for (int64_t s = 0; s < mdp->n_states; s++)
    if (how->open[s])
      out->of[s] = how->of_end[s] != UINT32_MAX ? how->of_end[s] : (uint32_t)out->n++;
  for (int64_t s = 0; s < mdp->n_states; s++)
    if (!how->open[s]) out->of[s] = (uint32_t)(out->n + (how->one && how->one[s] ? 1 : 0));
  COH_NEW(list->first, out->n + 2);
  COH_NEW(list->state, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    if (how->open[s]) list->first[out->of[s] + (int64_t)2]++;
  for (int64_t k = 2; k <= out->n + 1; k++)
    list->first[k] += list->first[k - 1];
  for (int64_t s = 0; s < mdp->n_states; s++)
    if (how->open[s]) list->state[list->first[out->of[s] + (int64_t)1]++] = (uint32_t)s;
  return COH_OK;
}

static bool leads_to_loss(const coh_mdp *mdp, const uint8_t *lost, int64_t r) {
  for (int64_t e = mdp->first_entry[r]; lost && e < mdp->first_entry[r + 1]; e++)
    if (lost[mdp->next[e]]) return true;
  return false;
}

static coh_status add_state(const coh_mdp *mdp, const coh_mdp_collapse *how,
                            coh_mdp_quotient *out, const members *list,
                            coh_mdp_builder *builder, int64_t k, int64_t *n_rows) {
  int32_t action = 0;
  for (int64_t i = list->first[k]; i < list->first[k + 1]; i++) {
    int64_t s = list->state[i];
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      if ((how->of_end[s] != UINT32_MAX && how->rows[r]) || leads_to_loss(mdp, how->lost, r))
        continue;
      COH_TRY(coh_mdp_add_row(builder, k, action++, mdp->reward[r]));
      for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++)
        COH_TRY(coh_mdp_add_entry(builder, out->of[mdp->next[e]], mdp->probability[e], 0.0));
      out->row[*n_rows] = r;
      out->owner[(*n_rows)++] = (uint32_t)s;
    }
  }
  return COH_OK;
}

static coh_status fill(const coh_mdp *mdp, const coh_mdp_collapse *how, coh_mdp_quotient *out,
                       members *list) {
  COH_TRY(number(mdp, how, out, list));
  COH_NEW(out->row, mdp->n_rows);
  COH_NEW(out->owner, mdp->n_rows);
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(out->n + 2, 1.0, &builder));
  int64_t n_rows = 0;
  coh_status status = COH_OK;
  for (int64_t k = 0; k < out->n && status == COH_OK; k++)
    status = add_state(mdp, how, out, list, builder, k, &n_rows);
  for (int64_t k = 0; k < 2 && status == COH_OK; k++)
    status = coh_mdp_add_terminal(builder, out->n + k);
  if (status == COH_OK) return coh_mdp_finish(&builder, &out->mdp);
  coh_mdp_discard(&builder);
  return status;
}

coh_status coh_mdp_quotient_make(const coh_mdp *mdp, const coh_mdp_collapse *how,
                                 coh_mdp_quotient *quotient) {
  *quotient = (coh_mdp_quotient){0};
  members list = {0};
  coh_status status = fill(mdp, how, quotient, &list);
  coh_free(list.first);
  coh_free(list.state);
  if (status != COH_OK) coh_mdp_quotient_clear(quotient);
  return status;
}

void coh_mdp_quotient_clear(coh_mdp_quotient *quotient) {
  coh_mdp_destroy(&quotient->mdp);
  coh_free(quotient->of);
  coh_free(quotient->row);
  coh_free(quotient->owner);
  *quotient = (coh_mdp_quotient){0};
}
