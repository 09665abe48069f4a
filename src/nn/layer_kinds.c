/* The registry of layers: those of layer.def, then every activation. */
#include "nn/activation_type.h"

#define X(name) extern const coh_layer_type coh_layer_type_##name;
#include "nn/layers/layer.def"
#undef X

#define X(name) extern const coh_activation_type coh_activation_type_##name;
#include "nn/activations/activation.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_layer_type_##name.kind,
#include "nn/layers/layer.def"
#undef X
#define X(name) &coh_activation_type_##name.layer.kind,
#include "nn/activations/activation.def"
#undef X
};

const coh_kind_set coh_layer_kinds = {
    .noun = "layer",
    .kinds = kinds,
    .n_kinds = (int64_t)(sizeof kinds / sizeof kinds[0]),
};
