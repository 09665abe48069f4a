/* A thread that ends a process which makes no progress: a stopped peer or a lost link would
 * otherwise hang the job for ever. It makes no MPI calls. */
#ifndef COHORT_COMM_WATCHDOG_H
#define COHORT_COMM_WATCHDOG_H

#include "cohort/comm.h"

typedef struct coh_watchdog coh_watchdog;

/* Start watching. seconds: without a beat until the end; 0: off. *watchdog: caller stops.
 * Time in which this very process is suspended does not count. Not collective.
 * On expiry: one line on stderr, exit code 86 (mpirun then ends the other ranks).
 * Fails: COH_E_MEMORY, COH_E_INTERNAL. */
coh_status coh_watchdog_start(const coh_world *world, double seconds, coh_watchdog **watchdog);

/* Tell that progress was made. Accepts NULL. Costs one atomic increment. Any thread. */
void coh_watchdog_beat(coh_watchdog *watchdog);

/* Stop watching and join the thread. Accepts NULL, sets NULL. Not collective. */
void coh_watchdog_stop(coh_watchdog **watchdog);

#endif
