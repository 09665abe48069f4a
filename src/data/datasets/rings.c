/* Concentric circles in the plane: ring k of `rings` has radius k + 1 (times `spacing`), its
 * points lie at uniform angles with normal noise in both coordinates. The label is the ring. */
#include <math.h>

#include "data/synthetic.h"

typedef struct rings_options {
  int64_t n, data_seed, rings;
  double spacing, noise;
} rings_options;

static const coh_option options_table[] = {
    COH_SYNTHETIC_ROWS(rings_options, "10000"),
    {.name = "rings",
     .type = COH_INT,
     .offset = offsetof(rings_options, rings),
     .initial = "2",
     .min = 1,
     .max = 1000,
     .doc = "How many circles."},
    {.name = "spacing",
     .type = COH_REAL,
     .offset = offsetof(rings_options, spacing),
     .initial = "1",
     .min = 1e-9,
     .max = 1e9,
     .doc = "Radius of the first, and distance from one to the next."},
    {.name = "noise",
     .type = COH_REAL,
     .offset = offsetof(rings_options, noise),
     .initial = "0.05",
     .min = 0,
     .max = 1e9,
     .doc = "Standard deviation of each coordinate about its circle."},
    {.name = NULL}};

static coh_status load(const void *options, coh_dataset *dataset) {
  const rings_options *o = options;
  COH_TRY(coh_synthetic_begin(dataset, o->n, 2, o->rings));
  float *values = dataset->rows.data;
  for (int64_t row = 0; row < o->n; row++) {
    coh_stream stream = coh_synthetic_stream(dataset, (uint64_t)o->data_seed, row);
    int64_t ring = coh_stream_below(&stream, o->rings);
    double angle = 6.283185307179586476925 * coh_stream_uniform(&stream);
    double radius = o->spacing * (double)(ring + 1);
    values[2 * row] = (float)(radius * cos(angle) + o->noise * coh_stream_normal(&stream));
    values[2 * row + 1] = (float)(radius * sin(angle) + o->noise * coh_stream_normal(&stream));
    dataset->labels[row] = (int32_t)ring;
  }
  return COH_OK;
}

const coh_dataset_type coh_dataset_type_rings = {
    .kind = {.name = "rings",
             .doc = "Concentric circles in the plane with noise; the label is the circle.",
             .options = options_table,
             .options_size = sizeof(rings_options)},
    .load = load,
};
