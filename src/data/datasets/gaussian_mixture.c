/* A mixture of k round Gaussians in d dimensions whose centres are themselves normal: what the
 * benchmarks of PCA and t-SNE use. */
#include "data/synthetic.h"

typedef struct gaussian_mixture_options {
  int64_t n, data_seed, d, k;
  double spread, std;
} gaussian_mixture_options;

static const coh_option options_table[] = {
    COH_SYNTHETIC_ROWS(gaussian_mixture_options, "20000"),
    {.name = "d",
     .type = COH_INT,
     .offset = offsetof(gaussian_mixture_options, d),
     .initial = "50",
     .min = 1,
     .max = 1e6,
     .doc = "Values of a row."},
    {.name = "k",
     .type = COH_INT,
     .offset = offsetof(gaussian_mixture_options, k),
     .initial = "10",
     .min = 1,
     .max = COH_MAX_CLASSES,
     .doc = "How many Gaussians; the label is the one that a row comes from."},
    {.name = "spread",
     .type = COH_REAL,
     .offset = offsetof(gaussian_mixture_options, spread),
     .initial = "4",
     .min = 0,
     .max = 1e9,
     .doc = "Standard deviation of each coordinate of the centres."},
    {.name = "std",
     .type = COH_REAL,
     .offset = offsetof(gaussian_mixture_options, std),
     .initial = "1",
     .min = 0,
     .max = 1e9,
     .doc = "Standard deviation of each coordinate about its centre."},
    {.name = NULL}};

static coh_status load(const void *options, coh_dataset *dataset) {
  const gaussian_mixture_options *o = options;
  COH_TRY(coh_synthetic_begin(dataset, o->n, o->d, o->k));
  COH_TRY(coh_synthetic_modes(dataset, o->k, o->std));
  coh_key key = coh_key_make((uint64_t)o->data_seed, "gaussian_mixture centres");
  for (int64_t k = 0; k < o->k; k++) {
    coh_stream stream = coh_stream_begin(key, 0, (uint64_t)k);
    for (int64_t i = 0; i < o->d; i++)
      dataset->modes[k * o->d + i] = (float)(o->spread * coh_stream_normal(&stream));
  }
  coh_synthetic_mixture(dataset, (uint64_t)o->data_seed);
  return COH_OK;
}

const coh_dataset_type coh_dataset_type_gaussian_mixture = {
    .kind = {.name = "gaussian_mixture",
             .doc = "Round Gaussians in many dimensions with normal centres; the label is the "
                    "mode.",
             .options = options_table,
             .options_size = sizeof(gaussian_mixture_options)},
    .load = load,
};
