/* Transposed convolution: the map that a convolution's gradient takes from its output back to
 * its input, as a layer that enlarges images. */
#include <math.h>

#include "nn/layer_type.h"

typedef struct conv_transpose_options {
  int64_t channels, kernel, stride;
  int padding;
  bool bias, spectral;
  coh_choice init;
} conv_transpose_options;

static const coh_option table[] = {
    {.name = "channels",
     .type = COH_INT,
     .offset = offsetof(conv_transpose_options, channels),
     .min = 1,
     .max = 1 << 20,
     .doc = "Channels of the output."},
    {.name = "kernel",
     .type = COH_INT,
     .offset = offsetof(conv_transpose_options, kernel),
     .initial = "4",
     .min = 1,
     .max = 1024,
     .unit = "pixels",
     .doc = "Height and width of the kernel."},
    {.name = "stride",
     .type = COH_INT,
     .offset = offsetof(conv_transpose_options, stride),
     .initial = "2",
     .min = 1,
     .max = 1024,
     .unit = "pixels",
     .doc = "Factor of enlargement."},
    {.name = "padding",
     .type = COH_CHOICE,
     .offset = offsetof(conv_transpose_options, padding),
     .initial = "same",
     .choices = COH_PADDING_CHOICES,
     .doc =
         "Sizes out are stride times sizes in (same), or all that the kernel reaches (valid)."},
    {.name = "bias",
     .type = COH_BOOL,
     .offset = offsetof(conv_transpose_options, bias),
     .initial = "true",
     .doc = "Add a bias a channel."},
    {.name = "spectral",
     .type = COH_BOOL,
     .offset = offsetof(conv_transpose_options, spectral),
     .initial = "false",
     .doc = "Divide the weights by their largest singular value (Miyato et al. 2018)."},
    {.name = "init",
     .type = COH_KIND,
     .offset = offsetof(conv_transpose_options, init),
     .initial = "",
     .kinds = &coh_initializer_kinds,
     .doc = "How the weights begin; empty: as the network says."},
    {0},
};

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const conv_transpose_options *o = options;
  coh_graph *g = site->graph;
  coh_shape shape = coh_graph_shape(g, in);
  char text[96];
  COH_CHECK(shape.rank == 4, COH_E_CONFIG,
            "needs an image (height x width x channels) but its input is %s; reshape it first",
            coh_shape_text(shape, true, text));
  bool same = o->padding == COH_PADDING_SAME;
  COH_CHECK(!same || o->kernel >= o->stride, COH_E_CONFIG,
            "a kernel of %lld cannot fill a stride of %lld; take a larger kernel",
            (long long)o->kernel, (long long)o->stride);
  int64_t size[2], extra = o->kernel - o->stride;
  coh_window window = {.stride = {o->stride, o->stride}};
  for (int axis = 0; axis < 2; axis++) {
    size[axis] = shape.size[1 + axis] * o->stride + (same ? 0 : extra);
    window.pad_before[axis] = same ? extra / 2 : 0;
    window.pad_after[axis] = same ? extra - extra / 2 : 0;
  }
  int64_t n_channels = shape.size[3], area = o->kernel * o->kernel;
  coh_value weight, bias;
  // each output is reached by kernel / stride taps an axis
  coh_parameter_plan plan = {.role = COH_ROLE_WEIGHT,
                             .shape = COH_SHAPE(o->kernel, o->kernel, o->channels, n_channels),
                             .fan_in = (area * n_channels + o->stride * o->stride - 1) /
                                       (o->stride * o->stride),
                             .fan_out = area * o->channels,
                             .initializer = &o->init};
  COH_TRY(coh_layer_parameter(site, "weight", &plan, &weight));
  if (o->spectral) COH_TRY(coh_layer_spectral(site, "", weight, &weight));
  coh_value y = coh_op_conv2d_data(g, in, weight, window, size[0], size[1]);
  if (o->bias) {
    plan.role = COH_ROLE_BIAS;
    plan.shape = COH_SHAPE(o->channels);
    COH_TRY(coh_layer_parameter(site, "bias", &plan, &bias));
    y = coh_op_add(g, y, bias);
  }
  *out = y;
  return COH_OK;
}

const coh_layer_type coh_layer_type_conv_transpose = {
    .kind = {.name = "conv_transpose",
             .doc = "Transposed convolution: enlarges an image.",
             .options = table,
             .options_size = sizeof(conv_transpose_options)},
    .build = build,
};
