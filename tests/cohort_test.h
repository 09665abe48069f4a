/* What every cmocka program of the test-suite includes. */
#ifndef COHORT_TESTS_COHORT_TEST_H
#define COHORT_TESTS_COHORT_TEST_H

// cmocka.h needs these four first
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "cohort/status.h"

/* The call succeeds; otherwise the test fails with the library's message. */
#define assert_ok(call)                                                   \
  do {                                                                    \
    if ((call) != COH_OK) fail_msg("%s: %s", #call, coh_error_message()); \
  } while (0)

/* The call fails with a status, and its message contains a text. */
#define assert_fails(call, status, text)                                \
  do {                                                                  \
    assert_int_equal((call), (status));                                 \
    if (!strstr(coh_error_message(), (text)))                           \
      fail_msg("message '%s' lacks '%s'", coh_error_message(), (text)); \
  } while (0)

/* |a - b| <= tolerance, in double (cmocka's own compares floats). */
#define assert_within(a, b, tolerance)                                       \
  do {                                                                       \
    double within_a_ = (double)(a), within_b_ = (double)(b);                 \
    if (!(fabs(within_a_ - within_b_) <= (tolerance)))                       \
      fail_msg("%s is %.17g, not %s = %.17g", #a, within_a_, #b, within_b_); \
  } while (0)

#endif
