/* Worlds of cells on which one agent walks in four directions: FrozenLake, CliffWalking and
 * worlds read from text maps are tables for this one engine.
 *
 * A move goes astray with probability `slip`, half to either side of the wished direction. At
 * the edge and at walls the agent stays. Entering a cell (or staying in it) pays the cell's
 * reward. The observation is the agent's cell, one-hot, row by row, one bit a cell. */
#ifndef COHORT_ENV_GRID_H
#define COHORT_ENV_GRID_H

#include "env/env_type.h"

typedef enum coh_grid_look {
  COH_GRID_FLOOR,
  COH_GRID_WALL,
  COH_GRID_START,
  COH_GRID_ICE,
  COH_GRID_HOLE,
  COH_GRID_CLIFF,
  COH_GRID_GOOD,
  COH_GRID_BAD,
} coh_grid_look;

typedef struct coh_grid_cell {
  float reward;
  uint8_t look;    /* coh_grid_look */
  bool blocks;     /* cannot be entered */
  bool ends;       /* entering terminates */
  bool sends_back; /* entering moves the agent to the first start */
  bool starts;     /* episodes begin here; with several, each is as likely */
} coh_grid_cell;

enum { COH_GRID_UP, COH_GRID_RIGHT, COH_GRID_DOWN, COH_GRID_LEFT };

typedef struct coh_grid {
  int64_t n_rows, n_cols, n_starts;
  coh_grid_cell *cells; /* n_rows x n_cols */
  int32_t *starts;      /* n_starts positions */
  double slip;
  int8_t directions[4]; /* the direction of each action */
} coh_grid;

/* What a letter of a map means. */
typedef struct coh_grid_legend {
  char letter;
  coh_grid_cell cell;
} coh_grid_legend;

/* Make a grid from its letters, n_rows x n_cols of them without line ends; every letter is in
 * the legend and one cell at least is a start. Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_grid_create(const char *letters, int64_t n_rows, int64_t n_cols,
                           const coh_grid_legend *legend, int64_t n_legend, coh_grid **grid);

/* The `release` of a type whose model is a grid. */
void coh_grid_release(void *model);

/* Fill the spec of a grid. action_names: 4, borrowed. */
void coh_grid_describe(const coh_grid *grid, const char *const *action_names,
                       coh_env_spec *spec);

/* The state of a walk, and the remaining functions of a coh_env_type. */
typedef struct coh_grid_state {
  int64_t position;
} coh_grid_state;

void coh_grid_reset(const void *model, void *state, coh_env_random *random);
void coh_grid_step(const coh_env_slice *slice);
void coh_grid_observe(const void *model, const void *state, uint8_t *row);
bool coh_grid_valid(const void *model, const void *state);
void coh_grid_render(const void *model, const void *state, coh_canvas *canvas);

#endif
