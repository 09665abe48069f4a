/* Event messages, encoded by hand: Event{1 wall_time, 2 step, 3 file_version, 5 summary},
 * Summary{1 value}, Value{1 tag, 2 simple_value, 4 image}, Image{1 height, 2 width,
 * 3 colorspace, 4 encoded_image_string}. Each record is framed as length, masked CRC of the
 * length, data, masked CRC of the data. */
#include "io/events.h"

#include <string.h>

#include "base/alloc.h"
#include "io/append.h"
#include "io/array.h"

enum { MAX_TAG = 255, FRAME_HEAD = 12, FRAME_TAIL = 4, RECORD_BYTES = 512 };
enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct coh_events {
  coh_append *append;
};

// a message under construction; the caller makes it large enough
typedef struct message {
  uint8_t *data;
  size_t n_bytes;
} message;

static void put_varint(message *m, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    m->data[m->n_bytes++] = (uint8_t)(value | 0x80);
  m->data[m->n_bytes++] = (uint8_t)value;
}

static size_t varint_bytes(uint64_t value) {
  size_t n = 1;
  for (; value >= 0x80; value >>= 7)
    n++;
  return n;
}

static void put_key(message *m, unsigned field, unsigned wire) {
  m->data[m->n_bytes++] = (uint8_t)(field << 3 | wire);
}

static void put_head(message *m, unsigned field, size_t n_bytes) {
  put_key(m, field, WIRE_BYTES);
  put_varint(m, n_bytes);
}

static void put_bytes(message *m, unsigned field, const void *data, size_t n_bytes) {
  put_head(m, field, n_bytes);
  memcpy(m->data + m->n_bytes, data, n_bytes);
  m->n_bytes += n_bytes;
}

static void put_double(message *m, unsigned field, double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_key(m, field, WIRE_64);
  coh_write_le64(m->data + m->n_bytes, bits);
  m->n_bytes += 8;
}

static void put_integer(message *m, unsigned field, uint64_t value) {
  put_key(m, field, WIRE_VARINT);
  put_varint(m, value);
}

// leave room for the frame's head
static void event_begin(message *m, double wall, int64_t step) {
  m->n_bytes = FRAME_HEAD;
  put_double(m, 1, wall);
  if (step != 0) put_integer(m, 2, (uint64_t)step); // zero is what absence means
}

static coh_status event_end(coh_events *events, message *m) {
  size_t n_bytes = m->n_bytes - FRAME_HEAD;
  uint8_t *end = m->data + m->n_bytes;
  coh_write_le64(m->data, n_bytes);
  coh_write_le32(m->data + 8, coh_crc32c_mask(coh_crc32c(0, m->data, 8)));
  coh_write_le32(end, coh_crc32c_mask(coh_crc32c(0, m->data + FRAME_HEAD, n_bytes)));
  return coh_append_write(events->append, m->data, m->n_bytes + FRAME_TAIL);
}

static coh_status start(coh_events *events, const char *path, int64_t keep_bytes, double wall) {
  COH_TRY(coh_append_open(path, keep_bytes, &events->append));
  if (coh_append_position(events->append) > 0) return COH_OK;
  uint8_t record[RECORD_BYTES];
  message m = {record, 0};
  event_begin(&m, wall, 0);
  put_bytes(&m, 3, "brain.Event:2", 13);
  return event_end(events, &m);
}

coh_status coh_events_open(const char *path, int64_t keep_bytes, double wall,
                           coh_events **events) {
  coh_events *made;
  COH_NEW(made, 1);
  coh_status status = start(made, path, keep_bytes, wall);
  if (status == COH_OK)
    *events = made;
  else
    coh_events_close(&made);
  return status;
}

void coh_events_close(coh_events **events) {
  if (!*events) return;
  coh_append_close(&(*events)->append);
  COH_DELETE(*events);
}

static size_t tag_length(const char *tag) {
  return strnlen(tag, MAX_TAG);
}

coh_status coh_events_scalar(coh_events *events, const char *tag, int64_t step, double wall,
                             double value) {
  uint8_t record[RECORD_BYTES];
  message m = {record, 0};
  size_t n_tag = tag_length(tag);
  size_t value_bytes = 1 + varint_bytes(n_tag) + n_tag + 5;
  float single = (float)value;
  uint32_t bits;
  memcpy(&bits, &single, sizeof bits);
  event_begin(&m, wall, step);
  put_head(&m, 5, 1 + varint_bytes(value_bytes) + value_bytes);
  put_head(&m, 1, value_bytes);
  put_bytes(&m, 1, tag, n_tag);
  put_key(&m, 2, WIRE_32);
  coh_write_le32(m.data + m.n_bytes, bits);
  m.n_bytes += 4;
  return event_end(events, &m);
}

coh_status coh_events_image(coh_events *events, const char *tag, int64_t step, double wall,
                            const uint8_t *png, size_t n_bytes, int64_t width, int64_t height) {
  COH_CHECK(width > 0 && height > 0 && n_bytes < (size_t)1 << 30, COH_E_INTERNAL,
            "an event image of %lld x %lld pixels and %zu bytes is not possible",
            (long long)width, (long long)height, n_bytes);
  size_t n_tag = tag_length(tag);
  size_t image_bytes = 1 + varint_bytes((uint64_t)height) + 1 + varint_bytes((uint64_t)width) +
                       2 + 1 + varint_bytes(n_bytes) + n_bytes;
  size_t value_bytes =
      1 + varint_bytes(n_tag) + n_tag + 1 + varint_bytes(image_bytes) + image_bytes;
  message m = {0};
  COH_NEW(m.data, RECORD_BYTES + n_bytes);
  event_begin(&m, wall, step);
  put_head(&m, 5, 1 + varint_bytes(value_bytes) + value_bytes);
  put_head(&m, 1, value_bytes);
  put_bytes(&m, 1, tag, n_tag);
  put_head(&m, 4, image_bytes);
  put_integer(&m, 1, (uint64_t)height);
  put_integer(&m, 2, (uint64_t)width);
  put_integer(&m, 3, 3); // RGB
  put_bytes(&m, 4, png, n_bytes);
  coh_status status = event_end(events, &m);
  coh_free(m.data);
  return status;
}

int64_t coh_events_position(const coh_events *events) {
  return coh_append_position(events->append);
}

coh_status coh_events_sync(coh_events *events) {
  return coh_append_sync(events->append);
}

coh_status coh_events_rewind(coh_events *events, int64_t position) {
  return coh_append_rewind(events->append, position);
}
