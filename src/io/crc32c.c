/* CRC-32C (Castagnoli), four bits at a time: event files are small. Polynomial 0x82F63B78
 * reflected; the table is the remainder of each nibble. Source: RFC 3720, B.4. */
#include "io/events.h"

static const uint32_t nibble[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
                                    0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
                                    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                    0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};

uint32_t coh_crc32c(uint32_t crc, const void *data, size_t n_bytes) {
  const uint8_t *byte = data;
  crc = ~crc;
  for (size_t i = 0; i < n_bytes; i++) {
    crc ^= byte[i];
    crc = crc >> 4 ^ nibble[crc & 15];
    crc = crc >> 4 ^ nibble[crc & 15];
  }
  return ~crc;
}

uint32_t coh_crc32c_mask(uint32_t crc) {
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}
