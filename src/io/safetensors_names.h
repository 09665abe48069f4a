/* What reading and writing safetensors share. */
#ifndef COHORT_IO_SAFETENSORS_NAMES_H
#define COHORT_IO_SAFETENSORS_NAMES_H

#include <stdbool.h>

#include "cohort/io.h"

/* The longest header taken: room for a hundred thousand tensors. */
#define COH_SAFETENSORS_MAX_HEADER ((size_t)16 << 20)

/* "F32" and its kin; the inverse is false for an unknown name. */
const char *coh_safetensors_dtype_name(coh_dtype dtype);
bool coh_safetensors_dtype(const char *name, coh_dtype *dtype);

#endif
