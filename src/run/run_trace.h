/* The timeline of a run: what every rank did when, from the spans of base/trace.h. */
#ifndef COHORT_RUN_RUN_TRACE_H
#define COHORT_RUN_RUN_TRACE_H

#include "run/driver.h"

/* Begin to keep spans, with clocks that start together on all ranks. Collective. */
coh_status coh_run_trace_begin(coh_run *run);

/* Bring all ranks' spans together: results/timeline.json (Chrome trace format: open it in
 * Perfetto or chrome://tracing) and figures/timeline.*, the last few rounds of it. Collective.
 * Fails (agreed): COH_E_IO, COH_E_MEMORY. */
coh_status coh_run_trace_write(coh_run *run, coh_results *results);

#endif
