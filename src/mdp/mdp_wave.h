/* A start for models whose rewards are rare: from where they are, outward. */
#ifndef COHORT_MDP_MDP_WAVE_H
#define COHORT_MDP_MDP_WAVE_H

#include "cohort/mdp.h"

/* Where all but a twentieth of the rows pay the same: sweep in place, in the order of distance
 * to a row that pays otherwise, until sweeps change little. A sweep carries the news across the
 * whole model, where a plain one moves it by a step. Elsewhere: nothing, values stay as they
 * are. values: in/out, n_states; only a start, nothing is promised of it. n_sweeps: counted up.
 * Discount below 1. Fails: COH_E_MEMORY. */
coh_status coh_mdp_wave(const coh_mdp *mdp, bool minimize, double *values, int64_t *n_sweeps);

#endif
