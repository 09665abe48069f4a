/* The look of a report. */
#ifndef COHORT_RUN_REPORT_STYLE_H
#define COHORT_RUN_REPORT_STYLE_H

/* The style sheet, as it stands in the page. */
extern const char coh_report_style[];

#endif
