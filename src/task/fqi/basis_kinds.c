/* The registry of bases, generated from basis.def. */
#include "task/fqi/basis.h"

#define X(name) extern const coh_basis_type coh_basis_type_##name;
#include "task/fqi/basis.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_basis_type_##name.kind,
#include "task/fqi/basis.def"
#undef X
};

const coh_kind_set coh_basis_kinds = {"basis", kinds, sizeof kinds / sizeof *kinds};
