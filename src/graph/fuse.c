/* Which elementwise nodes run together: a node joins the tree of its readers when all of them
 * are in one tree and have as many elements, so nothing is computed twice and nothing waits. */
#include "base/alloc.h"
#include "graph/program.h"

enum {
  NONE = -2,
  OUTSIDE = -1
}; /* no reader yet; a reader that is in no tree or several trees */

typedef struct tree_size {
  int instructions, externals; /* upper bounds */
} tree_size;

static void note_reader(int32_t *reader, int32_t node, int32_t tree) {
  if (reader[node] == NONE) {
    reader[node] = tree;
  } else if (reader[node] != tree) {
    reader[node] = OUTSIDE;
  }
}

// join the readers' tree if it has room, else start one
static int32_t choose_tree(const coh_ir *ir, int32_t i, int32_t readers_tree, tree_size *size) {
  const coh_node *node = &ir->nodes[i];
  if (readers_tree >= 0) {
    tree_size *s = &size[readers_tree];
    int externals = s->externals + node->n_inputs - 1;
    if (coh_shape_count(node->shape) == coh_shape_count(ir->nodes[readers_tree].shape) &&
        s->instructions < COH_MAX_INSTRUCTIONS && externals <= COH_MAX_EXTERNALS) {
      s->instructions++;
      s->externals = externals;
      return readers_tree;
    }
  }
  size[i] = (tree_size){1, node->n_inputs};
  return i;
}

coh_status coh_ir_fuse(coh_ir *ir, bool enabled) {
  int32_t *reader;
  tree_size *size;
  COH_NEW(reader, ir->n);
  size = coh_alloc_array((size_t)ir->n, sizeof *size);
  if (!size) {
    coh_free(reader);
    return coh_fail(COH_E_MEMORY, "out of memory while fusing %lld nodes", (long long)ir->n);
  }
  for (int64_t i = 0; i < ir->n; i++)
    reader[i] = NONE;
  for (int32_t i = (int32_t)ir->n - 1; i >= 0; i--) {
    const coh_node *node = &ir->nodes[i];
    ir->group[i] = -1;
    if (reader[i] == NONE && !ir->wanted[i]) continue;
    int32_t tree = ir->wanted[i] || !enabled ? OUTSIDE : reader[i];
    int32_t seen = OUTSIDE; // what the operands see
    if (node->op->kind == COH_KIND_ALIAS) seen = tree;
    if (node->op->kind == COH_KIND_ELEMENTWISE)
      seen = ir->group[i] = choose_tree(ir, i, tree, size);
    for (int k = 0; k < node->n_inputs; k++)
      note_reader(reader, node->input[k], seen);
  }
  coh_free(reader);
  coh_free(size);
  return COH_OK;
}
