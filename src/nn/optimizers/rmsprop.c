/* RMSProp (Hinton's lecture 6e, 2012), with PyTorch's place of epsilon; centred as in Graves
 * (Generating sequences with recurrent neural networks, 2013), which is what DQN was published
 * with:
 *
 *   v = a v + (1 - a) g^2           m = a m + (1 - a) g   (centred; else m = 0)
 *   d = g / (sqrt(v - m^2) + epsilon)
 *   b = momentum b + d,  p -= rate b      (without momentum: p -= rate d) */
#include <math.h>

#include "nn/optimizer_type.h"

typedef struct rmsprop_options {
  coh_optimizer_common common; /* first */
  double alpha, epsilon, momentum, weight_decay;
  bool centered;
} rmsprop_options;

static const coh_option options[] = {
    COH_LEARNING_RATE_ROW(rmsprop_options, "2.5e-4", "Learning rate."),
    {.name = "alpha",
     .type = COH_REAL,
     .offset = offsetof(rmsprop_options, alpha),
     .initial = "0.95",
     .min = 0,
     .max = 1,
     .doc = "Decay of the averages."},
    {.name = "epsilon",
     .type = COH_REAL,
     .offset = offsetof(rmsprop_options, epsilon),
     .initial = "0.01",
     .min = 1e-30,
     .max = INFINITY,
     .doc = "Added to the root of the average square."},
    {.name = "centered",
     .type = COH_BOOL,
     .offset = offsetof(rmsprop_options, centered),
     .initial = "false",
     .doc = "Divide by the standard deviation of the gradient, not by its root mean square."},
    {.name = "momentum",
     .type = COH_REAL,
     .offset = offsetof(rmsprop_options, momentum),
     .initial = "0",
     .min = 0,
     .max = 1,
     .doc = "Decay of the running sum of updates; 0: none is kept."},
    {.name = "weight_decay",
     .type = COH_REAL,
     .offset = offsetof(rmsprop_options, weight_decay),
     .initial = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "Factor of the parameters that is added to the gradient."},
    COH_OPTIMIZER_COMMON_ROWS(rmsprop_options),
    {0},
};

enum { ALPHA, REST, RATE, EPSILON, MOMENTUM, DECAY };

static int64_t moments(const void *chosen, const char *names[COH_MAX_MOMENTS]) {
  const rmsprop_options *o = chosen;
  int64_t n = 0;
  names[n++] = "average_square";
  if (o->centered) names[n++] = "average_gradient";
  if (o->momentum > 0) names[n++] = "momentum";
  return n;
}

static void prepare(const void *chosen, int64_t t, double rate,
                    float constant[COH_MAX_CONSTANTS]) {
  (void)t;
  const rmsprop_options *o = chosen;
  constant[ALPHA] = (float)o->alpha;
  constant[REST] = (float)(1 - o->alpha);
  constant[RATE] = (float)rate;
  constant[EPSILON] = (float)o->epsilon;
  constant[MOMENTUM] = (float)o->momentum;
  constant[DECAY] = (float)o->weight_decay;
}

// with constant arguments the branches vanish: one tight loop a variant
static inline __attribute__((always_inline)) bool
pass_over(const coh_optimizer_pass *pass, const coh_optimizer_stretch *stretch, bool centered,
          bool with_momentum) {
  float *restrict p = stretch->params;
  const float *restrict grads = stretch->grads;
  float *restrict v = stretch->moment[0];
  float *restrict m = centered ? stretch->moment[1] : NULL;
  float *restrict b = with_momentum ? stretch->moment[centered ? 2 : 1] : NULL;
  const float *c = pass->constant;
  const float factor = pass->factor, limit = pass->limit;
  const float alpha = c[ALPHA], rest = c[REST], rate = c[RATE], epsilon = c[EPSILON],
              momentum = c[MOMENTUM], decay = c[DECAY];
  uint32_t bad = 0;
  for (int64_t i = 0; i < stretch->n; i++) {
    float g = coh_pass_gradient(grads[i], factor, limit, &bad) + decay * p[i];
    v[i] = alpha * v[i] + rest * (g * g);
    float variance = v[i];
    if (centered) {
      m[i] = alpha * m[i] + rest * g;
      variance -= m[i] * m[i];
      // the difference of two rounded numbers may fall just below zero
      variance = variance < 0 ? 0 : variance;
    }
    float step = g / (sqrtf(variance) + epsilon);
    if (with_momentum) {
      b[i] = momentum * b[i] + step;
      step = b[i];
    }
    p[i] -= rate * step;
  }
  return bad != 0;
}

static bool update(const void *chosen, const coh_optimizer_pass *pass,
                   const coh_optimizer_stretch *stretch) {
  const rmsprop_options *o = chosen;
  if (o->momentum > 0)
    return o->centered ? pass_over(pass, stretch, true, true)
                       : pass_over(pass, stretch, false, true);
  return o->centered ? pass_over(pass, stretch, true, false)
                     : pass_over(pass, stretch, false, false);
}

const coh_optimizer_type coh_optimizer_type_rmsprop = {
    .kind = {.name = "rmsprop",
             .doc = "RMSProp, centred on request (Hinton 2012; Graves 2013).",
             .options = options,
             .options_size = sizeof(rmsprop_options)},
    .moments = moments,
    .prepare = prepare,
    .update = update,
};
