/* What a run ran on: versions, processor, libraries, placement. For people and for results
 * files; no result depends on it. */
#ifndef COHORT_RUN_MACHINE_H
#define COHORT_RUN_MACHINE_H

#include "base/text.h"
#include "cohort/status.h"

/* Describe this machine, one "key: value" line each. placement: "2 ranks x 1 thread on 2
 * cores". Not collective. */
void coh_machine_describe(coh_text *text, const char *placement);

/* Write the description to folder/machine.txt. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_machine_write(const char *folder, const char *placement);

#endif
