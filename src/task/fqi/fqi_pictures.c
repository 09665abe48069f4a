/* Pictures of a policy over two of the state's values: value, greedy action, and where the
 * batch lies. Other values stand at their mean. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "draw/scatter.h"
#include "io/file.h"
#include "task/fqi/fqi.h"

enum { SIDE = 200, PATH_BYTES = 4096, PANELS = 3, SCALE = 2 };

typedef struct maps {
  int x, y; /* which values */
  float low[2], high[2];
  float *states; /* (SIDE x SIDE, n_values) */
  double *q;     /* (SIDE x SIDE, n_actions) */
  float *value;  /* SIDE x SIDE, rows from the top: high y first */
  uint8_t *panel[PANELS];
} maps;

static void span(const coh_transitions *batch, int k, float *low, float *high) {
  *low = INFINITY, *high = -INFINITY;
  for (int64_t i = 0; i < batch->n_rows; i++) {
    *low = fminf(*low, batch->states[i * batch->n_values + k]);
    *high = fmaxf(*high, batch->states[i * batch->n_values + k]);
  }
}

static void fill_states(const coh_transitions *batch, maps *m) {
  int64_t d = batch->n_values;
  float mean[16] = {0};
  for (int64_t k = 0; k < d; k++) {
    double sum = 0;
    for (int64_t i = 0; i < batch->n_rows; i++)
      sum += (double)batch->states[i * d + k];
    mean[k] = (float)(sum / (double)batch->n_rows);
  }
  for (int64_t r = 0; r < SIDE; r++)
    for (int64_t c = 0; c < SIDE; c++) {
      float *state = m->states + (r * SIDE + c) * d;
      memcpy(state, mean, (size_t)d * sizeof *state);
      state[m->x] = m->low[0] + (m->high[0] - m->low[0]) * ((float)c + 0.5f) / SIDE;
      state[m->y] = m->high[1] - (m->high[1] - m->low[1]) * ((float)r + 0.5f) / SIDE;
    }
}

static void color_panels(const coh_transitions *batch, maps *m) {
  int64_t d = batch->n_values, n_actions = batch->n_actions;
  float low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < SIDE * SIDE; i++) {
    int64_t best = coh_greedy(m->q + i * n_actions, n_actions);
    m->value[i] = (float)m->q[i * n_actions + best];
    low = fminf(low, m->value[i]);
    high = fmaxf(high, m->value[i]);
    coh_class_color(best, m->panel[1] + 3 * i);
  }
  coh_image_from_values(m->value, SIDE * SIDE, low, high > low ? high : low + 1, m->panel[0]);
  memset(m->panel[2], 255, 3 * SIDE * SIDE);
  for (int64_t i = 0; i < batch->n_rows; i++) {
    const float *state = batch->states + i * d;
    int64_t c = (int64_t)((state[m->x] - m->low[0]) / (m->high[0] - m->low[0]) * SIDE);
    int64_t r = (int64_t)((m->high[1] - state[m->y]) / (m->high[1] - m->low[1]) * SIDE);
    c = c < 0 ? 0 : c >= SIDE ? SIDE - 1 : c;
    r = r < 0 ? 0 : r >= SIDE ? SIDE - 1 : r;
    coh_class_color(batch->actions[i], m->panel[2] + 3 * (r * SIDE + c));
  }
}

/* What the picture says in words: the two values' names, and which colour is which action. */
typedef struct words {
  char value[2][32];
  char colors[160]; /* "" where actions have no names, or too many */
} words;

static void find_words(const coh_fqi *fqi, const maps *m, words *w) {
  // those of coh_class_color's first
  static const char *const color[] = {"blue", "orange", "green", "red", "violet"};
  const int64_t n_colors = sizeof color / sizeof *color, n = fqi->batch->n_actions;
  const int value[2] = {m->x, m->y};
  coh_env *env = NULL;
  const coh_env_spec *spec = NULL;
  if (fqi->play_env && coh_env_create(fqi->play_env, 1, 0, 1, &env) == COH_OK)
    spec = coh_env_spec_of(env);
  bool has_names = spec && spec->n_dims == 1 && spec->channel_names;
  for (int k = 0; k < 2; k++)
    if (has_names)
      snprintf(w->value[k], sizeof w->value[k], "%s", spec->channel_names[value[k]]);
    else
      snprintf(w->value[k], sizeof w->value[k], "value %d", value[k]);
  w->colors[0] = 0;
  for (int64_t a = 0; a < n && n <= n_colors && spec && spec->action_names; a++) {
    size_t used = strlen(w->colors);
    snprintf(w->colors + used, sizeof w->colors - used, "%s%s %s", a ? ", " : " (",
             spec->action_names[a], color[a]);
  }
  if (w->colors[0]) strncat(w->colors, ")", sizeof w->colors - strlen(w->colors) - 1);
  coh_env_destroy(&env);
}

static coh_status write_panels(const coh_fqi *fqi, const maps *m, const words *w,
                               coh_results *results) {
  char path[PATH_BYTES], caption[800], value_label[96];
  snprintf(path, sizeof path, "%s/figures", fqi->context->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, sizeof path, "%s/figures/policy.png", fqi->context->folder);
  float low = INFINITY, high = -INFINITY;
  for (int64_t i = 0; i < SIDE * SIDE; i++) {
    low = fminf(low, m->value[i]);
    high = fmaxf(high, m->value[i]);
  }
  snprintf(value_label, sizeof value_label, "value (%.3g to %.3g)", (double)low, (double)high);
  const char *labels[PANELS] = {value_label, "greedy action", "the batch"};
  const uint8_t *cells[PANELS] = {m->panel[0], m->panel[1], m->panel[2]};
  coh_grid grid = {.cell = cells,
                   .n_cells = PANELS,
                   .width = SIDE,
                   .height = SIDE,
                   .n_channels = 3,
                   .columns = PANELS,
                   .scale = SCALE,
                   .label = labels};
  COH_TRY(coh_grid_write(&grid, path));
  snprintf(caption, sizeof caption,
           "Left to right: %s from %.3g to %.3g; bottom to top: %s from %.3g to %.3g. Value of "
           "the best action; the greedy action in its colour%s; the states of the batch in the "
           "colours of the actions taken there.%s",
           w->value[0], (double)m->low[0], (double)m->high[0], w->value[1], (double)m->low[1],
           (double)m->high[1], w->colors,
           fqi->batch->n_values > 2 ? " The other values of the state stand at their mean."
                                    : "");
  coh_results_picture(results, "figures/policy.png", caption, false);
  return COH_OK;
}

static coh_status draw(coh_fqi *fqi, maps *m, coh_results *results) {
  const coh_transitions *batch = fqi->batch;
  COH_TRY(fqi->regressor.type->values(fqi->regressor.state, SIDE * SIDE, m->states, m->q));
  if (coh_world_rank(fqi->context->world) != 0) return COH_OK;
  color_panels(batch, m);
  words w;
  find_words(fqi, m, &w);
  return write_panels(fqi, m, &w, results);
}

static coh_status open_maps(const coh_fqi *fqi, maps *m) {
  const coh_transitions *batch = fqi->batch;
  COH_NEW(m->states, SIDE * SIDE * batch->n_values);
  COH_NEW(m->q, SIDE * SIDE * batch->n_actions);
  COH_NEW(m->value, SIDE * SIDE);
  for (int k = 0; k < PANELS; k++)
    COH_NEW(m->panel[k], 3 * SIDE * SIDE);
  span(batch, m->x, &m->low[0], &m->high[0]);
  span(batch, m->y, &m->low[1], &m->high[1]);
  fill_states(batch, m);
  return COH_OK;
}

coh_status coh_fqi_draw(coh_fqi *fqi, coh_results *results) {
  const coh_transitions *batch = fqi->batch;
  maps m = {.x = 0, .y = 1};
  if (batch->n_values < 2 || batch->n_values > 8) return COH_OK; // not to be shown in a plane
  coh_status status = coh_comm_agree(fqi->context->world, open_maps(fqi, &m));
  bool is_flat = status == COH_OK && (m.low[0] == m.high[0] || m.low[1] == m.high[1]);
  if (status == COH_OK && !is_flat) status = draw(fqi, &m, results);
  coh_free(m.states), coh_free(m.q), coh_free(m.value);
  for (int k = 0; k < PANELS; k++)
    coh_free(m.panel[k]);
  return status;
}
