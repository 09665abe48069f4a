/* Resilient propagation (Riedmiller and Braun, ICNN 1993; the variant without weight
 * backtracking, as in PyTorch): every parameter has its own step size, which grows while the
 * gradient keeps its sign and shrinks when it flips; only signs of gradients count.
 *
 *   s = g previous:  s > 0: size = min(size increase, largest)
 *                    s < 0: size = max(size decrease, smallest), g = 0
 *   p -= sign(g) size,  previous = g
 *
 * A stored size of zero stands for the initial one, so that padding stays zero. */
#include <math.h>

#include "nn/optimizer_type.h"

typedef struct rprop_options {
  coh_optimizer_common common; /* first; learning_rate is the initial step size */
  double decrease, increase, smallest, largest;
} rprop_options;

static const coh_option options[] = {
    COH_LEARNING_RATE_ROW(rprop_options, "0.01", "Initial step size of every parameter."),
    {.name = "decrease",
     .type = COH_REAL,
     .offset = offsetof(rprop_options, decrease),
     .initial = "0.5",
     .min = 1e-9,
     .max = 1,
     .doc = "Factor of the step size when the gradient's sign flips."},
    {.name = "increase",
     .type = COH_REAL,
     .offset = offsetof(rprop_options, increase),
     .initial = "1.2",
     .min = 1,
     .max = INFINITY,
     .doc = "Factor of the step size while the gradient keeps its sign."},
    {.name = "smallest",
     .type = COH_REAL,
     .offset = offsetof(rprop_options, smallest),
     .initial = "1e-6",
     .min = 1e-30,
     .max = INFINITY,
     .doc = "Smallest step size."},
    {.name = "largest",
     .type = COH_REAL,
     .offset = offsetof(rprop_options, largest),
     .initial = "50",
     .min = 1e-30,
     .max = INFINITY,
     .doc = "Largest step size."},
    {0},
};

enum { INITIAL, DECREASE, INCREASE, SMALLEST, LARGEST };

static coh_status check(const void *chosen) {
  const rprop_options *o = chosen;
  COH_CHECK(o->smallest <= o->largest, COH_E_CONFIG, "smallest (%g) is above largest (%g)",
            o->smallest, o->largest);
  return COH_OK;
}

static int64_t moments(const void *chosen, const char *names[COH_MAX_MOMENTS]) {
  (void)chosen;
  names[0] = "previous_gradient";
  names[1] = "step_size";
  return 2;
}

static void prepare(const void *chosen, int64_t t, double rate,
                    float constant[COH_MAX_CONSTANTS]) {
  (void)t;
  const rprop_options *o = chosen;
  constant[INITIAL] = (float)rate;
  constant[DECREASE] = (float)o->decrease;
  constant[INCREASE] = (float)o->increase;
  constant[SMALLEST] = (float)o->smallest;
  constant[LARGEST] = (float)o->largest;
}

static bool update(const void *chosen, const coh_optimizer_pass *pass,
                   const coh_optimizer_stretch *stretch) {
  (void)chosen;
  float *restrict p = stretch->params;
  const float *restrict grads = stretch->grads;
  float *restrict previous = stretch->moment[0];
  float *restrict stored = stretch->moment[1];
  const float *c = pass->constant;
  const float factor = pass->factor, limit = pass->limit;
  const float initial = c[INITIAL], decrease = c[DECREASE], increase = c[INCREASE],
              smallest = c[SMALLEST], largest = c[LARGEST];
  uint32_t bad = 0;
  for (int64_t i = 0; i < stretch->n; i++) {
    float g = coh_pass_gradient(grads[i], factor, limit, &bad);
    // signs are compared, not multiplied: the product of small gradients may underflow
    float sign = (float)(g > 0) - (float)(g < 0);
    float before = (float)(previous[i] > 0) - (float)(previous[i] < 0);
    float same = sign * before;
    float size = stored[i] == 0 ? initial : stored[i];
    float grown = size * increase, shrunk = size * decrease;
    grown = grown > largest ? largest : grown;
    shrunk = shrunk < smallest ? smallest : shrunk;
    size = same > 0 ? grown : same < 0 ? shrunk : size;
    stored[i] = same == 0 ? stored[i] : size;
    previous[i] = same < 0 ? 0 : g;
    p[i] -= (same < 0 ? 0 : sign) * size;
  }
  return bad != 0;
}

const coh_optimizer_type coh_optimizer_type_rprop = {
    .kind = {.name = "rprop",
             .doc = "Resilient propagation, for full batches (Riedmiller and Braun 1993).",
             .options = options,
             .options_size = sizeof(rprop_options)},
    .check = check,
    .moments = moments,
    .prepare = prepare,
    .update = update,
};
