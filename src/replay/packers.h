/* A few zstd contexts shared by all lanes of a rank: as many as threads, for they are large. */
#ifndef COHORT_REPLAY_PACKERS_H
#define COHORT_REPLAY_PACKERS_H

#include <stdatomic.h>

#include "io/pack.h"

typedef struct coh_packers {
  int n_packers;
  coh_packer **packer;
  atomic_flag *busy;
} coh_packers;

/* Make n contexts for blocks of max_bytes. Fails: COH_E_MEMORY. fini accepts a zeroed struct.
 */
coh_status coh_packers_init(coh_packers *packers, int n_packers, size_t max_bytes);
void coh_packers_fini(coh_packers *packers);

/* Borrow a context, and give it back. Any thread; waits while all are lent. Which one it is
 * never changes a result. */
int coh_packers_take(coh_packers *packers);
void coh_packers_give(coh_packers *packers, int which);

#endif
