/* Lanes on threads. Messages are kept per thread, so the failing lane's words are carried over
 * to the calling thread here. */
#include "task/lane_loop.h"

#include <stdio.h>

coh_status coh_lane_loop(int n_threads, int64_t n_local, coh_lane_function *function,
                         void *context) {
  coh_status status = COH_OK;
  if (n_threads == 1 || n_local == 1) {
    for (int64_t local = 0; local < n_local && status == COH_OK; local++)
      status = function(context, local);
    return status;
  }
  int64_t failed = n_local;
  char message[1024] = "";
#pragma omp parallel for num_threads(n_threads) schedule(static) default(none) \
    shared(n_local, function, context, status, failed, message)
  for (int64_t local = 0; local < n_local; local++) {
    coh_status own = function(context, local);
    if (own == COH_OK) continue;
#pragma omp critical(coh_lane_failure)
    if (local < failed) {
      failed = local;
      status = own;
      snprintf(message, sizeof message, "%s", coh_error_message());
    }
  }
  return status == COH_OK ? COH_OK : coh_fail(status, "%s", message);
}
