/* Releasing what libcohort hands over ("caller frees"). */
#ifndef COHORT_ALLOC_H
#define COHORT_ALLOC_H

#ifdef __cplusplus
extern "C" {
#endif

/* Free a block that libcohort allocated; accepts NULL. Not collective. */
void coh_free(void *pointer);

#ifdef __cplusplus
}
#endif
#endif
