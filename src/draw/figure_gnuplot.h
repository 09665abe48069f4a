/* Running gnuplot. */
#ifndef COHORT_DRAW_FIGURE_GNUPLOT_H
#define COHORT_DRAW_FIGURE_GNUPLOT_H

#include <stdbool.h>

#include "base/text.h"

/* Run FOLDER/NAME.gp with FOLDER as the working folder, for at most a minute. What keeps it
 * from drawing is logged as a warning; then the result is false. Not collective. */
bool coh_gnuplot_run(const char *folder, const char *name);

/* Append a text as a gnuplot string. Braces would confuse blocks and become parentheses; control
 * characters become spaces. */
void coh_gnuplot_quote(coh_text *script, const char *text);

/* Save a script and its data as FOLDER/NAME.gp and .dat, forget both texts, and run gnuplot.
 * drawn: out, may be NULL. Not collective. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_gnuplot_write(coh_text *script, coh_text *data, const char *folder,
                             const char *name, bool *drawn);

#endif
