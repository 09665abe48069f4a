/* PNG through libpng's png_image functions, which report errors by return value. */
#include "io/png.h"

#include <png.h>
#include <string.h>

#include "base/alloc.h"
#include "io/file.h"

enum { MAX_SIDE = 1 << 15 };

coh_status coh_image_make(int64_t width, int64_t height, int n_channels, coh_image *image) {
  COH_CHECK(width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE &&
                (n_channels == 1 || n_channels == 3),
            COH_E_INTERNAL, "an image of %lld x %lld x %d is not possible", (long long)width,
            (long long)height, n_channels);
  uint8_t *data;
  COH_NEW(data, width * height * n_channels);
  *image = (coh_image){width, height, n_channels, data};
  return COH_OK;
}

void coh_image_clear(coh_image *image) {
  coh_free(image->data);
  *image = (coh_image){0};
}

static coh_status encode(png_image *png, const void *pixels, const void *colors, uint8_t **data,
                         size_t *n_bytes) {
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(*png);
  uint8_t *bytes;
  COH_NEW(bytes, size);
  if (!png_image_write_to_memory(png, bytes, &size, 0, pixels, 0, colors)) {
    coh_free(bytes);
    return coh_fail(COH_E_MEMORY, "libpng cannot encode an image: %s", png->message);
  }
  *data = bytes;
  *n_bytes = size;
  return COH_OK;
}

coh_status coh_png_encode(const coh_image *image, uint8_t **data, size_t *n_bytes) {
  png_image png = {.version = PNG_IMAGE_VERSION,
                   .width = (png_uint_32)image->width,
                   .height = (png_uint_32)image->height,
                   .format = image->n_channels == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
  return encode(&png, image->data, NULL, data, n_bytes);
}

coh_status coh_png_encode_indexed(const uint8_t *index, int64_t width, int64_t height,
                                  const uint8_t *palette, int n_colors, uint8_t **data,
                                  size_t *n_bytes) {
  png_image png = {.version = PNG_IMAGE_VERSION,
                   .width = (png_uint_32)width,
                   .height = (png_uint_32)height,
                   .format = PNG_FORMAT_RGB_COLORMAP,
                   .colormap_entries = (png_uint_32)n_colors};
  return encode(&png, index, palette, data, n_bytes);
}

coh_status coh_png_write(const char *path, const coh_image *image) {
  uint8_t *data = NULL;
  size_t n_bytes = 0;
  COH_TRY(coh_png_encode(image, &data, &n_bytes));
  coh_status status = coh_file_save(path, data, n_bytes);
  coh_free(data);
  return status;
}

static coh_status decode(const char *name, png_image *png, int64_t max_pixels,
                         coh_image *image) {
  int64_t width = png->width, height = png->height;
  COH_CHECK(width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE &&
                width * height <= max_pixels,
            COH_E_DATA, "%s: %lld x %lld pixels are more than is read", name, (long long)width,
            (long long)height);
  bool color = png->format & PNG_FORMAT_FLAG_COLOR;
  png->format = color ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
  coh_image made;
  COH_TRY(coh_image_make(width, height, color ? 3 : 1, &made));
  const png_color white = {255, 255, 255}; // what lies under transparent pixels
  if (!png_image_finish_read(png, &white, made.data, 0, NULL)) {
    coh_image_clear(&made);
    return coh_fail(COH_E_DATA, "%s: is not a sound PNG: %s", name, png->message);
  }
  *image = made;
  return COH_OK;
}

coh_status coh_png_decode(const char *name, const void *data, size_t n_bytes,
                          int64_t max_pixels, coh_image *image) {
  png_image png = {.version = PNG_IMAGE_VERSION};
  COH_CHECK(png_image_begin_read_from_memory(&png, data, n_bytes), COH_E_DATA,
            "%s: is not a sound PNG: %s", name, png.message);
  coh_status status = decode(name, &png, max_pixels, image);
  png_image_free(&png);
  return status;
}

coh_status coh_png_read(const char *path, int64_t max_pixels, coh_image *image) {
  char *data;
  size_t n_bytes;
  COH_TRY(coh_file_load(path, (size_t)1 << 30, &data, &n_bytes));
  coh_status status = coh_png_decode(path, data, n_bytes, max_pixels, image);
  coh_free(data);
  return status;
}
