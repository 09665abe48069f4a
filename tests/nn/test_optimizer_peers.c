/* Optimisers against the trajectories of PyTorch's, recorded in double precision. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "cohort/nn.h"
#include "optimizer_reference.h"

// the same formula as in tests/peers/optimizer_reference.py
static void gradient_at(int step, float grads[N_PARAMETERS]) {
  for (int i = 0; i < N_PARAMETERS; i++)
    grads[i] = (float)(((37 * i + 101 * step) % 64 - 31.5) / 16 * ldexp(1, i % 5 - 2));
}

static void optimizers_follow_pytorch(void **state) {
  (void)state;
  int64_t live = coh_alloc_live();
  for (size_t k = 0; k < sizeof reference / sizeof *reference; k++) {
    choice_holder holder = {0};
    coh_optimizer *optimizer = NULL;
    assert_ok(choice_from(&coh_optimizer_kinds, reference[k].config, false, &holder));
    assert_ok(coh_optimizer_create(&holder.one, N_PARAMETERS, &optimizer));
    float params[N_PARAMETERS], grads[N_PARAMETERS];
    for (int i = 0; i < N_PARAMETERS; i++)
      params[i] = ((float)i - 3.5f) / 4;
    int next = 0;
    for (int step = 1; step <= N_STEPS; step++) {
      gradient_at(step, grads);
      assert_ok(coh_optimizer_step(optimizer, params, grads, 1));
      if (step != recorded[next]) continue;
      for (int i = 0; i < N_PARAMETERS; i++) {
        // rounding of parameters near 1 in single precision, once a step
        double expected = reference[k].params[next][i];
        double tolerance = 6e-8 * (1 + fabs(expected)) * (step + 4);
        if (!(fabs(params[i] - expected) <= tolerance))
          fail_msg("%s: step %d, parameter %d: %.9g, PyTorch has %.9g", reference[k].config,
                   step, i, (double)params[i], expected);
      }
      next++;
    }
    assert_int_equal(next, N_RECORDED);
    coh_optimizer_destroy(&optimizer);
    choice_holder_clear(&holder);
  }
  assert_int_equal(coh_alloc_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(optimizers_follow_pytorch),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
