/* Element types and sizes of dense arrays. */
#include "io/array.h"

#include "base/alloc.h"

static const uint8_t dtype_bytes[COH_N_DTYPES] = {
    [COH_DTYPE_F32] = 4, [COH_DTYPE_F64] = 8, [COH_DTYPE_F16] = 2, [COH_DTYPE_BF16] = 2,
    [COH_DTYPE_I8] = 1,  [COH_DTYPE_I16] = 2, [COH_DTYPE_I32] = 4, [COH_DTYPE_I64] = 8,
    [COH_DTYPE_U8] = 1,  [COH_DTYPE_U16] = 2, [COH_DTYPE_U32] = 4, [COH_DTYPE_U64] = 8,
    [COH_DTYPE_BOOL] = 1};

size_t coh_dtype_bytes(coh_dtype dtype) {
  return (unsigned)dtype < COH_N_DTYPES ? dtype_bytes[dtype] : 0;
}

bool coh_array_size(const coh_array *array, size_t *n_bytes) {
  size_t total = coh_dtype_bytes(array->dtype);
  if (total == 0 || array->n_dims < 0 || array->n_dims > COH_MAX_DIMS) return false;
  bool empty = false;
  for (int i = 0; i < array->n_dims; i++) {
    if (array->shape[i] < 0) return false;
    if (array->shape[i] == 0)
      empty = true;
    else if (__builtin_mul_overflow(total, (size_t)array->shape[i], &total))
      return false;
  }
  // half of the address space is the most that pointers can tell apart
  if (total > SIZE_MAX / 2) return false;
  *n_bytes = empty ? 0 : total;
  return true;
}

int64_t coh_array_count(const coh_array *array) {
  int64_t count = 1;
  for (int i = 0; i < array->n_dims; i++)
    count *= array->shape[i];
  return count;
}

void coh_array_clear(coh_array *array) {
  if (!array) return;
  coh_free(array->data);
  *array = (coh_array){0};
}

coh_status coh_array_allocate(const char *name, coh_array *array) {
  size_t n_bytes;
  COH_CHECK(coh_array_size(array, &n_bytes), COH_E_DATA, "%s: the shape is not possible", name);
  uint8_t *data;
  COH_NEW(data, n_bytes);
  array->data = data;
  return COH_OK;
}
