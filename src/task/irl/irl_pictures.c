/* Pictures: rewards, visits and ways, side by side on the world's cells. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "draw/path.h"
#include "io/file.h"
#include "task/irl/irl.h"

enum {
  PATH_BYTES = 4096,
  PANEL_PIXELS = 384,
  WIDE_PIXELS = 1024,
  MOST_STEPS = 60,
  MOST_PANELS = 2
};

// numbers of cells, made to fit the panel by taking means of squares
typedef struct panel {
  int64_t rows, columns;
  int64_t shrink; /* cells a side that become one */
  int scale;      /* pixels a side of what a square becomes */
  coh_image image;
  char label[96];
} panel;

static void size_panel(const coh_irl_world *world, panel *made) {
  int64_t longest = world->picture_rows > world->picture_columns ? world->picture_rows
                                                                 : world->picture_columns;
  bool is_wide = world->picture_columns > 2 * world->picture_rows; // panels then are stacked
  int64_t room = is_wide ? WIDE_PIXELS : PANEL_PIXELS;
  made->shrink = (longest + room - 1) / room;
  made->rows = (world->picture_rows + made->shrink - 1) / made->shrink;
  made->columns = (world->picture_columns + made->shrink - 1) / made->shrink;
  int64_t scale = room * made->shrink / longest;
  made->scale = (int)(scale < 1 ? 1 : scale > 96 ? 96 : scale);
}

// mean (or sum) of numbers of states in every square
static coh_status gather_cells(const coh_irl_world *world, const panel *made,
                               const double *by_state, bool is_mean, float *cells) {
  int64_t n = made->rows * made->columns;
  double *sum;
  COH_NEW(sum, 2 * n);
  for (int64_t s = 0; s < world->mdp->n_states; s++) {
    if (world->cell[s] < 0 || coh_mdp_is_terminal(world->mdp, s)) continue;
    int64_t row = world->cell[s] / world->picture_columns / made->shrink;
    int64_t column = world->cell[s] % world->picture_columns / made->shrink;
    sum[row * made->columns + column] += by_state[s];
    sum[n + row * made->columns + column]++;
  }
  for (int64_t i = 0; i < n; i++)
    cells[i] = (float)(is_mean && sum[n + i] > 0 ? sum[i] / sum[n + i] : sum[i]);
  coh_free(sum);
  return COH_OK;
}

static int ascending(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

// the span that colours cover: all but the outermost hundredths
static coh_status find_span(const float *cells, int64_t n, float *low, float *high) {
  float *sorted;
  COH_NEW(sorted, n);
  memcpy(sorted, cells, (size_t)n * sizeof *sorted);
  qsort(sorted, (size_t)n, sizeof *sorted, ascending);
  *low = sorted[n / 100];
  *high = sorted[n - 1 - n / 100];
  coh_free(sorted);
  return COH_OK;
}

static coh_status draw_panel(const coh_irl_world *world, const double *by_state, bool is_mean,
                             const char *name, panel *made) {
  size_panel(world, made);
  int64_t n = made->rows * made->columns;
  float *cells, low = 0, high = 0;
  coh_image small;
  COH_NEW(cells, n);
  coh_status status = gather_cells(world, made, by_state, is_mean, cells);
  if (status == COH_OK) status = find_span(cells, n, &low, &high);
  snprintf(made->label, sizeof made->label, "%s (%.3g to %.3g)", name, (double)low,
           (double)high);
  if (status == COH_OK) status = coh_image_make(made->columns, made->rows, 3, &small);
  if (status == COH_OK) {
    coh_image_from_values(cells, n, low, high > low ? high : low + 1, small.data);
    status = coh_image_enlarge(&small, made->scale, &made->image);
    coh_image_clear(&small);
  }
  coh_free(cells);
  return status;
}

static coh_status write_panels(const coh_irl *irl, panel *panels, int64_t n, const char *name) {
  char path[PATH_BYTES];
  const uint8_t *cells[MOST_PANELS];
  const char *labels[MOST_PANELS];
  for (int64_t k = 0; k < n; k++) {
    cells[k] = panels[k].image.data;
    labels[k] = panels[k].label;
  }
  bool is_wide = panels[0].image.width > 2 * panels[0].image.height;
  coh_grid grid = {.cell = cells,
                   .n_cells = n,
                   .width = panels[0].image.width,
                   .height = panels[0].image.height,
                   .n_channels = 3,
                   .columns = is_wide ? 1 : (int)n,
                   .scale = 1,
                   .label = labels};
  snprintf(path, sizeof path, "%s/figures/%s.png", irl->context->folder, name);
  return coh_grid_write(&grid, path);
}

// mean over its rows of a number of rows
static void to_states(const coh_mdp *mdp, const double *by_row, double *by_state) {
  for (int64_t s = 0; s < mdp->n_states; s++) {
    double sum = 0;
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++)
      sum += by_row[row];
    int64_t n = mdp->first_row[s + 1] - mdp->first_row[s];
    by_state[s] = n > 0 ? sum / (double)n : 0;
  }
}

// follow a policy from a state, every time to the likeliest successor
static int64_t walk(const coh_irl_world *world, const panel *made, const int32_t *choice,
                    int64_t state, double *x, double *y) {
  const coh_mdp *mdp = world->mdp;
  int64_t n = 0;
  double pixels = (double)made->scale / (double)made->shrink;
  while (n < MOST_STEPS && world->cell[state] >= 0 && !coh_mdp_is_terminal(mdp, state)) {
    x[n] = ((double)(world->cell[state] % world->picture_columns) + 0.5) * pixels;
    y[n++] = ((double)(world->cell[state] / world->picture_columns) + 0.5) * pixels;
    int64_t row = mdp->first_row[state] + choice[state], best = mdp->first_entry[row];
    for (int64_t e = best; e < mdp->first_entry[row + 1]; e++)
      if (mdp->probability[e] > mdp->probability[best]) best = e;
    if (mdp->next[best] == state) break;
    state = mdp->next[best];
  }
  return n;
}

// a ring road is left on one side and entered on the other: such jumps are not drawn
static void draw_walk(const double *x, const double *y, int64_t n, double width,
                      const uint8_t rgb[3], coh_image *image) {
  int64_t first = 0;
  for (int64_t i = 1; i <= n; i++) {
    if (i < n && fabs(x[i] - x[i - 1]) < (double)image->width / 2) continue;
    coh_path path = {x + first,           y + first, i - first, width, {rgb[0], rgb[1], rgb[2]},
                     first == 0 && i == n};
    coh_path_draw(&path, image);
    first = i;
  }
}

static coh_status draw_ways(coh_irl *irl, panel *panels, int32_t *choice) {
  static const uint8_t light[3] = {255, 255, 255}, red[3] = {230, 57, 70};
  const coh_irl_world *world = &irl->world;
  double x[MOST_STEPS], y[MOST_STEPS];
  for (int k = 0; k < 2; k++) {
    COH_TRY(coh_irl_best_response(irl, world->mdp,
                                  k == 0 ? world->mdp->reward : irl->model_reward, choice));
    for (int64_t from = 0; from < 4 && from < irl->demos.n_trajectories; from++) {
      int64_t n =
          walk(world, &panels[k], choice, irl->demos.state[irl->demos.first[from]], x, y);
      double width = fmax(2, panels[k].scale * 0.3);
      draw_walk(x, y, n, width, k == 0 ? light : red, &panels[k].image);
    }
  }
  return COH_OK;
}

static coh_status draw_all(coh_irl *irl, coh_results *results, double *by_state, double *visits,
                           int32_t *choice) {
  const coh_irl_world *world = &irl->world;
  const coh_mdp *mdp = world->mdp;
  panel panels[MOST_PANELS] = {{0}};
  to_states(mdp, irl->model_reward, by_state);
  coh_status status = draw_panel(world, world->reward, true, "true reward", &panels[0]);
  if (status == COH_OK)
    status = draw_panel(world, by_state, true, "recovered reward", &panels[1]);
  if (status == COH_OK) status = write_panels(irl, panels, 2, "rewards");
  if (status == COH_OK) {
    coh_results_picture(results, "figures/rewards.png",
                        "The true reward and the recovered one, each on its own scale: "
                        "demonstrations cannot tell a reward's scale or shift.",
                        false);
    status = draw_ways(irl, panels, choice);
  }
  if (status == COH_OK) status = write_panels(irl, panels, 2, "ways");
  if (status == COH_OK)
    coh_results_picture(results, "figures/ways.png",
                        "Ways from the starts of four demonstrations, each to the likeliest "
                        "next state: the optimal policy's on the true reward, the learnt "
                        "policy's on the recovered one. A disc is the start, a ring the end.",
                        false);
  for (int k = 0; k < MOST_PANELS; k++)
    coh_image_clear(&panels[k].image);
  if (status != COH_OK) return status;

  // choice now is the learnt policy
  memset(panels, 0, sizeof panels);
  memset(visits, 0, (size_t)mdp->n_states * sizeof *visits);
  if (irl->mixture)
    memcpy(visits, irl->mixture, (size_t)mdp->n_states * sizeof *visits);
  else
    COH_TRY(coh_mdp_visits(irl->incoming, (coh_mdp_policy){.choice = choice}, mdp->start, 1e-9,
                           irl->context->n_threads, visits));
  for (int64_t s = 0; s < mdp->n_states; s++)
    visits[s] = log10(1e-4 / (double)mdp->n_states + visits[s] * (1 - mdp->discount));
  double total = 0;
  for (int64_t s = 0; s < mdp->n_states; s++)
    total += irl->expert_visits[s];
  for (int64_t s = 0; s < mdp->n_states; s++)
    by_state[s] = log10(1e-4 / (double)mdp->n_states + irl->expert_visits[s] / total);
  status = draw_panel(world, by_state, true, "expert, log10", &panels[0]);
  if (status == COH_OK) status = draw_panel(world, visits, true, "learner, log10", &panels[1]);
  if (status == COH_OK) status = write_panels(irl, panels, 2, "visited");
  if (status == COH_OK)
    coh_results_picture(results, "figures/visited.png",
                        "Where the expert's demonstrations went and where the learnt policy "
                        "goes: discounted visits as shares, logarithm to base 10.",
                        false);
  for (int k = 0; k < MOST_PANELS; k++)
    coh_image_clear(&panels[k].image);
  return status;
}

coh_status coh_irl_draw(coh_irl *irl, coh_results *results) {
  int64_t n = irl->world.mdp->n_states;
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures", irl->context->folder);
  COH_TRY(coh_folder_make(path));
  double *numbers = coh_alloc_array((size_t)(2 * n), sizeof *numbers);
  int32_t *choice = coh_alloc_array((size_t)n, sizeof *choice);
  coh_status status =
      numbers && choice ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to draw");
  if (status == COH_OK) status = draw_all(irl, results, numbers, numbers + n, choice);
  coh_free(numbers);
  coh_free(choice);
  return status;
}
