/* zstd contexts on loan. Packing takes microseconds, so a thread that finds none spins. */
#include "replay/packers.h"

#include "base/alloc.h"

enum { LEVEL = 3 };

coh_status coh_packers_init(coh_packers *packers, int n_packers, size_t max_bytes) {
  *packers = (coh_packers){.n_packers = n_packers};
  COH_NEW(packers->packer, n_packers);
  COH_NEW(packers->busy, n_packers);
  for (int i = 0; i < n_packers; i++) {
    atomic_flag_clear(packers->busy + i);
    COH_TRY(coh_packer_create(LEVEL, max_bytes, packers->packer + i));
  }
  return COH_OK;
}

void coh_packers_fini(coh_packers *packers) {
  for (int i = 0; packers->packer && i < packers->n_packers; i++)
    coh_packer_destroy(packers->packer + i);
  coh_free(packers->packer);
  coh_free(packers->busy);
  *packers = (coh_packers){0};
}

int coh_packers_take(coh_packers *packers) {
  for (int i = 0;; i = (i + 1) % packers->n_packers)
    if (!atomic_flag_test_and_set_explicit(packers->busy + i, memory_order_acquire)) return i;
}

void coh_packers_give(coh_packers *packers, int which) {
  atomic_flag_clear_explicit(packers->busy + which, memory_order_release);
}
