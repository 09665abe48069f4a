/* Zeros, such as for the last layer of a residual branch. */
#include "nn/initializer_type.h"

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  (void)options;
  (void)stream;
  for (int64_t i = 0; i < fill->n; i++)
    fill->data[i] = 0;
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_zeros = {
    .kind = {.name = "zeros", .doc = "Zeros."},
    .weight = weight,
};
