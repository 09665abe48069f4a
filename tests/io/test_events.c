/* Event files against published vectors and bytes recorded from TensorFlow. That TensorBoard
 * opens them is shown by tests/peers/tensorboard_opens.py. */
#include "scratch.h"

#include "io/events.h"

static void crc32c_gives_the_vectors_of_rfc_3720(void **state) {
  (void)state;
  uint8_t block[32] = {0};
  assert_int_equal(coh_crc32c(0, block, 32), 0x8a9136aa);
  memset(block, 0xff, 32);
  assert_int_equal(coh_crc32c(0, block, 32), 0x62a8ab43);
  for (int i = 0; i < 32; i++)
    block[i] = (uint8_t)i;
  assert_int_equal(coh_crc32c(0, block, 32), 0x46dd794e);
  for (int i = 0; i < 32; i++)
    block[i] = (uint8_t)(31 - i);
  assert_int_equal(coh_crc32c(0, block, 32), 0x113fdb5c);
  assert_int_equal(coh_crc32c(0, "123456789", 9), 0xe3069283);
  assert_int_equal(coh_crc32c(coh_crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

static void events_frame_records_as_tensorflow_does(void **state) {
  (void)state;
  coh_events *events;
  assert_ok(coh_events_open("e.tfevents", 0, 1.5, &events));
  assert_ok(coh_events_scalar(events, "a/b", 300, 2.0, 0.5));
  coh_events_close(&events);
  size_t n;
  uint8_t *bytes = (uint8_t *)scratch_read("e.tfevents", &n);
  // every event file of TensorFlow begins so: 24 bytes, their checksum, field 1 as a double
  static const uint8_t start[] = {24, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22, 9};
  assert_memory_equal(bytes, start, sizeof start);
  assert_memory_equal(bytes + 21,
                      "\x1a\x0d"
                      "brain.Event:2",
                      15);
  static const uint8_t scalar[] = {
      9,  0,    0,  0,  0,   0, 0,   0,   0x40, // wall_time 2.0
      16, 0xac, 2,                              // step 300
      42, 12,   10, 10, 10,  3, 'a', '/', 'b',  // summary, value, tag
      21, 0,    0,  0,  0x3f};                  // simple_value 0.5
  assert_int_equal(n, 40 + 16 + sizeof scalar);
  assert_memory_equal(bytes + 40 + 12, scalar, sizeof scalar);
  coh_free(bytes);
}

static void events_are_cut_back_exactly(void **state) {
  (void)state;
  coh_events *events;
  static const uint8_t png[3] = {1, 2, 3};
  assert_ok(coh_events_open("r.tfevents", 0, 1, &events));
  assert_ok(coh_events_scalar(events, "x", 1, 1, 1));
  int64_t position = coh_events_position(events);
  assert_ok(coh_events_image(events, "picture", 1, 1, png, 3, 1, 1));
  assert_ok(coh_events_sync(events));
  coh_events_close(&events);
  size_t n_whole, n_again;
  char *whole = scratch_read("r.tfevents", &n_whole);
  assert_ok(coh_events_open("r.tfevents", position, 99, &events));
  assert_int_equal(coh_events_position(events), position);
  assert_ok(coh_events_image(events, "picture", 1, 1, png, 3, 1, 1));
  coh_events_close(&events);
  char *again = scratch_read("r.tfevents", &n_again);
  assert_int_equal(n_whole, n_again);
  assert_memory_equal(whole, again, n_whole);
  coh_free(whole);
  coh_free(again);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(crc32c_gives_the_vectors_of_rfc_3720),
      cmocka_unit_test(events_frame_records_as_tensorflow_does),
      cmocka_unit_test(events_are_cut_back_exactly),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
