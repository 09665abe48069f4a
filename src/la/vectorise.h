/* A promise to the compiler before a loop: iterations are independent. Input and output may be
 * the same array, element for element. */
#ifndef COHORT_LA_VECTORISE_H
#define COHORT_LA_VECTORISE_H

#if defined(__clang__)
#define COH_VECTOR_LOOP _Pragma("clang loop vectorize(assume_safety)")
#else
#define COH_VECTOR_LOOP _Pragma("GCC ivdep")
#endif

#endif
