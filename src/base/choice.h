/* A choice from a line of text, as a config would say it. */
#ifndef COHORT_BASE_CHOICE_H
#define COHORT_BASE_CHOICE_H

#include "cohort/option.h"

/* text: e.g. "frozen_lake" or "{frozen_lake: {map: 8x8}}"; where: stands in messages for the
 * file's name. Caller clears with coh_choice_clear. Fails: COH_E_CONFIG. */
coh_status coh_choice_parse(const char *where, const coh_kind_set *set, const char *text,
                            coh_choice *choice);

#endif
