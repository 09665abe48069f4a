/* Status codes and the one error mechanism of libcohort.
 *
 * The first function that knows the cause words the error with COH_CHECK or coh_fail;
 * callers only propagate with COH_TRY. The message is kept per thread. */
#ifndef COHORT_STATUS_H
#define COHORT_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum coh_status {
  COH_OK = 0,
  COH_E_CONFIG,     /* usage or configuration; exit 2 */
  COH_E_DATA,       /* a data file is missing, unreadable or malformed; exit 3 */
  COH_E_CHECKPOINT, /* no usable checkpoint; exit 4 */
  COH_E_DIVERGED,   /* a loss or value is not finite; exit 5 */
  COH_E_MEMORY,     /* out of memory; exit 1 */
  COH_E_IO,         /* writing failed (disk full, permission); exit 1 */
  COH_E_COMM,       /* MPI failed or a peer is gone; exit 1 */
  COH_E_INTERNAL,   /* a bug in Cohort; exit 1 */
  COH_E_SAVED,      /* not a fault: state saved on request, please requeue; exit 85 */
  COH_E_HANG,       /* no progress within the watchdog's limit; exit 86 */
} coh_status;

/* The process exit code that belongs to a status. Not collective. */
int coh_status_exit_code(coh_status status);

/* The name of a status, e.g. "config". Not collective. Borrowed, static. */
const char *coh_status_name(coh_status status);

/* The message of this thread's most recent failure, "" if there was none.
 * Not collective. Borrowed; valid until the thread's next failure. */
const char *coh_error_message(void);

/* Record a message (printf format) for this thread and return the given status.
 * Not collective. Messages over 1,023 bytes are cut. */
__attribute__((format(printf, 2, 3))) coh_status coh_fail(coh_status status, const char *format,
                                                          ...);

/* Prefix this thread's message with context, e.g. a file name, and return the status. */
__attribute__((format(printf, 2, 3))) coh_status coh_fail_within(coh_status status,
                                                                 const char *format, ...);

/* Return from the calling function with a worded failure unless the condition holds. */
#define COH_CHECK(condition, status, ...)                     \
  do {                                                        \
    if (!(condition)) return coh_fail((status), __VA_ARGS__); \
  } while (0)

/* Return from the calling function with the callee's status unless it is COH_OK. */
#define COH_TRY(call)                                      \
  do {                                                     \
    coh_status coh_try_status_ = (call);                   \
    if (coh_try_status_ != COH_OK) return coh_try_status_; \
  } while (0)

#ifdef __cplusplus
}
#endif
#endif
