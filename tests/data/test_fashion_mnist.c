/* Fashion-MNIST as installed: its published facts. Skipped where it is not. */
#include "data_test.h"

#define FOLDER "/usr/share/datasets/fashion-mnist"

static bool installed(void) {
  if (coh_file_exists(FOLDER "/train-images-idx3-ubyte.gz")) return true;
  print_message("skipped: " FOLDER " is not there (apt-get install dataset-fashion-mnist)\n");
  return false;
}

static void fashion_mnist_has_its_published_facts(void **state) {
  (void)state;
  if (!installed()) skip();
  coh_dataset *dataset;
  coh_affine affine;
  int64_t counts[10];
  assert_ok(coh_dataset_create_named("fashion_mnist", &dataset));
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  assert_int_equal(spec->n_rows, 60000);
  assert_int_equal(spec->n_dims, 3);
  assert_int_equal(spec->shape[0], 28);
  assert_int_equal(spec->shape[1], 28);
  assert_int_equal(spec->shape[2], 1);
  assert_int_equal(spec->dtype, COH_DTYPE_U8);
  assert_int_equal(spec->n_classes, 10);
  assert_string_equal(spec->class_names[9], "boot");
  coh_dataset_count_classes(dataset, counts);
  for (int k = 0; k < 10; k++)
    assert_int_equal(counts[k], 6000);
  assert_int_equal(coh_dataset_labels(dataset)[0], 9); // the first image is an ankle boot
  // the mean and deviation that everyone normalises with
  assert_ok(coh_dataset_affine(dataset, COH_VALUES_STANDARD, &affine));
  assert_within(1 / affine.scale / 255, 0.3530, 5e-5);
  assert_within(-affine.shift / affine.scale / 255, 0.2860, 5e-5);
  coh_dataset_destroy(&dataset);
}

static void fashion_mnist_test_images_are_padded_on_request(void **state) {
  (void)state;
  if (!installed()) skip();
  coh_dataset *plain, *padded;
  int64_t counts[10];
  assert_ok(dataset_from("{fashion_mnist: test}", &plain));
  assert_ok(dataset_from("{fashion_mnist: {split: test, side: 32}}", &padded));
  assert_int_equal(coh_dataset_spec_of(plain)->n_rows, 10000);
  assert_int_equal(coh_dataset_spec_of(padded)->shape[0], 32);
  coh_dataset_count_classes(plain, counts);
  for (int k = 0; k < 10; k++)
    assert_int_equal(counts[k], 1000);
  for (int64_t row = 0; row < 10000; row += 777) {
    const uint8_t *small = coh_dataset_row(plain, row), *large = coh_dataset_row(padded, row);
    for (int y = 0; y < 32; y++)
      for (int x = 0; x < 32; x++) {
        bool inside = y >= 2 && y < 30 && x >= 2 && x < 30;
        assert_int_equal(large[y * 32 + x], inside ? small[(y - 2) * 28 + x - 2] : 0);
      }
  }
  coh_dataset_destroy(&plain);
  coh_dataset_destroy(&padded);
}

static void stacked_images_are_three_images(void **state) {
  (void)state;
  if (!installed()) skip();
  coh_dataset *stacked, *images;
  assert_ok(coh_dataset_create_named("fashion_mnist", &images));
  assert_ok(dataset_from("{stacked_fashion_mnist: {n: 3000}}", &stacked));
  const coh_dataset_spec *spec = coh_dataset_spec_of(stacked);
  assert_int_equal(spec->n_rows, 3000);
  assert_int_equal(spec->shape[2], 3);
  assert_int_equal(spec->n_classes, 1000);
  // each colour of a row is an image of the class that its digit of the label names
  uint8_t colour[784];
  for (int64_t row = 0; row < 3; row++)
    for (int c = 0; c < 3; c++) {
      const uint8_t *from = coh_dataset_row(stacked, row);
      for (int i = 0; i < 784; i++)
        colour[i] = from[3 * i + c];
      static const int unit[] = {100, 10, 1};
      int32_t digit = coh_dataset_labels(stacked)[row] / unit[c] % 10;
      int64_t found = 0;
      for (int64_t k = 0; k < 60000; k++)
        found += coh_dataset_labels(images)[k] == digit &&
                 memcmp(coh_dataset_row(images, k), colour, 784) == 0;
      assert_in_range(found, 1, 3);
    }
  int64_t counts[1000], digits[10] = {0};
  coh_dataset_count_classes(stacked, counts);
  for (int k = 0; k < 1000; k++)
    digits[k % 10] += counts[k];
  assert_true(chi_square(digits, 10, 300) < 9 + 21); // f = 9
  coh_dataset_destroy(&stacked);
  coh_dataset_destroy(&images);
}

static void fashion_mnist_absent_says_how_to_get_it(void **state) {
  (void)state;
  coh_dataset *dataset;
  assert_fails(dataset_from("{fashion_mnist: {folder: nowhere}}", &dataset), COH_E_DATA,
               "nowhere/train-images-idx3-ubyte.gz: is not there; install it with: apt-get "
               "install dataset-fashion-mnist");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fashion_mnist_has_its_published_facts),
      cmocka_unit_test(fashion_mnist_test_images_are_padded_on_request),
      cmocka_unit_test(stacked_images_are_three_images),
      cmocka_unit_test(fashion_mnist_absent_says_how_to_get_it),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
