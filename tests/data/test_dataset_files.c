/* Datasets from files of every format: what was written comes back, and what is wrong is
 * answered with the file and the place. */
#include "data_test.h"

#include <sys/stat.h>
#include <zlib.h>

#include "io/image.h"
#include "io/npz.h"
#include "io/safetensors_write.h"

static coh_dataset *dataset;

static void refuse(const char *config, const char *text) {
  coh_status status = dataset_from(config, &dataset);
  if (status != COH_E_DATA) fail_msg("%s: status %d", config, status);
  if (!strstr(coh_error_message(), text))
    fail_msg("%s: message '%s' lacks '%s'", config, coh_error_message(), text);
  assert_null(dataset);
}

// ---- IDX ----------------------------------------------------------------------------------

static const uint8_t images[] = {0, 0, 8, 3, 0,  0,  0,  2,  0,  0,  0,  2,
                                 0, 0, 0, 2, 10, 20, 30, 40, 50, 60, 70, 80};
static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0};

static void write_gzip(const char *path, const void *data, unsigned n_bytes) {
  gzFile gz = gzopen(path, "wb");
  assert_int_equal(gzwrite(gz, data, n_bytes), n_bytes);
  gzclose(gz);
}

static void idx_pairs_plain_and_gzipped(void **state) {
  (void)state;
  scratch_write("x.idx", images, sizeof images);
  scratch_write("y.idx", labels, sizeof labels);
  write_gzip("x.gz", images, sizeof images);
  static const char *const configs[] = {"{idx: {images: x.idx, labels: y.idx}}",
                                        "{idx: {images: x.gz, labels: y.idx}}"};
  for (int k = 0; k < 2; k++) {
    assert_ok(dataset_from(configs[k], &dataset));
    const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
    assert_int_equal(spec->n_rows, 2);
    assert_int_equal(spec->n_dims, 3);
    assert_int_equal(spec->dtype, COH_DTYPE_U8);
    assert_memory_equal(coh_dataset_row(dataset, 1), images + 20, 4);
    assert_int_equal(coh_dataset_labels(dataset)[0], 1);
    assert_int_equal(spec->n_classes, 2);
    coh_dataset_destroy(&dataset);
  }
  scratch_write("short.idx", images, sizeof images - 1);
  refuse("{idx: {images: short.idx}}", "short.idx: holds 7 bytes");
  refuse("{idx: {images: none.idx}}", "none.idx: cannot open");
  refuse("{idx: {images: y.idx, labels: x.idx}}", "x.idx: labels must be one number a row");
  scratch_write("one.idx", "\0\0\10\1\0\0\0\1\0", 9);
  refuse("{idx: {images: x.idx, labels: one.idx}}",
         "x.idx: has 2 rows, but there are 1 labels");
  // a bomb: the bound on memory holds while inflating
  uint8_t *zeros = coh_alloc_array(1 << 20, 1);
  write_gzip("bomb.gz", zeros, 1 << 20);
  coh_free(zeros);
  refuse("{idx: {images: bomb.gz, memory: 100KiB}}", "bomb.gz: the gzip data is");
  scratch_write("empty.idx", "", 0);
  refuse("{idx: {images: empty.idx}}", "empty.idx: is empty");
}

// ---- NPY and NPZ --------------------------------------------------------------------------

static float rows6[6] = {1, 2, 3, 4, 5, 6};
static int64_t labels3[3] = {2, 0, 2};

static void npy_files_are_used_in_place(void **state) {
  (void)state;
  coh_array x = {COH_DTYPE_F32, 2, {3, 2}, rows6}, y = {COH_DTYPE_I64, 1, {3}, labels3};
  assert_ok(coh_npy_write("x.npy", &x));
  assert_ok(coh_npy_write("y.npy", &y));
  int64_t before = coh_alloc_live();
  assert_ok(dataset_from("{npy: {rows: x.npy, labels: y.npy}}", &dataset));
  assert_memory_equal(coh_dataset_row(dataset, 0), rows6, sizeof rows6);
  assert_int_equal(coh_dataset_labels(dataset)[2], 2);
  assert_int_equal(coh_dataset_spec_of(dataset)->n_classes, 3);
  coh_dataset_destroy(&dataset);
  assert_int_equal(coh_alloc_live(), before);
  // other types are turned to floats
  double wide[6] = {1, 2, 3, 4, 5, 6};
  coh_array w = {COH_DTYPE_F64, 2, {3, 2}, wide};
  assert_ok(coh_npy_write("w.npy", &w));
  assert_ok(dataset_from("{npy: {rows: w.npy}}", &dataset));
  assert_memory_equal(coh_dataset_row(dataset, 0), rows6, sizeof rows6);
  coh_dataset_destroy(&dataset);
  // columns first: read and turned
  static const char header[] = "\x93NUMPY\x01\0\x39\0{'shape': (2, 3), 'fortran_order': True, "
                               "'descr': '<f4'}\n";
  char bytes[128];
  memcpy(bytes, header, 10 + 57);
  memcpy(bytes + 10 + 57, rows6, 24);
  scratch_write("f.npy", bytes, 10 + 57 + 24);
  assert_ok(dataset_from("{npy: {rows: f.npy}}", &dataset));
  static const float turned[6] = {1, 3, 5, 2, 4, 6};
  assert_memory_equal(coh_dataset_row(dataset, 0), turned, 24);
  coh_dataset_destroy(&dataset);
}

static void npy_files_that_are_wrong(void **state) {
  (void)state;
  float bad[6] = {1, 2, 3, 4, NAN, 6};
  coh_array x = {COH_DTYPE_F32, 2, {3, 2}, bad};
  assert_ok(coh_npy_write("nan.npy", &x));
  // a mapped file is not read ahead: asked for, it is looked at
  assert_ok(dataset_from("{npy: {rows: nan.npy}}", &dataset));
  assert_ok(coh_dataset_check_finite(dataset, 0, 2));
  assert_fails(coh_dataset_check_finite(dataset, 0, 3), COH_E_DATA,
               "nan.npy: row 2, value 0 is not a number");
  coh_affine affine;
  assert_fails(coh_dataset_affine(dataset, COH_VALUES_STANDARD, &affine), COH_E_DATA,
               "not finite");
  coh_dataset_destroy(&dataset);
  size_t n;
  char *bytes = scratch_read("nan.npy", &n);
  scratch_write("cut.npy", bytes, n - 1);
  scratch_write("head.npy", bytes, 20);
  coh_free(bytes);
  refuse("{npy: {rows: cut.npy}}", "cut.npy: holds 23 bytes");
  refuse("{npy: {rows: head.npy}}", "head.npy");
  coh_array y = {COH_DTYPE_F32, 1, {3}, bad};
  assert_ok(coh_npy_write("y.npy", &y));
  refuse("{npy: {rows: nan.npy, labels: y.npy}}", "y.npy: labels must be whole numbers");
}

static void npz_members_by_name(void **state) {
  (void)state;
  char x_name[] = "x_train", y_name[] = "y_train";
  coh_npz_member members[2] = {{x_name, {COH_DTYPE_F32, 2, {3, 2}, rows6}},
                               {y_name, {COH_DTYPE_I64, 1, {3}, labels3}}};
  assert_ok(coh_npz_write("a.npz", members, 2, true));
  assert_ok(dataset_from("{npz: {file: a.npz, rows: x_train, labels: y_train}}", &dataset));
  assert_memory_equal(coh_dataset_row(dataset, 0), rows6, sizeof rows6);
  assert_int_equal(coh_dataset_labels(dataset)[0], 2);
  coh_dataset_destroy(&dataset);
  refuse("{npz: {file: a.npz}}", "a.npz: has no array 'x'; it has: x_train, y_train");
  refuse("{npz: {file: a.npz, rows: x_train, memory: 20}}", "a.npz");
}

static void safetensors_by_name(void **state) {
  (void)state;
  coh_tensor_row table[2] = {{"x", {COH_DTYPE_F32, 2, {3, 2}, NULL}},
                             {"y", {COH_DTYPE_I64, 1, {3}, NULL}}};
  coh_safetensors_writer *writer;
  assert_ok(coh_safetensors_begin("a.safetensors", table, 2, NULL, 0, &writer));
  assert_ok(coh_safetensors_write(writer, rows6, sizeof rows6));
  assert_ok(coh_safetensors_write(writer, labels3, sizeof labels3));
  assert_ok(coh_safetensors_end(&writer, NULL, NULL));
  assert_ok(dataset_from("{safetensors: {file: a.safetensors, labels: y}}", &dataset));
  assert_memory_equal(coh_dataset_row(dataset, 0), rows6, sizeof rows6);
  assert_int_equal(coh_dataset_labels(dataset)[2], 2);
  coh_dataset_destroy(&dataset);
  refuse("{safetensors: {file: a.safetensors, rows: z}}", "a.safetensors: has no tensor 'z'");
  refuse("{safetensors: {file: a.safetensors, memory: 20}}", "tensor 'x' takes more than");
  refuse("{safetensors: {file: a.safetensors, labels: x}}", "labels must be whole numbers");
}

// ---- CSV ----------------------------------------------------------------------------------

static void write_text(const char *path, const char *text) {
  scratch_write(path, text, strlen(text));
}

static void csv_with_names_and_words(void **state) {
  (void)state;
  write_text("iris.csv", "length,width,kind\n5.1,3.5,setosa\n7.0,3.2,versicolor\n6,3,setosa\n");
  static const char *const configs[] = {"{csv: {file: iris.csv, label: kind}}",
                                        "{csv: {file: iris.csv, label: '3'}}",
                                        "{csv: {file: iris.csv, label: '-1', header: yes}}"};
  for (int k = 0; k < 3; k++) {
    assert_ok(dataset_from(configs[k], &dataset));
    const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
    assert_int_equal(spec->n_rows, 3);
    assert_int_equal(spec->n_values, 2);
    assert_int_equal(spec->n_classes, 2);
    assert_string_equal(spec->class_names[1], "versicolor");
    assert_int_equal(coh_dataset_labels(dataset)[1], 1);
    assert_within(((const float *)coh_dataset_row(dataset, 0))[0], 5.1, 1e-6);
    assert_within(((const float *)coh_dataset_row(dataset, 2))[1], 3, 0);
    coh_dataset_destroy(&dataset);
  }
  write_text("n.tsv", "10\t1\t2\n9\t3\t4\n10\t5\t6\n");
  assert_ok(dataset_from("{csv: {file: n.tsv, separator: tab, label: '1'}}", &dataset));
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  assert_int_equal(spec->n_rows, 3);
  assert_string_equal(spec->class_names[0], "9"); // numbers in numeric order
  assert_string_equal(spec->class_names[1], "10");
  assert_int_equal(coh_dataset_labels(dataset)[0], 1);
  coh_dataset_destroy(&dataset);
}

static void csv_that_is_wrong(void **state) {
  (void)state;
  write_text("a.csv", "a,b\n1,2\n3,x\n");
  refuse("{csv: {file: a.csv}}", "a.csv: row 3, column 2: 'x' is not a number");
  write_text("b.csv", "a,b\n1,2\n3\n");
  refuse("{csv: {file: b.csv}}", "b.csv:3: has 1 fields");
  write_text("c.csv", "a,b\n1,nan\n");
  refuse("{csv: {file: c.csv, header: yes}}", "c.csv: row 2, column 2: 'nan' is not a finite");
  write_text("d.csv", "1,1e39\n");
  refuse("{csv: {file: d.csv}}", "d.csv: row 1, column 2: '1e39' is not a finite");
  write_text("e.csv", "a,b\n");
  refuse("{csv: {file: e.csv}}", "e.csv: has no rows below its header");
  write_text("f.csv", "a;b\n1;2\n");
  refuse("{csv: {file: f.csv, label: b}}", "f.csv: has no column 'b' among its 1");
  write_text("g.csv", "a,b\n1,\n");
  refuse("{csv: {file: g.csv, label: b}}", "g.csv: label 1 (counted from 1) is empty");
  write_text("h.csv", "b\n1\n");
  refuse("{csv: {file: h.csv, label: b}}", "h.csv: has no column beside the labels");
  write_text("i.csv", "");
  refuse("{csv: {file: i.csv}}", "i.csv: is empty");
}

// ---- PNG ----------------------------------------------------------------------------------

static void write_png(const char *path, int64_t width, int64_t height, int n_channels,
                      uint8_t value) {
  coh_image image;
  assert_ok(coh_image_make(width, height, n_channels, &image));
  memset(image.data, value, (size_t)(width * height * n_channels));
  assert_ok(coh_png_write(path, &image));
  coh_image_clear(&image);
}

static void png_folders_by_class(void **state) {
  (void)state;
  assert_ok(coh_folder_make("pets/dog"));
  assert_ok(coh_folder_make("pets/cat"));
  write_png("pets/dog/a.png", 4, 3, 1, 7);
  write_png("pets/cat/b.PNG", 4, 3, 1, 9);
  write_png("pets/cat/a.png", 4, 3, 1, 8);
  write_text("pets/cat/notes.txt", "left alone");
  assert_ok(dataset_from("{png_folder: pets}", &dataset));
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  assert_int_equal(spec->n_rows, 3);
  assert_int_equal(spec->shape[0], 3);
  assert_int_equal(spec->shape[1], 4);
  assert_int_equal(spec->shape[2], 1);
  assert_string_equal(spec->class_names[0], "cat");
  static const uint8_t expected[] = {8, 9, 7};
  for (int i = 0; i < 3; i++) {
    assert_int_equal(*(const uint8_t *)coh_dataset_row(dataset, i), expected[i]);
    assert_int_equal(coh_dataset_labels(dataset)[i], i == 2);
  }
  coh_dataset_destroy(&dataset);
  // all together, without labels, turned to colours
  assert_ok(dataset_from("{png_folder: {folder: pets/cat, channels: rgb}}", &dataset));
  assert_int_equal(coh_dataset_spec_of(dataset)->shape[2], 3);
  assert_int_equal(((const uint8_t *)coh_dataset_row(dataset, 1))[35], 9);
  assert_null(coh_dataset_labels(dataset));
  coh_dataset_destroy(&dataset);
  write_png("pets/cat/c.png", 4, 3, 3, 100);
  refuse("{png_folder: pets}", "pets/cat/c.png: is coloured, but pets/cat/a.png is not");
  assert_ok(dataset_from("{png_folder: {folder: pets, channels: gray}}", &dataset));
  assert_int_equal(*(const uint8_t *)coh_dataset_row(dataset, 2), 100);
  coh_dataset_destroy(&dataset);
}

static void png_folders_that_are_wrong(void **state) {
  (void)state;
  refuse("{png_folder: nowhere}", "nowhere: cannot list");
  assert_ok(coh_folder_make("bad/one"));
  refuse("{png_folder: bad}", "bad/one: has no PNG files: the class is empty");
  write_png("bad/one/a.png", 4, 3, 1, 1);
  write_png("bad/one/b.png", 5, 3, 1, 1);
  refuse("{png_folder: bad}", "bad/one/b.png: is 5 x 3, but bad/one/a.png is 4 x 3");
  refuse("{png_folder: {folder: bad, memory: 20}}", "bad: 2 images of 12 bytes");
  write_text("bad/one/b.png", "not a PNG");
  refuse("{png_folder: bad}", "bad/one/b.png");
  write_png("bad/x.png", 4, 3, 1, 1);
  refuse("{png_folder: bad}", "bad: holds PNG files (x.png) beside folders (one)");
  assert_ok(coh_folder_make("bare"));
  refuse("{png_folder: bare}", "bare: holds no PNG files and no folders");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(idx_pairs_plain_and_gzipped),
      cmocka_unit_test(npy_files_are_used_in_place),
      cmocka_unit_test(npy_files_that_are_wrong),
      cmocka_unit_test(npz_members_by_name),
      cmocka_unit_test(safetensors_by_name),
      cmocka_unit_test(csv_with_names_and_words),
      cmocka_unit_test(csv_that_is_wrong),
      cmocka_unit_test(png_folders_by_class),
      cmocka_unit_test(png_folders_that_are_wrong),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
