/* The registries of the GAN's parts. */
#include "task/gan/gan_kinds.h"

#define X(name) extern const coh_gan_loss_type coh_gan_loss_type_##name;
#include "task/gan/losses/gan_loss.def"
#undef X
static const coh_kind *const loss_list[] = {
#define X(name) &coh_gan_loss_type_##name.kind,
#include "task/gan/losses/gan_loss.def"
#undef X
};
const coh_kind_set coh_gan_loss_kinds = {
    .noun = "GAN loss",
    .kinds = loss_list,
    .n_kinds = (int64_t)(sizeof loss_list / sizeof *loss_list),
};

#define X(name) extern const coh_gan_regularizer_type coh_gan_regularizer_type_##name;
#include "task/gan/regularizers/regularizer.def"
#undef X
static const coh_kind *const regularizer_list[] = {
#define X(name) &coh_gan_regularizer_type_##name.kind,
#include "task/gan/regularizers/regularizer.def"
#undef X
};
const coh_kind_set coh_gan_regularizer_kinds = {
    .noun = "regulariser",
    .kinds = regularizer_list,
    .n_kinds = (int64_t)(sizeof regularizer_list / sizeof *regularizer_list),
};

#define X(name) extern const coh_gan_source_type coh_gan_source_type_##name;
#include "task/gan/sources/source.def"
#undef X
static const coh_kind *const source_list[] = {
#define X(name) &coh_gan_source_type_##name.kind,
#include "task/gan/sources/source.def"
#undef X
};
const coh_kind_set coh_gan_source_kinds = {
    .noun = "source",
    .kinds = source_list,
    .n_kinds = (int64_t)(sizeof source_list / sizeof *source_list),
};

#define X(name) extern const coh_gan_augment_type coh_gan_augment_type_##name;
#include "task/gan/augments/augment.def"
#undef X
static const coh_kind *const augment_list[] = {
#define X(name) &coh_gan_augment_type_##name.kind,
#include "task/gan/augments/augment.def"
#undef X
};
const coh_kind_set coh_gan_augment_kinds = {
    .noun = "differentiable augmentation",
    .kinds = augment_list,
    .n_kinds = (int64_t)(sizeof augment_list / sizeof *augment_list),
};
