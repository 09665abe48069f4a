/* Gaussians on a square grid: the GAN literature's grid of 25 (with this spacing and deviation
 * Lin et al., "PacGAN", 2018). The grid is centred on the origin. */
#include "data/synthetic.h"

typedef struct gaussian_grid_options {
  int64_t n, data_seed, side;
  double spacing, std;
} gaussian_grid_options;

static const coh_option options_table[] = {
    COH_SYNTHETIC_ROWS(gaussian_grid_options, "100000"),
    {.name = "side",
     .type = COH_INT,
     .offset = offsetof(gaussian_grid_options, side),
     .initial = "5",
     .min = 1,
     .max = 256,
     .doc = "Gaussians along one side; side x side in all."},
    {.name = "spacing",
     .type = COH_REAL,
     .offset = offsetof(gaussian_grid_options, spacing),
     .initial = "2",
     .min = 1e-9,
     .max = 1e9,
     .doc = "From one centre to the next."},
    {.name = "std",
     .type = COH_REAL,
     .offset = offsetof(gaussian_grid_options, std),
     .initial = "0.05",
     .min = 0,
     .max = 1e9,
     .doc = "Standard deviation of each coordinate about its centre."},
    {.name = NULL}};

static coh_status load(const void *options, coh_dataset *dataset) {
  const gaussian_grid_options *o = options;
  const int64_t n_modes = o->side * o->side;
  COH_TRY(coh_synthetic_begin(dataset, o->n, 2, n_modes));
  COH_TRY(coh_synthetic_modes(dataset, n_modes, o->std));
  double first = -0.5 * (double)(o->side - 1) * o->spacing;
  for (int64_t k = 0; k < n_modes; k++) {
    dataset->modes[2 * k] = (float)(first + (double)(k / o->side) * o->spacing);
    dataset->modes[2 * k + 1] = (float)(first + (double)(k % o->side) * o->spacing);
  }
  coh_synthetic_mixture(dataset, (uint64_t)o->data_seed);
  return COH_OK;
}

const coh_dataset_type coh_dataset_type_gaussian_grid = {
    .kind = {.name = "gaussian_grid",
             .doc = "Gaussians on a square grid, the grid of 25 of the GAN literature; the "
                    "label is the mode (PacGAN 2018).",
             .options = options_table,
             .options_size = sizeof(gaussian_grid_options)},
    .load = load,
};
