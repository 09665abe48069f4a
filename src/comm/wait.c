/* Spinning, then napping. The spin lasts as long as the bytes could take on a slow link plus
 * what an unbalanced peer may be late. */
#include "comm/wait.h"

#include <time.h>

#include "base/clock.h"
#include "comm/world.h"

static const double spin_seconds = 200e-6;
static const double slow_link = 1e9; /* bytes/s */

enum { NAP_NANOSECONDS = 20000, TESTS_A_LOOK = 32 };

coh_status coh_wait_all(int n_requests, MPI_Request *requests, size_t n_bytes) {
  double until = 0;
  for (int n_tests = 1;; n_tests++) {
    int done = 0;
    COH_MPI(MPI_Testall(n_requests, requests, &done, MPI_STATUSES_IGNORE));
    if (done) return COH_OK;
    if (n_tests % TESTS_A_LOOK != 0) continue;
    double now = coh_clock_now();
    if (until == 0) until = now + spin_seconds + (double)n_bytes / slow_link;
    if (now >= until) nanosleep(&(struct timespec){.tv_nsec = NAP_NANOSECONDS}, NULL);
  }
}
