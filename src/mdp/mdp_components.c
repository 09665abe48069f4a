/* Tarjan's algorithm with a stack of its own. */
#include "mdp/mdp_components.h"

#include "base/alloc.h"

typedef struct tarjan {
  const coh_mdp *mdp;
  const uint8_t *within, *rows;
  coh_mdp_components *out;
  uint32_t *low;  /* n_states: 0 not met, else 1 + the least number reached */
  uint32_t *open; /* states met whose component is not known */
  uint32_t *way;  /* states that are being visited */
  int64_t *row;   /* where a visit is: n_states each */
  int64_t *entry;
  int64_t n_open, n_way;
  uint32_t n_met;
} tarjan;

static void enter(tarjan *walk, uint32_t s) {
  walk->low[s] = ++walk->n_met;
  walk->out->of[s] = walk->n_met; // until it is closed: its own number
  walk->open[walk->n_open++] = s;
  walk->way[walk->n_way++] = s;
  walk->row[s] = walk->mdp->first_row[s];
  walk->entry[s] = walk->mdp->first_entry[walk->row[s]];
}

/* the next state that s leads to and that takes part; -1: no more */
static int64_t follow(tarjan *walk, uint32_t s) {
  const coh_mdp *mdp = walk->mdp;
  for (; walk->row[s] < mdp->first_row[s + (int64_t)1]; walk->row[s]++) {
    int64_t r = walk->row[s];
    if (walk->entry[s] < mdp->first_entry[r]) walk->entry[s] = mdp->first_entry[r];
    if (walk->rows && !walk->rows[r]) continue;
    while (walk->entry[s] < mdp->first_entry[r + 1]) {
      uint32_t next = mdp->next[walk->entry[s]++];
      if (!walk->within || walk->within[next]) return next;
    }
  }
  return -1;
}

/* a component is whole when its first state reaches nothing older */
static void close_component(tarjan *walk, uint32_t s, uint8_t *closed) {
  coh_mdp_components *out = walk->out;
  int64_t at = out->first[out->n];
  uint32_t member;
  do {
    member = walk->open[--walk->n_open];
    out->state[at++] = member;
    closed[member] = 1;
    out->of[member] = (uint32_t)out->n;
  } while (member != s);
  out->first[++out->n] = at;
}

static void visit_from(tarjan *walk, uint32_t root, uint8_t *closed) {
  enter(walk, root);
  while (walk->n_way > 0) {
    uint32_t s = walk->way[walk->n_way - 1];
    int64_t next = follow(walk, s);
    if (next >= 0) {
      if (!walk->low[next])
        enter(walk, (uint32_t)next);
      else if (!closed[next] && walk->out->of[next] < walk->low[s])
        walk->low[s] = walk->out->of[next];
      continue;
    }
    walk->n_way--;
    if (walk->low[s] == walk->out->of[s]) close_component(walk, s, closed);
    if (walk->n_way > 0) {
      uint32_t before = walk->way[walk->n_way - 1];
      if (!closed[s] && walk->low[s] < walk->low[before]) walk->low[before] = walk->low[s];
    }
  }
}

static coh_status run(tarjan *walk, uint8_t **closed) {
  int64_t n = walk->mdp->n_states;
  COH_NEW(walk->out->first, n + 1);
  COH_NEW(walk->out->state, n);
  COH_NEW(walk->out->of, n);
  COH_NEW(walk->low, n);
  COH_NEW(walk->open, n);
  COH_NEW(walk->way, n);
  COH_NEW(walk->row, n);
  COH_NEW(walk->entry, n);
  COH_NEW(*closed, n);
  for (int64_t s = 0; s < n; s++)
    if ((!walk->within || walk->within[s]) && !walk->low[s])
      visit_from(walk, (uint32_t)s, *closed);
  for (int64_t s = 0; s < n; s++)
    if (!walk->low[s]) walk->out->of[s] = UINT32_MAX;
  return COH_OK;
}

coh_status coh_mdp_components_find(const coh_mdp *mdp, const uint8_t *within,
                                   const uint8_t *rows, coh_mdp_components *components) {
  *components = (coh_mdp_components){0};
  tarjan walk = {.mdp = mdp, .within = within, .rows = rows, .out = components};
  uint8_t *closed = NULL;
  coh_status status = run(&walk, &closed);
  coh_free(walk.low);
  coh_free(walk.open);
  coh_free(walk.way);
  coh_free(walk.row);
  coh_free(walk.entry);
  coh_free(closed);
  if (status != COH_OK) coh_mdp_components_clear(components);
  return status;
}

void coh_mdp_components_clear(coh_mdp_components *components) {
  coh_free(components->first);
  coh_free(components->state);
  coh_free(components->of);
  *components = (coh_mdp_components){0};
}
