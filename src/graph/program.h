/* A program from the inside: the schedule, where every value lives, and the pass pipeline.
 *
 *   prune    graph -> list of live nodes, common subexpressions merged
 *   fuse     elementwise nodes -> trees that run block by block through registers
 *   steps    one step for each tree and each kernel node; slots for what they read and write
 *   memory   arena offsets: slots whose lives do not overlap share bytes, in place where safe
 */
#ifndef COHORT_GRAPH_PROGRAM_H
#define COHORT_GRAPH_PROGRAM_H

#include "graph/fused.h"
#include "graph/operator.h"

/* The live nodes, in an order in which operands come first. */
typedef struct coh_ir {
  coh_node *nodes; /* names and data are borrowed from the graph */
  int64_t n;
  int32_t *of_value; /* graph value -> node, -1 where dead */
  int64_t n_values;
  bool *wanted;   /* node is asked for as an output */
  int32_t *group; /* node -> root of the tree it runs in; itself for roots, -1 otherwise */
} coh_ir;

typedef enum coh_slot_kind {
  COH_SLOT_ARENA,     /* planned memory of the workspace */
  COH_SLOT_PARAMETER, /* offset into the parameter block */
  COH_SLOT_CONSTANT,  /* offset into the program's constants */
} coh_slot_kind;

/* A piece of memory that steps read or write. */
typedef struct coh_slot {
  coh_slot_kind kind;
  int64_t floats, offset;
  int64_t born, dies; /* first and last step that touch it; an input is born at -1 */
  int32_t shares;     /* arena: slot whose bytes it takes over in place, -1 for none */
  bool pinned;        /* input or output: never shared in place, may be bound */
} coh_slot;

typedef struct coh_step {
  const coh_operator *op; /* NULL: an elementwise tree */
  coh_signature signature;
  coh_kernel_plan plan;
  coh_fused *fused;
  int n_inputs;
  int32_t in[COH_MAX_EXTERNALS];
  int32_t out;
  char *name; /* of the node, may be NULL */
} coh_step;

/* A graph value that callers may name at run time. */
typedef struct coh_port {
  coh_value value;
  int32_t slot; /* -1: an input that nothing uses */
  bool input;
  int64_t ready;
} coh_port;

struct coh_program {
  coh_step *steps;
  int64_t n_steps, step_capacity;
  coh_slot *slots;
  int64_t n_slots, slot_capacity;
  coh_port *ports;
  int64_t n_ports;
  float *constants;
  int64_t constant_floats;
  int64_t arena_floats, scratch_floats;
  int64_t *parameter_offsets, *parameter_counts;
  int64_t n_parameters;
  bool uses_parameters;
  coh_precision precision;
};

coh_status coh_ir_prune(const coh_graph *graph, const coh_value *outputs, int64_t n_outputs,
                        bool merge, coh_ir *ir);
coh_status coh_ir_fuse(coh_ir *ir, bool enabled);
void coh_ir_fini(coh_ir *ir);

/* The node behind aliases. */
int32_t coh_ir_root(const coh_ir *ir, int32_t node);

/* How many nodes read each node (array of n, caller frees); outputs count as one reader more.
 */
coh_status coh_ir_count_readers(const coh_ir *ir, int32_t **out);

/* Give every arena slot its offset. */
coh_status coh_program_plan_memory(coh_program *program, bool reuse);

/* The kernel's name of a step, for dumps. */
const char *coh_step_kernel(const coh_step *step);

#endif
