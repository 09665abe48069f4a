/* Three Fashion-MNIST images as the red, green and blue of one: a thousand modes, for counting
 * how many a generator finds. The label is 100 a + 10 b + c of the three classes.
 * Source: Metz et al., "Unrolled GAN" (2017), with MNIST; protocol of Lin et al., "PacGAN". */
#include "base/alloc.h"
#include "cohort/random.h"
#include "data/dataset_type.h"

typedef struct stacked_options {
  int64_t n, data_seed;
  coh_choice images;
} stacked_options;

// the images' own options, under their own name
extern const coh_dataset_type coh_dataset_type_fashion_mnist;
static const coh_kind *const image_kinds[] = {&coh_dataset_type_fashion_mnist.kind};
static const coh_kind_set image_kind_set = {
    .noun = "dataset", .kinds = image_kinds, .n_kinds = 1};

static const coh_option options_table[] = {
    {.name = "n",
     .type = COH_INT,
     .offset = offsetof(stacked_options, n),
     .initial = "60000",
     .min = 1,
     .max = 1e8,
     .unit = "rows",
     .doc = "Stacked images to make."},
    {.name = "data_seed",
     .type = COH_INT,
     .offset = offsetof(stacked_options, data_seed),
     .initial = "1",
     .min = 0,
     .max = 9e15,
     .doc = "Seed of the choice of images, apart from the run's."},
    {.name = "images",
     .type = COH_KIND,
     .offset = offsetof(stacked_options, images),
     .initial = "fashion_mnist",
     .kinds = &image_kind_set,
     .doc = "What is stacked, with its options."},
    {.name = NULL}};

static coh_status stack(const stacked_options *o, const coh_dataset *images,
                        coh_dataset *dataset) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(images);
  const int64_t n_pixels = spec->n_values;
  uint8_t *to;
  COH_NEW(to, o->n * n_pixels * 3);
  dataset->rows = (coh_array){.dtype = COH_DTYPE_U8,
                              .n_dims = 4,
                              .shape = {o->n, spec->shape[0], spec->shape[1], 3},
                              .data = to};
  COH_NEW(dataset->labels, o->n);
  dataset->n_labels = o->n;
  int64_t n = spec->n_classes;
  COH_TRY(coh_dataset_number_classes(dataset, n * n * n));
  coh_key key = coh_key_make((uint64_t)o->data_seed, "stacked");
  for (int64_t row = 0; row < o->n; row++) {
    coh_stream stream = coh_stream_begin(key, 0, (uint64_t)row);
    int64_t label = 0;
    for (int c = 0; c < 3; c++) {
      int64_t chosen = coh_stream_below(&stream, spec->n_rows);
      const uint8_t *from = coh_dataset_row(images, chosen);
      label = label * n + coh_dataset_labels(images)[chosen];
      for (int64_t i = 0; i < n_pixels; i++)
        to[(row * n_pixels + i) * 3 + c] = from[i];
    }
    dataset->labels[row] = (int32_t)label;
  }
  return COH_OK;
}

static coh_status load(const void *options, coh_dataset *dataset) {
  const stacked_options *o = options;
  coh_dataset *images;
  COH_TRY(coh_dataset_create(&o->images, &images));
  coh_status status = stack(o, images, dataset);
  coh_dataset_destroy(&images);
  return status;
}

const coh_dataset_type coh_dataset_type_stacked_fashion_mnist = {
    .kind = {.name = "stacked_fashion_mnist",
             .doc = "Three Fashion-MNIST images as red, green and blue: 1,000 modes (after "
                    "Metz et al. 2017).",
             .options = options_table,
             .options_size = sizeof(stacked_options)},
    .load = load,
};
