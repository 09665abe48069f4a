/* A start for models whose rewards are rare: from where they are, outward. */
#ifndef COHORT_MDP_MDP_WAVE_H
#define COHORT_MDP_MDP_WAVE_H

#include "mdp/mdp_shard.h"

/* Where all but a twentieth of the rows pay the same: sweep in place, lane by lane, in the
 * order of distance to a row that pays otherwise or leads out of the lane, until sweeps change
 * little or a few are done; then lanes tell each other and do so again. A sweep carries the
 * news across a whole lane, where a plain one moves it by a step. Elsewhere: nothing, values
 * stay as they are. values: in/out, own states; only a start, nothing is promised of it. old:
 * scratch; both have room for ghosts. n_sweeps: out, of the lane that swept most in each turn;
 * n_transitions: counted up, on all ranks. Collective where the share is; the same bits on
 * every layout. Discount below 1. Fails (agreed on): COH_E_MEMORY. */
coh_status coh_mdp_wave(coh_mdp_shard *shard, bool minimize, double *values, double *old,
                        int64_t *n_sweeps, int64_t *n_transitions);

#endif
