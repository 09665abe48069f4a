/* Values of a gridworld as a heat map, with the policy's arrows and its way from the start. */
#include <math.h>
#include <stdio.h>

#include "base/alloc.h"
#include "draw/cells.h"
#include "draw/figure.h"
#include "io/file.h"
#include "task/solve/solve.h"

enum { PATH_BYTES = 4096, ROOM = 760 };

static void point_arrows(const coh_solve *solve, const coh_solve_answer *answer,
                         int8_t *arrow) {
  const coh_mdp_picture *picture = &solve->supply.picture;
  for (int64_t s = 0; s < answer->n_states; s++) {
    int32_t action = answer->action[s];
    bool ends = answer->likely[s] == -2 || (solve->target && solve->target[s]);
    arrow[s] = (int8_t)(action > 3 || ends ? -1 : picture->direction[action]);
  }
}

/* always to the likeliest next cell, until one comes again; n: out */
static coh_status find_way(const coh_solve *solve, const coh_solve_answer *answer, int64_t *way,
                           int64_t *n) {
  const double *start = solve->start; // this is rank 0: its states are the first
  int64_t s = 0;
  uint8_t *been;
  COH_NEW(been, answer->n_states);
  while (start && s < solve->model->n_own - 1 && start[s] == 0.0)
    s++;
  for (*n = 0; s >= 0 && !been[s]; s = answer->likely[s]) {
    been[s] = 1;
    way[(*n)++] = s;
  }
  coh_free(been);
  return COH_OK;
}

static coh_status draw(coh_cells *cells, const char *path) {
  coh_image image;
  char label[128];
  coh_cells_range(cells, &cells->low, &cells->high);
  double low = cells->low, high = cells->high, least = 1e-9 * (high - low); // less is rounding
  snprintf(label, sizeof label, "dark %.4g to bright %.4g", fabs(low) < least ? 0.0 : low,
           fabs(high) < least ? 0.0 : high);
  COH_TRY(coh_cells_draw(cells, &image));
  const uint8_t *cell = image.data;
  const char *text = label;
  coh_status status = coh_grid_write(&(coh_grid){.cell = &cell,
                                                 .n_cells = 1,
                                                 .width = image.width,
                                                 .height = image.height,
                                                 .n_channels = 3,
                                                 .columns = 1,
                                                 .scale = 1,
                                                 .label = &text},
                                     path);
  coh_image_clear(&image);
  return status;
}

coh_status coh_solve_draw(const coh_solve *solve, const coh_solve_answer *answer,
                          coh_results *results) {
  const coh_mdp_picture *picture = &solve->supply.picture;
  int64_t side = picture->n_rows > picture->n_cols ? picture->n_rows : picture->n_cols;
  if (picture->n_rows == 0 || side > 4 * ROOM) return COH_OK;
  coh_cells cells = {.n_rows = picture->n_rows,
                     .n_cols = picture->n_cols,
                     .value = answer->values,
                     .wall = picture->wall,
                     .room = ROOM};
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures", solve->context->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, sizeof path, "%s/figures/value.png", solve->context->folder);
  bool has_policy = !solve->chain || solve->options->find == COH_SOLVE_IMPROVE;
  int8_t *arrow = coh_alloc_array((size_t)answer->n_states, sizeof *arrow);
  int64_t *way = coh_alloc_array((size_t)answer->n_states, sizeof *way);
  coh_status status = arrow && way ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to draw");
  if (status == COH_OK && has_policy) {
    point_arrows(solve, answer, arrow);
    cells.arrow = arrow;
    cells.way = way;
    status = find_way(solve, answer, way, &cells.n_way);
  }
  if (status == COH_OK) status = draw(&cells, path);
  coh_free(arrow);
  coh_free(way);
  if (status == COH_OK)
    coh_results_picture(results, "figures/value.png",
                        has_policy ? "Values, the policy's arrows, and its way from the start "
                                     "(always to the likeliest next cell; disc to ring)."
                                   : "Values of the policy.",
                        false);
  return status;
}
