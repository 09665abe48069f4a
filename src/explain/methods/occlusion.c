/* Occlusion: how much the output falls when a window is black; a pixel gets the mean over the
 * windows that cover it. Zeiler, Fergus, ECCV 2014. */
#include <string.h>

#include "base/alloc.h"
#include "explain/explainer.h"

typedef struct occlusion_options {
  int64_t window, stride;
} occlusion_options;

static const coh_option table[] = {
    {.name = "window",
     .type = COH_INT,
     .offset = offsetof(occlusion_options, window),
     .initial = "0",
     .min = 0,
     .max = 4096,
     .unit = "pixels",
     .doc = "Side of the window; 0: a sixth of the image, at least 1."},
    {.name = "stride",
     .type = COH_INT,
     .offset = offsetof(occlusion_options, stride),
     .initial = "0",
     .min = 0,
     .max = 4096,
     .unit = "pixels",
     .doc = "Distance of windows; 0: half the window, at least 1."},
    {0},
};

typedef struct sweep {
  coh_explainer *e;
  int64_t window[2], stride, n_places, n_across;
  float *rows, *outputs, *count;
} sweep;

static int64_t places(int64_t side, int64_t window, int64_t stride) {
  return side <= window ? 1 : (side - window + stride - 1) / stride + 1;
}

// where a window begins: the last ones are moved back into the image
static int64_t corner(int64_t k, int64_t side, int64_t window, int64_t stride) {
  int64_t at = k * stride;
  return at + window > side ? side - window : at;
}

static void place_of(const sweep *s, int64_t place, int64_t *y, int64_t *x) {
  *y = corner(place / s->n_across, s->e->size[0], s->window[0], s->stride);
  *x = corner(place % s->n_across, s->e->size[1], s->window[1], s->stride);
}

static void blacken(const sweep *s, int64_t place, float *row) {
  int64_t y, x, channels = s->e->size[2];
  place_of(s, place, &y, &x);
  for (int64_t v = y; v < y + s->window[0]; v++)
    for (int64_t i = 0; i < s->window[1] * channels; i++)
      row[(v * s->e->size[1] + x) * channels + i] = s->e->black;
}

static coh_status explain_row(const sweep *s, const float *row, int32_t target, float *out) {
  coh_explainer *e = s->e;
  float whole[1024];
  COH_CHECK(e->n_outputs <= 1024, COH_E_CONFIG, "occlusion: more than 1024 outputs");
  COH_TRY(coh_explainer_outputs(e, row, 1, whole));
  memset(out, 0, (size_t)e->n_pixels * sizeof *out);
  memset(s->count, 0, (size_t)e->n_pixels * sizeof *s->count);
  for (int64_t first = 0; first < s->n_places; first += COH_EXPLAIN_BLOCK) {
    int64_t left = s->n_places - first;
    int64_t now = left < COH_EXPLAIN_BLOCK ? left : COH_EXPLAIN_BLOCK;
    for (int64_t k = 0; k < now; k++) {
      memcpy(s->rows + k * e->n_values, row, (size_t)e->n_values * sizeof *row);
      blacken(s, first + k, s->rows + k * e->n_values);
    }
    COH_TRY(coh_explainer_outputs(e, s->rows, now, s->outputs));
    for (int64_t k = 0; k < now; k++) {
      float fall = whole[target] - s->outputs[k * e->n_outputs + target];
      int64_t y, x;
      place_of(s, first + k, &y, &x);
      for (int64_t v = y; v < y + s->window[0]; v++)
        for (int64_t u = x; u < x + s->window[1]; u++) {
          out[v * e->size[1] + u] += fall;
          s->count[v * e->size[1] + u] += 1;
        }
    }
  }
  for (int64_t i = 0; i < e->n_pixels; i++)
    if (s->count[i] > 0) out[i] /= s->count[i];
  return COH_OK;
}

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  const occlusion_options *o = options;
  sweep s = {.e = e};
  int64_t window = o->window ? o->window : (e->size[1] + 5) / 6;
  for (int k = 0; k < 2; k++)
    s.window[k] = window < e->size[k] ? window : e->size[k];
  s.stride = o->stride ? o->stride : (window + 1) / 2;
  s.n_across = places(e->size[1], s.window[1], s.stride);
  s.n_places = s.n_across * places(e->size[0], s.window[0], s.stride);
  s.rows = coh_alloc_array((size_t)(COH_EXPLAIN_BLOCK * e->n_values), sizeof *s.rows);
  s.outputs = coh_alloc_array((size_t)(COH_EXPLAIN_BLOCK * e->n_outputs), sizeof *s.outputs);
  s.count = coh_alloc_array((size_t)e->n_pixels, sizeof *s.count);
  coh_status status = COH_OK;
  if (!s.rows || !s.outputs || !s.count)
    status = coh_fail(COH_E_MEMORY, "out of memory for occlusion");
  for (int64_t i = 0; i < n && status == COH_OK; i++)
    status = explain_row(&s, rows + i * e->n_values, targets[i], out + i * e->n_pixels);
  coh_free(s.rows), coh_free(s.outputs), coh_free(s.count);
  return status;
}

const coh_explain_method coh_explain_method_occlusion = {
    .kind = {.name = "occlusion",
             .doc = "Fall of the output when a window is black (Zeiler, Fergus 2014).",
             .options = table,
             .options_size = sizeof(occlusion_options)},
    .run = run,
};
