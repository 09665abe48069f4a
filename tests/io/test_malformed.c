/* Damaged files: every reader meets its own format cut off at every byte, and with bits flipped
 * at random. It may refuse or, where a flip makes no difference, read; it never crashes, leaks
 * or asks for absurd memory (the sanitizers watch). */
#include "scratch.h"

#include <zlib.h>

#include "cohort/random.h"
#include "io/csv.h"
#include "io/idx.h"
#include "io/image.h"
#include "io/json.h"
#include "io/npz.h"
#include "io/pack.h"
#include "io/safetensors_write.h"

enum { N_FLIPS = 400 };
static const char victim[] = "victim";

typedef coh_status (*reader)(void);

static coh_status read_npy(void) {
  coh_array array;
  COH_TRY(coh_npy_read(victim, &array));
  coh_array_clear(&array);
  return COH_OK;
}

static coh_status read_npz(void) {
  coh_npz npz;
  COH_TRY(coh_npz_read(victim, 1 << 20, &npz));
  coh_npz_clear(&npz);
  return COH_OK;
}

static coh_status read_idx(void) {
  coh_array array;
  COH_TRY(coh_idx_read(victim, 1 << 20, &array));
  coh_array_clear(&array);
  return COH_OK;
}

static coh_status read_csv(void) {
  coh_csv csv;
  COH_TRY(coh_csv_read(victim, 1 << 20, ',', &csv));
  coh_csv_clear(&csv);
  return COH_OK;
}

static coh_status read_json(void) {
  coh_json *json;
  COH_TRY(coh_json_read(victim, 1 << 20, &json));
  coh_json_destroy(&json);
  return COH_OK;
}

static coh_status read_safetensors(void) {
  coh_safetensors *file;
  COH_TRY(coh_safetensors_open(victim, &file));
  coh_status status = COH_OK;
  uint8_t data[64];
  for (int64_t i = 0; i < coh_safetensors_count(file) && status == COH_OK; i++) {
    coh_array shape;
    coh_safetensors_shape(file, i, &shape);
    size_t n = (size_t)coh_array_count(&shape) * coh_dtype_bytes(shape.dtype);
    assert_in_range(n, 0, sizeof data);
    status = coh_safetensors_read(file, i, 0, data, n);
  }
  coh_safetensors_close(&file);
  return status;
}

static coh_status read_png(void) {
  coh_image image;
  COH_TRY(coh_png_read(victim, 1 << 16, &image));
  coh_image_clear(&image);
  return COH_OK;
}

static coh_status read_zst(void) {
  coh_zst_reader *file;
  uint8_t data[700];
  COH_TRY(coh_zst_open(victim, &file));
  coh_status status = coh_zst_read(file, data, sizeof data);
  if (status == COH_OK) status = coh_zst_finish(file);
  coh_zst_close(&file);
  return status;
}

// n_tail: bytes at the end that the format can do without; strict: no flip may go unnoticed
static void torture(const char *path, reader read, size_t n_tail, bool strict) {
  size_t n;
  char *sound = scratch_read(path, &n);
  char *bytes = coh_alloc_array(n, 1);
  scratch_write(victim, sound, n);
  assert_ok(read());
  for (size_t cut = 0; cut < n; cut++) {
    scratch_write(victim, sound, cut);
    coh_status status = read();
    if (status != COH_E_DATA && !(status == COH_OK && cut + n_tail >= n))
      fail_msg("%s cut at byte %zu of %zu: %s", path, cut, n, coh_status_name(status));
  }
  coh_stream random = coh_stream_begin(coh_key_make(7, "bit flips"), 0, 0);
  for (int i = 0; i < N_FLIPS; i++) {
    memcpy(bytes, sound, n);
    int n_flips = 1 + i % 3;
    for (int k = 0; k < n_flips; k++) {
      size_t bit = (size_t)coh_stream_below(&random, (int64_t)(8 * n));
      bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    bool same = memcmp(bytes, sound, n) == 0;
    scratch_write(victim, bytes, n);
    coh_status status = read();
    if (status != COH_E_DATA && !(status == COH_OK && (same || !strict)))
      fail_msg("%s, flip %d: %s", path, i, coh_status_name(status));
  }
  coh_free(sound);
  coh_free(bytes);
}

static float six[6] = {1, 2, 3, 4, 5, 6};

static void malformed_npy_is_refused(void **state) {
  (void)state;
  coh_array array = {COH_DTYPE_F32, 2, {2, 3}, six};
  assert_ok(coh_npy_write("a.npy", &array));
  torture("a.npy", read_npy, 0, false);
}

static void malformed_npz_is_refused(void **state) {
  (void)state;
  char first[] = "first", second[] = "second";
  coh_npz_member members[2] = {{first, {COH_DTYPE_F32, 2, {2, 3}, six}},
                               {second, {COH_DTYPE_U8, 1, {24}, six}}};
  for (int deflated = 0; deflated < 2; deflated++) {
    assert_ok(coh_npz_write("a.npz", members, 2, deflated));
    torture("a.npz", read_npz, 0, false);
  }
}

static void malformed_idx_is_refused(void **state) {
  (void)state;
  static const uint8_t idx[] = {0, 0, 8, 1,  0,  0,  0,  20, 1,  2,  3,  4,  5,  6,
                                7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20};
  scratch_write("a.idx", idx, sizeof idx);
  torture("a.idx", read_idx, 0, false);
  gzFile gz = gzopen("a.idx.gz", "wb");
  assert_int_equal(gzwrite(gz, idx, sizeof idx), sizeof idx);
  gzclose(gz);
  torture("a.idx.gz", read_idx, 0, false);
}

static void malformed_safetensors_is_refused(void **state) {
  (void)state;
  coh_tensor_row rows[2] = {{"a", {COH_DTYPE_F32, 2, {2, 3}, NULL}},
                            {"b", {COH_DTYPE_I64, 1, {3}, NULL}}};
  coh_metadata_row metadata[1] = {{"key", "value"}};
  coh_safetensors_writer *writer;
  assert_ok(coh_safetensors_begin("a.safetensors", rows, 2, metadata, 1, &writer));
  assert_ok(coh_safetensors_write(writer, six, 24));
  assert_ok(coh_safetensors_write(writer, six, 24));
  assert_ok(coh_safetensors_end(&writer, NULL, NULL));
  torture("a.safetensors", read_safetensors, 0, false);
}

static void malformed_text_is_refused(void **state) {
  (void)state;
  static const char json[] = "{\"a\\u00e9\": [1, -2.5e-3, true, null, {\"b\": \"\xc3\xa9\"}]}";
  scratch_write("a.json", json, sizeof json - 1);
  torture("a.json", read_json, 0, false);
  static const char csv[] = "a,\"b \"\"c\",d\n1,2,3\n4,\"5\",6\n";
  scratch_write("a.csv", csv, sizeof csv - 1);
  torture("a.csv", read_csv, sizeof csv, false); // a shorter table may be a table, too
}

static void malformed_png_is_refused(void **state) {
  (void)state;
  coh_image image;
  assert_ok(coh_image_make(9, 7, 3, &image));
  for (int i = 0; i < 9 * 7 * 3; i++)
    image.data[i] = (uint8_t)(i * 37);
  assert_ok(coh_png_write("a.png", &image));
  coh_image_clear(&image);
  // libpng stops at the last pixel: checks of zlib and the end chunk come after it
  torture("a.png", read_png, 20, false);
}

static void malformed_zstd_is_refused(void **state) {
  (void)state;
  coh_zst_writer *writer;
  uint8_t data[700];
  for (int i = 0; i < 700; i++)
    data[i] = (uint8_t)(i * i >> 6);
  assert_ok(coh_zst_begin("a.zst", 3, &writer));
  assert_ok(coh_zst_write(writer, data, sizeof data));
  assert_ok(coh_zst_end(&writer, NULL, NULL));
  torture("a.zst", read_zst, 0, false);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(malformed_npy_is_refused),
      cmocka_unit_test(malformed_npz_is_refused),
      cmocka_unit_test(malformed_idx_is_refused),
      cmocka_unit_test(malformed_safetensors_is_refused),
      cmocka_unit_test(malformed_text_is_refused),
      cmocka_unit_test(malformed_png_is_refused),
      cmocka_unit_test(malformed_zstd_is_refused),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
