/* The registry of environments, generated from env.def. */
#include "env/env_type.h"

#define X(name) extern const coh_env_type coh_env_type_##name;
#include "env/env.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_env_type_##name.kind,
#include "env/env.def"
#undef X
};

const coh_kind_set coh_env_kinds = {
    .noun = "environment",
    .kinds = kinds,
    .n_kinds = (int64_t)(sizeof kinds / sizeof kinds[0]),
};
