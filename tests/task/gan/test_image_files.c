/* Images from files of every form, and what is measured on them, against closed forms. */
#include "cohort_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "io/npz.h"
#include "task/gan/gan.h"
#include "task/gan/image_files.h"
#include "task/gan/image_novelty.h"

static char path[] = "/tmp/cohort-images-XXXXXX.npz";

static const coh_dataset_spec like = {.name = "colours",
                                      .dtype = COH_DTYPE_U8,
                                      .n_dims = 3,
                                      .shape = {2, 1, 3},
                                      .n_values = 6,
                                      .n_classes = 2,
                                      .has_labels = true};

static void write_rows(coh_array images, coh_array labels) {
  coh_npz_member members[2] = {{(char *)(uintptr_t) "x", images},
                               {(char *)(uintptr_t) "labels", labels}};
  assert_ok(coh_npz_write(path, members, 2, false));
}

static void assert_bytes(const uint8_t *expected, const int32_t *labels) {
  coh_dataset *images = NULL;
  assert_ok(coh_images_open(path, &like, &images));
  assert_int_equal(coh_dataset_spec_of(images)->n_rows, 2);
  assert_memory_equal(coh_dataset_row(images, 0), expected, 12);
  assert_memory_equal(coh_dataset_labels(images), labels, 2 * sizeof *labels);
  coh_dataset_destroy(&images);
}

// the same two images, channels behind as bytes, in front as floats of three ranges
static void every_form_becomes_the_same_bytes(void **state) {
  (void)state;
  uint8_t bytes[12] = {0, 255, 51, 102, 0, 204, 255, 51, 0, 102, 204, 255}, first[12];
  float unit[12], symmetric[12], large[12];
  int64_t labels[2] = {1, 0};
  const int32_t expected[2] = {1, 0};
  for (int n = 0; n < 2; n++)
    for (int p = 0; p < 2; p++)
      for (int c = 0; c < 3; c++)
        first[n * 6 + c * 2 + p] = bytes[n * 6 + p * 3 + c];
  for (int i = 0; i < 12; i++) {
    unit[i] = (float)first[i] / 255;
    symmetric[i] = (float)bytes[i] / 127.5f - 1;
    large[i] = (float)bytes[i];
  }
  coh_array label = {.dtype = COH_DTYPE_I64, .n_dims = 1, .shape = {2}, .data = labels};
  coh_array behind = {.dtype = COH_DTYPE_U8, .n_dims = 4, .shape = {2, 2, 1, 3}, .data = bytes};
  write_rows(behind, label), assert_bytes(bytes, expected);
  behind.dtype = COH_DTYPE_F32, behind.data = symmetric;
  write_rows(behind, label), assert_bytes(bytes, expected);
  behind.data = large;
  write_rows(behind, label), assert_bytes(bytes, expected);
  coh_array front = {.dtype = COH_DTYPE_F32, .n_dims = 4, .shape = {2, 3, 2, 1}, .data = unit};
  write_rows(front, label), assert_bytes(bytes, expected);
  front.dtype = COH_DTYPE_U8, front.data = first;
  write_rows(front, label), assert_bytes(bytes, expected);
}

static void what_does_not_fit_is_named(void **state) {
  (void)state;
  float values[12] = {0, NAN};
  int64_t labels[2] = {0, 1};
  coh_dataset *images = NULL;
  coh_array label = {.dtype = COH_DTYPE_I64, .n_dims = 1, .shape = {2}, .data = labels};
  coh_array rows = {.dtype = COH_DTYPE_F32, .n_dims = 4, .shape = {2, 2, 1, 3}, .data = values};
  write_rows(rows, label);
  assert_int_equal(coh_images_open(path, &like, &images), COH_E_DATA);
  assert_non_null(strstr(coh_error_message(), "value 1 is not finite"));
  rows.shape[1] = 3, rows.shape[3] = 2, values[1] = 0;
  write_rows(rows, label);
  assert_int_equal(coh_images_open(path, &like, &images), COH_E_DATA);
  assert_non_null(
      strstr(coh_error_message(), "2 rows of 3 x 1 x 2 values; colours has 2 x 1 x 3"));
  assert_int_equal(coh_images_open("/nowhere.npy", &like, &images), COH_E_DATA);
}

// rows of one value: training rows 0 and 100, test rows 10, generated ones at given places
static coh_dataset *of_bytes(const uint8_t *values, int64_t n) {
  coh_array rows = {.dtype = COH_DTYPE_U8, .n_dims = 4, .shape = {n, 1, 1, 1}};
  uint8_t *data = coh_alloc_array((size_t)n, 1);
  memcpy(data, values, (size_t)n);
  rows.data = data;
  coh_dataset *made = NULL;
  assert_ok(coh_dataset_of_arrays("bytes", &rows, NULL, &made));
  return made;
}

static void copies_are_nearer_than_test_images(void **state) {
  (void)state;
  const uint8_t train[2] = {0, 100}, test[3] = {10, 90, 120}, made[4] = {0, 99, 130, 95};
  coh_dataset *a = of_bytes(train, 2), *b = of_bytes(test, 3), *c = of_bytes(made, 4);
  coh_image_novelty *novelty = NULL;
  coh_novelty_score score;
  int32_t index[4];
  float distance[4];
  assert_ok(coh_image_novelty_create(a, b, 1, &novelty));
  assert_ok(coh_image_novelty_of(novelty, c, &score, index, distance));
  assert_within(score.nearest_test, (10 + 10 + 20) / 3.0 / 255, 1e-6);
  assert_within(score.nearest, (0 + 1 + 30 + 5) / 4.0 / 255, 1e-6);
  assert_within(score.copies, 3.0 / 4, 0);
  assert_int_equal(index[0], 0);
  assert_int_equal(index[1], 1);
  assert_within(distance[2], 30 / 255.0, 1e-6);
  coh_image_novelty_destroy(&novelty);
  coh_dataset_destroy(&a), coh_dataset_destroy(&b), coh_dataset_destroy(&c);
}

static void variance_is_within_classes(void **state) {
  (void)state;
  const float rows[8] = {0, 0, 2, 4, 10, 0, 12, 0};
  const int32_t labels[4] = {0, 0, 1, 1};
  double spread;
  assert_ok(coh_gan_spread(rows, 4, 2, labels, 2, &spread));
  assert_within(spread, (4 * 1 + 2 * 4) / 8.0, 1e-12);
  assert_ok(coh_gan_spread(rows, 4, 2, NULL, 2, &spread));
  assert_within(spread, (36 + 16 + 16 + 36 + 3 * 1 + 9) / 8.0, 1e-12);
  assert_int_equal(coh_alloc_live(), 0);
}

int main(void) {
  int file = mkstemps(path, 4);
  if (file < 0) return 1;
  close(file);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_form_becomes_the_same_bytes),
      cmocka_unit_test(what_does_not_fit_is_named),
      cmocka_unit_test(copies_are_nearer_than_test_images),
      cmocka_unit_test(variance_is_within_classes),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  unlink(path);
  return failed;
}
