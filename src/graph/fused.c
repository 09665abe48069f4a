/* Running a fused tree. Each round takes one block through all instructions; an operand that
 * repeats is spread into its register once where the block is a multiple of its period. */
#include "graph/fused.h"

#include <string.h>

#include "la/vectorise.h"

enum { LINE = 16 };

void coh_copy_block(int64_t n, const float *const *x, float *y, const float *real) {
  (void)real;
  memcpy(y, x[0], (size_t)n * sizeof *y);
}

coh_spread coh_spread_make(coh_shape narrow, coh_shape wide) {
  coh_spread spread = {0};
  if (coh_shape_count(narrow) == coh_shape_count(wide)) {
    spread.whole = true;
    return spread;
  }
  int64_t step[COH_MAX_RANK], at = 1;
  for (int k = narrow.rank - 1; k >= 0; k--) {
    step[k] = narrow.size[k] == 1 ? 0 : at;
    at *= narrow.size[k];
  }
  for (int k = 0; k < wide.rank; k++) {
    int64_t n = wide.size[k];
    if (n == 1) continue;
    int last = spread.rank - 1;
    if (last >= 0 && spread.stride[last] == step[k] * n) {
      spread.size[last] *= n;
      spread.stride[last] = step[k];
    } else {
      spread.size[spread.rank] = n;
      spread.stride[spread.rank++] = step[k];
    }
  }
  // one stretched axis before one dense one (or none): it repeats
  if (spread.rank == 1) spread.period = 1;
  if (spread.rank == 2 && spread.stride[0] == 0) spread.period = spread.size[1];
  return spread;
}

void coh_fused_finish(coh_fused *fused) {
  fused->block = COH_FUSED_BLOCK;
  int64_t period = 1;
  for (int k = 0; k < fused->n_externals; k++) {
    const coh_spread *s = &fused->spread[k];
    if (!s->whole && s->period > period && s->period <= COH_FUSED_BLOCK) period = s->period;
  }
  fused->block = COH_FUSED_BLOCK / period * period;
}

static bool needs_register(const coh_spread *spread) {
  return !spread->whole;
}

int64_t coh_fused_scratch(const coh_fused *fused) {
  int64_t n = fused->n_registers;
  for (int k = 0; k < fused->n_externals; k++)
    n += needs_register(&fused->spread[k]);
  return n * COH_FUSED_BLOCK;
}

static void fill(int64_t n, float number, float *y) {
  COH_VECTOR_LOOP for (int64_t i = 0; i < n; i++) y[i] = number;
}

// elements [first, first + n) of an operand as the result sees it
static void spread_block(const coh_spread *s, const float *x, int64_t first, int64_t n,
                         float *y) {
  int last = s->rank - 1;
  int64_t index[COH_MAX_RANK], at = 0, left = first;
  for (int k = last; k >= 0; k--) {
    index[k] = left % s->size[k];
    left /= s->size[k];
    at += index[k] * s->stride[k];
  }
  while (n > 0) {
    int64_t run = s->size[last] - index[last];
    if (run > n) run = n;
    if (s->stride[last] == 0) {
      fill(run, x[at], y);
    } else {
      memcpy(y, x + at, (size_t)run * sizeof *y);
    }
    y += run;
    n -= run;
    at += run * s->stride[last];
    index[last] += run;
    for (int k = last; k > 0 && index[k] == s->size[k]; k--) {
      at += s->stride[k - 1] - s->stride[k] * s->size[k];
      index[k] = 0;
      index[k - 1]++;
    }
  }
}

void coh_fused_run(const coh_fused *fused, const float *const *in, float *out, float *scratch) {
  float *place[COH_MAX_EXTERNALS + COH_MAX_INSTRUCTIONS];
  const float *source[COH_MAX_EXTERNALS + COH_MAX_INSTRUCTIONS];
  for (int r = 0; r < fused->n_registers; r++, scratch += COH_FUSED_BLOCK)
    source[COH_MAX_EXTERNALS + r] = place[COH_MAX_EXTERNALS + r] = scratch;
  int64_t longest = fused->count < fused->block ? fused->count : fused->block;
  bool each_round[COH_MAX_EXTERNALS];
  for (int k = 0; k < fused->n_externals; k++) {
    const coh_spread *s = &fused->spread[k];
    each_round[k] = !s->whole && (s->period == 0 || fused->block % s->period != 0);
    if (s->whole) continue;
    place[k] = scratch;
    source[k] = scratch;
    scratch += COH_FUSED_BLOCK;
    if (!each_round[k]) spread_block(s, in[k], 0, longest, place[k]);
  }
  for (int64_t first = 0; first < fused->count; first += fused->block) {
    int64_t n = fused->count - first < fused->block ? fused->count - first : fused->block;
    for (int k = 0; k < fused->n_externals; k++) {
      if (fused->spread[k].whole) source[k] = in[k] + first;
      if (each_round[k]) spread_block(&fused->spread[k], in[k], first, n, place[k]);
    }
    for (int i = 0; i < fused->n_instructions; i++) {
      const coh_instruction *code = &fused->code[i];
      const float *x[COH_MAX_FUSED_OPERANDS] = {source[code->in[0]], source[code->in[1]],
                                                source[code->in[2]]};
      code->kernel(n, x, code->out < 0 ? out + first : place[code->out], code->real);
    }
  }
}
