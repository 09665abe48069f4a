/* Lanes on threads. Messages are kept per thread, so the failing lane's words are carried over
 * to the calling thread here. */
#include "task/lane_loop.h"

#include <omp.h>
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

coh_status coh_lane_pair(int n_threads, coh_half_function *first, coh_half_function *second,
                         void *context) {
  if (n_threads == 1) {
    COH_TRY(second(context, 1));
    return first(context, 1);
  }
  // the halves have teams of their own inside this one
  if (omp_get_max_active_levels() < 2) omp_set_max_active_levels(2);
  coh_status status[2] = {COH_OK, COH_OK};
  char message[1024] = "";
  int share = n_threads / 2;
#pragma omp parallel num_threads(2) default(none) \
    shared(first, second, context, status, message, share, n_threads)
  {
    int half = omp_get_thread_num();
    status[half] = half == 0 ? first(context, n_threads - share) : second(context, share);
    if (half == 1 && status[1] != COH_OK)
      snprintf(message, sizeof message, "%s", coh_error_message());
  }
  if (status[0] != COH_OK) return status[0];
  return status[1] == COH_OK ? COH_OK : coh_fail(status[1], "%s", message);
}
