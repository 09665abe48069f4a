/* The look and the program of coh_map_page. */
#ifndef COHORT_DRAW_MAP_PAGE_SCRIPT_H
#define COHORT_DRAW_MAP_PAGE_SCRIPT_H

extern const char coh_map_page_style[];
extern const char *const coh_map_page_script[]; /* parts of one text; ends with NULL */

#endif
