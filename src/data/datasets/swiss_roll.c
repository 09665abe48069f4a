/* The Swiss roll: a sheet rolled up in three dimensions,
 *   t = 3 pi / 2 (1 + 2 u), (x, y, z) = (t cos t, 21 v, t sin t) + noise, u and v uniform.
 * The label is the band of u. Source: Tenenbaum, de Silva, Langford, Science 290 (2000); this
 * parametrisation: Marsland, "Machine Learning: An Algorithmic Perspective". */
#include <math.h>

#include "data/synthetic.h"

typedef struct swiss_roll_options {
  int64_t n, data_seed, bands;
  double noise;
} swiss_roll_options;

static const coh_option options_table[] = {
    COH_SYNTHETIC_ROWS(swiss_roll_options, "10000"),
    {.name = "bands",
     .type = COH_INT,
     .offset = offsetof(swiss_roll_options, bands),
     .initial = "8",
     .min = 1,
     .max = COH_MAX_CLASSES,
     .doc = "Equal stretches of the sheet, from the inner edge out, that serve as labels."},
    {.name = "noise",
     .type = COH_REAL,
     .offset = offsetof(swiss_roll_options, noise),
     .initial = "0",
     .min = 0,
     .max = 1e9,
     .doc = "Standard deviation of noise added to each coordinate."},
    {.name = NULL}};

static coh_status load(const void *options, coh_dataset *dataset) {
  const swiss_roll_options *o = options;
  COH_TRY(coh_synthetic_begin(dataset, o->n, 3, o->bands));
  float *to = dataset->rows.data;
  for (int64_t row = 0; row < o->n; row++, to += 3) {
    coh_stream stream = coh_synthetic_stream(dataset, (uint64_t)o->data_seed, row);
    double u = coh_stream_uniform(&stream), v = coh_stream_uniform(&stream);
    double t = 4.712388980384689857694 * (1 + 2 * u); // 3 pi / 2
    to[0] = (float)(t * cos(t) + o->noise * coh_stream_normal(&stream));
    to[1] = (float)(21 * v + o->noise * coh_stream_normal(&stream));
    to[2] = (float)(t * sin(t) + o->noise * coh_stream_normal(&stream));
    dataset->labels[row] = (int32_t)(u * (double)o->bands);
  }
  return COH_OK;
}

const coh_dataset_type coh_dataset_type_swiss_roll = {
    .kind = {.name = "swiss_roll",
             .doc = "A sheet rolled up in three dimensions; the label is the band along it "
                    "(Tenenbaum et al. 2000).",
             .options = options_table,
             .options_size = sizeof(swiss_roll_options)},
    .load = load,
};
