/* Atomic files and folders: whole or absent, whatever happens in between. */
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/checksum.h"
#include "io/append.h"

// a full disk, as seen by this process: no file may grow beyond n_bytes
static void limit_file_size(rlim_t n_bytes) {
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
  limit.rlim_cur = n_bytes;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void file_appears_only_when_committed(void **state) {
  (void)state;
  coh_file *file;
  assert_ok(coh_file_create("a.bin", &file));
  assert_ok(coh_file_write(file, "hello", 5));
  assert_false(coh_file_exists("a.bin"));
  assert_int_equal(coh_file_position(file), 5);
  assert_ok(coh_file_commit(&file, NULL, NULL));
  assert_null(file);
  size_t n;
  char *data = scratch_read("a.bin", &n);
  assert_int_equal(n, 5);
  assert_memory_equal(data, "hello", 6);
  coh_free(data);
  assert_int_equal(scratch_count(".tmp-"), 0);
}

static void file_discarded_leaves_the_old_one(void **state) {
  (void)state;
  assert_ok(coh_file_save("b.bin", "old", 3));
  coh_file *file;
  assert_ok(coh_file_create("b.bin", &file));
  assert_ok(coh_file_write(file, "new", 3));
  coh_file_discard(&file);
  char *data = scratch_read("b.bin", NULL);
  assert_string_equal(data, "old");
  coh_free(data);
  assert_int_equal(scratch_count(".tmp-"), 0);
}

static void file_checksum_does_not_depend_on_how_it_was_written(void **state) {
  (void)state;
  enum { N = (1 << 21) + 12345 };
  uint8_t *data = coh_alloc_array(N, 1);
  for (int i = 0; i < N; i++)
    data[i] = (uint8_t)((uint32_t)i * 2654435761u >> 24);
  static const size_t pieces[] = {1 << 20, 777, N, 65536};
  uint64_t expected = coh_checksum_fold(0, data, 1 << 20);
  expected = coh_checksum_fold(expected, data + (1 << 20), 1 << 20);
  expected = coh_checksum_fold(expected, data + (2 << 20), N - (2 << 20));
  for (int k = 0; k < 4; k++) {
    coh_file *file;
    uint64_t checksum, read_back;
    int64_t n_bytes, n_read;
    assert_ok(coh_file_create("c.bin", &file));
    for (size_t at = 0; at < N; at += pieces[k])
      assert_ok(coh_file_write(file, data + at, N - at < pieces[k] ? N - at : pieces[k]));
    assert_ok(coh_file_commit(&file, &checksum, &n_bytes));
    assert_ok(coh_file_checksum("c.bin", &read_back, &n_read));
    assert_int_equal(n_bytes, N);
    assert_int_equal(n_read, N);
    assert_true(checksum == expected && read_back == expected);
  }
  coh_free(data);
}

static void file_survives_a_full_disk(void **state) {
  (void)state;
  assert_ok(coh_file_save("d.bin", "old", 3));
  uint8_t *data = coh_alloc_array(1 << 20, 3);
  limit_file_size(100000);
  coh_status saved = coh_file_save("d.bin", data, 3 << 20);
  limit_file_size(RLIM_INFINITY);
  coh_free(data);
  assert_int_equal(saved, COH_E_IO);
  assert_non_null(strstr(coh_error_message(), "d.bin: cannot write"));
  data = (uint8_t *)scratch_read("d.bin", NULL);
  assert_string_equal((char *)data, "old");
  coh_free(data);
  assert_int_equal(scratch_count(".tmp-"), 0);
}

static void file_errors_name_the_path(void **state) {
  (void)state;
  coh_file *file = NULL;
  assert_fails(coh_file_create("nowhere/x", &file), COH_E_IO, "nowhere/x: cannot create");
  assert_null(file);
  char *data;
  size_t n;
  assert_fails(coh_file_load("absent", 10, &data, &n), COH_E_DATA, "absent: cannot open");
  assert_fails(coh_file_load(".", 10, &data, &n), COH_E_DATA, "not an ordinary file");
  assert_ok(coh_file_save("long", "0123456789", 10));
  assert_fails(coh_file_load("long", 9, &data, &n), COH_E_DATA, "at most 9");
  assert_int_equal(mkfifo("pipe", 0600), 0);
  assert_fails(coh_file_load("pipe", 9, &data, &n), COH_E_DATA, "not an ordinary file");
}

static void write_within(const coh_folder *folder, const char *name, const char *text) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", coh_folder_path(folder), name);
  scratch_write(path, text, strlen(text));
}

static void folder_appears_whole_and_replaces_an_older_one(void **state) {
  (void)state;
  for (int round = 0; round < 2; round++) {
    coh_folder *folder;
    char path[512];
    assert_ok(coh_folder_begin("deep/er/step-1/", &folder));
    snprintf(path, sizeof path, "%s/sub", coh_folder_path(folder));
    assert_ok(coh_folder_make(path));
    write_within(folder, round ? "sub/new" : "sub/old", "x");
    assert_true(coh_file_exists("deep/er/step-1") == (round == 1));
    assert_ok(coh_folder_commit(&folder));
    assert_null(folder);
    assert_true(coh_file_exists(round ? "deep/er/step-1/sub/new" : "deep/er/step-1/sub/old"));
  }
  assert_false(coh_file_exists("deep/er/step-1/sub/old"));
  coh_folder *folder;
  assert_ok(coh_folder_begin("deep/er/step-2", &folder));
  write_within(folder, "x", "y");
  coh_folder_discard(&folder);
  assert_false(coh_file_exists("deep/er/step-2"));
  assert_ok(coh_folder_remove("deep"));
  assert_ok(coh_folder_remove("deep"));
  assert_false(coh_file_exists("deep"));
}

static void folder_sweep_removes_only_leftovers(void **state) {
  (void)state;
  assert_ok(coh_folder_make("runs/step-3.tmp-99-0/sub"));
  assert_ok(coh_file_save("runs/step-3.tmp-99-0/sub/x", "x", 1));
  assert_ok(coh_file_save("runs/f.tmp-99-0", "x", 1));
  assert_ok(coh_folder_make("runs/step-2"));
  assert_ok(coh_folder_sweep("runs"));
  assert_false(coh_file_exists("runs/step-3.tmp-99-0"));
  assert_false(coh_file_exists("runs/f.tmp-99-0"));
  assert_true(coh_file_exists("runs/step-2"));
  assert_ok(coh_file_save("plain", "x", 1));
  assert_fails(coh_folder_make("plain/sub"), COH_E_IO, "plain");
}

static void folder_remove_does_not_follow_links(void **state) {
  (void)state;
  assert_ok(coh_folder_make("kept"));
  assert_ok(coh_file_save("kept/x", "x", 1));
  assert_ok(coh_folder_make("gone"));
  assert_int_equal(symlink("../kept", "gone/link"), 0);
  assert_ok(coh_folder_remove("gone"));
  assert_true(coh_file_exists("kept/x"));
}

static void append_keeps_whole_records_and_rewinds(void **state) {
  (void)state;
  coh_append *append;
  assert_ok(coh_append_open("log", 0, &append));
  assert_ok(coh_append_write(append, "one\n", 4));
  int64_t mark = coh_append_position(append);
  assert_ok(coh_append_write(append, "two\n", 4));
  limit_file_size(10);
  coh_status status = coh_append_write(append, "three\n", 6);
  limit_file_size(RLIM_INFINITY);
  assert_int_equal(status, COH_E_IO);
  assert_int_equal(coh_append_position(append), 8);
  char *text = scratch_read("log", NULL);
  assert_string_equal(text, "one\ntwo\n");
  coh_free(text);
  assert_ok(coh_append_sync(append));
  coh_append_close(&append);

  assert_ok(coh_append_open("log", mark, &append));
  assert_ok(coh_append_write(append, "2\n", 2));
  assert_int_equal(coh_append_rewind(append, 99), COH_E_INTERNAL);
  coh_append_close(&append);
  text = scratch_read("log", NULL);
  assert_string_equal(text, "one\n2\n");
  coh_free(text);
  assert_ok(coh_append_open("log", 1000, &append));
  assert_int_equal(coh_append_position(append), 6);
  coh_append_close(&append);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(file_appears_only_when_committed),
      cmocka_unit_test(file_discarded_leaves_the_old_one),
      cmocka_unit_test(file_checksum_does_not_depend_on_how_it_was_written),
      cmocka_unit_test(file_survives_a_full_disk),
      cmocka_unit_test(file_errors_name_the_path),
      cmocka_unit_test(folder_appears_whole_and_replaces_an_older_one),
      cmocka_unit_test(folder_sweep_removes_only_leftovers),
      cmocka_unit_test(folder_remove_does_not_follow_links),
      cmocka_unit_test(append_keeps_whole_records_and_rewinds),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
