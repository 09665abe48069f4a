/* An independent evaluator of graphs in double precision: naive loops, one function an
 * operator. */
#ifndef COHORT_TESTS_GRAPH_REFERENCE_H
#define COHORT_TESTS_GRAPH_REFERENCE_H

#include "graph/operator.h"

typedef struct reference {
  const coh_graph *graph;
  double **value; /* of each node, NULL until set or evaluated */
} reference;

void reference_init(reference *r, const coh_graph *graph);
void reference_fini(reference *r);

/* Set an input or parameter (copied). */
void reference_set(reference *r, coh_value leaf, const double *data);

/* Evaluate all nodes anew. */
void reference_evaluate(reference *r);

/* Whether the operator has a reference. */
bool reference_knows(const char *op);

#endif
