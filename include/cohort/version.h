/* The version of libcohort that is linked. */
#ifndef COHORT_VERSION_H
#define COHORT_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0". Borrowed, static. */
const char *coh_version(void);

/* The compiler that built the library. Borrowed, static. */
const char *coh_version_compiler(void);

#ifdef __cplusplus
}
#endif
#endif
