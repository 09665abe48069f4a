/* A convolution over images: x (B,H,W,C) * W (KH,KW,C,O) + b (O), as a cross-correlation. */
#include <math.h>

#include "nn/layer_type.h"

typedef struct conv_options {
  int64_t channels;
  coh_int_list kernel, stride;
  int padding;
  int64_t groups;
  bool bias, spectral;
  coh_choice init;
} conv_options;

static const coh_option table[] = {
    {.name = "channels",
     .type = COH_INT,
     .offset = offsetof(conv_options, channels),
     .min = 1,
     .max = 1 << 20,
     .doc = "Channels of the output."},
    {.name = "kernel",
     .type = COH_INTS,
     .offset = offsetof(conv_options, kernel),
     .initial = "3",
     .min = 1,
     .max = 1024,
     .unit = "pixels",
     .doc = "Size of the kernel: one number, or height and width."},
    {.name = "stride",
     .type = COH_INTS,
     .offset = offsetof(conv_options, stride),
     .initial = "1",
     .min = 1,
     .max = 1024,
     .unit = "pixels",
     .doc = "Distance between outputs: one number, or height and width."},
    {.name = "padding",
     .type = COH_CHOICE,
     .offset = offsetof(conv_options, padding),
     .initial = "valid",
     .choices = COH_PADDING_CHOICES,
     .doc = "Stay within the image (valid), or add zeros so that stride alone shrinks it "
            "(same)."},
    {.name = "groups",
     .type = COH_INT,
     .offset = offsetof(conv_options, groups),
     .initial = "1",
     .min = 1,
     .max = 1 << 20,
     .doc = "Parts that the channels are divided into; each output sees one part's inputs."},
    {.name = "bias",
     .type = COH_BOOL,
     .offset = offsetof(conv_options, bias),
     .initial = "true",
     .doc = "Add a bias a channel."},
    {.name = "spectral",
     .type = COH_BOOL,
     .offset = offsetof(conv_options, spectral),
     .initial = "false",
     .doc = "Divide the weights by their largest singular value (Miyato et al. 2018)."},
    {.name = "init",
     .type = COH_KIND,
     .offset = offsetof(conv_options, init),
     .initial = "",
     .kinds = &coh_initializer_kinds,
     .doc = "How the weights begin; empty: as the network says."},
    {0},
};

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const conv_options *o = options;
  coh_graph *g = site->graph;
  int64_t kernel[2];
  coh_window window;
  coh_value weight, bias;
  COH_TRY(coh_layer_window(site, in, &o->kernel, &o->stride, o->padding, kernel, &window));
  int64_t n_channels = coh_graph_shape(g, in).size[3], area = kernel[0] * kernel[1];
  COH_CHECK(n_channels % o->groups == 0 && o->channels % o->groups == 0, COH_E_CONFIG,
            "%lld groups do not divide %lld channels in and %lld out", (long long)o->groups,
            (long long)n_channels, (long long)o->channels);
  window.groups = o->groups;
  n_channels /= o->groups;
  coh_parameter_plan plan = {.role = COH_ROLE_WEIGHT,
                             .shape = COH_SHAPE(kernel[0], kernel[1], n_channels, o->channels),
                             .fan_in = area * n_channels,
                             .fan_out = area * o->channels / o->groups,
                             .initializer = &o->init};
  COH_TRY(coh_layer_parameter(site, "weight", &plan, &weight));
  if (o->spectral) COH_TRY(coh_layer_spectral(site, "", weight, &weight));
  coh_value y = coh_op_conv2d(g, in, weight, window);
  if (o->bias) {
    plan.role = COH_ROLE_BIAS;
    plan.shape = COH_SHAPE(o->channels);
    COH_TRY(coh_layer_parameter(site, "bias", &plan, &bias));
    y = coh_op_add(g, y, bias);
  }
  *out = y;
  return COH_OK;
}

const coh_layer_type coh_layer_type_conv = {
    .kind = {.name = "conv",
             .doc = "Convolution over an image.",
             .options = table,
             .options_size = sizeof(conv_options)},
    .build = build,
};
