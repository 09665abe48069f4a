/* Running gnuplot. */
#ifndef COHORT_DRAW_FIGURE_GNUPLOT_H
#define COHORT_DRAW_FIGURE_GNUPLOT_H

#include <stdbool.h>

/* Run FOLDER/NAME.gp with FOLDER as the working folder, for at most a minute. What keeps it
 * from drawing is logged as a warning; then the result is false. Not collective. */
bool coh_gnuplot_run(const char *folder, const char *name);

#endif
