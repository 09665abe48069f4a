/* Room for a state's rows. */
#ifndef COHORT_MDP_MDP_SOURCE_H
#define COHORT_MDP_MDP_SOURCE_H

#include "cohort/mdp_rows.h"

/* Arrays as large as the source's largest state. Clear also after a failure. */
coh_status coh_mdp_rows_create(const coh_mdp_source *source, coh_mdp_state_rows *rows);
void coh_mdp_rows_clear(coh_mdp_state_rows *rows);

#endif
