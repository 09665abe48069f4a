/* From a graph to the list of nodes that the outputs need, with equal subexpressions as one,
 * and the rewriting of convolution + bias + relu into one node. */
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
  return COH_OK;
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

// the node whose elements lie along the last axis of a (N,H,W,O) broadcast, or -1
static int32_t channel_vector(const coh_ir *ir, int32_t node) {
  const coh_node *wide = &ir->nodes[node];
  if (wide->op != &coh_operator_broadcast || wide->shape.rank != 4) return -1;
  const coh_node *narrow = &ir->nodes[wide->input[0]];
  bool channels = narrow->shape.size[3] == wide->shape.size[3];
  for (int k = 0; k < 3; k++)
    channels = channels && narrow->shape.size[k] == 1;
  return channels ? wide->input[0] : -1;
}

static bool only_reader(const coh_ir *ir, const int32_t *readers, int32_t node) {
  return readers[node] == 1 && !ir->wanted[node];
}

coh_status coh_ir_rewrite(coh_ir *ir) {
  int32_t *readers;
  COH_TRY(coh_ir_count_readers(ir, &readers));
  for (int64_t i = 0; i < ir->n; i++) {
    coh_node *node = &ir->nodes[i];
    for (int k = 0; k < 2 && node->op == &coh_operator_add && readers[i] > 0; k++) {
      int32_t product = node->input[k], bias = channel_vector(ir, node->input[1 - k]);
      const coh_node *conv = &ir->nodes[product];
      if (bias < 0 || conv->op != &coh_operator_conv2d || conv->n_inputs != 2 ||
          !only_reader(ir, readers, product))
        continue;
      node->op = conv->op;
      node->attributes = conv->attributes;
      node->n_inputs = 3;
      node->input[0] = conv->input[0];
      node->input[1] = conv->input[1];
      node->input[2] = bias;
    }
    if (node->op == &coh_operator_relu && readers[i] > 0) {
      const coh_node *conv = &ir->nodes[node->input[0]];
      if (conv->op != &coh_operator_conv2d || !only_reader(ir, readers, node->input[0]))
        continue;
      node->op = conv->op;
      node->attributes = conv->attributes;
      node->attributes.integer[COH_CONV2D_RELU] = 1;
      node->n_inputs = conv->n_inputs;
      for (int k = 0; k < conv->n_inputs; k++)
        node->input[k] = conv->input[k];
    }
  }
  coh_free(readers);
  return COH_OK;
}
