/* Stochastic gradient descent, with momentum and Nesterov's variant as in PyTorch:
 *
 *   g += decay p
 *   b  = momentum b + g,   d = nesterov ? g + momentum b : b      (without momentum: d = g)
 *   p -= rate d */
#include <math.h>

#include "nn/optimizer_type.h"

typedef struct sgd_options {
  coh_optimizer_common common; /* first */
  double momentum, weight_decay;
  bool nesterov;
} sgd_options;

static const coh_option options[] = {
    COH_LEARNING_RATE_ROW(sgd_options, "0.01", "Learning rate."),
    {.name = "momentum",
     .type = COH_REAL,
     .offset = offsetof(sgd_options, momentum),
     .initial = "0",
     .min = 0,
     .max = 1,
     .doc = "Decay of the running sum of gradients; 0: none is kept."},
    {.name = "nesterov",
     .type = COH_BOOL,
     .offset = offsetof(sgd_options, nesterov),
     .initial = "false",
     .doc = "Look ahead along the momentum; needs momentum above 0."},
    {.name = "weight_decay",
     .type = COH_REAL,
     .offset = offsetof(sgd_options, weight_decay),
     .initial = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "Factor of the parameters that is added to the gradient."},
    COH_OPTIMIZER_COMMON_ROWS(sgd_options),
    {0},
};

enum { RATE, MOMENTUM, DECAY };

static coh_status check(const void *chosen) {
  const sgd_options *o = chosen;
  COH_CHECK(!o->nesterov || o->momentum > 0, COH_E_CONFIG, "nesterov needs momentum above 0");
  return COH_OK;
}

static int64_t moments(const void *chosen, const char *names[COH_MAX_MOMENTS]) {
  const sgd_options *o = chosen;
  names[0] = "momentum";
  return o->momentum > 0 ? 1 : 0;
}

static void prepare(const void *chosen, int64_t t, double rate,
                    float constant[COH_MAX_CONSTANTS]) {
  (void)t;
  const sgd_options *o = chosen;
  constant[RATE] = (float)rate;
  constant[MOMENTUM] = (float)o->momentum;
  constant[DECAY] = (float)o->weight_decay;
}

static bool plain(const coh_optimizer_pass *pass, const coh_optimizer_stretch *stretch) {
  float *restrict p = stretch->params;
  const float *restrict grads = stretch->grads;
  const float factor = pass->factor, limit = pass->limit;
  const float rate = pass->constant[RATE], decay = pass->constant[DECAY];
  uint32_t bad = 0;
  for (int64_t i = 0; i < stretch->n; i++) {
    float g = coh_pass_gradient(grads[i], factor, limit, &bad) + decay * p[i];
    p[i] -= rate * g;
  }
  return bad != 0;
}

static bool heavy_ball(const coh_optimizer_pass *pass, const coh_optimizer_stretch *stretch,
                       bool nesterov) {
  float *restrict p = stretch->params;
  const float *restrict grads = stretch->grads;
  float *restrict b = stretch->moment[0];
  const float factor = pass->factor, limit = pass->limit;
  const float rate = pass->constant[RATE], momentum = pass->constant[MOMENTUM],
              decay = pass->constant[DECAY];
  // d = own g + ahead b covers both variants exactly: 1 and 0 are exact factors
  const float own = nesterov ? 1.0f : 0.0f, ahead = nesterov ? momentum : 1.0f;
  uint32_t bad = 0;
  for (int64_t i = 0; i < stretch->n; i++) {
    float g = coh_pass_gradient(grads[i], factor, limit, &bad) + decay * p[i];
    b[i] = momentum * b[i] + g;
    p[i] -= rate * (own * g + ahead * b[i]);
  }
  return bad != 0;
}

static bool update(const void *chosen, const coh_optimizer_pass *pass,
                   const coh_optimizer_stretch *stretch) {
  const sgd_options *o = chosen;
  return o->momentum > 0 ? heavy_ball(pass, stretch, o->nesterov) : plain(pass, stretch);
}

const coh_optimizer_type coh_optimizer_type_sgd = {
    .kind = {.name = "sgd",
             .doc = "Stochastic gradient descent with optional momentum (Polyak 1964; Nesterov "
                    "1983; Sutskever et al. 2013).",
             .options = options,
             .options_size = sizeof(sgd_options)},
    .check = check,
    .moments = moments,
    .prepare = prepare,
    .update = update,
};
