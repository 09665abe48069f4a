/* TensorBoard event files: TFRecord framing with masked CRC-32C around Event messages.
 * Source: tensorflow/core/lib/io/record_writer.h and core/util/event.proto (formats only). */
#ifndef COHORT_IO_EVENTS_H
#define COHORT_IO_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_events coh_events;

/* Open an event file; its name must contain "tfevents" for TensorBoard to find it. keep_bytes
 * as in coh_append_open; an empty file is given its version record. Not collective. Caller
 * closes. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_events_open(const char *path, int64_t keep_bytes, double wall,
                           coh_events **events);
void coh_events_close(coh_events **events);

/* One number under a tag (at most 255 bytes) at a step and wall time (Unix seconds). Allocates
 * nothing. Fails: COH_E_IO. */
coh_status coh_events_scalar(coh_events *events, const char *tag, int64_t step, double wall,
                             double value);

/* One PNG (borrowed). Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_events_image(coh_events *events, const char *tag, int64_t step, double wall,
                            const uint8_t *png, size_t n_bytes, int64_t width, int64_t height);

/* Bytes in the file, and cutting it back, as in io/append.h. */
int64_t coh_events_position(const coh_events *events);
coh_status coh_events_sync(coh_events *events);
coh_status coh_events_rewind(coh_events *events, int64_t position);

/* CRC-32C (Castagnoli), continued from `crc` (start with 0); and TFRecord's masking of it. */
uint32_t coh_crc32c(uint32_t crc, const void *data, size_t n_bytes);
uint32_t coh_crc32c_mask(uint32_t crc);

#endif
