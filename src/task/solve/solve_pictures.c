/* Values of a gridworld as a heat map, with the policy's arrows and its way from the start. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "draw/path.h"
#include "io/file.h"
#include "task/solve/solve.h"

enum { PATH_BYTES = 4096, ROOM = 760, MOST_SCALE = 56, LEAST_ARROW = 9 };

typedef struct heat_map {
  const coh_solve *solve;
  const coh_solve_answer *answer;
  const coh_mdp_picture *picture;
  int64_t n_rows, n_cols;
  int scale; /* pixels a side of a cell */
  float low, high;
  coh_image image;
} heat_map;

static coh_status paint(heat_map *map) {
  const double *values = map->answer->values;
  const uint8_t *walls = map->picture->wall;
  int64_t n = map->answer->n_states;
  float *cells;
  COH_NEW(cells, n);
  map->low = INFINITY;
  map->high = -INFINITY;
  for (int64_t s = 0; s < n; s++) {
    bool shown = !walls[s] && isfinite(values[s]);
    cells[s] = shown ? (float)values[s] : NAN;
    if (!shown) continue;
    map->low = fminf(map->low, cells[s]);
    map->high = fmaxf(map->high, cells[s]);
  }
  if (!(map->low < map->high)) map->high = map->low + 1;
  coh_image small;
  coh_status status = coh_image_make(map->n_cols, map->n_rows, 3, &small);
  if (status == COH_OK) {
    coh_image_from_values(cells, n, map->low, map->high, small.data);
    for (int64_t s = 0; s < n; s++) { // walls dark, the infinite in a colour of its own
      static const uint8_t wall[3] = {38, 38, 42}, infinite[3] = {178, 34, 52};
      if (walls[s]) memcpy(small.data + 3 * s, wall, 3);
      if (!walls[s] && isinf(values[s])) memcpy(small.data + 3 * s, infinite, 3);
    }
    status = coh_image_enlarge(&small, map->scale, &map->image);
    coh_image_clear(&small);
  }
  coh_free(cells);
  return status;
}

static double center(const heat_map *map, int64_t cell) {
  return ((double)cell + 0.5) * map->scale;
}

static void draw_arrow(heat_map *map, int64_t s, int direction) {
  static const double step[4][2] = {{0, -1}, {1, 0}, {0, 1}, {-1, 0}};
  double dx = step[direction][0], dy = step[direction][1], size = 0.28 * map->scale;
  double x = center(map, s % map->n_cols), y = center(map, s / map->n_cols);
  double tip_x = x + size * dx, tip_y = y + size * dy, wing = 0.16 * map->scale;
  // dark on bright cells, bright on dark ones
  const uint8_t *under = map->image.data + 3 * ((int64_t)y * map->image.width + (int64_t)x);
  uint8_t tone = under[0] + 2 * under[1] + under[2] > 440 ? 25 : 245;
  double shaft_x[2] = {x - size * dx, tip_x}, shaft_y[2] = {y - size * dy, tip_y};
  double head_x[3] = {tip_x - wing * (dx + dy), tip_x, tip_x - wing * (dx - dy)};
  double head_y[3] = {tip_y - wing * (dy + dx), tip_y, tip_y - wing * (dy - dx)};
  double width = fmax(1.2, 0.06 * map->scale);
  coh_path_draw(&(coh_path){shaft_x, shaft_y, 2, width, {tone, tone, tone}, false},
                &map->image);
  coh_path_draw(&(coh_path){head_x, head_y, 3, width, {tone, tone, tone}, false}, &map->image);
}

static void draw_policy(heat_map *map) {
  const uint8_t *target = map->solve->target;
  for (int64_t s = 0; s < map->answer->n_states; s++) {
    int32_t action = map->answer->action[s];
    if (map->picture->wall[s] || action > 3 || map->answer->likely[s] == -2) continue;
    if (target && target[s]) continue;
    draw_arrow(map, s, map->picture->direction[action]);
  }
}

static coh_status draw_way(heat_map *map) {
  const double *start = map->solve->start; // this is rank 0: its states are the first
  int64_t s = 0, n = 0, n_states = map->answer->n_states;
  while (start && s < map->solve->model->n_own - 1 && start[s] == 0.0)
    s++;
  double *x, *y;
  uint8_t *been;
  COH_NEW(x, n_states);
  COH_NEW(y, n_states);
  COH_NEW(been, n_states);
  while (s >= 0 && !been[s]) {
    been[s] = 1;
    x[n] = center(map, s % map->n_cols);
    y[n++] = center(map, s / map->n_cols);
    s = map->answer->likely[s];
  }
  double width = fmax(1.5, 0.16 * map->scale);
  coh_path_draw(&(coh_path){x, y, n, width, {230, 57, 70}, true}, &map->image);
  coh_free(x);
  coh_free(y);
  coh_free(been);
  return COH_OK;
}

coh_status coh_solve_draw(const coh_solve *solve, const coh_solve_answer *answer,
                          coh_results *results) {
  const coh_mdp_picture *picture = &solve->supply.picture;
  int64_t side = picture->n_rows > picture->n_cols ? picture->n_rows : picture->n_cols;
  if (picture->n_rows == 0 || side > 4 * ROOM) return COH_OK;
  heat_map map = {.solve = solve,
                  .answer = answer,
                  .picture = picture,
                  .n_rows = picture->n_rows,
                  .n_cols = picture->n_cols};
  map.scale = (int)(ROOM / side);
  map.scale = map.scale > MOST_SCALE ? MOST_SCALE : map.scale < 1 ? 1 : map.scale;
  char path[PATH_BYTES], label[128];
  snprintf(path, sizeof path, "%s/figures", solve->context->folder);
  COH_TRY(coh_folder_make(path));
  bool has_policy = !solve->chain || solve->options->find == COH_SOLVE_IMPROVE;
  coh_status status = paint(&map);
  if (status == COH_OK && has_policy) {
    status = draw_way(&map);
    if (map.scale >= LEAST_ARROW) draw_policy(&map);
  }
  double low = map.low, high = map.high, least = 1e-9 * (high - low); // less is rounding
  snprintf(label, sizeof label, "dark %.4g to bright %.4g", fabs(low) < least ? 0.0 : low,
           fabs(high) < least ? 0.0 : high);
  const uint8_t *cell = map.image.data;
  const char *text = label;
  snprintf(path, sizeof path, "%s/figures/value.png", solve->context->folder);
  if (status == COH_OK)
    status = coh_grid_write(&(coh_grid){.cell = &cell,
                                        .n_cells = 1,
                                        .width = map.image.width,
                                        .height = map.image.height,
                                        .n_channels = 3,
                                        .columns = 1,
                                        .scale = 1,
                                        .label = &text},
                            path);
  coh_image_clear(&map.image);
  if (status == COH_OK)
    coh_results_picture(results, "figures/value.png",
                        has_policy ? "Values, the policy's arrows, and its way from the start "
                                     "(always to the likeliest next cell; disc to ring)."
                                   : "Values of the policy.",
                        false);
  return status;
}
