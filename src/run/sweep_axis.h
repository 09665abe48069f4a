/* Parsing one axis of a sweep. */
#ifndef COHORT_RUN_SWEEP_AXIS_H
#define COHORT_RUN_SWEEP_AXIS_H

#include "cohort/random.h"
#include "run/sweep_plan.h"

/* Parse "key=values" (or, with key given, the values alone). *varies: out, whether there is
 * more than one value; a single value makes no axis and nothing to clear. Fails: COH_E_CONFIG,
 * COH_E_MEMORY. */
coh_status coh_sweep_axis_parse(const char *key, const char *text, coh_sweep_axis *axis,
                                bool *varies);
void coh_sweep_axis_clear(coh_sweep_axis *axis);

/* Turn a range of integers into its values, for a grid. Fails: COH_E_CONFIG for reals or more
 * than COH_MAX_SWEEP_MEMBERS values. */
coh_status coh_sweep_axis_enumerate(coh_sweep_axis *axis);

/* Draw one value. *value: caller frees. Fails: COH_E_MEMORY. */
coh_status coh_sweep_axis_draw(const coh_sweep_axis *axis, coh_stream *stream, char **value);

#endif
