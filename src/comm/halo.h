/* A halo: the components of a distributed vector that a rank reads but does not own, fetched
 * from their owners again and again by persistent messages between neighbours only.
 *
 *     begin: pack what others want, start all messages     (then compute on what is at hand)
 *     end:   wait; the components wanted are in place */
#ifndef COHORT_COMM_HALO_H
#define COHORT_COMM_HALO_H

#include "cohort/comm.h"

typedef struct coh_halo coh_halo;

/* Plan the exchange of doubles. Collective. bound: size + 1, rank r owns the components
 * [bound[r], bound[r + 1]), the same on all ranks. wanted: rising, none of them own, copied.
 * *halo: caller destroys. Fails (agreed on): COH_E_MEMORY, COH_E_COMM. */
coh_status coh_halo_create(coh_world *world, const int64_t bound[], const int64_t *wanted,
                           int64_t n_wanted, coh_halo **halo);

/* Accepts NULL, sets NULL. Not collective; no exchange under way. */
void coh_halo_destroy(coh_halo **halo);

/* own: this rank's components, read before begin returns. ghost: out, n_wanted, written until
 * end returns. Collective over neighbours; an end for every begin. Fails: COH_E_COMM. */
coh_status coh_halo_begin(coh_halo *halo, const double *own, double *ghost);
coh_status coh_halo_end(coh_halo *halo);

/* Bytes that this rank sends, and receives, in one exchange; ranks that it meets. */
size_t coh_halo_sent(const coh_halo *halo);
size_t coh_halo_received(const coh_halo *halo);
int coh_halo_n_neighbours(const coh_halo *halo);

#endif
