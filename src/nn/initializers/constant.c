/* One value for every weight. */
#include "nn/initializer_type.h"

typedef struct constant_options {
  double value;
} constant_options;

static const coh_option table[] = {
    {.name = "value",
     .type = COH_REAL,
     .offset = offsetof(constant_options, value),
     .initial = "0",
     .doc = "The value."},
    {0},
};

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  const constant_options *o = options;
  (void)stream;
  for (int64_t i = 0; i < fill->n; i++)
    fill->data[i] = (float)o->value;
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_constant = {
    .kind = {.name = "constant",
             .doc = "The same value for every weight.",
             .options = table,
             .options_size = sizeof(constant_options)},
    .weight = weight,
};
