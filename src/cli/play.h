/* A person at the terminal plays an environment. */
#ifndef COHORT_CLI_PLAY_H
#define COHORT_CLI_PLAY_H

#include "cohort/run.h"

/* The terminal while somebody plays. */
typedef struct coh_play coh_play;

/* Take over the terminal: no echo, single keys. Fails: COH_E_CONFIG without a terminal. */
coh_status coh_play_begin(coh_play **play);

/* Draw the environment in ANSI colours and wait for a key: a coh_record_player. */
coh_status coh_play_choose(void *play, const coh_record_moment *moment, int32_t *action);

/* Give the terminal back; accepts NULL, sets NULL. */
void coh_play_end(coh_play **play);

/* The action of a key, -1 for none: arrows (as 'A' up, 'B' down, 'C' right, 'D' left when
 * `arrow`) and w, a, s, d by the actions' names; digits by number; a space is "none", "noop",
 * "stay" or "fire". */
int32_t coh_play_action_of(char key, bool arrow, const char *const *names, int64_t n_actions);

#endif
