/* Checksums through xxHash's XXH3; folding seeds each block with the value before it. */
#include "base/checksum.h"

#include <xxhash.h>

uint64_t coh_checksum(const void *data, size_t n_bytes) {
  return XXH3_64bits(data, n_bytes);
}

uint64_t coh_checksum_fold(uint64_t checksum, const void *data, size_t n_bytes) {
  return XXH3_64bits_withSeed(data, n_bytes, checksum);
}
