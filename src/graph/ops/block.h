/* Writing elementwise operators: a kernel from a formula in x0, x1, x2 (operands) and c0, c1
 * (the node's real attributes), vectorised by the compiler. */
#ifndef COHORT_GRAPH_OPS_BLOCK_H
#define COHORT_GRAPH_OPS_BLOCK_H

#include "graph/operator.h"
#include "la/vectorise.h"

#define COH_UNARY_KERNEL(name, formula)                                                  \
  static void name##_block(int64_t n, const float *const *x, float *y, const float *c) { \
    const float *a = x[0];                                                               \
    const float c0 = c[0], c1 = c[1];                                                    \
    (void)c0, (void)c1;                                                                  \
    COH_VECTOR_LOOP for (int64_t i = 0; i < n; i++) {                                    \
      const float x0 = a[i];                                                             \
      y[i] = (formula);                                                                  \
    }                                                                                    \
  }

#define COH_BINARY_KERNEL(name, formula)                                                 \
  static void name##_block(int64_t n, const float *const *x, float *y, const float *c) { \
    const float *a = x[0], *b = x[1];                                                    \
    (void)c;                                                                             \
    COH_VECTOR_LOOP for (int64_t i = 0; i < n; i++) {                                    \
      const float x0 = a[i], x1 = b[i];                                                  \
      y[i] = (formula);                                                                  \
    }                                                                                    \
  }

/* The operator struct of an elementwise family; derivative NULL where it is zero. */
#define COH_ELEMENTWISE(op, n_operands, derivative)                     \
  const coh_operator coh_operator_##op = {.name = #op,                  \
                                          .kind = COH_KIND_ELEMENTWISE, \
                                          .n_inputs = n_operands,       \
                                          .derive = derivative,         \
                                          .block = op##_block};

#endif
