/* Arrays in files: what someone who embeds Cohort needs to exchange data with Python.
 *
 * Files from outside are never trusted: every reader checks sizes before it allocates and
 * answers a malformed file with COH_E_DATA. Files are written atomically: a failed write leaves
 * the old file as it was. */
#ifndef COHORT_IO_H
#define COHORT_IO_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { COH_MAX_DIMS = 8 };

typedef enum coh_dtype {
  COH_DTYPE_F32,
  COH_DTYPE_F64,
  COH_DTYPE_F16,
  COH_DTYPE_BF16, /* safetensors only: NPY has no such type */
  COH_DTYPE_I8,
  COH_DTYPE_I16,
  COH_DTYPE_I32,
  COH_DTYPE_I64,
  COH_DTYPE_U8,
  COH_DTYPE_U16,
  COH_DTYPE_U32,
  COH_DTYPE_U64,
  COH_DTYPE_BOOL, /* one byte, 0 or 1 */
  COH_N_DTYPES
} coh_dtype;

/* Bytes of one element. Not collective. */
size_t coh_dtype_bytes(coh_dtype dtype);

/* A dense array in row-major order. The empty (zero) struct is an array of nothing. */
typedef struct coh_array {
  coh_dtype dtype;
  int n_dims; /* 0: a single number */
  int64_t shape[COH_MAX_DIMS];
  void *data; /* 64-byte aligned when libcohort allocated it */
} coh_array;

/* Elements of an array: the product of its shape. Not collective. */
int64_t coh_array_count(const coh_array *array);

/* Free the data of an array that libcohort filled, and zero the struct. Accepts NULL. */
void coh_array_clear(coh_array *array);

/* Read a NumPy .npy file (format 1.0, 2.0 or 3.0; little-endian or single bytes; Fortran order
 * is turned to row-major). Not collective. array: out, set only on success; caller clears.
 * Fails: COH_E_DATA, COH_E_MEMORY. Source: NumPy Enhancement Proposal 1. */
coh_status coh_npy_read(const char *path, coh_array *array);

/* Write a NumPy .npy file, atomically. Not collective. array: borrowed. Fails: COH_E_IO,
 * COH_E_DATA for a type that NPY does not have. */
coh_status coh_npy_write(const char *path, const coh_array *array);

/* A safetensors file that is open for reading, e.g. the model.safetensors of a run. */
typedef struct coh_safetensors coh_safetensors;

/* Open a safetensors file and check its header: strict JSON, known types, offsets that cover
 * the data without gap or overlap. Not collective. Caller closes.
 * Fails: COH_E_DATA, COH_E_MEMORY. Source: github.com/huggingface/safetensors, "Format". */
coh_status coh_safetensors_open(const char *path, coh_safetensors **file);

/* Close; accepts NULL, sets NULL. Not collective. */
void coh_safetensors_close(coh_safetensors **file);

/* The number of tensors, in the order of their data. Not collective. */
int64_t coh_safetensors_count(const coh_safetensors *file);

/* Name, type and shape of tensor i; shape->data is NULL. Not collective. Borrowed. */
const char *coh_safetensors_name(const coh_safetensors *file, int64_t i);
void coh_safetensors_shape(const coh_safetensors *file, int64_t i, coh_array *shape);

/* The index of a tensor, or -1. Not collective. */
int64_t coh_safetensors_find(const coh_safetensors *file, const char *name);

/* A value of the metadata map, NULL if absent. Not collective. Borrowed. */
const char *coh_safetensors_metadata(const coh_safetensors *file, const char *key);

/* The keys of the metadata map, 0 <= i < n_metadata; NULL beyond. Not collective. Borrowed. */
const char *coh_safetensors_metadata_key(const coh_safetensors *file, int64_t i);

/* Copy n_bytes from byte `offset` of tensor i into data (out, borrowed). Not collective;
 * several threads may read at once. Fails: COH_E_DATA when the range leaves the tensor or
 * reading fails. */
coh_status coh_safetensors_read(const coh_safetensors *file, int64_t i, size_t offset,
                                void *data, size_t n_bytes);

#ifdef __cplusplus
}
#endif
#endif
