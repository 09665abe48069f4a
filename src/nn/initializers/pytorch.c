/* uniform(-b, b), b = 1 / sqrt(fan_in), for weights and biases: the default of PyTorch's dense
 * and convolution layers, which published DQN results were made with. */
#include <math.h>

#include "nn/initializer_type.h"

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  (void)options;
  coh_fill_uniform(fill, 1 / sqrt((double)fill->fan_in), stream);
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_pytorch = {
    .kind = {.name = "pytorch",
             .doc = "Uniform within 1 / sqrt(fan_in), biases too: PyTorch's default."},
    .weight = weight,
    .bias = weight,
};
