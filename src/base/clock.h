/* Clocks. Times are for people and metrics; no result depends on them. */
#ifndef COHORT_BASE_CLOCK_H
#define COHORT_BASE_CLOCK_H

/* Monotonic seconds since an arbitrary point. */
double coh_clock_now(void);

/* CPU seconds of the calling thread. */
double coh_clock_thread(void);

/* Seconds since the Unix epoch. */
double coh_clock_wall(void);

#endif
