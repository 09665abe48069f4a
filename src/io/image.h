/* Images of 8 bits a channel: PNG through libpng, and animations as APNG.
 *
 * An animated PNG opens in every browser, keeps every colour, needs no quantiser and, for game
 * frames, is smaller than a GIF: frames are deltas (the rectangle that changed), stored with a
 * palette while there are at most 256 colours and as RGB otherwise. */
#ifndef COHORT_IO_IMAGE_H
#define COHORT_IO_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "cohort/status.h"

/* Row-major pixels, n_channels bytes each: 1 gray, 3 RGB. */
typedef struct coh_image {
  int64_t width, height;
  int n_channels;
  uint8_t *data;
} coh_image;

/* An image of zeros (black). Caller clears. Fails: COH_E_MEMORY. */
coh_status coh_image_make(int64_t width, int64_t height, int n_channels, coh_image *image);
void coh_image_clear(coh_image *image);

/* Write a PNG, atomically. Not collective. Fails: COH_E_IO, COH_E_MEMORY. */
coh_status coh_png_write(const char *path, const coh_image *image);

/* The bytes of a PNG in memory. *data: caller frees with coh_free. Fails: COH_E_MEMORY. */
coh_status coh_png_encode(const coh_image *image, uint8_t **data, size_t *n_bytes);

/* Read a PNG of at most max_pixels; palettes, 16 bits and alpha become 8-bit gray or RGB (alpha
 * over white). Not collective. image: out; caller clears. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_png_read(const char *path, int64_t max_pixels, coh_image *image);
coh_status coh_png_decode(const char *name, const void *data, size_t n_bytes,
                          int64_t max_pixels, coh_image *image);

/* Put a note (a tEXt chunk) into a PNG file or animation on disk, and read the first one of
 * that key back. *text: caller frees with coh_free; NULL when there is none. Not collective.
 * Fails: COH_E_DATA (no PNG), COH_E_IO, COH_E_MEMORY. */
coh_status coh_png_note(const char *path, const char *key, const char *text);
coh_status coh_png_noted(const char *path, const char *key, char **text);

/* ---- animation ------------------------------------------------------------------------ */

typedef struct coh_animation coh_animation;

/* Start an animation of RGB frames. Not collective. Frames are kept compressed in memory.
 * Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_animation_create(int64_t width, int64_t height, coh_animation **animation);
void coh_animation_destroy(coh_animation **animation);

/* Append a frame (width x height x 3 bytes, borrowed) shown for that many seconds; a frame
 * equal to its predecessor only lengthens it. Fails: COH_E_MEMORY. */
coh_status coh_animation_add(coh_animation *animation, const uint8_t *rgb, double seconds);

int64_t coh_animation_count(const coh_animation *animation);

/* Write all frames as an APNG that loops for ever, atomically. At least one frame is needed.
 * Fails: COH_E_IO, COH_E_MEMORY, COH_E_INTERNAL. */
coh_status coh_animation_write(const coh_animation *animation, const char *path);

#endif
