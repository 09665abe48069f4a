/* zstd blocks and files: exact round trips, bounded output, no allocation while packing. */
#include "scratch.h"

#include "io/pack.h"

static void pack_round_trips_every_size_without_allocating(void **state) {
  (void)state;
  enum { MOST = 300000 };
  uint8_t *data = coh_alloc_array(MOST, 1), *back = coh_alloc_array(MOST, 1);
  size_t capacity = coh_pack_bound(MOST);
  uint8_t *packed = coh_alloc_array(capacity, 1);
  for (uint32_t i = 0; i < MOST; i++)
    data[i] = (uint8_t)(i % 1000 < 900 ? i / 1000 : i * 2654435761u >> 20);
  static const int levels[] = {1, 3, 9, 19};
  static const size_t sizes[] = {0, 1, 255, 256, 4096, 131072, 262145, MOST};
  for (int l = 0; l < 4; l++) {
    coh_packer *packer;
    assert_ok(coh_packer_create(levels[l], MOST, &packer));
    int64_t before = coh_alloc_total();
    for (int s = 0; s < 8; s++) {
      size_t n_packed;
      assert_ok(coh_pack(packer, data, sizes[s], packed, capacity, &n_packed));
      memset(back, 0xEE, MOST);
      assert_ok(coh_unpack(packer, packed, n_packed, back, sizes[s]));
      assert_memory_equal(back, data, sizes[s]);
      if (sizes[s] < MOST) assert_int_equal(back[sizes[s]], 0xEE);
    }
    assert_int_equal(coh_alloc_total(), before);
    coh_packer_destroy(&packer);
  }
  coh_free(data);
  coh_free(back);
  coh_free(packed);
}

static void pack_refuses_damage_and_other_sizes(void **state) {
  (void)state;
  coh_packer *packer;
  uint8_t data[1000], packed[2000], back[1000];
  for (int i = 0; i < 1000; i++)
    data[i] = (uint8_t)(i * i >> 5);
  assert_ok(coh_packer_create(3, 1000, &packer));
  size_t n;
  assert_ok(coh_pack(packer, data, 1000, packed, sizeof packed, &n));
  assert_int_equal(coh_unpack(packer, packed, n, back, 999), COH_E_DATA);
  for (size_t cut = 0; cut < n; cut++)
    assert_int_equal(coh_unpack(packer, packed, cut, back, 1000), COH_E_DATA);
  for (size_t i = 0; i < 8 * n; i++) {
    packed[i / 8] = (uint8_t)(packed[i / 8] ^ 1 << i % 8);
    (void)coh_unpack(packer, packed, n, back, 1000); // may succeed with other bytes
    packed[i / 8] = (uint8_t)(packed[i / 8] ^ 1 << i % 8);
  }
  assert_int_equal(coh_pack(packer, data, 1001, packed, sizeof packed, &n), COH_E_INTERNAL);
  coh_packer_destroy(&packer);
  assert_int_equal(coh_packer_create(0, 1000, &packer), COH_E_INTERNAL);
}

static void zst_files_are_read_in_other_pieces_than_written(void **state) {
  (void)state;
  enum { N = 1000003 };
  uint8_t *data = coh_alloc_array(N, 1), *back = coh_alloc_array(N, 1);
  for (uint32_t i = 0; i < N; i++)
    data[i] = (uint8_t)((i / 50) * 2654435761u >> 24);
  coh_zst_writer *writer;
  assert_ok(coh_zst_begin("x.zst", 3, &writer));
  for (size_t at = 0; at < N; at += 70001)
    assert_ok(coh_zst_write(writer, data + at, N - at < 70001 ? N - at : 70001));
  uint64_t checksum, found;
  int64_t n_bytes;
  assert_ok(coh_zst_end(&writer, &checksum, &n_bytes));
  assert_ok(coh_file_checksum("x.zst", &found, NULL));
  assert_true(checksum == found);
  coh_zst_reader *reader;
  assert_ok(coh_zst_open("x.zst", &reader));
  for (size_t at = 0; at < N; at += 33333)
    assert_ok(coh_zst_read(reader, back + at, N - at < 33333 ? N - at : 33333));
  assert_ok(coh_zst_finish(reader));
  assert_int_equal(coh_zst_read(reader, back, 1), COH_E_DATA);
  coh_zst_close(&reader);
  assert_memory_equal(back, data, N);
  assert_ok(coh_zst_open("x.zst", &reader));
  assert_ok(coh_zst_read(reader, back, N - 1));
  assert_fails(coh_zst_finish(reader), COH_E_DATA, "more than is expected");
  coh_zst_close(&reader);
  coh_free(data);
  coh_free(back);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pack_round_trips_every_size_without_allocating),
      cmocka_unit_test(pack_refuses_damage_and_other_sizes),
      cmocka_unit_test(zst_files_are_read_in_other_pieces_than_written),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
