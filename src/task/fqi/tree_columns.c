/* Memory of columns, and the table of permutations. */
#include "task/fqi/tree_columns.h"

#include "base/alloc.h"

enum { PAD = COH_TREE_FEW, LINE = 16, PAGE = 1024 };

coh_status coh_tree_columns_create(int64_t n, int64_t n_columns, coh_tree_columns *columns) {
  *columns = (coh_tree_columns){.n_columns = n_columns};
  // a stride of whole pages would make columns meet in the cache
  columns->stride = (n + PAD + LINE - 1) / LINE * LINE;
  if (columns->stride % PAGE < 5 * LINE) columns->stride += 5 * LINE;
  COH_NEW(columns->base, n_columns * columns->stride);
  return COH_OK;
}

void coh_tree_columns_clear(coh_tree_columns *columns) {
  coh_free(columns->base);
  *columns = (coh_tree_columns){0};
}

#if defined(__AVX2__) && !defined(__AVX512F__)

// place of the k-th lane of a side, as a byte: lanes of the mask come first
#define ONES(m, k) __builtin_popcount((m) & ((1 << (k)) - 1))
#define ZEROS(m, k) (__builtin_popcount(m) + (k)-ONES(m, k))
#define PLACE(m, k) ((m) >> (k)&1 ? ONES(m, k) : ZEROS(m, k))
#define LANE(m, k) (uint64_t)(k) << 8 * PLACE(m, k)
#define ORDER(m)                                                                              \
  (LANE(m, 0) | LANE(m, 1) | LANE(m, 2) | LANE(m, 3) | LANE(m, 4) | LANE(m, 5) | LANE(m, 6) | \
   LANE(m, 7))
#define ORDERS4(m) ORDER(m), ORDER((m) + 1), ORDER((m) + 2), ORDER((m) + 3)
#define ORDERS16(m) ORDERS4(m), ORDERS4((m) + 4), ORDERS4((m) + 8), ORDERS4((m) + 12)
#define ORDERS64(m) ORDERS16(m), ORDERS16((m) + 16), ORDERS16((m) + 32), ORDERS16((m) + 48)

const uint64_t coh_tree_order[256] = {ORDERS64(0), ORDERS64(64), ORDERS64(128), ORDERS64(192)};

#endif
