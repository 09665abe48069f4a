/* Reading worlds from text maps.
 *
 *     ; what a map may hold: comments, goals, then the map itself to the end of the file
 *     goal G 1
 *     goal - -1
 *     map
 *     #######
 *     #S...G#
 *     #..#.-#
 *     #######
 *
 * `goal LETTER REWARD` names a letter whose cells end the episode and pay REWARD. In the map
 * `#` is a wall, `.` floor, `S` a start (with several, each is as likely). Rows have one
 * length; anything else is answered with file:line:column. */
#ifndef COHORT_ENV_GRID_MAP_H
#define COHORT_ENV_GRID_MAP_H

#include "env/grid.h"

enum { COH_GRID_MAX_SIDE = 256 };

/* Parse a map. name: stands in messages. text: n_bytes, borrowed. step_reward: paid on floor,
 * starts and when bumping. *grid: caller destroys. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_grid_parse(const char *name, const char *text, size_t n_bytes, float step_reward,
                          coh_grid **grid);

#endif
