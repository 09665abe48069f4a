/* Whether a .safetensors and a .npz hold the same arrays: same_arrays A.safetensors B.npz */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/npz.h"

static coh_status same(const coh_safetensors *file, const coh_npz *npz) {
  COH_CHECK(coh_safetensors_count(file) == npz->n_members && npz->n_members > 0, COH_E_DATA,
            "other counts");
  for (int64_t i = 0; i < npz->n_members; i++) {
    const coh_array *array = coh_npz_find(npz, coh_safetensors_name(file, i));
    COH_CHECK(array, COH_E_DATA, "no array '%s'", coh_safetensors_name(file, i));
    coh_array shape;
    coh_safetensors_shape(file, i, &shape);
    COH_CHECK(shape.dtype == array->dtype && shape.n_dims == array->n_dims &&
                  memcmp(shape.shape, array->shape,
                         (size_t)shape.n_dims * sizeof *shape.shape) == 0,
              COH_E_DATA, "another shape");
    size_t n_bytes = (size_t)coh_array_count(array) * coh_dtype_bytes(array->dtype);
    char *data;
    COH_NEW(data, n_bytes);
    coh_status status = coh_safetensors_read(file, i, 0, data, n_bytes);
    if (status == COH_OK && memcmp(data, array->data, n_bytes) != 0)
      status = coh_fail(COH_E_DATA, "other values");
    coh_free(data);
    COH_TRY(status);
  }
  return COH_OK;
}

int main(int argc, char **argv) {
  coh_safetensors *file = NULL;
  coh_npz npz = {0};
  if (argc != 3) return 2;
  coh_status status = coh_safetensors_open(argv[1], &file);
  if (status == COH_OK) status = coh_npz_read(argv[2], (size_t)1 << 30, &npz);
  if (status == COH_OK) status = same(file, &npz);
  if (status != COH_OK) fprintf(stderr, "same_arrays: %s\n", coh_error_message());
  coh_safetensors_close(&file);
  coh_npz_clear(&npz);
  return status == COH_OK ? 0 : 1;
}
