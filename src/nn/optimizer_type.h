/* How an optimiser is written: one file in optimizers/ that defines a coh_optimizer_type, and
 * one line in optimizer.def. Scaling, clipping, schedules, counting and the detection of
 * numbers that are not finite are done here for all of them. */
#ifndef COHORT_NN_OPTIMIZER_TYPE_H
#define COHORT_NN_OPTIMIZER_TYPE_H

#include <stddef.h>
#include <string.h>

#include "cohort/nn.h"

enum { COH_MAX_MOMENTS = 3, COH_MAX_CONSTANTS = 8 };

/* What every optimiser's options begin with; rows a table leaves out stay zero, which means
 * no clipping and a constant rate. */
typedef struct coh_optimizer_common {
  double learning_rate;
  double clip_norm;  /* 0: off */
  double clip_value; /* 0: off */
  coh_schedule schedule;
} coh_optimizer_common;

/* The rows for a table of options whose struct `owner` has `common` as its first member. */
#define COH_LEARNING_RATE_ROW(owner, default_rate, sentence)                           \
  {                                                                                    \
    .name = "learning_rate", .type = COH_REAL,                                         \
    .offset = offsetof(owner, common) + offsetof(coh_optimizer_common, learning_rate), \
    .initial = default_rate, .min = 0, .max = INFINITY, .doc = sentence                \
  }

#define COH_OPTIMIZER_COMMON_ROWS(owner)                                                \
  {.name = "clip_norm",                                                                 \
   .type = COH_REAL,                                                                    \
   .offset = offsetof(owner, common) + offsetof(coh_optimizer_common, clip_norm),       \
   .initial = "0",                                                                      \
   .min = 0,                                                                            \
   .max = INFINITY,                                                                     \
   .doc = "Longest gradient, as a Euclidean norm over all parameters; longer ones are " \
          "shortened to it; 0: no limit."},                                             \
      {.name = "clip_value",                                                            \
       .type = COH_REAL,                                                                \
       .offset = offsetof(owner, common) + offsetof(coh_optimizer_common, clip_value),  \
       .initial = "0",                                                                  \
       .min = 0,                                                                        \
       .max = INFINITY,                                                                 \
       .doc = "Largest magnitude of one gradient component, applied after clip_norm; "  \
              "0: no limit."},                                                          \
  {                                                                                     \
    .name = "schedule", .type = COH_GROUP,                                              \
    .offset = offsetof(owner, common) + offsetof(coh_optimizer_common, schedule),       \
    .group = coh_schedule_table, .doc = "Factor of the learning rate over the steps."   \
  }

/* One step as the kernels see it: fixed by begin, only read by any number of threads. */
typedef struct coh_optimizer_pass {
  float factor;                      /* of the gradient: scale and norm clipping */
  float limit;                       /* of the gradient's components; INFINITY: none */
  float constant[COH_MAX_CONSTANTS]; /* what the type's prepare wrote */
} coh_optimizer_pass;

/* The stretch of the blocks that one call of a kernel updates. */
typedef struct coh_optimizer_stretch {
  float *params;                  /* in/out */
  const float *grads;             /* in */
  float *moment[COH_MAX_MOMENTS]; /* in/out; NULL beyond the type's */
  int64_t n;
} coh_optimizer_stretch;

typedef struct coh_optimizer_type {
  coh_kind kind; /* first, so that a coh_kind of the registry casts to its type */

  /* Check what bounds cannot; NULL: nothing. Fails: COH_E_CONFIG. */
  coh_status (*check)(const void *options);

  /* Names of the moments that these options need: writes names[0..), returns how many. */
  int64_t (*moments)(const void *options, const char *names[COH_MAX_MOMENTS]);

  /* The constants of step t = 1, 2, ... at a learning rate. */
  void (*prepare)(const void *options, int64_t t, double rate,
                  float constant[COH_MAX_CONSTANTS]);

  /* Update a stretch in one pass over memory, each float by itself, so that any split gives
   * the same bits. Returns whether a gradient was bad. Zero padding stays zero. */
  bool (*update)(const void *options, const coh_optimizer_pass *pass,
                 const coh_optimizer_stretch *stretch);
} coh_optimizer_type;

/* One gradient as an update uses it; `bad` becomes nonzero when, scaled, it is not finite or so
 * large (2^63 and more) that its square would not be. */
static inline float coh_pass_gradient(float g, float factor, float limit, uint32_t *bad) {
  uint32_t bits;
  g *= factor;
  memcpy(&bits, &g, sizeof bits);
  *bad |= (bits & 0x7fffffffu) >= 0x5f000000u;
  g = g > limit ? limit : g;
  return g < -limit ? -limit : g;
}

#endif
