/* Loaders: lanes together are the minibatch, whatever their number; labels follow rows; epochs
 * hold every row once; augmentations do what they say and depend on the visit only. */
#include "data_test.h"

enum { N = 103, D = 5 };

// row r holds 100 r + i; its label is r % 7
static coh_dataset *numbered(void) {
  coh_array rows = {.dtype = COH_DTYPE_F32, .n_dims = 2, .shape = {N, D}};
  float *value = coh_alloc_array(N * D, sizeof *value);
  int32_t label[N];
  for (int r = 0; r < N; r++) {
    label[r] = r % 7;
    for (int i = 0; i < D; i++)
      value[r * D + i] = (float)(100 * r + i);
  }
  rows.data = value;
  coh_array labels = {COH_DTYPE_I32, 1, {N}, label};
  coh_dataset *dataset = NULL;
  assert_ok(coh_dataset_of_arrays("numbered", &rows, &labels, &dataset));
  return dataset;
}

// n images, height x width x channels: pixel p of image r is p + 1 (+ r)
static coh_dataset *pictures(int64_t n, int64_t height, int64_t width, int64_t channels) {
  coh_array rows = {.dtype = COH_DTYPE_U8, .n_dims = 4, .shape = {n, height, width, channels}};
  int64_t size = height * width * channels;
  uint8_t *value = coh_alloc_array((size_t)(n * size), 1);
  for (int64_t i = 0; i < n * size; i++)
    value[i] = (uint8_t)(1 + i % size + i / size);
  rows.data = value;
  coh_dataset *dataset = NULL;
  assert_ok(coh_dataset_of_arrays("pictures", &rows, NULL, &dataset));
  return dataset;
}

typedef struct fixture {
  coh_loader_options *options; // which the loader borrows
  coh_loader *loader;
} fixture;

static fixture open_loader(const coh_dataset *dataset, const char *yaml, uint64_t seed,
                           int64_t n_lanes) {
  fixture f = {.options = coh_alloc_array(1, sizeof *f.options)};
  assert_ok(loader_options_from(yaml, f.options));
  assert_ok(coh_loader_create(dataset, f.options, seed, n_lanes, &f.loader));
  return f;
}

static void close_loader(fixture *f) {
  coh_loader_destroy(&f->loader);
  coh_options_clear(coh_loader_option_table, f->options);
  COH_DELETE(f->options);
}

// ---- rows ---------------------------------------------------------------------------------

static void lanes_together_are_the_batch(void **state) {
  (void)state;
  coh_dataset *dataset = numbered();
  static const char *const configs[] = {"batch: 16", "{batch: 16, last: wrap}",
                                        "{batch: 16, shuffle: false}",
                                        "{batch: 208, last: wrap, values: standard}"};
  for (int c = 0; c < 4; c++) {
    fixture whole = open_loader(dataset, configs[c], 5, 1);
    int64_t batch = coh_loader_lane_rows(whole.loader);
    for (int64_t n_lanes = 2; n_lanes <= 8; n_lanes *= 2) {
      fixture parts = open_loader(dataset, configs[c], 5, n_lanes);
      int64_t m = coh_loader_lane_rows(parts.loader);
      assert_int_equal(m * n_lanes, batch);
      for (int64_t u = 0; u < 40; u++) {
        float all[208 * D], part[208 * D];
        int32_t all_labels[208], part_labels[208];
        int64_t all_rows[208], part_rows[208];
        coh_loader_fill(whole.loader, u, 0, all, all_labels);
        coh_loader_rows(whole.loader, u, 0, all_rows);
        for (int64_t lane = n_lanes - 1; lane >= 0; lane--) { // any order
          coh_loader_fill(parts.loader, u, lane, part + lane * m * D, part_labels + lane * m);
          coh_loader_rows(parts.loader, u, lane, part_rows + lane * m);
        }
        assert_memory_equal(all, part, (size_t)batch * D * sizeof *all);
        assert_memory_equal(all_labels, part_labels, (size_t)batch * sizeof *all_labels);
        assert_memory_equal(all_rows, part_rows, (size_t)batch * sizeof *all_rows);
      }
      close_loader(&parts);
    }
    close_loader(&whole);
  }
  coh_dataset_destroy(&dataset);
}

static void labels_and_values_follow_rows(void **state) {
  (void)state;
  coh_dataset *dataset = numbered();
  fixture f = open_loader(dataset, "{batch: 90, values: stored}", 1, 1);
  float values[90 * D];
  int32_t labels[90];
  int64_t rows[90];
  for (int64_t u = 0; u < 20; u++) {
    coh_loader_rows(f.loader, u, 0, rows);
    coh_loader_fill(f.loader, u, 0, values, labels);
    for (int j = 0; j < 90; j++) {
      assert_int_equal(labels[j], rows[j] % 7);
      for (int i = 0; i < D; i++)
        assert_within(values[j * D + i], 100 * rows[j] + i, 0); // whole numbers
    }
  }
  close_loader(&f);
  coh_dataset_destroy(&dataset);
}

static void dropping_sees_a_row_at_most_once_an_epoch(void **state) {
  (void)state;
  coh_dataset *dataset = numbered();
  fixture f = open_loader(dataset, "batch: 10", 1, 2);
  assert_int_equal(coh_loader_batches_per_epoch(f.loader), 10);
  int64_t left_over[N] = {0};
  for (int64_t epoch = 0; epoch < 200; epoch++) {
    int64_t seen[N] = {0}, rows[5];
    for (int64_t u = epoch * 10; u < epoch * 10 + 10; u++) {
      coh_loader_position at = coh_loader_position_of(f.loader, u);
      assert_int_equal(at.epoch, epoch);
      assert_int_equal(at.batch, u % 10);
      for (int64_t lane = 0; lane < 2; lane++) {
        coh_loader_rows(f.loader, u, lane, rows);
        for (int i = 0; i < 5; i++)
          assert_int_equal(seen[rows[i]]++, 0);
      }
    }
    for (int i = 0; i < N; i++)
      left_over[i] += seen[i] == 0;
  }
  // 3 of 103 rows are left out each time, others each epoch: binomial, mean 5.8
  for (int i = 0; i < N; i++)
    assert_in_range(left_over[i], 0, 20);
  close_loader(&f);
  coh_dataset_destroy(&dataset);
}

static void wrapping_sees_every_row_once_in_n(void **state) {
  (void)state;
  coh_dataset *dataset = numbered();
  fixture f = open_loader(dataset, "{batch: 10, last: wrap}", 1, 1);
  assert_int_equal(coh_loader_batches_per_epoch(f.loader), 11);
  int64_t stream[10 * N];
  for (int64_t u = 0; u < N; u++)
    coh_loader_rows(f.loader, u, 0, stream + 10 * u);
  for (int epoch = 0; epoch < 10; epoch++) {
    int64_t seen[N] = {0};
    for (int i = 0; i < N; i++)
      assert_int_equal(seen[stream[epoch * N + i]]++, 0);
  }
  coh_loader_position at = coh_loader_position_of(f.loader, 11);
  assert_int_equal(at.epoch, 1);
  assert_int_equal(at.batch, 0);
  close_loader(&f);
  f = open_loader(dataset, "{batch: 7, shuffle: false}", 1, 1);
  coh_loader_rows(f.loader, 15, 0, stream); // 14 batches an epoch: the second one's second
  assert_int_equal(stream[0], 7);
  close_loader(&f);
  coh_dataset_destroy(&dataset);
}

static void filling_allocates_nothing_and_threads_agree(void **state) {
  (void)state;
  coh_dataset *dataset = pictures(60, 6, 5, 3);
  fixture f = open_loader(dataset, "{batch: 48, augment: [shift, flip, {cutout: 3}]}", 2, 4);
  float serial[48 * 90], parallel[48 * 90];
  int64_t before = coh_alloc_total();
  for (int64_t u = 0; u < 10; u++) {
    const coh_loader *loader = f.loader;
    for (int64_t lane = 0; lane < 4; lane++)
      coh_loader_fill(loader, u, lane, serial + lane * 12 * 90, NULL);
#pragma omp parallel for default(none) shared(loader, parallel, u) num_threads(2)
    for (int64_t lane = 0; lane < 4; lane++)
      coh_loader_fill(loader, u, lane, parallel + lane * 12 * 90, NULL);
    assert_memory_equal(serial, parallel, sizeof serial);
  }
  assert_int_equal(coh_alloc_total(), before);
  close_loader(&f);
  // and one lane gives the bits of four
  fixture one = open_loader(dataset, "{batch: 48, augment: [shift, flip, {cutout: 3}]}", 2, 1);
  coh_loader_fill(one.loader, 9, 0, parallel, NULL);
  assert_memory_equal(serial, parallel, sizeof serial);
  close_loader(&one);
  coh_dataset_destroy(&dataset);
}

// ---- values -------------------------------------------------------------------------------

static void values_are_scaled_as_asked(void **state) {
  (void)state;
  uint8_t *bytes = coh_alloc_array(256, 1);
  for (int i = 0; i < 256; i++)
    bytes[i] = (uint8_t)i;
  coh_array rows = {.dtype = COH_DTYPE_U8, .n_dims = 2, .shape = {1, 256}, .data = bytes};
  coh_dataset *dataset;
  coh_affine affine;
  float out[256];
  assert_ok(coh_dataset_of_arrays("bytes", &rows, NULL, &dataset));
  assert_ok(coh_dataset_affine(dataset, COH_VALUES_AUTO, &affine));
  coh_dataset_read(dataset, 0, 1, affine, out);
  for (int i = 0; i < 256; i++)
    assert_within(out[i], i / 255.0, 1e-7);
  assert_ok(coh_dataset_affine(dataset, COH_VALUES_SYMMETRIC, &affine));
  coh_dataset_read(dataset, 0, 1, affine, out);
  for (int i = 0; i < 256; i++)
    assert_within(out[i], i / 127.5 - 1, 1.5e-7);
  assert_ok(coh_dataset_affine(dataset, COH_VALUES_STANDARD, &affine));
  coh_dataset_read(dataset, 0, 1, affine, out);
  // uniform on 0 .. 255: mean 127.5, variance (256^2 - 1) / 12
  for (int i = 0; i < 256; i++)
    assert_within(out[i], (i - 127.5) / sqrt(65535 / 12.0), 1e-6);
  assert_ok(coh_dataset_affine(dataset, COH_VALUES_STORED, &affine));
  coh_dataset_read(dataset, 0, 1, affine, out);
  assert_within(out[200], 200, 0);
  coh_dataset_destroy(&dataset);
  // floats far from zero: mean 1e6 + 51, variance (n^2 - 1) / 12
  float *floats = coh_alloc_array(N, sizeof *floats);
  for (int i = 0; i < N; i++)
    floats[i] = (float)(1000000 + i);
  rows = (coh_array){.dtype = COH_DTYPE_F32, .n_dims = 1, .shape = {N}, .data = floats};
  assert_ok(coh_dataset_of_arrays("floats", &rows, NULL, &dataset));
  assert_ok(coh_dataset_affine(dataset, COH_VALUES_STANDARD, &affine));
  assert_within(affine.scale, 1 / sqrt((N * N - 1) / 12.0), 1e-8);
  assert_within(-affine.shift / affine.scale, 1000051, 1);
  assert_fails(coh_dataset_affine(dataset, COH_VALUES_UNIT, &affine), COH_E_CONFIG,
               "floats: values: 'unit' is for bytes");
  coh_dataset_destroy(&dataset);
}

// ---- augmentations ------------------------------------------------------------------------

static void shift_moves_uniformly_and_blanks(void **state) {
  (void)state;
  enum { H = 5, W = 4, C = 2, SIZE = H * W * C, ROUNDS = 4500 };
  coh_dataset *dataset = pictures(1, H, W, C);
  fixture f =
      open_loader(dataset, "{batch: 1, values: symmetric, augment: [{shift: 1}]}", 3, 1);
  float plain[SIZE], moved[SIZE];
  coh_affine affine = coh_loader_affine(f.loader);
  coh_dataset_read(dataset, 0, 1, affine, plain);
  int64_t count[9] = {0};
  for (int64_t u = 0; u < ROUNDS; u++) {
    coh_loader_fill(f.loader, u, 0, moved, NULL);
    int found = -1;
    for (int k = 0; k < 9; k++) {
      int dy = k / 3 - 1, dx = k % 3 - 1, same = 1;
      for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
          for (int c = 0; c < C; c++) {
            bool inside = y - dy >= 0 && y - dy < H && x - dx >= 0 && x - dx < W;
            float expected = inside ? plain[((y - dy) * W + x - dx) * C + c] : -1.0f;
            same &= moved[(y * W + x) * C + c] == expected; // moved bits, not computed ones
          }
      if (same) found = k;
    }
    assert_in_range(found, 0, 8);
    count[found]++;
  }
  assert_true(chi_square(count, 9, ROUNDS / 9.0) < 8 + 20); // f = 8
  close_loader(&f);
  coh_dataset_destroy(&dataset);
}

static void flip_mirrors_half_of_the_time(void **state) {
  (void)state;
  enum { H = 3, W = 5, C = 3, SIZE = H * W * C };
  coh_dataset *dataset = pictures(1, H, W, C);
  fixture f = open_loader(dataset, "{batch: 1, values: stored, augment: flip}", 3, 1);
  float plain[SIZE], seen[SIZE];
  coh_dataset_read(dataset, 0, 1, (coh_affine){1, 0}, plain);
  int n_mirrored = 0;
  for (int64_t u = 0; u < 1000; u++) {
    coh_loader_fill(f.loader, u, 0, seen, NULL);
    bool mirrored = seen[0] != plain[0];
    n_mirrored += mirrored;
    for (int y = 0; y < H; y++)
      for (int x = 0; x < W; x++)
        for (int c = 0; c < C; c++)
          assert_within(seen[(y * W + x) * C + c],
                        plain[(y * W + (mirrored ? W - 1 - x : x)) * C + c], 0);
  }
  assert_in_range(n_mirrored, 500 - 80, 500 + 80);
  close_loader(&f);
  coh_dataset_destroy(&dataset);
}

static void cutout_blanks_one_square(void **state) {
  (void)state;
  enum { H = 6, W = 7, SIDE = 3, ROUNDS = 4200 };
  coh_dataset *dataset = pictures(1, H, W, 1);
  fixture f = open_loader(dataset, "{batch: 1, values: stored, augment: [{cutout: 3}]}", 3, 1);
  int64_t centre[H * W] = {0};
  for (int64_t u = 0; u < ROUNDS; u++) {
    float seen[H * W];
    int found = -1;
    coh_loader_fill(f.loader, u, 0, seen, NULL);
    for (int k = 0; k < H * W; k++) {
      int same = 1;
      for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
          bool inside = abs(y - k / W) <= SIDE / 2 && abs(x - k % W) <= SIDE / 2;
          same &= seen[y * W + x] == (inside ? 0.0f : (float)(1 + y * W + x));
        }
      if (same) found = k;
    }
    assert_in_range(found, 0, H * W - 1);
    centre[found]++;
  }
  assert_true(chi_square(centre, H * W, (double)ROUNDS / (H * W)) < 41 + 46); // f = 41
  close_loader(&f);
  coh_dataset_destroy(&dataset);
}

// ---- refusals -----------------------------------------------------------------------------

static void refuse(const coh_dataset *dataset, const char *yaml, int64_t n_lanes,
                   const char *text) {
  coh_loader_options options;
  coh_loader *loader = NULL;
  assert_ok(loader_options_from(yaml, &options));
  assert_fails(coh_loader_create(dataset, &options, 1, n_lanes, &loader), COH_E_CONFIG, text);
  assert_null(loader);
  coh_options_clear(coh_loader_option_table, &options);
}

static void loaders_that_cannot_be(void **state) {
  (void)state;
  coh_dataset *vectors = numbered(), *images = pictures(20, 4, 4, 1);
  refuse(vectors, "batch: 10", 4, "10 rows cannot be dealt to 4 lanes");
  refuse(vectors, "batch: 104", 4, "104 rows are more than the 103 of dataset numbered");
  refuse(vectors, "{batch: 10, augment: flip}", 1, "'flip' is for images");
  refuse(vectors, "{batch: 10, values: symmetric}", 1, "'symmetric' is for bytes");
  refuse(images, "{batch: 10, augment: [{shift: 4}]}", 1,
         "4 pixels would move images of 4 x 4");
  refuse(images, "{batch: 10, augment: [cutout]}", 1, "a square of 8 pixels is larger");
  coh_loader_options options;
  assert_fails(loader_options_from("augment: [flop]", &options), COH_E_CONFIG, "flip");
  coh_dataset_destroy(&vectors);
  coh_dataset_destroy(&images);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lanes_together_are_the_batch),
      cmocka_unit_test(labels_and_values_follow_rows),
      cmocka_unit_test(dropping_sees_a_row_at_most_once_an_epoch),
      cmocka_unit_test(wrapping_sees_every_row_once_in_n),
      cmocka_unit_test(filling_allocates_nothing_and_threads_agree),
      cmocka_unit_test(values_are_scaled_as_asked),
      cmocka_unit_test(shift_moves_uniformly_and_blanks),
      cmocka_unit_test(flip_mirrors_half_of_the_time),
      cmocka_unit_test(cutout_blanks_one_square),
      cmocka_unit_test(loaders_that_cannot_be),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
