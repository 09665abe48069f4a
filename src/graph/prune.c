/* From a graph to the list of nodes that the outputs need, with equal subexpressions as one,
 * and sums of weight gradients of one backward pass as one product. */
#include <string.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "graph/program.h"

int32_t coh_ir_root(const coh_ir *ir, int32_t node) {
  while (ir->nodes[node].op->kind == COH_KIND_ALIAS)
    node = ir->nodes[node].input[0];
  return node;
}

void coh_ir_fini(coh_ir *ir) {
  COH_DELETE(ir->nodes);
  COH_DELETE(ir->of_value);
  COH_DELETE(ir->wanted);
  COH_DELETE(ir->group);
}

// mark what the outputs depend on, from the last value back
static void mark_live(const coh_graph *graph, const coh_value *outputs, int64_t n, bool *live) {
  for (int64_t k = 0; k < n; k++)
    live[outputs[k]] = true;
  for (int64_t i = graph->n_nodes - 1; i >= 0; i--)
    for (int k = 0; live[i] && k < graph->nodes[i].n_inputs; k++)
      live[graph->nodes[i].input[k]] = true;
}

static uint64_t node_checksum(const coh_node *node) {
  uint64_t sum = coh_checksum(&node->op, sizeof(const coh_operator *));
  sum = coh_checksum_fold(sum, node->shape.size, sizeof(int64_t) * (size_t)node->shape.rank);
  sum = coh_checksum_fold(sum, node->input, sizeof(coh_value) * (size_t)node->n_inputs);
  sum = coh_checksum_fold(sum, node->attributes.integer, sizeof node->attributes.integer);
  return coh_checksum_fold(sum, node->attributes.real, sizeof node->attributes.real);
}

static bool node_equal(const coh_node *a, const coh_node *b) {
  return a->op == b->op && a->n_inputs == b->n_inputs && coh_shape_equal(a->shape, b->shape) &&
         memcmp(a->input, b->input, sizeof(coh_value) * (size_t)a->n_inputs) == 0 &&
         memcmp(&a->attributes, &b->attributes, sizeof a->attributes) == 0;
}

// the place of an equal node in an open-addressed table, or of the free slot where it belongs
static int64_t find_equal(const coh_ir *ir, const int32_t *table, int64_t capacity,
                          const coh_node *node) {
  int64_t at = (int64_t)(node_checksum(node) & (uint64_t)(capacity - 1));
  while (table[at] >= 0 && !node_equal(&ir->nodes[table[at]], node))
    at = (at + 1) & (capacity - 1);
  return at;
}

static void copy_live(const coh_graph *graph, const bool *live, bool merge, int32_t *table,
                      int64_t capacity, coh_ir *ir) {
  for (int64_t i = 0; i < capacity; i++)
    table[i] = -1;
  for (int64_t i = 0; i < graph->n_nodes; i++) {
    ir->of_value[i] = -1;
    if (!live[i]) continue;
    coh_node node = graph->nodes[i];
    for (int k = 0; k < node.n_inputs; k++)
      node.input[k] = ir->of_value[node.input[k]];
    int64_t at = find_equal(ir, table, capacity, &node);
    bool leaf = node.op->kind == COH_KIND_LEAF; // one of a kind whatever is asked
    if (table[at] >= 0 && (merge || leaf)) {
      ir->of_value[i] = table[at];
      if (!ir->nodes[table[at]].name) ir->nodes[table[at]].name = node.name;
      continue;
    }
    ir->nodes[ir->n] = node;
    ir->of_value[i] = (int32_t)ir->n;
    table[at] = (int32_t)ir->n++;
  }
}

// a gradient of weights: the sum over places of x (x) dy
static bool is_outer_product(const coh_node *node) {
  bool transposed = node->attributes.integer[0] && !node->attributes.integer[1];
  return node->op == &coh_operator_conv2d_weights ||
         (node->op == &coh_operator_matmul && node->shape.rank == 2 && transposed);
}

// x1 (x) dy + x2 (x) dy = (x1 + x2) (x) dy: one large product and one small sum. The node of
// the second product becomes the sum of the x, the sum of the products the product.
static coh_status merge_products(coh_ir *ir) {
  int32_t *readers;
  COH_TRY(coh_ir_count_readers(ir, &readers));
  for (int64_t i = 0; i < ir->n; i++) {
    coh_node *sum = &ir->nodes[i];
    if (sum->op != &coh_operator_add) continue;
    int32_t at[2] = {sum->input[0], sum->input[1]};
    int32_t late = at[0] > at[1] ? at[0] : at[1];
    const coh_node *a = &ir->nodes[at[0]], *b = &ir->nodes[at[1]];
    bool fits = at[0] != at[1] && readers[at[0]] == 1 && readers[at[1]] == 1 &&
                !ir->wanted[at[0]] && !ir->wanted[at[1]] && is_outer_product(a) &&
                a->op == b->op && a->input[1] == b->input[1] &&
                memcmp(&a->attributes, &b->attributes, sizeof a->attributes) == 0 &&
                coh_shape_equal(ir->nodes[a->input[0]].shape, ir->nodes[b->input[0]].shape);
    if (!fits) continue;
    coh_node product = *a;
    coh_node mixed = {.op = &coh_operator_add,
                      .shape = ir->nodes[a->input[0]].shape,
                      .n_inputs = 2,
                      .input = {a->input[0], b->input[0]}};
    product.input[0] = late;
    product.name = sum->name;
    product.shape = sum->shape;
    ir->nodes[late] = mixed;
    *sum = product;
  }
  coh_free(readers);
  return COH_OK;
}

coh_status coh_ir_prune(const coh_graph *graph, const coh_value *outputs, int64_t n_outputs,
                        bool merge, coh_ir *ir) {
  int64_t n = graph->n_nodes, capacity = 64;
  while (capacity < 2 * n)
    capacity *= 2;
  COH_NEW(ir->nodes, n);
  COH_NEW(ir->of_value, n);
  COH_NEW(ir->wanted, n);
  COH_NEW(ir->group, n);
  ir->n_values = n;
  bool *live;
  COH_NEW(live, n);
  int32_t *table = coh_alloc_array((size_t)capacity, sizeof *table);
  if (!table) {
    coh_free(live);
    return coh_fail(COH_E_MEMORY, "out of memory while compiling %lld nodes", (long long)n);
  }
  mark_live(graph, outputs, n_outputs, live);
  copy_live(graph, live, merge, table, capacity, ir);
  coh_free(table);
  coh_free(live);
  for (int64_t k = 0; k < n_outputs; k++)
    ir->wanted[ir->of_value[outputs[k]]] = true;
  return merge ? merge_products(ir) : COH_OK;
}

coh_status coh_ir_count_readers(const coh_ir *ir, int32_t **out) {
  int32_t *readers;
  COH_NEW(readers, ir->n);
  for (int64_t i = ir->n - 1; i >= 0; i--) {
    readers[i] += ir->wanted[i];
    for (int k = 0; readers[i] > 0 && k < ir->nodes[i].n_inputs; k++)
      readers[ir->nodes[i].input[k]]++;
  }
  *out = readers;
  return COH_OK;
}
