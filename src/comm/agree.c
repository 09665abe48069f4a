/* Agreement on failures: one minimum over ranks finds the lowest failing rank, and only if
 * there is one does its message travel. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "comm/world.h"

enum { WORDS_BYTES = 1024, SPEAKER_SECONDS = 5 };

typedef struct verdict {
  int status;
  char words[WORDS_BYTES];
} verdict;

// does a message name its rank already, from an agreement further down?
static bool names_rank(const char *words, int size) {
  if (strncmp(words, "rank ", 5) != 0) return false;
  const char *after = words + 5 + strspn(words + 5, "0123456789");
  char of[32];
  int length = snprintf(of, sizeof of, " of %d: ", size);
  return after > words + 5 && strncmp(after, of, (size_t)length) == 0;
}

coh_status coh_comm_agree(const coh_world *world, coh_status status) {
  int failing = status == COH_OK ? world->size : world->rank;
  int lowest = failing;
  COH_MPI(MPI_Allreduce(&failing, &lowest, 1, MPI_INT, MPI_MIN, world->comm));
  if (lowest == world->size) return COH_OK;

  verdict said = {.status = (int)status};
  if (lowest == world->rank) snprintf(said.words, sizeof said.words, "%s", coh_error_message());
  COH_MPI(MPI_Bcast(&said, (int)sizeof said, MPI_BYTE, lowest, world->comm));
  coh_fail((coh_status)said.status, "%s", said.words);
  if (world->size == 1 || names_rank(said.words, world->size)) return (coh_status)said.status;
  return coh_fail_within((coh_status)said.status, "rank %d of %d", lowest, world->size);
}

void coh_comm_abort(const coh_world *world, coh_status status) {
  // what was agreed on is said by the rank that it names, which ends the job as well
  bool agreed = world->size > 1 && names_rank(coh_error_message(), world->size);
  if (agreed && strtol(coh_error_message() + strlen("rank "), NULL, 10) != world->rank)
    for (unsigned left = SPEAKER_SECONDS; left > 0;)
      left = sleep(left); // a signal that ends the job cuts it short
  // one write, so that lines of several ranks do not mix
  char line[WORDS_BYTES + 64];
  int length;
  if (world->size > 1 && !agreed)
    length = snprintf(line, sizeof line, "cohort: error: rank %d of %d: %s\n", world->rank,
                      world->size, coh_error_message());
  else
    length = snprintf(line, sizeof line, "cohort: error: %s\n", coh_error_message());
  if (write(STDERR_FILENO, line, (size_t)length) < 0) fflush(stderr);
  MPI_Abort(world->comm, coh_status_exit_code(status));
  _exit(coh_status_exit_code(status));
}
