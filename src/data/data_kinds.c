/* The registries of datasets and augmentations, generated from their .def files. */
#include "data/augmentation_type.h"
#include "data/dataset_type.h"

#define X(name) extern const coh_dataset_type coh_dataset_type_##name;
#include "data/datasets/dataset.def"
#undef X

static const coh_kind *const datasets[] = {
#define X(name) &coh_dataset_type_##name.kind,
#include "data/datasets/dataset.def"
#undef X
};

const coh_kind_set coh_dataset_kinds = {
    .noun = "dataset",
    .kinds = datasets,
    .n_kinds = (int64_t)(sizeof datasets / sizeof datasets[0]),
};

#define X(name) extern const coh_augmentation_type coh_augmentation_type_##name;
#include "data/augmentations/augmentation.def"
#undef X

static const coh_kind *const augmentations[] = {
#define X(name) &coh_augmentation_type_##name.kind,
#include "data/augmentations/augmentation.def"
#undef X
};

const coh_kind_set coh_augmentation_kinds = {
    .noun = "augmentation",
    .kinds = augmentations,
    .n_kinds = (int64_t)(sizeof augmentations / sizeof augmentations[0]),
};
