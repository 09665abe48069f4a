/* Datasets without files: synthetic ones against the moments of their definitions, arrays at
 * hand, subsets. Tolerances are about 5 standard errors. */
#include "data_test.h"

static const double pi = 3.141592653589793238463;

static double value_at(const coh_dataset *dataset, int64_t row, int64_t i) {
  return ((const float *)coh_dataset_row(dataset, row))[i];
}

// ---- every kind of the registry that needs no file ------------------------------------------

static void kinds_are_reproducible_and_complete(void **state) {
  (void)state;
  int n_made = 0;
  for (int64_t k = 0; k < coh_dataset_kinds.n_kinds; k++) {
    const char *name = coh_dataset_kinds.kinds[k]->name;
    coh_dataset *first = NULL, *second = NULL;
    coh_status status = coh_dataset_create_named(name, &first);
    if (status == COH_E_CONFIG || status == COH_E_DATA) continue; // needs a file
    assert_ok(status);
    assert_ok(coh_dataset_create_named(name, &second));
    const coh_dataset_spec *spec = coh_dataset_spec_of(first);
    assert_string_equal(spec->name, name);
    assert_non_null(spec->doc);
    assert_int_equal(spec->n_values, spec->shape[0] * spec->shape[1] * spec->shape[2]);
    assert_memory_equal(coh_dataset_row(first, 0), coh_dataset_row(second, 0),
                        (size_t)(spec->n_rows * spec->n_values) * coh_dtype_bytes(spec->dtype));
    assert_memory_equal(coh_dataset_labels(first), coh_dataset_labels(second),
                        (size_t)spec->n_rows * sizeof(int32_t));
    for (int64_t i = 0; i < spec->n_rows; i++)
      assert_in_range(coh_dataset_labels(first)[i], 0, spec->n_classes - 1);
    coh_dataset_destroy(&first);
    coh_dataset_destroy(&second);
    n_made++;
  }
  assert_true(n_made >= 5);
}

static void few_rows_and_others_are_joined(void **state) {
  (void)state;
  coh_dataset *few = NULL, *joined = NULL;
  int64_t counts[8];
  assert_ok(dataset_from("{few: {of: {gaussian_ring: {n: 400}}, n: 3}}", &few));
  assert_int_equal(coh_dataset_spec_of(few)->n_rows, 24);
  coh_dataset_count_classes(few, counts);
  for (int k = 0; k < 8; k++)
    assert_int_equal(counts[k], 3);
  assert_ok(dataset_from("{joined: {first: {few: {of: {gaussian_ring: {n: 400}}, n: 3}}, "
                         "second: {gaussian_ring: {n: 10}}, times: 2}}",
                         &joined));
  assert_int_equal(coh_dataset_spec_of(joined)->n_rows, 2 * 24 + 10);
  for (int t = 0; t < 2; t++) {
    assert_memory_equal(coh_dataset_row(joined, 24 * t), coh_dataset_row(few, 0), 24 * 8);
    assert_memory_equal(coh_dataset_labels(joined) + 24 * t, coh_dataset_labels(few), 24 * 4);
  }
  coh_dataset_destroy(&few);
  assert_ok(dataset_from("{gaussian_ring: {n: 10}}", &few));
  assert_memory_equal(coh_dataset_row(joined, 48), coh_dataset_row(few, 0), 10 * 8);
  coh_dataset_destroy(&few), coh_dataset_destroy(&joined);
  assert_fails(
      dataset_from("{joined: {first: {gaussian_ring: {}}, second: {swiss_roll: {}}}}", &few),
      COH_E_DATA, "different shapes");
}

static void a_longer_dataset_begins_with_the_shorter(void **state) {
  (void)state;
  coh_dataset *longer, *shorter, *other;
  assert_ok(dataset_from("{gaussian_mixture: {n: 300, d: 7}}", &longer));
  assert_ok(dataset_from("{gaussian_mixture: {n: 100, d: 7}}", &shorter));
  assert_ok(dataset_from("{gaussian_mixture: {n: 100, d: 7, data_seed: 2}}", &other));
  assert_memory_equal(coh_dataset_row(longer, 0), coh_dataset_row(shorter, 0), 2800);
  assert_memory_not_equal(coh_dataset_row(other, 0), coh_dataset_row(shorter, 0), 2800);
  coh_dataset_destroy(&longer);
  coh_dataset_destroy(&shorter);
  coh_dataset_destroy(&other);
}

// ---- moments ------------------------------------------------------------------------------

// rows about the centre of their label: mean 0, the standard deviation, kurtosis 3
static void check_mixture(const coh_dataset *dataset, int64_t n_modes, double std) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  assert_int_equal(spec->n_modes, n_modes);
  assert_int_equal(spec->n_classes, n_modes);
  assert_within(spec->mode_std, std, 0);
  int64_t counts[64];
  coh_dataset_count_classes(dataset, counts);
  double n = (double)(spec->n_rows * spec->n_values), moment[5] = {0};
  for (int64_t row = 0; row < spec->n_rows; row++) {
    const float *centre = spec->modes + coh_dataset_labels(dataset)[row] * spec->n_values;
    for (int64_t i = 0; i < spec->n_values; i++) {
      double d = (value_at(dataset, row, i) - centre[i]) / std;
      for (int k = 1; k < 5; k++)
        moment[k] += pow(d, k) / n;
    }
  }
  assert_within(moment[1], 0, 5 / sqrt(n));
  assert_within(moment[2], 1, 5 * sqrt(2 / n));
  assert_within(moment[3], 0, 5 * sqrt(15 / n));
  assert_within(moment[4], 3, 5 * sqrt(96 / n));
  double f = (double)n_modes - 1;
  assert_true(chi_square(counts, (int)n_modes, (double)spec->n_rows / (double)n_modes) <
              f + 5 * sqrt(2 * f) + 5);
}

static void mixtures_have_their_moments(void **state) {
  (void)state;
  coh_dataset *ring, *grid, *mixture;
  assert_ok(coh_dataset_create_named("gaussian_ring", &ring));
  check_mixture(ring, 8, 0.01);
  const float *mode = coh_dataset_spec_of(ring)->modes;
  for (int k = 0; k < 8; k++) {
    assert_within(mode[2 * k], cos(pi * k / 4), 1e-7);
    assert_within(mode[2 * k + 1], sin(pi * k / 4), 1e-7);
  }
  coh_dataset_destroy(&ring);
  assert_ok(coh_dataset_create_named("gaussian_grid", &grid));
  check_mixture(grid, 25, 0.05);
  double square = 0;
  for (int64_t row = 0; row < 100000; row++)
    square += value_at(grid, row, 0) * value_at(grid, row, 0) / 1e5;
  // centres -4, -2, 0, 2, 4: mean square 8; standard error .021
  assert_within(square, 8 + 0.05 * 0.05, 0.1);
  coh_dataset_destroy(&grid);
  assert_ok(
      dataset_from("{gaussian_mixture: {n: 5000, k: 12, std: 1.5, spread: 3}}", &mixture));
  check_mixture(mixture, 12, 1.5);
  const coh_dataset_spec *spec = coh_dataset_spec_of(mixture);
  double spread = 0;
  for (int i = 0; i < 600; i++)
    spread += (double)spec->modes[i] * spec->modes[i] / 600;
  assert_within(spread, 9, 9 * 5 * sqrt(2 / 600.0));
  coh_dataset_destroy(&mixture);
}

static void rings_have_their_radii(void **state) {
  (void)state;
  coh_dataset *rings;
  assert_ok(dataset_from("{rings: {n: 30000, rings: 3, spacing: 2, noise: 0.1}}", &rings));
  double square[3] = {0}, x[3] = {0};
  int64_t counts[3];
  coh_dataset_count_classes(rings, counts);
  for (int64_t row = 0; row < 30000; row++) {
    int32_t k = coh_dataset_labels(rings)[row];
    double a = value_at(rings, row, 0), b = value_at(rings, row, 1);
    square[k] += (a * a + b * b) / (double)counts[k];
    x[k] += a / (double)counts[k];
  }
  for (int k = 0; k < 3; k++) {
    double r = 2 * (k + 1);
    assert_within(square[k], r * r + 2 * 0.01, 5 * 2 * r * 0.1 / 100);
    assert_within(x[k], 0, 5 * r * sqrt(0.5) / 100);
  }
  coh_dataset_destroy(&rings);
}

static void swiss_roll_lies_on_its_sheet(void **state) {
  (void)state;
  coh_dataset *roll;
  assert_ok(coh_dataset_create_named("swiss_roll", &roll));
  const int64_t n = coh_dataset_spec_of(roll)->n_rows;
  double t_mean = 0, t_square = 0, y_mean = 0;
  for (int64_t row = 0; row < n; row++) {
    double x = value_at(roll, row, 0), z = value_at(roll, row, 2), t = hypot(x, z);
    assert_true(t > 1.5 * pi - 1e-5 && t < 4.5 * pi + 1e-5);
    assert_within(x, t * cos(t), 1e-4);
    assert_within(z, t * sin(t), 1e-4);
    double band = (t / (1.5 * pi) - 1) / 2 * 8;
    assert_within(coh_dataset_labels(roll)[row], band - 0.5, 0.5 + 1e-4);
    t_mean += t / (double)n;
    t_square += t * t / (double)n;
    y_mean += value_at(roll, row, 1) / (double)n;
  }
  double width = 3 * pi, error = width / sqrt(12.0 * (double)n);
  assert_within(t_mean, 3 * pi, 5 * error);
  assert_within(t_square - t_mean * t_mean, width * width / 12, 0.2);
  assert_within(y_mean, 10.5, 5 * 21 / sqrt(12.0 * (double)n));
  coh_dataset_destroy(&roll);
}

// ---- arrays at hand -----------------------------------------------------------------------

static coh_array array_of(coh_dtype dtype, int n_dims, const int64_t *shape, const void *data) {
  coh_array array = {.dtype = dtype, .n_dims = n_dims};
  memcpy(array.shape, shape, (size_t)n_dims * sizeof *shape);
  size_t n_bytes = (size_t)coh_array_count(&array) * coh_dtype_bytes(dtype);
  array.data = coh_alloc_array(n_bytes, 1);
  memcpy(array.data, data, n_bytes);
  return array;
}

static void arrays_of_every_type_become_rows(void **state) {
  (void)state;
  static const int64_t shape[] = {2, 2};
  static const double f64[] = {1, 2, 3, 250};
  static const uint16_t f16[] = {0x3C00, 0x4000, 0x4200, 0x5BD0};
  static const uint16_t bf16[] = {0x3F80, 0x4000, 0x4040, 0x437A};
  static const int8_t i8[] = {1, 2, 3, -6};
  static const int16_t i16[] = {1, 2, 3, 250};
  static const int32_t i32[] = {1, 2, 3, 250};
  static const int64_t i64[] = {1, 2, 3, 250};
  static const uint8_t u8[] = {1, 2, 3, 250};
  static const struct {
    coh_dtype dtype;
    const void *data;
    float last;
  } cases[] = {
      {COH_DTYPE_F64, f64, 250}, {COH_DTYPE_F16, f16, 250}, {COH_DTYPE_BF16, bf16, 250},
      {COH_DTYPE_I8, i8, -6},    {COH_DTYPE_I16, i16, 250}, {COH_DTYPE_U16, i16, 250},
      {COH_DTYPE_I32, i32, 250}, {COH_DTYPE_U32, i32, 250}, {COH_DTYPE_I64, i64, 250},
      {COH_DTYPE_U64, i64, 250}, {COH_DTYPE_U8, u8, 250}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    coh_array rows = array_of(cases[k].dtype, 2, shape, cases[k].data);
    coh_dataset *dataset;
    float out[4];
    assert_ok(coh_dataset_of_arrays("t", &rows, NULL, &dataset));
    assert_null(rows.data);
    coh_dataset_read(dataset, 0, 2, (coh_affine){1, 0}, out);
    for (int i = 0; i < 3; i++)
      assert_within(out[i], i + 1, 0); // whole numbers are exact
    assert_within(out[3], cases[k].last, 0);
    assert_int_equal(coh_dataset_spec_of(dataset)->dtype,
                     cases[k].dtype == COH_DTYPE_U8 ? COH_DTYPE_U8 : COH_DTYPE_F32);
    assert_null(coh_dataset_labels(dataset));
    coh_dataset_destroy(&dataset);
  }
}

static void halves_keep_their_extremes(void **state) {
  (void)state;
  // smallest subnormal, largest subnormal, smallest normal, largest, minus zero, -2
  static const uint16_t halves[] = {0x0001, 0x03FF, 0x0400, 0x7BFF, 0x8000, 0xC000};
  static const double expected[] = {0x1p-24, 1023 * 0x1p-24, 0x1p-14, 65504, 0, -2};
  static const int64_t shape[] = {6}, one[] = {1};
  coh_array rows = array_of(COH_DTYPE_F16, 1, shape, halves);
  coh_dataset *dataset;
  assert_ok(coh_dataset_of_arrays("t", &rows, NULL, &dataset));
  for (int i = 0; i < 6; i++)
    assert_within(value_at(dataset, i, 0), expected[i], 0); // all are floats exactly
  coh_dataset_destroy(&dataset);
  static const uint16_t infinite[] = {0x7C00};
  rows = array_of(COH_DTYPE_F16, 1, one, infinite);
  assert_fails(coh_dataset_of_arrays("t", &rows, NULL, &dataset), COH_E_DATA, "infinite");
  coh_array_clear(&rows);
}

static void shapes_are_vectors_or_images(void **state) {
  (void)state;
  static const uint8_t zeros[48];
  static const struct {
    int n_dims;
    int64_t shape[5], as[3];
    int row_dims;
  } cases[] = {{1, {4}, {1, 1, 1}, 1},
               {2, {4, 6}, {6, 1, 1}, 1},
               {3, {4, 2, 3}, {2, 3, 1}, 3},
               {4, {2, 2, 4, 3}, {2, 4, 3}, 3}};
  coh_dataset *dataset;
  for (int k = 0; k < 4; k++) {
    coh_array rows = array_of(COH_DTYPE_U8, cases[k].n_dims, cases[k].shape, zeros);
    assert_ok(coh_dataset_of_arrays("t", &rows, NULL, &dataset));
    assert_int_equal(coh_dataset_spec_of(dataset)->n_rows, cases[k].shape[0]);
    assert_int_equal(coh_dataset_spec_of(dataset)->n_dims, cases[k].row_dims);
    assert_memory_equal(coh_dataset_spec_of(dataset)->shape, cases[k].as, sizeof cases[k].as);
    coh_dataset_destroy(&dataset);
  }
  static const int64_t none[] = {0, 3}, empty[] = {3, 0}, deep[] = {1, 1, 1, 1, 1};
  coh_array rows = array_of(COH_DTYPE_U8, 2, none, zeros);
  assert_fails(coh_dataset_of_arrays("t", &rows, NULL, &dataset), COH_E_DATA, "t: has no rows");
  coh_array_clear(&rows);
  rows = array_of(COH_DTYPE_U8, 2, empty, zeros);
  assert_fails(coh_dataset_of_arrays("t", &rows, NULL, &dataset), COH_E_DATA, "no values");
  coh_array_clear(&rows);
  rows = array_of(COH_DTYPE_U8, 5, deep, zeros);
  assert_fails(coh_dataset_of_arrays("t", &rows, NULL, &dataset), COH_E_DATA, "5 dimensions");
  coh_array_clear(&rows);
}

static void bad_values_and_labels_are_named_by_their_place(void **state) {
  (void)state;
  static const int64_t shape[] = {3, 2}, three[] = {3}, two[] = {2};
  float values[] = {1, 2, 3, NAN, 5, INFINITY};
  int64_t labels[] = {0, 1, -1}, many[] = {0, 1, COH_MAX_CLASSES};
  coh_dataset *dataset = NULL;
  coh_array rows = array_of(COH_DTYPE_F32, 2, shape, values);
  assert_fails(coh_dataset_of_arrays("t", &rows, NULL, &dataset), COH_E_DATA,
               "t: row 1, value 1 is not a number");
  ((float *)rows.data)[3] = 4;
  assert_fails(coh_dataset_of_arrays("t", &rows, NULL, &dataset), COH_E_DATA,
               "t: row 2, value 1 is infinite");
  ((float *)rows.data)[5] = 6;
  coh_array y = {COH_DTYPE_I64, 1, {3}, labels};
  memcpy(y.shape, three, sizeof three);
  assert_fails(coh_dataset_of_arrays("t", &rows, &y, &dataset), COH_E_DATA,
               "label -1 of row 2");
  y.data = many;
  assert_fails(coh_dataset_of_arrays("t", &rows, &y, &dataset), COH_E_DATA,
               "label 65536 of row 2");
  labels[2] = 4;
  y.data = labels;
  y.shape[0] = two[0];
  assert_fails(coh_dataset_of_arrays("t", &rows, &y, &dataset), COH_E_DATA,
               "has 3 rows, but there are 2 labels");
  y.dtype = COH_DTYPE_F64;
  assert_fails(coh_dataset_of_arrays("t", &rows, &y, &dataset), COH_E_DATA, "not floats");
  y = (coh_array){COH_DTYPE_I64, 2, {3, 1}, labels}; // a column, as Keras has them
  assert_ok(coh_dataset_of_arrays("t", &rows, &y, &dataset));
  assert_int_equal(coh_dataset_spec_of(dataset)->n_classes, 5);
  assert_string_equal(coh_dataset_spec_of(dataset)->class_names[4], "4");
  assert_int_equal(coh_dataset_labels(dataset)[2], 4);
  coh_dataset_destroy(&dataset);
}

// ---- subsets ------------------------------------------------------------------------------

static void subsets_hold_what_they_say(void **state) {
  (void)state;
  coh_dataset *all, *few, *more, *rest, *held_out;
  assert_ok(dataset_from("{gaussian_ring: {n: 1000, modes: 4}}", &all));
  assert_ok(coh_dataset_per_class(all, 5, 9, &few));
  assert_ok(coh_dataset_per_class(all, 20, 9, &more));
  assert_int_equal(coh_dataset_spec_of(few)->n_rows, 20);
  assert_int_equal(coh_dataset_spec_of(few)->n_modes, 4);
  int64_t counts[4];
  coh_dataset_count_classes(few, counts);
  for (int k = 0; k < 4; k++)
    assert_int_equal(counts[k], 5);
  for (int64_t i = 0; i < 20; i++) { // nested, and labels come along
    int64_t found = 0;
    for (int64_t j = 0; j < 80; j++)
      found += memcmp(coh_dataset_row(few, i), coh_dataset_row(more, j), 8) == 0 &&
               coh_dataset_labels(few)[i] == coh_dataset_labels(more)[j];
    assert_int_equal(found, 1);
  }
  assert_ok(coh_dataset_split(all, 300, 9, &rest, &held_out));
  assert_int_equal(coh_dataset_spec_of(rest)->n_rows, 700);
  assert_int_equal(coh_dataset_spec_of(held_out)->n_rows, 300);
  double sum_all = 0, sum_parts = 0; // each row is in one part
  for (int64_t i = 0; i < 1000; i++) {
    const coh_dataset *part = i < 700 ? rest : held_out;
    sum_all += value_at(all, i, 0);
    sum_parts += value_at(part, i < 700 ? i : i - 700, 0);
  }
  assert_within(sum_all, sum_parts, 1e-9);
  coh_dataset *none = NULL;
  assert_fails(coh_dataset_per_class(all, 900, 9, &none), COH_E_CONFIG, "fewer than the 900");
  assert_fails(coh_dataset_split(all, 1000, 9, &none, &none), COH_E_CONFIG, "1000 of 1000");
  coh_dataset_destroy(&all);
  coh_dataset_destroy(&few);
  coh_dataset_destroy(&more);
  coh_dataset_destroy(&rest);
  coh_dataset_destroy(&held_out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(kinds_are_reproducible_and_complete),
      cmocka_unit_test(few_rows_and_others_are_joined),
      cmocka_unit_test(a_longer_dataset_begins_with_the_shorter),
      cmocka_unit_test(mixtures_have_their_moments),
      cmocka_unit_test(rings_have_their_radii),
      cmocka_unit_test(swiss_roll_lies_on_its_sheet),
      cmocka_unit_test(arrays_of_every_type_become_rows),
      cmocka_unit_test(halves_keep_their_extremes),
      cmocka_unit_test(shapes_are_vectors_or_images),
      cmocka_unit_test(bad_values_and_labels_are_named_by_their_place),
      cmocka_unit_test(subsets_hold_what_they_say),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
