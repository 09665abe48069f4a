/* A tree of elementwise operators that runs block by block: intermediate results stay in
 * registers of a few hundred floats that live in the first-level cache. */
#ifndef COHORT_GRAPH_FUSED_H
#define COHORT_GRAPH_FUSED_H

#include "graph/operator.h"

enum {
  COH_MAX_EXTERNALS = 16,
  COH_MAX_INSTRUCTIONS = 48,
  COH_FUSED_BLOCK = 1024, /* floats of a register */
  COH_MAX_FUSED_OPERANDS = 3,
};

/* How an external operand lies over the result: (size, stride) from the slowest axis, merged.
 */
typedef struct coh_spread {
  bool whole;     /* the result's own shape: read in place */
  int64_t period; /* >0: repeats every so many elements (1: a scalar) */
  int rank;
  int64_t size[COH_MAX_RANK], stride[COH_MAX_RANK];
} coh_spread;

/* Where an instruction reads or writes: external k is k, register r is COH_MAX_EXTERNALS + r,
 * the result is -1. */
typedef struct coh_instruction {
  coh_block_kernel kernel;
  float real[2];
  int8_t in[COH_MAX_FUSED_OPERANDS];
  int8_t out;
  const coh_operator *op; /* for dumps; NULL: copy */
} coh_instruction;

typedef struct coh_fused {
  int64_t count; /* elements of the result */
  int64_t block; /* elements a round */
  int n_externals, n_instructions, n_registers;
  coh_spread spread[COH_MAX_EXTERNALS];
  coh_instruction code[COH_MAX_INSTRUCTIONS];
} coh_fused;

/* How `narrow` lies over `wide` (equal rank, axes equal or 1, or equal counts). */
coh_spread coh_spread_make(coh_shape narrow, coh_shape wide);

/* Choose the block length once code and externals are known. */
void coh_fused_finish(coh_fused *fused);

/* Floats of scratch for the registers and the spread externals. */
int64_t coh_fused_scratch(const coh_fused *fused);

void coh_fused_run(const coh_fused *fused, const float *const *in, float *out, float *scratch);

/* y = x, as a block kernel. */
void coh_copy_block(int64_t n, const float *const *x, float *y, const float *real);

#endif
