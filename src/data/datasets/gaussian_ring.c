/* Gaussians on a circle: the GAN literature's ring of 8 (Metz et al. 2017; with this radius and
 * deviation Lin et al., "PacGAN", 2018). Centre k is (r cos(2 pi k / m), r sin(2 pi k / m)). */
#include <math.h>

#include "data/synthetic.h"

typedef struct gaussian_ring_options {
  int64_t n, data_seed, modes;
  double radius, std;
} gaussian_ring_options;

static const coh_option options_table[] = {
    COH_SYNTHETIC_ROWS(gaussian_ring_options, "100000"),
    {.name = "modes",
     .type = COH_INT,
     .offset = offsetof(gaussian_ring_options, modes),
     .initial = "8",
     .min = 1,
     .max = COH_MAX_CLASSES,
     .doc = "How many Gaussians."},
    {.name = "radius",
     .type = COH_REAL,
     .offset = offsetof(gaussian_ring_options, radius),
     .initial = "1",
     .min = 1e-9,
     .max = 1e9,
     .doc = "Of the circle that the centres lie on."},
    {.name = "std",
     .type = COH_REAL,
     .offset = offsetof(gaussian_ring_options, std),
     .initial = "0.01",
     .min = 0,
     .max = 1e9,
     .doc = "Standard deviation of each coordinate about its centre."},
    {.name = NULL}};

static coh_status load(const void *options, coh_dataset *dataset) {
  const gaussian_ring_options *o = options;
  COH_TRY(coh_synthetic_begin(dataset, o->n, 2, o->modes));
  COH_TRY(coh_synthetic_modes(dataset, o->modes, o->std));
  for (int64_t k = 0; k < o->modes; k++) {
    double angle = 6.283185307179586476925 * (double)k / (double)o->modes;
    dataset->modes[2 * k] = (float)(o->radius * cos(angle));
    dataset->modes[2 * k + 1] = (float)(o->radius * sin(angle));
  }
  coh_synthetic_mixture(dataset, (uint64_t)o->data_seed);
  return COH_OK;
}

const coh_dataset_type coh_dataset_type_gaussian_ring = {
    .kind = {.name = "gaussian_ring",
             .doc = "Gaussians on a circle, the ring of 8 of the GAN literature; the label is "
                    "the mode (PacGAN 2018).",
             .options = options_table,
             .options_size = sizeof(gaussian_ring_options)},
    .load = load,
};
