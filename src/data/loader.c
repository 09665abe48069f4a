/* Loaders: which rows a lane reads in an update, and how they get there.
 *
 *     minibatch u:   positions u*B .. u*B + B - 1  of the run's stream of rows
 *     lane i of L:   the i-th of L equal slices of it
 *     position:      (epoch, place) -> the epoch's permutation -> row number
 *
 * Everything is computed from (seed, update, lane); a loader has no state that changes. */
#include <inttypes.h>

#include "base/alloc.h"
#include "cohort/random.h"
#include "data/augmentation_type.h"

enum { TILE = 64 }; // rows whose numbers are worked out before they are gathered

struct coh_loader {
  const coh_dataset *dataset;
  const coh_loader_options *options;
  uint64_t seed;
  int64_t n_rows, n_values, batch, lane_rows;
  int64_t epoch_positions; // positions of an epoch: all rows, or whole batches of them
  coh_affine affine;
  coh_key augment_key;
  coh_augment_site site;
};

const coh_option coh_loader_option_table[] = {
    {.name = "batch",
     .type = COH_INT,
     .offset = offsetof(coh_loader_options, batch),
     .initial = "64",
     .min = 1,
     .max = 1 << 24,
     .unit = "rows",
     .doc = "Minibatch, over all lanes; a multiple of the lanes."},
    {.name = "shuffle",
     .type = COH_BOOL,
     .offset = offsetof(coh_loader_options, shuffle),
     .initial = "true",
     .doc = "Read the rows of every epoch in another order."},
    {.name = "last",
     .type = COH_CHOICE,
     .offset = offsetof(coh_loader_options, last),
     .initial = "drop",
     .choices = "drop|wrap",
     .doc = "Rows left over at the end of an epoch: not seen in it, or the batch goes on into "
            "the next epoch."},
    {.name = "values",
     .type = COH_CHOICE,
     .offset = offsetof(coh_loader_options, values),
     .initial = "auto",
     .choices = COH_VALUES_CHOICES,
     .doc = "Bytes to 0..1 (unit) or -1..1 (symmetric), all to mean 0 and deviation 1 "
            "(standard), or as stored; auto is unit for bytes, stored for floats."},
    {.name = "augment",
     .type = COH_KINDS,
     .offset = offsetof(coh_loader_options, augment),
     .initial = "[]",
     .kinds = &coh_augmentation_kinds,
     .doc = "Random changes to every image each time it is seen, in this order."},
    {.name = NULL}};

// ---- create, destroy ----------------------------------------------------------------------

static const coh_augmentation_type *augmentation(const coh_loader *loader, int64_t i) {
  return (const coh_augmentation_type *)(const void *)loader->options->augment.item[i].kind;
}

static coh_status check_augmentations(const coh_loader *loader, const coh_dataset_spec *spec) {
  const coh_choice_list *augment = &loader->options->augment;
  COH_CHECK(augment->n_items == 0 || spec->n_dims == 3, COH_E_CONFIG,
            "augment: '%s' is for images, but the rows of dataset %s are vectors",
            augment->item[0].kind->name, spec->name);
  for (int64_t i = 0; i < augment->n_items; i++)
    COH_TRY(augmentation(loader, i)->check(augment->item[i].options, &loader->site));
  return COH_OK;
}

static coh_status check_batch(const coh_loader_options *options, const coh_dataset_spec *spec,
                              int64_t n_lanes) {
  COH_CHECK(n_lanes >= 1 && options->batch >= 1 && options->batch % n_lanes == 0, COH_E_CONFIG,
            "batch: %" PRId64 " rows cannot be dealt to %" PRId64
            " lanes; use a multiple of it",
            options->batch, n_lanes);
  COH_CHECK(options->last == COH_LAST_WRAP || options->batch <= spec->n_rows, COH_E_CONFIG,
            "batch: %" PRId64 " rows are more than the %" PRId64
            " of dataset %s; use a smaller one or `last: wrap`",
            options->batch, spec->n_rows, spec->name);
  return COH_OK;
}

coh_status coh_loader_create(const coh_dataset *dataset, const coh_loader_options *options,
                             uint64_t seed, int64_t n_lanes, coh_loader **loader) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  COH_TRY(check_batch(options, spec, n_lanes));
  coh_loader made = {
      .dataset = dataset,
      .options = options,
      .seed = seed,
      .n_rows = spec->n_rows,
      .n_values = spec->n_values,
      .batch = options->batch,
      .lane_rows = options->batch / n_lanes,
      .augment_key = coh_key_make(seed, "augment"),
      .site = {spec->shape[0], spec->shape[1], spec->shape[2], 0},
  };
  made.epoch_positions =
      options->last == COH_LAST_WRAP ? made.n_rows : made.n_rows / made.batch * made.batch;
  COH_TRY(check_augmentations(&made, spec));
  COH_TRY(coh_dataset_affine(dataset, (coh_values)options->values, &made.affine));
  made.site.fill = made.affine.shift;
  coh_loader *kept;
  COH_NEW(kept, 1);
  *kept = made;
  *loader = kept;
  return COH_OK;
}

void coh_loader_destroy(coh_loader **loader) {
  COH_DELETE(*loader);
}

// ---- what it is like ----------------------------------------------------------------------

int64_t coh_loader_lane_rows(const coh_loader *loader) {
  return loader->lane_rows;
}

int64_t coh_loader_batches_per_epoch(const coh_loader *loader) {
  return (loader->epoch_positions + loader->batch - 1) / loader->batch;
}

coh_affine coh_loader_affine(const coh_loader *loader) {
  return loader->affine;
}

coh_loader_position coh_loader_position_of(const coh_loader *loader, int64_t update) {
  int64_t first = update * loader->batch;
  return (coh_loader_position){
      .epoch = first / loader->epoch_positions,
      .batch = first % loader->epoch_positions / loader->batch,
  };
}

// ---- rows ---------------------------------------------------------------------------------

// the row numbers at positions first .. first + n - 1 of the run
static void rows_at(const coh_loader *loader, int64_t first, int64_t n, int64_t *rows) {
  int64_t epoch = first / loader->epoch_positions, place = first % loader->epoch_positions;
  while (n > 0) {
    int64_t left = loader->epoch_positions - place, now = n < left ? n : left;
    if (loader->options->shuffle) {
      coh_permutation order =
          coh_permutation_make(loader->n_rows, loader->seed, "shuffle", (uint64_t)epoch);
      for (int64_t i = 0; i < now; i++)
        rows[i] = coh_permutation_at(&order, place + i);
    } else {
      for (int64_t i = 0; i < now; i++)
        rows[i] = place + i;
    }
    rows += now;
    n -= now;
    place = 0;
    epoch++;
  }
}

void coh_loader_rows(const coh_loader *loader, int64_t update, int64_t lane, int64_t *rows) {
  rows_at(loader, update * loader->batch + lane * loader->lane_rows, loader->lane_rows, rows);
}

static void augment_row(const coh_loader *loader, int64_t position, float *values) {
  const coh_choice_list *augment = &loader->options->augment;
  for (int64_t k = 0; k < augment->n_items; k++) {
    coh_stream stream = coh_stream_begin(loader->augment_key, (uint32_t)k, (uint64_t)position);
    augmentation(loader, k)->apply(augment->item[k].options, &loader->site, &stream, values);
  }
}

void coh_loader_fill(const coh_loader *loader, int64_t update, int64_t lane, float *values,
                     int32_t *labels) {
  const int32_t *all_labels = coh_dataset_labels(loader->dataset);
  int64_t position = update * loader->batch + lane * loader->lane_rows;
  for (int64_t done = 0; done < loader->lane_rows; done += TILE) {
    int64_t rows[TILE], n = loader->lane_rows - done < TILE ? loader->lane_rows - done : TILE;
    float *to = values + done * loader->n_values;
    rows_at(loader, position + done, n, rows);
    coh_dataset_gather(loader->dataset, n, rows, loader->affine, to);
    for (int64_t i = 0; i < n; i++) {
      if (labels) labels[done + i] = all_labels[rows[i]];
      augment_row(loader, position + done + i, to + i * loader->n_values);
    }
  }
}
