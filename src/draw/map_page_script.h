/* The look and the program of coh_map_page. */
#ifndef COHORT_DRAW_MAP_PAGE_SCRIPT_H
#define COHORT_DRAW_MAP_PAGE_SCRIPT_H

extern const char coh_map_page_style[], coh_map_page_script[];

#endif
