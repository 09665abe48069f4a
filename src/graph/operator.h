/* What an operator is, and a graph from the inside.
 *
 * An operator is one constant struct in a file of ops/: its kernel and its derivative. The
 * shape rule is in the builder function beside it (coh_op_*), which checks, words the error and
 * appends the node. Registry: op.def.
 */
#ifndef COHORT_GRAPH_OPERATOR_H
#define COHORT_GRAPH_OPERATOR_H

#include <stddef.h>

#include "cohort/graph.h"

enum { COH_MAX_OPERANDS = 8, COH_N_INTEGERS = 16 };

/* Integer attribute of conv2d that the compiler sets when it fuses a relu; a fused bias is a
 * third operand. */
enum { COH_CONV2D_RELU = 9 };

/* What a node knows beside its shape; unused fields are zero (they take part in merging). */
typedef struct coh_attributes {
  int64_t integer[COH_N_INTEGERS];
  double real[2];
} coh_attributes;

typedef enum coh_operator_kind {
  COH_KIND_LEAF,        /* input, parameter, constant */
  COH_KIND_ALIAS,       /* the operand's memory under another shape or rule */
  COH_KIND_BROADCAST,   /* read through by elementwise steps, copied for others */
  COH_KIND_ELEMENTWISE, /* out[i] = f(in0[i], in1[i] ...), all of one shape */
  COH_KIND_KERNEL,      /* anything else */
} coh_operator_kind;

/* The shapes and attributes a kernel is planned for. */
typedef struct coh_signature {
  coh_shape in[COH_MAX_OPERANDS];
  coh_shape out;
  int n_inputs;
  coh_attributes attributes;
  coh_precision precision; /* that products may take */
} coh_signature;

/* What plan() leaves behind for run(). */
typedef struct coh_kernel_plan {
  void *data;             /* private to the operator, immutable once planned; may be NULL */
  int64_t scratch_floats; /* memory run() may overwrite, 64-byte aligned */
  int64_t flops;
} coh_kernel_plan;

typedef struct coh_kernel_call {
  const coh_signature *signature;
  const coh_kernel_plan *plan;
  const float *const *in;
  float *out;
  float *scratch;
  void *state; /* what create_state made for this workspace */
} coh_kernel_call;

/* y[i] = f(x[0][i], x[1][i] ...) for i < n; y may be one of the x. real: the attributes. */
typedef void (*coh_block_kernel)(int64_t n, const float *const *x, float *y, const float *real);

typedef struct coh_operator {
  const char *name;
  coh_operator_kind kind;
  int n_inputs; /* -1: any number up to COH_MAX_OPERANDS */

  /* Set dx[k] for every needed operand k from y = op(x) and dy; COH_NO_VALUE where nothing
   * flows. NULL: the derivative is zero everywhere. */
  void (*derive)(coh_graph *graph, coh_value y, coh_value dy, const bool *needed,
                 coh_value *dx);

  coh_block_kernel block; /* elementwise operators */

  coh_status (*plan)(const coh_signature *signature, coh_kernel_plan *plan); /* may be NULL */
  void (*destroy_plan)(coh_kernel_plan *plan);                               /* may be NULL */

  /* Mutable things a kernel needs beside its scratch, one per workspace; may be NULL. */
  coh_status (*create_state)(const coh_kernel_plan *plan, void **state);
  void (*destroy_state)(void *state);

  coh_status (*run)(const coh_kernel_call *call);

  /* Which of several kernels the plan chose, for dumps; may be NULL. Borrowed. */
  const char *(*kernel)(const coh_kernel_plan *plan);
} coh_operator;

/* Every operator of the registry, and the leaves. */
#define X(family)
#define OP(name) extern const coh_operator coh_operator_##name;
#include "graph/ops/op.def"
#undef OP
#undef X
extern const coh_operator coh_operator_input, coh_operator_parameter, coh_operator_constant;

/* The registry as a table. */
extern const coh_operator *const coh_operators[];
extern const int64_t coh_n_operators;

typedef struct coh_node {
  const coh_operator *op;
  coh_shape shape;
  int n_inputs;
  coh_value input[COH_MAX_OPERANDS];
  coh_attributes attributes;
  char *name;  /* owned, may be NULL */
  float *data; /* constants: owned elements */
} coh_node;

struct coh_graph {
  coh_node *nodes;
  int64_t n_nodes, node_capacity;
  coh_value *parameters;
  int64_t *parameter_offsets;
  int64_t n_parameters, parameter_capacity, parameter_floats;
  coh_status status;
  char *message; /* of the first failure */
};

/* A node by its value; valid until the next append. */
static inline const coh_node *coh_graph_node(const coh_graph *graph, coh_value value) {
  return &graph->nodes[value];
}

/* Append a node whose shape has been checked; COH_NO_VALUE if an operand is or memory is out.
 */
coh_value coh_graph_append(coh_graph *graph, const coh_operator *op, coh_shape shape,
                           const coh_value *inputs, int n_inputs,
                           const coh_attributes *attributes);

/* Record the graph's first failure (later ones are ignored); returns COH_NO_VALUE. */
__attribute__((format(printf, 2, 3))) coh_value coh_graph_fail(coh_graph *graph,
                                                               const char *format, ...);

/* False when the graph has failed or the value is none of its own; words the latter. */
bool coh_graph_valid(coh_graph *graph, coh_value value);

/* If every element of the value is one known constant, store it and return true. */
bool coh_graph_uniform(const coh_graph *graph, coh_value value, double *number);

/* A constant of that shape with every element equal. */
coh_value coh_graph_full(coh_graph *graph, coh_shape shape, double number);

/* "(32,10,10,4)" in a buffer that the caller gives. */
typedef struct coh_shape_text {
  char text[8 * 22];
} coh_shape_text;
coh_shape_text coh_shape_print(coh_shape shape);

/* An axis counted from the end made positive; -1 when out of range. */
int coh_shape_axis(coh_shape shape, int axis);

/* Elements before, along and after an axis. */
typedef struct coh_axis_split {
  int64_t outer, along, inner;
} coh_axis_split;
coh_axis_split coh_shape_split(coh_shape shape, int axis);

/* One node of the operator; used by builders whose operand shapes equal the result's. */
coh_value coh_graph_unary(coh_graph *graph, const coh_operator *op, coh_value x, double real0,
                          double real1);

#endif
