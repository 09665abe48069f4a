/* RISE: the mean of random smooth masks, weighted by the probability of the target behind each.
 * Petsiuk, Das, Saenko, BMVC 2018. Needs nothing of the network but its outputs. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "explain/explainer.h"

typedef struct rise_options {
  int64_t masks, grid, seed;
  double keep;
} rise_options;

static const coh_option table[] = {
    {.name = "masks",
     .type = COH_INT,
     .offset = offsetof(rise_options, masks),
     .initial = "1000",
     .min = 1,
     .max = 1 << 24,
     .doc = "Random masks."},
    {.name = "grid",
     .type = COH_INT,
     .offset = offsetof(rise_options, grid),
     .initial = "7",
     .min = 1,
     .max = 256,
     .doc = "Cells of a mask along each side before it is enlarged."},
    {.name = "keep",
     .type = COH_REAL,
     .offset = offsetof(rise_options, keep),
     .initial = "0.5",
     .min = 1e-6,
     .max = 1,
     .doc = "Chance that a cell is kept."},
    {.name = "seed",
     .type = COH_INT,
     .offset = offsetof(rise_options, seed),
     .initial = "1",
     .max = 0x1p62,
     .doc = "Seed of the masks."},
    {0},
};

typedef struct masking {
  coh_explainer *e;
  const rise_options *o;
  coh_key key;
  int64_t cells[2], large[2]; // of the grid, and of the enlarged mask that is cut from
  float *grid, *enlarged, *masks, *rows, *outputs;
} masking;

// a grid one cell larger than the image, enlarged and cut at a random place
static void draw_mask(const masking *m, int64_t index, float *mask) {
  coh_explainer *e = m->e;
  coh_stream stream = coh_stream_begin(m->key, (uint32_t)index, 0);
  for (int64_t i = 0; i < m->cells[0] * m->cells[1]; i++)
    m->grid[i] = coh_stream_uniform(&stream) < m->o->keep ? 1 : 0;
  coh_explain_resize(m->grid, m->cells[0], m->cells[1], m->enlarged, m->large[0], m->large[1]);
  int64_t y = coh_stream_below(&stream, m->large[0] - e->size[0] + 1);
  int64_t x = coh_stream_below(&stream, m->large[1] - e->size[1] + 1);
  for (int64_t v = 0; v < e->size[0]; v++)
    memcpy(mask + v * e->size[1], m->enlarged + (y + v) * m->large[1] + x,
           (size_t)e->size[1] * sizeof *mask);
}

static double probability(const float *outputs, int64_t n, int32_t target) {
  if (n == 1) return 1 / (1 + exp(-(double)outputs[0])); // a critic's one logit
  double top = (double)outputs[0], sum = 0;
  for (int64_t k = 1; k < n; k++)
    top = fmax(top, (double)outputs[k]);
  for (int64_t k = 0; k < n; k++)
    sum += exp((double)outputs[k] - top);
  return exp((double)outputs[target] - top) / sum;
}

static coh_status explain_row(const masking *m, const float *row, int32_t target, float *out) {
  coh_explainer *e = m->e;
  memset(out, 0, (size_t)e->n_pixels * sizeof *out);
  for (int64_t first = 0; first < m->o->masks; first += COH_EXPLAIN_BLOCK) {
    int64_t left = m->o->masks - first;
    int64_t now = left < COH_EXPLAIN_BLOCK ? left : COH_EXPLAIN_BLOCK;
    for (int64_t k = 0; k < now; k++) {
      const float *mask = m->masks + k * e->n_pixels;
      draw_mask(m, first + k, m->masks + k * e->n_pixels);
      for (int64_t i = 0; i < e->n_values; i++)
        m->rows[k * e->n_values + i] = e->black + (row[i] - e->black) * mask[i / e->size[2]];
    }
    COH_TRY(coh_explainer_outputs(e, m->rows, now, m->outputs));
    for (int64_t k = 0; k < now; k++) {
      double weight = probability(m->outputs + k * e->n_outputs, e->n_outputs, target);
      float share = (float)(weight / ((double)m->o->masks * m->o->keep));
      for (int64_t i = 0; i < e->n_pixels; i++)
        out[i] += share * m->masks[k * e->n_pixels + i];
    }
  }
  return COH_OK;
}

static coh_status run(coh_explainer *e, const void *options, const float *rows,
                      const int32_t *targets, int64_t n, float *out) {
  masking m = {.e = e, .o = options};
  m.key = coh_key_make((uint64_t)m.o->seed, "rise");
  for (int k = 0; k < 2; k++) {
    int64_t grid = m.o->grid < e->size[k] ? m.o->grid : e->size[k];
    int64_t cell = (e->size[k] + grid - 1) / grid;
    m.cells[k] = e->size[k] == 1 ? 1 : grid + 1;
    m.large[k] = e->size[k] == 1 ? 1 : (grid + 1) * cell;
  }
  size_t n_pixels = (size_t)e->n_pixels, n_values = (size_t)e->n_values;
  m.grid = coh_alloc_array((size_t)(m.cells[0] * m.cells[1]), sizeof *m.grid);
  m.enlarged = coh_alloc_array((size_t)(m.large[0] * m.large[1]), sizeof *m.enlarged);
  m.masks = coh_alloc_array(COH_EXPLAIN_BLOCK * n_pixels, sizeof *m.masks);
  m.rows = coh_alloc_array(COH_EXPLAIN_BLOCK * n_values, sizeof *m.rows);
  m.outputs = coh_alloc_array((size_t)(COH_EXPLAIN_BLOCK * e->n_outputs), sizeof *m.outputs);
  coh_status status = COH_OK;
  if (!m.grid || !m.enlarged || !m.masks || !m.rows || !m.outputs)
    status = coh_fail(COH_E_MEMORY, "out of memory for masks");
  for (int64_t i = 0; i < n && status == COH_OK; i++)
    status = explain_row(&m, rows + i * e->n_values, targets[i], out + i * e->n_pixels);
  coh_free(m.grid), coh_free(m.enlarged), coh_free(m.masks);
  coh_free(m.rows), coh_free(m.outputs);
  return status;
}

const coh_explain_method coh_explain_method_rise = {
    .kind = {.name = "rise",
             .doc = "Random masks weighted by what the network says (Petsiuk et al. 2018).",
             .options = table,
             .options_size = sizeof(rise_options)},
    .run = run,
};
