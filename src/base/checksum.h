/* Checksums of files and blocks: XXH3, 64 bits (xxHash library). Not cryptographic. */
#ifndef COHORT_BASE_CHECKSUM_H
#define COHORT_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of a block. */
uint64_t coh_checksum(const void *data, size_t n_bytes);

/* Continue a checksum: fold a block into an earlier value. Order matters. */
uint64_t coh_checksum_fold(uint64_t checksum, const void *data, size_t n_bytes);

#endif
