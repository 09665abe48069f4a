/* Recorded behaviour: rows (state, action, reward, next state, how it ended), in the order in
 * which they happened. What batch and inverse reinforcement learning learn from.
 *
 * One form, several files; the ending of the name says which:
 *
 *   NAME.npz    arrays states (n, d), actions (n), rewards (n), next_states (n, d),
 *               terminated (n); truncated (n) and episodes (n) where there are any
 *   NAME.csv    a header of state0 .. state<d-1>, action, reward, next_state0 .., terminated,
 *               and truncated, episode where there are any; then one row a line
 *   NAME.hdf5   D4RL or Minari, where libhdf5 was built in (also .h5)
 *   NAME/       a folder of the arrays as NPY files: mapped, so it may be larger than memory;
 * an array of another type than ours is converted and so read, and where truncated or episodes
 * are not given they take 9 bytes a row of memory
 *
 * States are vectors of floats; a finite world may use one value, the state's number. An
 * episode is a stretch of rows that starts where the one before has ended; `episodes` numbers
 * them. Nothing here is collective. */
#ifndef COHORT_DATA_TRANSITIONS_H
#define COHORT_DATA_TRANSITIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_transitions_memory coh_transitions_memory;

/* All fields are read-only for users; arrays are owned and live until destroy or append. */
typedef struct coh_transitions {
  const char *source; /* where it is from, for messages */
  int64_t n_rows;
  int64_t n_values;  /* d: of a state */
  int64_t n_actions; /* actions are 0 .. n_actions - 1 */
  int64_t n_episodes;
  const float *states;       /* (n_rows, n_values) */
  const float *next_states;  /* (n_rows, n_values) */
  const int32_t *actions;    /* (n_rows) */
  const float *rewards;      /* (n_rows), finite */
  const uint8_t *terminated; /* (n_rows): the problem ended; nothing follows */
  const uint8_t *truncated;  /* (n_rows): cut off; the next state has a value */
  const int64_t *episodes;   /* (n_rows): 0, 1, ... */
  coh_transitions_memory *memory;
} coh_transitions;

/* Read a file or folder. n_actions: what actions must lie below; 0: one above the largest.
 * Caller destroys *transitions.
 * Fails: COH_E_DATA with file and line or row: no rows, an action out of range, a number that
 * is not finite, arrays that do not fit each other, a file of another kind; COH_E_MEMORY. */
coh_status coh_transitions_read(const char *path, int64_t n_actions,
                                coh_transitions **transitions);

/* Whether the rows lie in mapped files, and so may be larger than memory. */
bool coh_transitions_mapped(const coh_transitions *transitions);

/* Write .npz, .csv or a folder, atomically. Fails: COH_E_CONFIG (another ending), COH_E_IO,
 * COH_E_DATA (an array of 4 GiB in an NPZ), COH_E_MEMORY. */
coh_status coh_transitions_write(const coh_transitions *transitions, const char *path);

/* Whether a name has one of the endings that can be written; a folder ends with '/'. */
bool coh_transitions_writable(const char *path);

/* Start an empty batch to append to. source: copied. Caller destroys. */
coh_status coh_transitions_create(const char *source, int64_t n_values, int64_t n_actions,
                                  coh_transitions **transitions);

/* One row to append; the vectors have n_values floats and are borrowed. */
typedef struct coh_transition_row {
  const float *state, *next_state;
  int32_t action;
  float reward;
  bool terminated, truncated;
} coh_transition_row;

/* Append a row to a batch of coh_transitions_create; the episode number goes on after a row
 * that terminated or was truncated. Fails: COH_E_MEMORY; COH_E_INTERNAL for one that was read.
 */
coh_status coh_transitions_append(coh_transitions *transitions, const coh_transition_row *row);

/* Destroy; accepts NULL, sets NULL. */
void coh_transitions_destroy(coh_transitions **transitions);

#endif
