/* Arrays in files: NPY, NPZ, IDX, safetensors, CSV. What is written reads back equal, and bytes
 * recorded from NumPy and from the formats' definitions are read and written alike. */
#include "scratch.h"

#include <math.h>
#include <zlib.h>

#include "io/csv.h"
#include "io/idx.h"
#include "io/npz.h"
#include "io/safetensors_write.h"

static float six[6] = {1, 2, 3, 4, 5, 6};

// the header that NumPy 2 writes for a (2, 3) float32 array
static const char numpy_header[128] =
    "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
    "                                                          \n";

static void npy_writes_the_bytes_of_numpy(void **state) {
  (void)state;
  coh_array array = {COH_DTYPE_F32, 2, {2, 3}, six};
  assert_ok(coh_npy_write("a.npy", &array));
  size_t n;
  char *bytes = scratch_read("a.npy", &n);
  assert_int_equal(n, 128 + 24);
  assert_memory_equal(bytes, numpy_header, 128);
  assert_memory_equal(bytes + 128, six, 24);
  coh_free(bytes);
}

static void npy_round_trips_every_shape_and_type(void **state) {
  (void)state;
  uint8_t data[64];
  for (int i = 0; i < 64; i++)
    data[i] = (uint8_t)(i % 2);
  static const coh_array shapes[] = {{.n_dims = 0},
                                     {.n_dims = 1, .shape = {4}},
                                     {.n_dims = 3, .shape = {2, 1, 4}},
                                     {.n_dims = 2, .shape = {0, 7}}};
  for (int t = 0; t < COH_N_DTYPES; t++) {
    for (int s = 0; s < 4; s++) {
      coh_array array = shapes[s], read = {0};
      array.dtype = (coh_dtype)t;
      array.data = data;
      if (t == COH_DTYPE_BF16) {
        assert_int_equal(coh_npy_write("b.npy", &array), COH_E_DATA);
        continue;
      }
      assert_ok(coh_npy_write("b.npy", &array));
      assert_ok(coh_npy_read("b.npy", &read));
      assert_int_equal(read.dtype, t);
      assert_int_equal(read.n_dims, array.n_dims);
      assert_memory_equal(read.shape, array.shape, sizeof read.shape);
      assert_memory_equal(read.data, data,
                          (size_t)coh_array_count(&read) * coh_dtype_bytes(read.dtype));
      coh_array_clear(&read);
    }
  }
}

static void write_npy(const char *path, const char *dictionary, const void *data,
                      size_t n_bytes) {
  char bytes[512] = "\x93NUMPY\x01";
  size_t n = strlen(dictionary);
  bytes[8] = (char)n;
  memcpy(bytes + 10, dictionary, n);
  if (n_bytes) memcpy(bytes + 10 + n, data, n_bytes);
  scratch_write(path, bytes, 10 + n + n_bytes);
}

static void npy_turns_fortran_order(void **state) {
  (void)state;
  // columns first: ((1, 3, 5), (2, 4, 6))
  write_npy("f.npy", "{'shape': (2, 3), 'fortran_order': True, 'descr': '<f4'}\n", six, 24);
  coh_array array;
  assert_ok(coh_npy_read("f.npy", &array));
  static const float expected[6] = {1, 3, 5, 2, 4, 6};
  assert_memory_equal(array.data, expected, 24);
  coh_array_clear(&array);
}

static void npy_refuses_odd_headers(void **state) {
  (void)state;
  static const char *const bad[] = {
      "{'descr': '>f4', 'fortran_order': False, 'shape': (6,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (6)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (7,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}",
      "{'descr': '|O', 'fortran_order': False, 'shape': (6,)}",
      "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}",
      "{'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (6,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} x",
      "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (6,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,6)}"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    coh_array array = {0};
    write_npy("g.npy", bad[i], six, 24);
    if (coh_npy_read("g.npy", &array) != COH_E_DATA) fail_msg("%s is taken", bad[i]);
    assert_null(array.data);
  }
}

static void npz_round_trips_stored_and_deflated(void **state) {
  (void)state;
  int64_t *large = coh_alloc_array(100000, sizeof *large);
  for (int i = 0; i < 100000; i++)
    large[i] = i / 7;
  char first[] = "first", second[] = "folder/second";
  coh_npz_member members[2] = {{first, {COH_DTYPE_F32, 2, {2, 3}, six}},
                               {second, {COH_DTYPE_I64, 1, {100000}, large}}};
  for (int deflated = 0; deflated < 2; deflated++) {
    coh_npz npz;
    assert_ok(coh_npz_write("a.npz", members, 2, deflated));
    assert_ok(coh_npz_read("a.npz", 1 << 20, &npz));
    assert_int_equal(npz.n_members, 2);
    assert_memory_equal(coh_npz_find(&npz, "first")->data, six, 24);
    assert_memory_equal(coh_npz_find(&npz, "folder/second")->data, large, 800000);
    assert_null(coh_npz_find(&npz, "third"));
    coh_npz_clear(&npz);
    assert_fails(coh_npz_read("a.npz", 1000, &npz), COH_E_DATA, "more than 1000");
  }
  coh_free(large);
  char *bytes;
  size_t n;
  assert_ok(coh_file_load("a.npz", 1 << 20, &bytes, &n));
  assert_in_range(n, 1, 200000); // 800 kB of slow counting deflate well
  coh_free(bytes);
}

static void idx_reads_plain_and_gzip(void **state) {
  (void)state;
  static const uint8_t idx[] = {0, 0, 0x0C, 2, 0, 0, 0,    2,    0,    0,
                                0, 1, 0,    0, 1, 2, 0xFF, 0xFF, 0xFF, 0xFE};
  scratch_write("a.idx", idx, sizeof idx);
  gzFile gz = gzopen("a.idx.gz", "wb");
  assert_int_equal(gzwrite(gz, idx, sizeof idx), sizeof idx);
  gzclose(gz);
  for (int zipped = 0; zipped < 2; zipped++) {
    coh_array array;
    assert_ok(coh_idx_read(zipped ? "a.idx.gz" : "a.idx", 1000, &array));
    assert_int_equal(array.dtype, COH_DTYPE_I32);
    assert_int_equal(array.n_dims, 2);
    assert_int_equal(((int32_t *)array.data)[0], 258);
    assert_int_equal(((int32_t *)array.data)[1], -2);
    coh_array_clear(&array);
  }
  // a bomb: the bound on data holds while inflating
  uint8_t *zeros = coh_alloc_array(1 << 22, 1);
  gz = gzopen("bomb.gz", "wb");
  assert_int_equal(gzwrite(gz, zeros, 1 << 22), 1 << 22);
  gzclose(gz);
  coh_free(zeros);
  coh_array array;
  assert_fails(coh_idx_read("bomb.gz", 100000, &array), COH_E_DATA, "over 100064 bytes");
}

static void safetensors_round_trips(void **state) {
  (void)state;
  static const uint8_t flags[3] = {1, 0, 1};
  coh_tensor_row rows[3] = {{"net.0.weight", {COH_DTYPE_F32, 2, {2, 3}, NULL}},
                            {"flags \"x\"", {COH_DTYPE_BOOL, 1, {3}, NULL}},
                            {"empty", {COH_DTYPE_F64, 2, {0, 4}, NULL}}};
  coh_metadata_row metadata[1] = {{"format", "pt"}};
  coh_safetensors_writer *writer;
  assert_ok(coh_safetensors_begin("m.safetensors", rows, 3, metadata, 1, &writer));
  assert_ok(coh_safetensors_write(writer, six, 10));
  assert_ok(coh_safetensors_write(writer, (char *)six + 10, 14));
  assert_ok(coh_safetensors_write(writer, flags, 3));
  assert_int_equal(coh_safetensors_write(writer, flags, 1), COH_E_INTERNAL);
  uint64_t checksum, read_back;
  int64_t n_bytes;
  assert_ok(coh_safetensors_end(&writer, &checksum, &n_bytes));
  assert_ok(coh_file_checksum("m.safetensors", &read_back, NULL));
  assert_true(checksum == read_back);

  coh_safetensors *file;
  assert_ok(coh_safetensors_open("m.safetensors", &file));
  assert_int_equal(coh_safetensors_count(file), 3);
  assert_string_equal(coh_safetensors_metadata(file, "format"), "pt");
  assert_null(coh_safetensors_metadata(file, "else"));
  int64_t i = coh_safetensors_find(file, "net.0.weight");
  coh_array shape;
  float part[2];
  coh_safetensors_shape(file, i, &shape);
  assert_int_equal(shape.shape[1], 3);
  assert_ok(coh_safetensors_read(file, i, 8, part, 8));
  assert_memory_equal(part, six + 2, 8);
  assert_int_equal(coh_safetensors_read(file, i, 20, part, 8), COH_E_DATA);
  assert_int_equal(coh_safetensors_find(file, "none"), -1);
  coh_safetensors_close(&file);
}

static void safetensors_are_ended_whole_or_not_at_all(void **state) {
  (void)state;
  coh_tensor_row rows[2] = {{"a", {COH_DTYPE_F32, 1, {6}, NULL}},
                            {"a", {COH_DTYPE_F32, 1, {6}, NULL}}};
  coh_safetensors_writer *writer;
  assert_ok(coh_safetensors_begin("n.safetensors", rows, 1, NULL, 0, &writer));
  assert_ok(coh_safetensors_write(writer, six, 20));
  assert_fails(coh_safetensors_end(&writer, NULL, NULL), COH_E_INTERNAL, "4 bytes");
  assert_false(coh_file_exists("n.safetensors"));
  assert_int_equal(coh_safetensors_begin("n.safetensors", rows, 2, NULL, 0, &writer),
                   COH_E_INTERNAL);
}

static void write_safetensors(const char *header, size_t n_data) {
  uint8_t bytes[1024] = {0};
  size_t n = strlen(header);
  bytes[0] = (uint8_t)n;
  bytes[1] = (uint8_t)(n >> 8);
  memcpy(bytes + 8, header, n);
  scratch_write("bad.safetensors", bytes, 8 + n + n_data);
}

static void safetensors_refuses_unsound_headers(void **state) {
  (void)state;
  static const struct {
    const char *header;
    size_t n_data;
  } bad[] = {
      {"[]", 0},
      {"{\"a\":1}", 0},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 2},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}", 4},
      {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}", 4},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296,4294967296],"
       "\"data_offsets\":[0,0]}}",
       0},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
       "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}",
       4},
      {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
       "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
       12},
      {"{\"__metadata__\":{\"a\":1}}", 0},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    coh_safetensors *file = NULL;
    write_safetensors(bad[i].header, bad[i].n_data);
    if (coh_safetensors_open("bad.safetensors", &file) != COH_E_DATA)
      fail_msg("%s is taken", bad[i].header);
    assert_null(file);
  }
}

static void csv_reads_quotes_and_counts_fields(void **state) {
  (void)state;
  static const char text[] = "a,\"b \"\"q\"\", c\",\r\n1,2.5,nan\n\"x\ny\",,-inf";
  coh_csv csv;
  double value;
  assert_ok(coh_csv_parse("t", text, sizeof text - 1, ',', &csv));
  assert_int_equal(csv.n_rows, 3);
  assert_int_equal(csv.n_columns, 3);
  assert_string_equal(csv.field[1], "b \"q\", c");
  assert_string_equal(csv.field[2], "");
  assert_string_equal(csv.field[6], "x\ny");
  assert_ok(coh_csv_number("t", &csv, 1, 1, &value));
  assert_true(value == 2.5); // exact in binary
  assert_ok(coh_csv_number("t", &csv, 1, 2, &value));
  assert_true(isnan(value));
  assert_fails(coh_csv_number("t", &csv, 2, 1, &value), COH_E_DATA, "row 3, column 2");
  coh_csv_clear(&csv);
  static const char *const bad[] = {"a,b\n1\n", "\"a", "\"a\"b,c\n", "a\"b\n", "1,2\n\n3,4\n"};
  for (int i = 0; i < 5; i++)
    if (coh_csv_parse("t", bad[i], strlen(bad[i]), ',', &csv) != COH_E_DATA)
      fail_msg("%s is taken", bad[i]);
  coh_text line = {0};
  coh_csv_add_text(&line, "a\"b,c", false);
  coh_csv_add_real(&line, 0.1, false);
  coh_csv_add_real(&line, -INFINITY, true);
  assert_string_equal(line.data, "\"a\"\"b,c\",0.1,-inf\n");
  coh_text_clear(&line);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(npy_writes_the_bytes_of_numpy),
      cmocka_unit_test(npy_round_trips_every_shape_and_type),
      cmocka_unit_test(npy_turns_fortran_order),
      cmocka_unit_test(npy_refuses_odd_headers),
      cmocka_unit_test(npz_round_trips_stored_and_deflated),
      cmocka_unit_test(idx_reads_plain_and_gzip),
      cmocka_unit_test(safetensors_round_trips),
      cmocka_unit_test(safetensors_are_ended_whole_or_not_at_all),
      cmocka_unit_test(safetensors_refuses_unsound_headers),
      cmocka_unit_test(csv_reads_quotes_and_counts_fields),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
