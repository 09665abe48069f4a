/* The inside of recorded behaviour, for its readers. */
#ifndef COHORT_DATA_TRANSITIONS_MEMORY_H
#define COHORT_DATA_TRANSITIONS_MEMORY_H

#include "cohort/io.h"
#include "data/transitions.h"
#include "io/map.h"

/* The columns, in the order of the form. */
typedef enum coh_transitions_column {
  COH_COLUMN_STATES,
  COH_COLUMN_ACTIONS,
  COH_COLUMN_REWARDS,
  COH_COLUMN_NEXT_STATES,
  COH_COLUMN_TERMINATED,
  COH_COLUMN_TRUNCATED,
  COH_COLUMN_EPISODES,
  COH_N_COLUMNS
} coh_transitions_column;

typedef struct coh_column_form {
  const char *name; /* of the array */
  coh_dtype dtype;  /* in memory */
  bool required;
} coh_column_form;

extern const coh_column_form coh_column_forms[COH_N_COLUMNS];

struct coh_transitions_memory {
  coh_array column[COH_N_COLUMNS]; /* dtype as in the form; data NULL: absent */
  coh_map map[COH_N_COLUMNS];      /* where the data lies in a file */
  int64_t capacity;                /* rows; 0: not to append to */
  char *source;                    /* owned */
  bool by_line;                    /* row i is line i + 2 of a CSV file */
};

/* Make an empty object that a reader fills. */
coh_status coh_transitions_begin(const char *source, coh_transitions **transitions);

/* Hand an array over as a column: it is converted where its type is another one, and emptied.
 * map: where its data lies, or NULL. Fails: COH_E_DATA for real actions; COH_E_MEMORY. */
coh_status coh_transitions_take(coh_transitions *t, coh_transitions_column column,
                                coh_array *array, coh_map *map);

/* Check all columns against each other, fill what is optional, and set the public fields.
 * n_actions: as in coh_transitions_read. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_transitions_complete(coh_transitions *t, int64_t n_actions);

/* D4RL and Minari files. Fails: COH_E_DATA, COH_E_CONFIG in a build without libhdf5. */
coh_status coh_transitions_read_hdf5(const char *path, coh_transitions *t);

#endif
