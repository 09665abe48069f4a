/* Subnormal numbers as zero, for a stretch of numerical work in the calling thread.
 *
 * A moment whose gradient has stopped decays into subnormals (below 1.2e-38), where every
 * operation costs a hundred times more: measured, a step of RMSProp over 132,576 floats goes
 * from 50 to 1,050 us. Inside begin and end such numbers are read and written as zero. The work
 * goes into a function that is not inlined, so that nothing moves across the boundary. */
#ifndef COHORT_BASE_FLOAT_MODE_H
#define COHORT_BASE_FLOAT_MODE_H

#include <stdint.h>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

/* What the thread's mode was. */
typedef uint64_t coh_float_mode;

/* Treat subnormals as zero from here on; returns the mode to go back to. */
static inline coh_float_mode coh_float_mode_begin(void) {
#if defined(__x86_64__)
  enum { FLUSH_TO_ZERO = 0x8000, SUBNORMALS_ARE_ZERO = 0x0040 };
  unsigned int before = _mm_getcsr();
  _mm_setcsr(before | FLUSH_TO_ZERO | SUBNORMALS_ARE_ZERO);
  return before;
#elif defined(__aarch64__)
  uint64_t before;
  __asm__ volatile("mrs %0, fpcr" : "=r"(before));
  __asm__ volatile("msr fpcr, %0" ::"r"(before | (UINT64_C(1) << 24)));
  return before;
#else
  return 0;
#endif
}

static inline void coh_float_mode_end(coh_float_mode before) {
#if defined(__x86_64__)
  _mm_setcsr((unsigned int)before);
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" ::"r"(before));
#else
  (void)before;
#endif
}

#endif
