/* Signals as requests that all ranks agree on: USR1, TERM and INT ask a run to save and end. */
#ifndef COHORT_COMM_SIGNALS_H
#define COHORT_COMM_SIGNALS_H

#include "cohort/comm.h"

/* Ordered so that the maximum over ranks is what all of them do. */
typedef enum coh_request {
  COH_REQUEST_NONE = 0,
  COH_REQUEST_REQUEUE = 1, /* SIGUSR1: save, exit 85 */
  COH_REQUEST_STOP = 2,    /* SIGTERM, SIGINT: save, exit 85, soon to be killed */
} coh_request;

/* Catch SIGUSR1, SIGTERM and SIGINT from now on. A second SIGINT ends the process. Opens nest:
 * what was asked is forgotten by the outermost close only. Not collective.
 * Fails: COH_E_INTERNAL. */
coh_status coh_signals_open(void);

/* The outermost close restores the handlers that were there before, and forgets. Not
 * collective. */
void coh_signals_close(void);

/* What this rank was asked. Not collective; other ranks may see something else. */
coh_request coh_signals_seen(void);

/* What any rank was asked: the maximum over ranks, the same everywhere. Collective; one small
 * reduction, so call it every some steps, or put coh_signals_seen() into a maximum of your own.
 */
coh_status coh_signals_agree(coh_world *world, coh_request *request);

#endif
