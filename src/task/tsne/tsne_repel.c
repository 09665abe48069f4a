/* Which repulsion, and what it needs of other ranks. */
#include <string.h>

#include "base/alloc.h"
#include "task/tsne/tsne.h"

// blocks of points, and the first block of a rank
static int64_t n_blocks_of(const coh_tsne *t) {
  return (t->n + COH_TSNE_BLOCK - 1) / COH_TSNE_BLOCK;
}

static int64_t first_block(const coh_tsne *t, int rank) {
  int64_t n_lanes = t->context->lanes.n_lanes;
  return coh_lanes_first_of(t->context->world, n_lanes, rank) * n_blocks_of(t) / n_lanes;
}

coh_status coh_tsne_sum_blocks(coh_tsne *t, double *sum) {
  coh_world *world = t->context->world;
  int size = coh_world_size(world);
  const double *all = t->block_sum;
  if (size > 1) {
    // sums of blocks, in the order of the blocks
    size_t *n_bytes = t->share + size;
    for (int r = 0; r < size; r++)
      n_bytes[r] = (size_t)(first_block(t, r + 1) - first_block(t, r)) * sizeof(double);
    COH_TRY(coh_comm_allgather_varied(world, t->block_sum, n_bytes, t->block_all));
    all = t->block_all;
  }
  *sum = 0;
  for (int64_t b = 0; b < n_blocks_of(t); b++)
    *sum += all[b];
  return COH_OK;
}

// the tree's groups are parted among ranks and come together: a point's group may be anyone's
static coh_status repel_tree(coh_tsne *t) {
  coh_world *world = t->context->world;
  int size = coh_world_size(world), rank = coh_world_rank(world);
  coh_tsne_tree_build(t->tree, t->y, t->stride);
  int64_t n_groups = coh_tsne_tree_groups(t->tree), width = (t->dims + 1) * COH_TREE_GROUP;
  int64_t first = rank * n_groups / size, end = (rank + 1) * n_groups / size;
  float *all = t->columns, *mine = size > 1 ? t->columns + n_groups * width : all;
  coh_tsne_tree_walk(t->tree, first, end, mine);
  if (size > 1) {
    size_t *n_bytes = t->share + size;
    for (int r = 0; r < size; r++)
      n_bytes[r] =
          (size_t)(((r + 1) * n_groups / size - r * n_groups / size) * width) * sizeof *all;
    COH_TRY(coh_comm_allgather_varied(world, mine, n_bytes, all));
  }
  double z = 0;
  for (int64_t i = 0; i < t->n; i++) {
    const float *from = all + i / COH_TREE_GROUP * width + i % COH_TREE_GROUP;
    z += (double)from[t->dims * COH_TREE_GROUP];
    int64_t own = coh_tsne_tree_point(t->tree, i) - t->first;
    if (own < 0 || own >= t->n_own) continue;
    for (int64_t a = 0; a < t->dims; a++)
      t->push[own * t->stride + a] = from[a * COH_TREE_GROUP];
  }
  t->z = z;
  return COH_OK;
}

coh_status coh_tsne_repel(coh_tsne *t) {
  if (t->method == COH_TSNE_GRID)
    return coh_tsne_grid_run(t->grid, t->y, t->first, t->n_own, t->push, &t->z);
  if (t->method == COH_TSNE_TREE) return repel_tree(t);
  coh_tsne_repel_exact(t);
  return coh_tsne_sum_blocks(t, &t->z);
}

coh_status coh_tsne_repel_create(coh_tsne *t) {
  const coh_tsne_options *o = t->options;
  int n_threads = t->context->n_threads;
  if (t->method == COH_TSNE_GRID) {
    // nodes of a line cost next to nothing
    double spacing = t->dims == 1 ? o->spacing / 4 : o->spacing;
    return coh_tsne_grid_create(t->n, t->dims, spacing, o->freedom, n_threads, &t->grid);
  }
  if (t->method == COH_TSNE_TREE) {
    int64_t groups = (t->n + COH_TREE_GROUP - 1) / COH_TREE_GROUP;
    COH_NEW(t->columns, 2 * groups * (t->dims + 1) * COH_TREE_GROUP);
    return coh_tsne_tree_create(t->n, t->dims, o->theta, o->freedom, n_threads, &t->tree);
  }
  COH_NEW(t->columns, t->dims * (t->n + COH_TREE_GROUP));
  return COH_OK;
}
