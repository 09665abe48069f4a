/* Measures of generated rows against closed forms. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/gan/gan.h"
#include "task/gan/image_quality.h"
#include "task/gan/image_scores.h"

static void modes_are_counted_within_three_deviations(void **state) {
  (void)state;
  const float modes[8] = {0, 0, 10, 0, 0, 10, 10, 10};
  const coh_dataset_spec spec = {.n_modes = 4, .modes = modes, .mode_std = 0.5, .n_values = 2};
  // two at the first mode, one at the second, one just outside the third, one far away
  const float rows[10] = {0, 0, 0.1f, 1.4f, 10, 1, 0, 11.51f, 100, 100};
  coh_gan_score score;
  coh_gan_modes(&spec, rows, 5, &score);
  assert_within(score.modes, 2, 0);
  assert_within(score.high_quality, 3.0 / 5, 1e-12);
  assert_within(score.kl, 2.0 / 3 * log(8.0 / 3) + 1.0 / 3 * log(4.0 / 3), 1e-12);
}

static void signal_to_noise_is_that_of_the_mean_square(void **state) {
  (void)state;
  float a[144], b[144];
  for (int i = 0; i < 144; i++) {
    a[i] = (float)(i % 12) / 16;
    b[i] = a[i] + 0.125f;
  }
  assert_within(coh_image_psnr(a, b, 144), -20 * log10(0.125), 1e-5);
  assert_within(coh_image_psnr(a, a, 144), 100, 0);
  assert_within(coh_image_ssim(a, a, 12, 12, 1), 1, 1e-12);
  // constant images: only the luminance term is left
  for (int i = 0; i < 144; i++)
    a[i] = 0.25f, b[i] = 0.5f;
  assert_within(coh_image_ssim(a, b, 12, 12, 1), (0.25 + 1e-4) / (0.3125 + 1e-4), 1e-9);
}

static void rows_become_the_bytes_that_would_be_saved(void **state) {
  (void)state;
  const coh_dataset_spec like = {
      .dtype = COH_DTYPE_U8, .n_dims = 3, .shape = {1, 2, 2}, .n_values = 4};
  const coh_affine symmetric = {.scale = 2 / 255.0f, .shift = -1};
  const float rows[4] = {-1, 1, 0.00001f, 7};
  coh_dataset *images;
  assert_ok(coh_images_of_rows(&like, symmetric, rows, 1, NULL, &images));
  float stored[4];
  coh_dataset_read(images, 0, 1, (coh_affine){1, 0}, stored);
  assert_within(stored[0], 0, 0);
  assert_within(stored[1], 255, 0);
  assert_within(stored[2], 128, 0.5);
  assert_within(stored[3], 255, 0);
  coh_dataset_destroy(&images);
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(modes_are_counted_within_three_deviations),
      cmocka_unit_test(signal_to_noise_is_that_of_the_mean_square),
      cmocka_unit_test(rows_become_the_bytes_that_would_be_saved),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
