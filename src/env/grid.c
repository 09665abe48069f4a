/* Walking on a grid: the dynamics that its tables drive. */
#include "env/grid.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

static void free_grid(coh_grid *grid) {
  coh_free(grid->cells);
  coh_free(grid->starts);
  coh_free(grid);
}

void coh_grid_release(void *model) {
  if (model) free_grid(model);
}

static const coh_grid_cell *look_up(char letter, const coh_grid_legend *legend,
                                    int64_t n_legend) {
  for (int64_t k = 0; k < n_legend; k++)
    if (legend[k].letter == letter) return &legend[k].cell;
  return NULL;
}

static coh_status fill(coh_grid *grid, const char *letters, const coh_grid_legend *legend,
                       int64_t n_legend) {
  int64_t n_cells = grid->n_rows * grid->n_cols;
  COH_NEW(grid->cells, n_cells);
  COH_NEW(grid->starts, n_cells);
  for (int64_t k = 0; k < n_cells; k++) {
    const coh_grid_cell *cell = look_up(letters[k], legend, n_legend);
    COH_CHECK(cell, COH_E_INTERNAL, "letter '%c' of a grid is not in its legend", letters[k]);
    grid->cells[k] = *cell;
    if (cell->starts) grid->starts[grid->n_starts++] = (int32_t)k;
  }
  COH_CHECK(grid->n_starts > 0, COH_E_INTERNAL, "a grid has no start");
  return COH_OK;
}

coh_status coh_grid_create(const char *letters, int64_t n_rows, int64_t n_cols,
                           const coh_grid_legend *legend, int64_t n_legend, coh_grid **grid) {
  coh_grid *made;
  COH_NEW(made, 1);
  made->n_rows = n_rows;
  made->n_cols = n_cols;
  for (int8_t k = 0; k < 4; k++)
    made->directions[k] = k;
  coh_status status = fill(made, letters, legend, n_legend);
  if (status != COH_OK) {
    free_grid(made);
    return status;
  }
  *grid = made;
  return COH_OK;
}

/* Cells are drawn so that the longer side is about 512 pixels. */
static int64_t pixels_per_cell(const coh_grid *grid) {
  int64_t longer = grid->n_rows > grid->n_cols ? grid->n_rows : grid->n_cols;
  int64_t pixels = 512 / longer;
  return pixels < 6 ? 6 : pixels > 96 ? 96 : pixels;
}

void coh_grid_describe(const coh_grid *grid, const char *const *action_names,
                       coh_env_spec *spec) {
  *spec = (coh_env_spec){
      .observation = COH_OBSERVATION_BINARY,
      .n_dims = 1,
      .shape = {grid->n_rows * grid->n_cols},
      .n_actions = 4,
      .action_names = action_names,
      .solved_at = NAN,
      .render_width = grid->n_cols * pixels_per_cell(grid),
      .render_height = grid->n_rows * pixels_per_cell(grid),
  };
}

void coh_grid_reset(const void *model, void *state, coh_env_random *random) {
  const coh_grid *grid = model;
  coh_grid_state *walk = state;
  int64_t start = grid->n_starts > 1 ? coh_env_below(random, grid->n_starts) : 0;
  walk->position = grid->starts[start];
}

/* The cell that a move leads to. */
static inline int64_t move(const coh_grid *grid, int64_t position, int direction) {
  int64_t row = position / grid->n_cols, col = position % grid->n_cols;
  row += (direction == COH_GRID_DOWN) - (direction == COH_GRID_UP);
  col += (direction == COH_GRID_RIGHT) - (direction == COH_GRID_LEFT);
  if (row < 0 || row >= grid->n_rows || col < 0 || col >= grid->n_cols) return position;
  int64_t next = row * grid->n_cols + col;
  return grid->cells[next].blocks ? position : next;
}

static inline void write_row(const coh_grid *grid, int64_t position, uint8_t *row) {
  memset(row, 0, (size_t)(grid->n_rows * grid->n_cols + 7) / 8);
  row[position / 8] = (uint8_t)(1u << position % 8);
}

void coh_grid_step(const coh_env_slice *slice) {
  const coh_grid *grid = slice->model;
  coh_grid_state *walks = slice->states;
  for (int64_t i = 0; i < slice->n; i++) {
    int direction = grid->directions[slice->actions[i]];
    if (grid->slip > 0.0) {
      coh_env_random random = coh_env_random_of(&slice->randomness, i);
      double chance = coh_env_uniform(&random);
      int stray = chance < 0.5 * grid->slip ? 3 : chance < grid->slip ? 1 : 0;
      direction = (direction + stray) % 4;
    }
    int64_t position = move(grid, walks[i].position, direction);
    const coh_grid_cell *cell = &grid->cells[position];
    slice->rewards[i] = cell->reward;
    slice->terminated[i] = cell->ends;
    walks[i].position = cell->sends_back ? grid->starts[0] : position;
    write_row(grid, walks[i].position,
              slice->observations + (size_t)i * slice->observation_bytes);
  }
}

void coh_grid_observe(const void *model, const void *state, uint8_t *row) {
  write_row(model, ((const coh_grid_state *)state)->position, row);
}

bool coh_grid_valid(const void *model, const void *state) {
  const coh_grid *grid = model;
  const coh_grid_state *walk = state;
  return walk->position >= 0 && walk->position < grid->n_rows * grid->n_cols;
}

/* ------------------------------------------------------------------------------- drawing -- */

static void draw_cell(coh_canvas *canvas, coh_grid_look look, double x, double y, double size) {
  static const uint32_t ground[] = {
      [COH_GRID_FLOOR] = 0x222A35, [COH_GRID_WALL] = 0x4A5568, [COH_GRID_START] = 0x2B3A4D,
      [COH_GRID_ICE] = 0x9CC7DD,   [COH_GRID_HOLE] = 0x9CC7DD, [COH_GRID_CLIFF] = 0x4A2C2A,
      [COH_GRID_GOOD] = 0x2E5A3C,  [COH_GRID_BAD] = 0x5E2B2B,
  };
  double gap = size >= 16.0 ? 1.0 : 0.5, round = size / 12.0;
  coh_canvas_rect(canvas, x + gap, y + gap, x + size - gap, y + size - gap, round,
                  coh_rgb(ground[look]));
  coh_point middle = {x + 0.5 * size, y + 0.5 * size};
  switch (look) {
  case COH_GRID_HOLE:
    coh_canvas_disc(canvas, middle, 0.36 * size, coh_rgb(0x6FA3BF));
    coh_canvas_disc(canvas, middle, 0.31 * size, coh_rgb(0x12202B));
    break;
  case COH_GRID_CLIFF:
    for (int k = 0; k < 3; k++) { // rocks far below
      coh_point spike[] = {{x + (0.14 + 0.26 * k) * size, y + 0.86 * size},
                           {x + (0.24 + 0.26 * k) * size, y + (0.34 + 0.14 * (k & 1)) * size},
                           {x + (0.34 + 0.26 * k) * size, y + 0.86 * size}};
      coh_canvas_polygon(canvas, spike, 3, coh_rgb(0xC4574C));
    }
    break;
  case COH_GRID_GOOD:
  case COH_GRID_BAD: {
    coh_color color = coh_rgb(look == COH_GRID_GOOD ? 0x7BC67B : 0xE2504A);
    coh_point foot = {x + 0.34 * size, y + 0.80 * size}, top = {foot.x, y + 0.20 * size};
    coh_point flag[] = {top, {x + 0.76 * size, y + 0.34 * size}, {foot.x, y + 0.50 * size}};
    coh_canvas_line(canvas, foot, top, 0.05 * size, coh_rgb(0xF4F1DE));
    coh_canvas_polygon(canvas, flag, 3, color);
    break;
  }
  case COH_GRID_START:
    coh_canvas_disc(canvas, middle, 0.34 * size, coh_rgb(0x4F6D8F));
    coh_canvas_disc(canvas, middle, 0.28 * size, coh_rgb(ground[look]));
    break;
  default:
    break;
  }
}

void coh_grid_render(const void *model, const void *state, coh_canvas *canvas) {
  const coh_grid *grid = model;
  const coh_grid_state *walk = state;
  double size = (double)pixels_per_cell(grid);
  coh_canvas_clear(canvas, coh_rgb(0x14181F));
  for (int64_t k = 0; k < grid->n_rows * grid->n_cols; k++)
    draw_cell(canvas, grid->cells[k].look, size * (double)(k % grid->n_cols),
              size * (double)(k / grid->n_cols), size);
  coh_point at = {size * ((double)(walk->position % grid->n_cols) + 0.5),
                  size * ((double)(walk->position / grid->n_cols) + 0.5)};
  coh_canvas_disc(canvas, at, 0.27 * size, coh_rgb(0x14181F));
  coh_canvas_disc(canvas, at, 0.23 * size, coh_rgb(0xF2A541));
}
