/* Fashion-MNIST as Debian packages it: 60,000 images to train on and 10,000 to test with, 28 x
 * 28 gray, ten classes. Source: Xiao, Rasul, Vollgraf, arXiv 1708.07747 (2017). */
#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "data/dataset_type.h"
#include "io/file.h"
#include "io/idx.h"

enum { SIDE = 28, MAX_BYTES = 64 << 20 };

typedef struct fashion_mnist_options {
  int split;
  int64_t side;
  char *folder;
} fashion_mnist_options;

static const coh_option options_table[] = {
    {.name = "split",
     .type = COH_CHOICE,
     .offset = offsetof(fashion_mnist_options, split),
     .initial = "train",
     .choices = "train|test",
     .doc = "The 60,000 images to train on, or the 10,000 to test with."},
    {.name = "side",
     .type = COH_INT,
     .offset = offsetof(fashion_mnist_options, side),
     .initial = "28",
     .min = SIDE,
     .max = 64,
     .unit = "pixels",
     .doc = "Pad images with black on all sides to this width and height."},
    {.name = "folder",
     .type = COH_STRING,
     .offset = offsetof(fashion_mnist_options, folder),
     .initial = "/usr/share/datasets/fashion-mnist",
     .doc = "Where the four IDX files are, gzipped or plain."},
    {.name = NULL}};

static const char *const class_names[] = {"T-shirt", "trouser", "pullover", "dress", "coat",
                                          "sandal",  "shirt",   "sneaker",  "bag",   "boot"};

static coh_status read_file(const fashion_mnist_options *o, const char *part,
                            coh_array *array) {
  static const char *const splits[] = {"train", "t10k"};
  coh_text name = {0};
  coh_text_add(&name, "%s/%s-%s-ubyte.gz", o->folder, splits[o->split], part);
  char *path;
  COH_TRY(coh_text_take(&name, &path));
  if (!coh_file_exists(path)) path[strlen(path) - 3] = '\0'; // without .gz
  coh_status status = coh_file_exists(path)
                          ? coh_idx_read(path, MAX_BYTES, array)
                          : coh_fail(COH_E_DATA,
                                     "%s.gz: is not there; install it with: apt-get install "
                                     "dataset-fashion-mnist",
                                     path);
  coh_free(path);
  return status;
}

static coh_status check_images(const fashion_mnist_options *o, const coh_array *images) {
  COH_CHECK(images->dtype == COH_DTYPE_U8 && images->n_dims == 3 && images->shape[1] == SIDE &&
                images->shape[2] == SIDE,
            COH_E_DATA, "%s: its images are not 28 x 28 bytes", o->folder);
  return COH_OK;
}

// images in the middle of larger black ones
static coh_status pad(int64_t side, coh_array *images) {
  int64_t n = images->shape[0], margin = (side - SIDE) / 2;
  uint8_t *padded;
  COH_NEW(padded, n * side * side);
  const uint8_t *from = images->data;
  for (int64_t i = 0; i < n; i++)
    for (int64_t y = 0; y < SIDE; y++, from += SIDE)
      memcpy(padded + (i * side + y + margin) * side + margin, from, SIDE);
  coh_free(images->data);
  images->data = padded;
  images->shape[1] = images->shape[2] = side;
  return COH_OK;
}

static coh_status load(const void *options, coh_dataset *dataset) {
  const fashion_mnist_options *o = options;
  COH_TRY(coh_dataset_set_source(dataset, o->folder));
  COH_TRY(coh_dataset_name_classes(dataset, 10, class_names));
  COH_TRY(read_file(o, "images-idx3", &dataset->rows));
  COH_TRY(check_images(o, &dataset->rows));
  if (o->side > SIDE) COH_TRY(pad(o->side, &dataset->rows));
  coh_array labels;
  COH_TRY(read_file(o, "labels-idx1", &labels));
  coh_status status = coh_dataset_take_labels(dataset, o->folder, &labels);
  coh_array_clear(&labels);
  return status;
}

const coh_dataset_type coh_dataset_type_fashion_mnist = {
    .kind = {.name = "fashion_mnist",
             .doc = "Gray images of garments, 28 x 28, ten classes (Xiao et al. 2017); Debian "
                    "package dataset-fashion-mnist.",
             .options = options_table,
             .options_size = sizeof(fashion_mnist_options)},
    .load = load,
};
