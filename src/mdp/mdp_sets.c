/* Growing sets by a work list; prob0, prob1 and end components on top of it. */
#include "mdp/mdp_sets.h"

#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_components.h"

typedef struct work_list {
  uint32_t *state; /* that joined, in order */
  int64_t n;
  uint8_t *led;  /* n_rows: leads to the set already */
  int32_t *left; /* n_states: rows that do not yet */
} work_list;

static void join(work_list *list, uint8_t *set, int64_t s) {
  set[s] = 1;
  list->state[list->n++] = (uint32_t)s;
}

static void meet_row(const coh_mdp *mdp, const coh_mdp_growth *how, work_list *list,
                     uint8_t *set, int32_t *choice, int64_t s, int64_t r) {
  if (set[s] || list->led[r] || (how->barred && how->barred[s]) || (how->rows && !how->rows[r]))
    return;
  list->led[r] = 1;
  if (how->every && --list->left[s] > 0) return;
  if (choice) choice[s] = (int32_t)(r - mdp->first_row[s]);
  join(list, set, s);
}

static coh_status run(const coh_mdp_incoming *incoming, const coh_mdp_growth *how,
                      work_list *list, uint8_t *set, int32_t *choice) {
  const coh_mdp *mdp = incoming->mdp;
  COH_NEW(list->state, mdp->n_states);
  COH_NEW(list->led, mdp->n_rows);
  COH_NEW(list->left, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++) {
    list->left[s] = (int32_t)(mdp->first_row[s + 1] - mdp->first_row[s]);
    if (set[s]) join(list, set, s);
  }
  for (int64_t k = 0; k < list->n; k++) {
    int64_t to = list->state[k];
    for (int64_t i = incoming->first[to]; i < incoming->first[to + 1]; i++)
      meet_row(mdp, how, list, set, choice, incoming->state[incoming->row[i]],
               incoming->row[i]);
  }
  return COH_OK;
}

coh_status coh_mdp_grow(const coh_mdp_incoming *incoming, const coh_mdp_growth *how,
                        uint8_t *set, int32_t *choice) {
  work_list list = {0};
  coh_status status = run(incoming, how, &list, set, choice);
  coh_free(list.state);
  coh_free(list.led);
  coh_free(list.left);
  return status;
}

static void invert(uint8_t *set, int64_t n) {
  for (int64_t s = 0; s < n; s++)
    set[s] = !set[s];
}

coh_status coh_mdp_find_never(const coh_mdp_incoming *incoming, const uint8_t *target,
                              bool some_policy, uint8_t *never) {
  memcpy(never, target, (size_t)incoming->mdp->n_states);
  COH_TRY(coh_mdp_grow(incoming, &(coh_mdp_growth){.every = some_policy}, never, NULL));
  invert(never, incoming->mdp->n_states);
  return COH_OK;
}

coh_status coh_mdp_find_surely_all(const coh_mdp_incoming *incoming, const uint8_t *target,
                                   uint8_t *sure) {
  // no way that avoids the target leads to where a policy never arrives
  COH_TRY(coh_mdp_find_never(incoming, target, true, sure));
  COH_TRY(coh_mdp_grow(incoming, &(coh_mdp_growth){.barred = target}, sure, NULL));
  invert(sure, incoming->mdp->n_states);
  return COH_OK;
}

static void mark_rows_inside(const coh_mdp *mdp, const uint8_t *set, uint8_t *rows) {
  for (int64_t r = 0; r < mdp->n_rows; r++) {
    rows[r] = 1;
    for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++)
      rows[r] &= set[mdp->next[e]];
  }
}

coh_status coh_mdp_find_surely_some(const coh_mdp_incoming *incoming, const uint8_t *target,
                                    uint8_t *sure, int32_t *choice) {
  // the largest set that keeps a way to the target inside
  const coh_mdp *mdp = incoming->mdp;
  size_t n = (size_t)mdp->n_states;
  uint8_t *rows = coh_alloc_array((size_t)mdp->n_rows, 1), *before = coh_alloc_array(n, 1);
  coh_status status = rows && before ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  memset(sure, 1, n);
  while (status == COH_OK && memcmp(before, sure, n) != 0) {
    mark_rows_inside(mdp, sure, rows);
    memcpy(before, sure, n);
    memcpy(sure, target, n);
    status = coh_mdp_grow(incoming, &(coh_mdp_growth){.rows = rows}, sure, choice);
  }
  coh_free(rows);
  coh_free(before);
  return status;
}

/* drop rows that leave their component, and states without rows; whether any went */
static bool shrink(const coh_mdp *mdp, const coh_mdp_components *found, uint8_t *within,
                   uint8_t *rows) {
  bool shrank = false;
  for (int64_t s = 0; s < mdp->n_states; s++) {
    bool stays = false;
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      bool inside = within[s] && rows[r];
      for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1] && inside; e++)
        inside = found->of[mdp->next[e]] == found->of[s];
      shrank = shrank || (rows[r] && !inside);
      rows[r] = inside;
      stays = stays || inside;
    }
    shrank = shrank || (within[s] && !stays);
    within[s] = stays;
  }
  return shrank;
}

static coh_status decompose(const coh_mdp *mdp, uint8_t *within, uint8_t *rows, uint32_t *of,
                            int64_t *n) {
  for (;;) {
    coh_mdp_components found;
    COH_TRY(coh_mdp_components_find(mdp, within, rows, &found));
    bool shrank = shrink(mdp, &found, within, rows);
    if (!shrank) {
      memcpy(of, found.of, (size_t)mdp->n_states * sizeof *of);
      *n = found.n;
    }
    coh_mdp_components_clear(&found);
    if (!shrank) return COH_OK;
  }
}

coh_status coh_mdp_end_components(const coh_mdp *mdp, const uint8_t *within, uint8_t *rows,
                                  uint32_t *of, int64_t *n) {
  uint8_t *left;
  COH_NEW(left, mdp->n_states);
  memcpy(left, within, (size_t)mdp->n_states);
  coh_status status = decompose(mdp, left, rows, of, n);
  coh_free(left);
  return status;
}
