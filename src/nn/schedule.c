/* Schedules: a factor over steps, shared by every optimiser and whoever else needs one.
 * Warm-up is linear and reaches 1 after `warmup` steps; linear and cosine decays then go from 1
 * to `final` at step `steps` (cosine: Loshchilov and Hutter, SGDR, ICLR 2017, one period). */
#include <math.h>

#include "cohort/nn.h"

enum { SHAPE_CONSTANT, SHAPE_LINEAR, SHAPE_COSINE };

const coh_option coh_schedule_table[] = {
    {.name = "shape",
     .type = COH_CHOICE,
     .offset = offsetof(coh_schedule, shape),
     .initial = "constant",
     .choices = "constant|linear|cosine",
     .doc = "What follows the warm-up."},
    {.name = "warmup",
     .type = COH_INT,
     .offset = offsetof(coh_schedule, warmup),
     .initial = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .doc = "Steps of linear growth to the full value."},
    {.name = "steps",
     .type = COH_INT,
     .offset = offsetof(coh_schedule, steps),
     .initial = "0",
     .min = 0,
     .max = INFINITY,
     .unit = "steps",
     .doc = "Step at which a linear or cosine decay ends, warm-up included."},
    {.name = "final",
     .type = COH_REAL,
     .offset = offsetof(coh_schedule, final),
     .initial = "0",
     .min = 0,
     .max = INFINITY,
     .doc = "Factor from the end of the decay on."},
    {0},
};

coh_status coh_schedule_check(const coh_schedule *schedule) {
  COH_CHECK(schedule->shape == SHAPE_CONSTANT || schedule->steps > schedule->warmup,
            COH_E_CONFIG,
            "schedule: a decay that ends at step %lld must end after its warm-up of %lld steps",
            (long long)schedule->steps, (long long)schedule->warmup);
  return COH_OK;
}

double coh_schedule_factor(const coh_schedule *schedule, int64_t step) {
  if (step < schedule->warmup) return (double)(step + 1) / (double)schedule->warmup;
  if (schedule->shape == SHAPE_CONSTANT) return 1;
  if (step >= schedule->steps) return schedule->final;
  double part =
      (double)(step - schedule->warmup) / (double)(schedule->steps - schedule->warmup);
  if (schedule->shape == SHAPE_COSINE) part = (1 - cos(acos(-1.0) * part)) / 2;
  return 1 + (schedule->final - 1) * part;
}
