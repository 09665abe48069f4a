/* The memory plan: arena slots whose lives overlap get different bytes. The largest go first,
 * each at the lowest offset that is free for its whole life. */
#include <stdlib.h>

#include "base/alloc.h"
#include "graph/program.h"

enum { LINE = 16 };

// bytes that one slot, or a chain of slots in place, holds for a span of steps
typedef struct region {
  int64_t floats, offset, born, dies;
  int32_t slot; /* the first of the chain */
} region;

static int larger_first(const void *a, const void *b) {
  const region *x = a, *y = b;
  if (x->floats != y->floats) return x->floats < y->floats ? 1 : -1;
  return x->slot < y->slot ? -1 : x->slot > y->slot;
}

static int lower_first(const void *a, const void *b) {
  const region *const *x = a, *const *y = b;
  return (*x)->offset < (*y)->offset ? -1 : (*x)->offset > (*y)->offset;
}

static bool lives_overlap(const region *a, const region *b) {
  return a->born <= b->dies && b->born <= a->dies;
}

// the lowest offset where `r` fits between the placed regions that live at the same time
static int64_t lowest_offset(const region *regions, int64_t n_placed, const region *r,
                             const region **near) {
  int64_t n = 0, offset = 0;
  for (int64_t i = 0; i < n_placed; i++)
    if (lives_overlap(&regions[i], r)) near[n++] = &regions[i];
  qsort(near, (size_t)n, sizeof *near, lower_first);
  for (int64_t i = 0; i < n; i++) {
    if (near[i]->offset >= offset + r->floats) break;
    int64_t end = near[i]->offset + near[i]->floats;
    if (end > offset) offset = end;
  }
  return offset;
}

static int32_t chain_head(const coh_program *p, int32_t slot) {
  while (p->slots[slot].shares >= 0)
    slot = p->slots[slot].shares;
  return slot;
}

// a tree may write over an operand of its own shape that nothing reads afterwards
static void share_in_place(coh_program *p) {
  for (int64_t s = 0; s < p->n_steps; s++) {
    const coh_step *step = &p->steps[s];
    if (!step->fused) continue;
    coh_slot *out = &p->slots[step->out];
    for (int k = 0; k < step->n_inputs && out->shares < 0; k++) {
      const coh_slot *in = &p->slots[step->in[k]];
      if (step->fused->spread[k].whole && in->kind == COH_SLOT_ARENA && !in->pinned &&
          in->dies == s && in->floats == out->floats)
        out->shares = step->in[k];
    }
  }
}

coh_status coh_program_plan_memory(coh_program *program, bool reuse) {
  coh_program *p = program;
  if (reuse) share_in_place(p);
  region *regions;
  COH_NEW(regions, p->n_slots);
  const region **near = coh_alloc_array((size_t)p->n_slots, sizeof *near);
  int64_t *region_of = coh_alloc_array((size_t)p->n_slots, sizeof *region_of);
  coh_status status = COH_OK;
  if (!near || !region_of) {
    status = coh_fail(COH_E_MEMORY, "out of memory while planning %lld buffers",
                      (long long)p->n_slots);
    goto done;
  }
  int64_t n = 0;
  for (int32_t i = 0; i < p->n_slots; i++) {
    const coh_slot *slot = &p->slots[i];
    if (slot->kind != COH_SLOT_ARENA) continue;
    int32_t head = chain_head(p, i);
    if (head == i) {
      region_of[i] = n;
      regions[n++] = (region){.floats = (slot->floats + LINE - 1) / LINE * LINE,
                              .born = slot->born,
                              .dies = slot->dies,
                              .slot = i};
    } else { // heads come before what follows them: they were written earlier
      region *r = &regions[region_of[head]];
      if (slot->dies > r->dies) r->dies = slot->dies;
    }
  }
  qsort(regions, (size_t)n, sizeof *regions, larger_first);
  for (int64_t i = 0; i < n; i++) {
    regions[i].offset = reuse ? lowest_offset(regions, i, &regions[i], near) : p->arena_floats;
    int64_t end = regions[i].offset + regions[i].floats;
    if (end > p->arena_floats) p->arena_floats = end;
    p->slots[regions[i].slot].offset = regions[i].offset;
  }
  for (int32_t i = 0; i < p->n_slots; i++)
    if (p->slots[i].kind == COH_SLOT_ARENA)
      p->slots[i].offset = p->slots[chain_head(p, i)].offset;
done:
  coh_free(region_of);
  coh_free(near);
  coh_free(regions);
  return status;
}
