/* Data: rows that are read or drawn, and loaders that hand them to lanes.
 *
 * A dataset is n rows of one shape, kept as stored (bytes or floats; a NumPy file of those is
 * mapped, not copied), with labels where it has them. A loader gives lane i of L its rows of
 * minibatch u as floats in the caller's memory. Which rows these are is a function of the seed,
 * the update u and the lane: there is no position to save, nothing depends on ranks or threads.
 *
 *     coh_dataset_create_named("fashion_mnist", &dataset);
 *     coh_loader_create(dataset, &options, seed, n_lanes, &loader);
 *     for (u = 0; u < n_updates; u++)
 *       for (each lane of this rank) coh_loader_fill(loader, u, lane, rows, labels);
 */
#ifndef COHORT_DATA_H
#define COHORT_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/io.h"
#include "cohort/option.h"
#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------- datasets -- */

enum { COH_MAX_CLASSES = 65536 };

typedef struct coh_dataset coh_dataset;

/* What a dataset is like. Constant during its life; all pointers are borrowed from it. */
typedef struct coh_dataset_spec {
  const char *name; /* of its kind, e.g. "fashion_mnist" */
  const char *doc;  /* one sentence */
  int64_t n_rows;   /* at least 1 */
  int n_dims;       /* 1: a vector; 3: an image, height x width x channels (NHWC) */
  int64_t shape[3]; /* n, 1, 1 or height, width, channels */
  int64_t n_values; /* of one row: the product of shape */
  coh_dtype dtype;  /* COH_DTYPE_U8 or COH_DTYPE_F32: how rows are stored */
  bool has_labels;
  int64_t n_classes;              /* labels are 0 .. n_classes - 1; 0 without labels */
  const char *const *class_names; /* n_classes, or NULL without labels */
  /* Where the data is a mixture of round Gaussians whose centres are known, else 0 and NULL. */
  int64_t n_modes;
  const float *modes; /* n_modes x n_values */
  double mode_std;    /* of each coordinate about its centre */
} coh_dataset_spec;

/* The registry: src/data/datasets/dataset.def. */
extern const coh_kind_set coh_dataset_kinds;

/* Read or draw a dataset. choice: what an option row of type COH_KIND over coh_dataset_kinds
 * fills; only read during the call. Caller destroys *dataset. Not collective: every rank that
 * calls reads for itself. Values are finite, except in a mapped file, which is not read ahead
 * (see coh_dataset_check_finite).
 * Fails: COH_E_CONFIG (an option), COH_E_DATA (a file, with its name and place), COH_E_MEMORY.
 */
coh_status coh_dataset_create(const coh_choice *choice, coh_dataset **dataset);

/* The same for a kind with its default options, by name. Fails also: unknown name. */
coh_status coh_dataset_create_named(const char *name, coh_dataset **dataset);

/* Make a dataset of arrays at hand, e.g. the activations of a layer. name: copied, stands in
 * messages. rows: (n), (n, d), (n, height, width) or (n, height, width, channels), taken on
 * success and emptied; bytes and floats are kept, other types become floats. labels: n
 * integers from 0, borrowed, or NULL. Caller destroys *dataset. Not collective.
 * Fails: COH_E_DATA, COH_E_MEMORY; rows then stay the caller's. */
coh_status coh_dataset_of_arrays(const char *name, coh_array *rows, const coh_array *labels,
                                 coh_dataset **dataset);

/* Make a dataset with the labels of another one and other rows, e.g. what a layer gives for it.
 * name, rows: as above, as many rows as source has. Caller destroys *dataset. Not collective.
 * Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_dataset_with_rows(const coh_dataset *source, const char *name, coh_array *rows,
                                 coh_dataset **dataset);

/* Make a dataset of n chosen rows of another one, copied, in the order given. rows: n row
 * numbers, borrowed. Classes keep their numbers, also those that become empty. Caller destroys
 * *dataset. Not collective. Fails: COH_E_MEMORY, COH_E_INTERNAL (a row out of range). */
coh_status coh_dataset_select(const coh_dataset *source, int64_t n, const int64_t *rows,
                              coh_dataset **dataset);

/* Make a dataset of `n_per_class` rows of every class, drawn without replacement by the seed:
 * a small training set. The rows for k are among those for k + 1. Caller destroys *dataset.
 * Not collective. Fails: COH_E_CONFIG (no labels, or a class that has fewer), COH_E_MEMORY. */
coh_status coh_dataset_per_class(const coh_dataset *source, int64_t n_per_class, uint64_t seed,
                                 coh_dataset **dataset);

/* Part a dataset at random by the seed: n_held_out rows for validation, the rest for training.
 * Caller destroys both. Not collective. Fails: COH_E_CONFIG (none would be left on a side),
 * COH_E_MEMORY. */
coh_status coh_dataset_split(const coh_dataset *source, int64_t n_held_out, uint64_t seed,
                             coh_dataset **rest, coh_dataset **held_out);

/* Destroy; accepts NULL, sets NULL. */
void coh_dataset_destroy(coh_dataset **dataset);

/* What the dataset is like. Borrowed, valid until destroy. */
const coh_dataset_spec *coh_dataset_spec_of(const coh_dataset *dataset);

/* Row `row` as stored: n_values of spec->dtype; the rows that follow lie behind it. Borrowed.
 */
const void *coh_dataset_row(const coh_dataset *dataset, int64_t row);

/* All labels, n_rows; NULL without. Borrowed. */
const int32_t *coh_dataset_labels(const coh_dataset *dataset);

/* Count the rows of each class. counts: out, n_classes. */
void coh_dataset_count_classes(const coh_dataset *dataset, int64_t *counts);

/* Look for NaN and infinity in rows first .. first + n - 1.
 * Fails: COH_E_DATA with the row and the value's place in it. */
coh_status coh_dataset_check_finite(const coh_dataset *dataset, int64_t first, int64_t n);

/* ------------------------------------------------------------------- values for networks -- */

/* How stored values become floats: scale * stored + shift. */
typedef struct coh_affine {
  float scale, shift;
} coh_affine;

typedef enum coh_values {
  COH_VALUES_AUTO,      /* unit for bytes, stored for floats */
  COH_VALUES_STORED,    /* as they are */
  COH_VALUES_UNIT,      /* bytes only: 0..255 to 0..1 */
  COH_VALUES_SYMMETRIC, /* bytes only: 0..255 to -1..1 */
  COH_VALUES_STANDARD,  /* mean 0 and standard deviation 1 over all values of the dataset */
} coh_values;

/* The choices of coh_values, for an option row. */
#define COH_VALUES_CHOICES "auto|stored|unit|symmetric|standard"

/* Work out the scale and shift. COH_VALUES_STANDARD reads the whole dataset (all values are one
 * population). affine: out. Not collective.
 * Fails: COH_E_CONFIG (unit or symmetric for floats), COH_E_DATA (constant or not finite). */
coh_status coh_dataset_affine(const coh_dataset *dataset, coh_values values,
                              coh_affine *affine);

/* Write rows first .. first + n - 1 as floats. out: n x n_values. Not collective; allocates
 * nothing. */
void coh_dataset_read(const coh_dataset *dataset, int64_t first, int64_t n, coh_affine affine,
                      float *out);

/* The same for n rows of any numbers, in the order given. rows: n, borrowed. */
void coh_dataset_gather(const coh_dataset *dataset, int64_t n, const int64_t *rows,
                        coh_affine affine, float *out);

/* ----------------------------------------------------------------------------- shuffling -- */

/* A permutation of 0 .. n - 1 that is computed, not stored: a Feistel network over the bits of
 * n - 1 whose round keys come from Philox, with cycle walking. Plain data.
 * Source: Luby, Rackoff, SIAM J. Comput. 17 (1988); Black, Rogaway, CT-RSA 2002. */
typedef struct coh_permutation {
  int64_t n;
  uint32_t left_bits, right_bits;
  uint64_t round_key[10];
} coh_permutation;

/* The permutation of an epoch. n: 1 to 2^62. purpose: as in coh_key_make. */
coh_permutation coh_permutation_make(int64_t n, uint64_t seed, const char *purpose,
                                     uint64_t epoch);

/* Where position i (0 .. n - 1) goes; a bijection. About 30 ns. */
int64_t coh_permutation_at(const coh_permutation *permutation, int64_t i);

/* ------------------------------------------------------------------------------- loaders -- */

/* What happens at the end of an epoch whose rows are no multiple of the batch. */
typedef enum coh_last_batch {
  COH_LAST_DROP, /* every epoch has n_rows / batch whole batches; the rows left over (others
                    each epoch) are not seen in it */
  COH_LAST_WRAP, /* the batch goes on into the next epoch's order: every n_rows rows in a row
                    are all rows once, and a batch may be larger than the dataset */
} coh_last_batch;

typedef struct coh_loader_options {
  int64_t batch; /* rows of a minibatch, over all lanes */
  bool shuffle;
  int last;                /* coh_last_batch */
  int values;              /* coh_values */
  coh_choice_list augment; /* applied in this order */
} coh_loader_options;

/* The option table of coh_loader_options, for a COH_GROUP row. */
extern const coh_option coh_loader_option_table[];

/* The registry of augmentations: src/data/augmentations/augmentation.def. */
extern const coh_kind_set coh_augmentation_kinds;

typedef struct coh_loader coh_loader;

/* Make a loader. dataset, options: borrowed, must outlive the loader. seed: the run's. n_lanes:
 * of the run; divides the batch. Caller destroys *loader. Not collective.
 * Fails: COH_E_CONFIG (batch and lanes, a batch larger than the dataset, an augmentation that
 * does not fit the rows), COH_E_DATA, COH_E_MEMORY. */
coh_status coh_loader_create(const coh_dataset *dataset, const coh_loader_options *options,
                             uint64_t seed, int64_t n_lanes, coh_loader **loader);

/* Destroy; accepts NULL, sets NULL. */
void coh_loader_destroy(coh_loader **loader);

/* Rows of a lane: batch / n_lanes. */
int64_t coh_loader_lane_rows(const coh_loader *loader);

/* Whole batches of an epoch (dropping), or n_rows / batch rounded up (wrapping). */
int64_t coh_loader_batches_per_epoch(const coh_loader *loader);

/* The scale and shift in use, for data that is evaluated as it was trained on. */
coh_affine coh_loader_affine(const coh_loader *loader);

/* Where update u (from 0) stands: the epoch of its first row and the batch within it. */
typedef struct coh_loader_position {
  int64_t epoch, batch;
} coh_loader_position;

coh_loader_position coh_loader_position_of(const coh_loader *loader, int64_t update);

/* The row numbers of a lane in update u. rows: out, lane_rows. The slices of lanes 0, 1, ...
 * one behind the other are the minibatch, the same for every number of lanes. Not collective;
 * allocates nothing. */
void coh_loader_rows(const coh_loader *loader, int64_t update, int64_t lane, int64_t *rows);

/* Write a lane's share of update u: shuffled, turned to floats, augmented. values: out,
 * lane_rows x n_values; labels: out, lane_rows, or NULL (required NULL without labels).
 * Not collective; allocates nothing; several threads may fill different lanes at once.
 * The bits depend on the seed, the update and the place in the minibatch only. */
void coh_loader_fill(const coh_loader *loader, int64_t update, int64_t lane, float *values,
                     int32_t *labels);

#ifdef __cplusplus
}
#endif
#endif
