/* Adam (Kingma and Ba, ICLR 2015) with decoupled weight decay, which makes it AdamW (Loshchilov
 * and Hutter, ICLR 2019); bias correction and the place of epsilon as in PyTorch:
 *
 *   p -= rate decay p
 *   m  = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2
 *   p -= rate / (1 - b1^t) * m / (sqrt(v) / sqrt(1 - b2^t) + epsilon) */
#include <math.h>

#include "nn/optimizer_type.h"

typedef struct adam_options {
  coh_optimizer_common common; /* first */
  double beta1, beta2, epsilon, weight_decay;
} adam_options;

static const coh_option options[] = {
    COH_LEARNING_RATE_ROW(adam_options, "1e-3", "Learning rate."),
    {.name = "beta1",
     .type = COH_REAL,
     .offset = offsetof(adam_options, beta1),
     .initial = "0.9",
     .min = 0,
     .max = 1 - 1e-9,
     .doc = "Decay of the average gradient."},
    {.name = "beta2",
     .type = COH_REAL,
     .offset = offsetof(adam_options, beta2),
     .initial = "0.999",
     .min = 0,
     .max = 1 - 1e-9,
     .doc = "Decay of the average squared gradient."},
    {.name = "epsilon",
     .type = COH_REAL,
     .offset = offsetof(adam_options, epsilon),
     .initial = "1e-8",
     .min = 1e-30,
     .max = INFINITY,
     .doc = "Added to the root of the average square."},
    {.name = "weight_decay",
     .type = COH_REAL,
     .offset = offsetof(adam_options, weight_decay),
     .initial = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "Decoupled weight decay, a factor of the learning rate; above 0 this is AdamW."},
    COH_OPTIMIZER_COMMON_ROWS(adam_options),
    {0},
};

enum { KEEP, BETA1, REST1, BETA2, REST2, RATE, ROOT, EPSILON };

static int64_t moments(const void *chosen, const char *names[COH_MAX_MOMENTS]) {
  (void)chosen;
  names[0] = "first_moment";
  names[1] = "second_moment";
  return 2;
}

static void prepare(const void *chosen, int64_t t, double rate,
                    float constant[COH_MAX_CONSTANTS]) {
  const adam_options *o = chosen;
  constant[KEEP] = (float)(1 - rate * o->weight_decay);
  constant[BETA1] = (float)o->beta1;
  constant[REST1] = (float)(1 - o->beta1);
  constant[BETA2] = (float)o->beta2;
  constant[REST2] = (float)(1 - o->beta2);
  constant[RATE] = (float)(rate / (1 - pow(o->beta1, (double)t)));
  constant[ROOT] = (float)(1 / sqrt(1 - pow(o->beta2, (double)t)));
  constant[EPSILON] = (float)o->epsilon;
}

static bool update(const void *chosen, const coh_optimizer_pass *pass,
                   const coh_optimizer_stretch *stretch) {
  (void)chosen;
  float *restrict p = stretch->params;
  const float *restrict grads = stretch->grads;
  float *restrict m = stretch->moment[0];
  float *restrict v = stretch->moment[1];
  const float *c = pass->constant;
  const float factor = pass->factor, limit = pass->limit;
  const float keep = c[KEEP], beta1 = c[BETA1], rest1 = c[REST1], beta2 = c[BETA2],
              rest2 = c[REST2], rate = c[RATE], root = c[ROOT], epsilon = c[EPSILON];
  uint32_t bad = 0;
  for (int64_t i = 0; i < stretch->n; i++) {
    float g = coh_pass_gradient(grads[i], factor, limit, &bad);
    m[i] = beta1 * m[i] + rest1 * g;
    v[i] = beta2 * v[i] + rest2 * (g * g);
    p[i] = keep * p[i] - rate * m[i] / (sqrtf(v[i]) * root + epsilon);
  }
  return bad != 0;
}

const coh_optimizer_type coh_optimizer_type_adam = {
    .kind = {.name = "adam",
             .doc = "Adam, and AdamW when weight_decay is set (Kingma and Ba 2015; Loshchilov "
                    "and Hutter 2019).",
             .options = options,
             .options_size = sizeof(adam_options)},
    .moments = moments,
    .prepare = prepare,
    .update = update,
};
