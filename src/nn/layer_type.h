/* How a layer is written: one file in layers/ that defines a coh_layer_type, and one line in
 * layer.def. An activation is a layer too: activation_type.h. */
#ifndef COHORT_NN_LAYER_TYPE_H
#define COHORT_NN_LAYER_TYPE_H

#include <stddef.h>

#include "cohort/nn.h"

typedef struct coh_layer_type coh_layer_type;

/* How a parameter begins. */
typedef enum coh_role {
  COH_ROLE_WEIGHT, /* by the layer's or network's initialiser */
  COH_ROLE_BIAS,   /* by the same */
  COH_ROLE_ONES,   /* gains of normalisation */
  COH_ROLE_ZEROS,
} coh_role;

/* A parameter as a layer asks for it. */
typedef struct coh_parameter_plan {
  coh_role role;
  coh_shape shape;
  int64_t fan_in, fan_out;       /* of the weight, or of the weight a bias belongs to */
  const coh_choice *initializer; /* the layer's own; kind NULL or pointer NULL: the network's */
} coh_parameter_plan;

/* A parameter of a network: its plan and its place. */
typedef struct coh_network_parameter {
  coh_parameter_plan plan;
  int64_t layer;  /* index of its layer */
  int64_t offset; /* floats from the network's first parameter */
} coh_network_parameter;

/* Where a layer is being built: what build functions get. */
typedef struct coh_layer_site {
  coh_graph *graph;
  const coh_layer_type *type;
  char path[128];               /* "0.conv", "generator.0.conv" */
  int64_t layer;                /* index */
  int64_t n_outputs;            /* width asked of a head; 0 for other layers */
  const coh_network_use *use;   /* how the network is built; never NULL */
  coh_network_refresh *refresh; /* where layers say what renews their state; NULL: nowhere */
  /* plans are collected while the network is created; NULL when it is built */
  coh_network_parameter *collected;
  int64_t n_collected, capacity;
  bool collects;
  bool mixes_rows; /* out: a row's output depends on other rows */
} coh_layer_site;

struct coh_layer_type {
  coh_kind kind; /* first, so that a coh_kind of the registry casts to its type */
  bool is_head;  /* makes n_outputs values a row; allowed as the last layer only */

  /* Add the layer to site->graph: in (B, ...) -> *out (B, ...). Faults are worded without the
   * layer's name, which the caller puts before them. */
  coh_status (*build)(coh_layer_site *site, const void *options, coh_value in, coh_value *out);
};

/* A parameter "<path>.<leaf>": created, or found where the network was built before. */
coh_status coh_layer_parameter(coh_layer_site *site, const char *leaf,
                               const coh_parameter_plan *plan, coh_value *out);

/* x (B, n) W (n, units) + b (units), with parameters "<path>.<leaf>weight" and, with bias,
 * "<path>.<leaf>bias"; in of a rank above 2 is flattened first. */
typedef struct coh_dense_plan {
  const char *leaf; /* "" or a name with a dot at its end */
  int64_t units;
  bool bias, spectral;
  const coh_choice *initializer;
} coh_dense_plan;
coh_status coh_layer_dense(coh_layer_site *site, const coh_dense_plan *plan, coh_value in,
                           coh_value *out);

/* A state: a parameter that no gradient reaches (its gradient is zeros) and that is renewed
 * after every step as coh_network_refresh says. value: in the parameter's shape, read only when
 * the network is built for training. Fails: COH_E_CONFIG where nobody would renew it. */
coh_status coh_layer_refresh(coh_layer_site *site, coh_value parameter, coh_value value,
                             double rate);

/* A weight over its largest singular value: one step of power iteration on the matrix (fan in x
 * units) whose left vector is the state "<path>.<leaf>power". Miyato et al., ICLR 2018. */
coh_status coh_layer_spectral(coh_layer_site *site, const char *leaf, coh_value weight,
                              coh_value *out);

/* Build a list of layers inside a layer, under "<path>.<leaf>.0.conv" and so on. */
coh_status coh_layer_list(coh_layer_site *site, const char *leaf, const coh_choice_list *layers,
                          coh_value in, coh_value *out);

/* (B, ...) -> (B, n). */
coh_value coh_layer_flatten(coh_graph *graph, coh_value in);

/* "10 x 10 x 4", without the batch axis when skip_batch; buffer of 96 bytes, returned. */
const char *coh_shape_text(coh_shape shape, bool skip_batch, char buffer[96]);

/* The layer that a network without a head ends with. Not in the registry. */
extern const coh_layer_type coh_layer_type_output;

/* Windows of convolutions and pooling, from options. */
enum { COH_PADDING_VALID, COH_PADDING_SAME };
#define COH_PADDING_CHOICES "valid|same"

/* Check that in is an image and that the window fits it; fill kernel and window. kernel,
 * stride: one number or two (height, width); stride empty: the kernel. */
coh_status coh_layer_window(const coh_layer_site *site, coh_value in,
                            const coh_int_list *kernel, const coh_int_list *stride, int padding,
                            int64_t kernel_size[2], coh_window *window);

#endif
