/* The progress of a run for the person who waits: a live bar on a terminal, a plain line every
 * ten seconds in a log. Only rank 0 has one. Updating allocates nothing and costs a clock read
 * until it is time to redraw. */
#ifndef COHORT_RUN_PROGRESS_H
#define COHORT_RUN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "run/metrics.h"

enum { COH_PROGRESS_BYTES = 1024 };

/* In place, no heap; treat the fields as private. */
typedef struct coh_progress {
  int descriptor;
  bool terminal, visible;
  int64_t start, total, done;
  char label[48], unit[24];
  double begun, drawn_at, rate, rate_at;
  int64_t rate_done;
  char text[COH_PROGRESS_BYTES];
} coh_progress;

/* Begin. descriptor: usually 2 (stderr); whether it is a terminal decides the form, and
 * TERM=dumb counts as none. label: the run's name; unit: "steps"; start: where a resumed run
 * begins; total: the end, or 0 when unknown. All copied. */
void coh_progress_begin(coh_progress *progress, int descriptor, const char *label,
                        const char *unit, int64_t start, int64_t total);

/* Tell how far it is; metrics (borrowed, may be NULL) are shown as far as they fit, in order,
 * by the last part of their name. Redraws at most 10 times a second (a log: every 10 s). */
void coh_progress_update(coh_progress *progress, int64_t done, const coh_metric *metrics,
                         int64_t n_metrics);

/* Take the bar off the terminal so that a line can be printed; the next update redraws it. */
void coh_progress_clear(coh_progress *progress);

/* Draw the last state and leave it standing, with the total time. */
void coh_progress_end(coh_progress *progress, const coh_metric *metrics, int64_t n_metrics);

/* The pure parts, for tests. Format a count ("12.3k"), a time ("1:02:03", "4:05"), and the line
 * for a terminal of `columns` (0: a log line) into text. Return the columns taken. */
void coh_progress_count(double value, char text[16]);
void coh_progress_time(double seconds, char text[16]);
int coh_progress_line(const coh_progress *progress, double now, int columns,
                      const coh_metric *metrics, int64_t n_metrics,
                      char text[COH_PROGRESS_BYTES]);

#endif
