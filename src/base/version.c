/* The version, as CMake passes it. */
#include "cohort/version.h"

const char *coh_version(void) {
  return COHORT_VERSION;
}

const char *coh_version_compiler(void) {
#ifdef __clang__
  return "clang " __clang_version__;
#else
  return "gcc " __VERSION__;
#endif
}
