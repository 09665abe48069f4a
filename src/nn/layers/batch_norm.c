/* Batch normalisation over rows and pixels, a channel at a time: Ioffe and Szegedy, ICML 2015.
 *   y = (x - mean) / sqrt(variance + epsilon) * weight + bias
 * In training with the statistics of the batch, of this lane or of all lanes; in use with
 * running means of them. Statistics over lanes travel as sums of d and v + d^2, with v a lane's
 * variance and d the distance of its mean from the running mean: one sum, and little to cancel.
 * All of it is graph, so gradients flow through the statistics, to any order. */
#include <math.h>

#include "nn/layer_type.h"

typedef struct batch_norm_options {
  double epsilon, momentum;
  bool affine;
  int over;
} batch_norm_options;

enum { OVER_LANES, OVER_LANE };

static const coh_option table[] = {
    {.name = "over",
     .type = COH_CHOICE,
     .offset = offsetof(batch_norm_options, over),
     .initial = "lanes",
     .choices = "lanes|lane",
     .doc = "Statistics of the whole batch, or of each lane's rows alone, which needs no "
            "messages but depends on how many lanes there are."},
    {.name = "momentum",
     .type = COH_REAL,
     .offset = offsetof(batch_norm_options, momentum),
     .initial = "0.1",
     .min = 0,
     .max = 1,
     .doc = "Share of the running statistics that a batch renews."},
    {.name = "epsilon",
     .type = COH_REAL,
     .offset = offsetof(batch_norm_options, epsilon),
     .initial = "1e-5",
     .min = 1e-12,
     .max = INFINITY,
     .doc = "Added to the variance."},
    {.name = "affine",
     .type = COH_BOOL,
     .offset = offsetof(batch_norm_options, affine),
     .initial = "true",
     .doc = "Learn a gain and a bias a channel."},
    {0},
};

/* The layer's parameters, and the statistics it normalises with: (1, .., C). */
typedef struct statistics {
  coh_value running_mean, running_variance; /* (C) */
  coh_value mean, variance;
} statistics;

static coh_value mean_of(coh_graph *g, coh_value x) {
  int rank = coh_graph_shape(g, x).rank, axes[COH_MAX_RANK] = {0};
  for (int k = 0; k < rank - 1; k++)
    axes[k] = k;
  return coh_op_mean(g, x, axes, rank - 1, true);
}

static void over_lane(coh_graph *g, coh_value x, statistics *s) {
  s->mean = mean_of(g, x);
  s->variance = mean_of(g, coh_op_square(g, coh_op_sub(g, x, s->mean)));
}

static void over_lanes(coh_graph *g, coh_value x, int64_t n_lanes, statistics *s) {
  over_lane(g, x, s);
  if (n_lanes <= 1) return;
  coh_shape shape = coh_graph_shape(g, s->mean);
  int last = shape.rank - 1;
  int64_t n = shape.size[last];
  coh_value origin = coh_op_stop_gradient(g, coh_op_reshape(g, s->running_mean, shape));
  coh_value distance = coh_op_sub(g, s->mean, origin);
  coh_value square = coh_op_add(g, s->variance, coh_op_square(g, distance));
  coh_value both = coh_op_concat(g, (coh_value[]){distance, square}, 2, last);
  both = coh_op_scale(g, coh_op_lane_sum(g, both, n_lanes), 1 / (double)n_lanes);
  distance = coh_op_slice(g, both, last, 0, n);
  square = coh_op_slice(g, both, last, n, 2 * n);
  s->mean = coh_op_add(g, origin, distance);
  s->variance = coh_op_relu(g, coh_op_sub(g, square, coh_op_square(g, distance)));
}

// the statistics of the batch, and what they leave for later use
static coh_status observe(coh_layer_site *site, const batch_norm_options *o, coh_value x,
                          statistics *s) {
  coh_graph *g = site->graph;
  coh_shape shape = coh_graph_shape(g, x);
  int64_t n_channels = shape.size[shape.rank - 1];
  int64_t n_lanes = site->use->n_lanes > 1 ? site->use->n_lanes : 1;
  int64_t n = coh_shape_count(shape) / n_channels;
  if (o->over == OVER_LANE) {
    over_lane(g, x, s);
  } else {
    over_lanes(g, x, n_lanes, s);
    n *= n_lanes;
  }
  COH_CHECK(n > 1 || site->collects, COH_E_CONFIG,
            "a single row has no variance; give a lane more rows of the batch, or take the "
            "statistics over all lanes");
  double whole = n > 1 ? (double)n / (double)(n - 1) : 1;
  coh_value mean = coh_op_reshape(g, s->mean, COH_SHAPE(n_channels));
  coh_value variance = coh_op_reshape(g, s->variance, COH_SHAPE(n_channels));
  COH_TRY(coh_layer_refresh(site, s->running_mean, mean, o->momentum));
  return coh_layer_refresh(site, s->running_variance, coh_op_scale(g, variance, whole),
                           o->momentum);
}

static coh_status build(coh_layer_site *site, const void *options, coh_value in,
                        coh_value *out) {
  const batch_norm_options *o = options;
  coh_graph *g = site->graph;
  coh_shape shape = coh_graph_shape(g, in);
  coh_parameter_plan ones = {.role = COH_ROLE_ONES,
                             .shape = COH_SHAPE(shape.size[shape.rank - 1])};
  coh_parameter_plan zeros = ones;
  zeros.role = COH_ROLE_ZEROS;
  coh_value weight = COH_NO_VALUE, bias = COH_NO_VALUE;
  statistics s;
  if (o->affine) {
    COH_TRY(coh_layer_parameter(site, "weight", &ones, &weight));
    COH_TRY(coh_layer_parameter(site, "bias", &zeros, &bias));
  }
  COH_TRY(coh_layer_parameter(site, "running_mean", &zeros, &s.running_mean));
  COH_TRY(coh_layer_parameter(site, "running_variance", &ones, &s.running_variance));
  site->mixes_rows = true;
  if (site->use->inference) {
    s.mean = s.running_mean;
    s.variance = s.running_variance;
  } else {
    COH_TRY(observe(site, o, in, &s));
  }
  coh_value gain = coh_op_rsqrt(g, coh_op_affine(g, s.variance, 1, o->epsilon));
  if (o->affine) gain = coh_op_mul(g, gain, weight);
  *out = coh_op_mul(g, coh_op_sub(g, in, s.mean), gain);
  if (o->affine) *out = coh_op_add(g, *out, bias);
  return COH_OK;
}

const coh_layer_type coh_layer_type_batch_norm = {
    .kind = {.name = "batch_norm",
             .doc = "Normalise each channel over the batch (Ioffe and Szegedy 2015).",
             .options = table,
             .options_size = sizeof(batch_norm_options)},
    .build = build,
};
