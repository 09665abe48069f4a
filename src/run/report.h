/* A report: one HTML file with everything in it (style, charts, images, animations), which
 * opens anywhere without a network, in light and dark, on a phone and on paper. Texts given
 * here are plain text, escaped by the builder. */
#ifndef COHORT_RUN_REPORT_H
#define COHORT_RUN_REPORT_H

#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_report coh_report;

/* What stands at the top. All borrowed. */
typedef struct coh_report_head {
  const char *title;    /* "Breakout with DQN" or the run's name */
  const char *subtitle; /* one sentence; may be NULL */
  const char *task;     /* "dqn" */
  const char *status;   /* "finished", "running", "stopped", "diverged": coloured accordingly */
  const char *written;  /* date and time; may be NULL */
} coh_report_head;

/* Start a report in memory. Not collective. Ended by coh_report_end or _discard.
 * Fails: COH_E_MEMORY. */
coh_status coh_report_begin(const coh_report_head *head, coh_report **report);

/* Big numbers in a row under the title: value "487.2", label "mean return", note "95% interval
 * 476 to 498" (may be NULL). Call once for each, before the first section. */
void coh_report_number(coh_report *report, const char *value, const char *label,
                       const char *note);

/* A heading; it also appears in the contents at the top. */
void coh_report_section(coh_report *report, const char *title);

/* A paragraph. */
void coh_report_text(coh_report *report, const char *text);

/* A paragraph that stands out, for what a reader must not miss. */
void coh_report_warning(coh_report *report, const char *text);

/* A table: cells row by row, n_rows x n_columns; header: n_columns texts or NULL. Columns of
 * numbers are set flush right. caption may be NULL. */
void coh_report_table(coh_report *report, const char *caption, const char *const *header,
                      const char *const *cells, int64_t n_rows, int64_t n_columns);

/* A file as a figure: .svg (a chart), .png (a chart, a grid or an animation). Its bytes are put
 * into the report. width: shown width in pixels, 0: natural; pixelated: keep hard edges (game
 * frames; small ones are enlarged to 320 pixels or more). Adjacent figures of half width stand
 * side by side. A missing file leaves a note. Fails: COH_E_MEMORY. */
typedef struct coh_report_picture {
  const char *path;
  const char *caption; /* also the alternative text */
  int width;
  int pixelated;
  int half; /* half the page's width */
} coh_report_picture;
coh_status coh_report_figure(coh_report *report, const coh_report_picture *picture);

/* A paragraph that links to a page beside the report. path: relative to it. */
void coh_report_link(coh_report *report, const char *path, const char *text);

/* Preformatted text that folds away: the config, the environment, a log. */
void coh_report_listing(coh_report *report, const char *title, const char *text, int open);

/* Finish and write the file, atomically. Releases the report either way, sets it NULL.
 * Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_report_end(coh_report **report, const char *path);
void coh_report_discard(coh_report **report);

#endif
