/* Copies files through Cohort's readers and writers, for tests/peers/arrays_open.py.
 * Usage: array_exchange npy|npz|npz-deflated|safetensors|png|animation IN OUT */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/image.h"
#include "io/npz.h"
#include "io/safetensors_write.h"

static coh_status copy_npy(const char *in, const char *out) {
  coh_array array;
  COH_TRY(coh_npy_read(in, &array));
  coh_status status = coh_npy_write(out, &array);
  coh_array_clear(&array);
  return status;
}

static coh_status copy_npz(const char *in, const char *out, bool deflated) {
  coh_npz npz;
  COH_TRY(coh_npz_read(in, 1 << 24, &npz));
  coh_status status = coh_npz_write(out, npz.member, npz.n_members, deflated);
  coh_npz_clear(&npz);
  return status;
}

static coh_status copy_data(const coh_safetensors *file, coh_safetensors_writer *writer) {
  uint8_t data[4096];
  for (int64_t i = 0; i < coh_safetensors_count(file); i++) {
    coh_array shape;
    coh_safetensors_shape(file, i, &shape);
    size_t n = (size_t)coh_array_count(&shape) * coh_dtype_bytes(shape.dtype);
    COH_CHECK(n <= sizeof data, COH_E_DATA, "a tensor of %zu bytes is too large here", n);
    COH_TRY(coh_safetensors_read(file, i, 0, data, n));
    COH_TRY(coh_safetensors_write(writer, data, n));
  }
  return COH_OK;
}

static coh_status copy_safetensors(const char *in, const char *out) {
  coh_safetensors *file;
  coh_safetensors_writer *writer = NULL;
  coh_tensor_row rows[64];
  COH_TRY(coh_safetensors_open(in, &file));
  int64_t n = coh_safetensors_count(file);
  coh_metadata_row metadata = {"made_by", coh_safetensors_metadata(file, "made_by")};
  coh_status status = n <= 64 ? COH_OK : coh_fail(COH_E_DATA, "too many tensors");
  for (int64_t i = 0; i < n && status == COH_OK; i++) {
    rows[i].name = coh_safetensors_name(file, i);
    coh_safetensors_shape(file, i, &rows[i].shape);
  }
  if (status == COH_OK) status = coh_safetensors_begin(out, rows, n, &metadata, 1, &writer);
  if (status == COH_OK) status = copy_data(file, writer);
  if (status == COH_OK) status = coh_safetensors_end(&writer, NULL, NULL);
  coh_safetensors_discard(&writer);
  coh_safetensors_close(&file);
  return status;
}

static coh_status copy_png(const char *in, const char *out) {
  coh_image image;
  COH_TRY(coh_png_read(in, 1 << 20, &image));
  coh_status status = coh_png_write(out, &image);
  coh_image_clear(&image);
  return status;
}

// ten frames, each turned one pixel to the right
static coh_status animate(const coh_image *image, coh_animation *animation, const char *out) {
  coh_image frame;
  COH_TRY(coh_image_make(image->width, image->height, 3, &frame));
  coh_status status = COH_OK;
  for (int64_t f = 0; f < 10 && status == COH_OK; f++) {
    for (int64_t y = 0; y < image->height; y++)
      for (int64_t x = 0; x < image->width; x++)
        memcpy(frame.data + 3 * (y * image->width + (x + f) % image->width),
               image->data + 3 * (y * image->width + x), 3);
    status = coh_animation_add(animation, frame.data, 0.05);
  }
  if (status == COH_OK) status = coh_animation_write(animation, out);
  coh_image_clear(&frame);
  return status;
}

static coh_status make_animation(const char *in, const char *out) {
  coh_image image;
  coh_animation *animation = NULL;
  COH_TRY(coh_png_read(in, 1 << 20, &image));
  coh_status status = coh_animation_create(image.width, image.height, &animation);
  if (status == COH_OK) status = animate(&image, animation, out);
  coh_animation_destroy(&animation);
  coh_image_clear(&image);
  return status;
}

int main(int n_arguments, char **arguments) {
  if (n_arguments != 4) return 2;
  const char *what = arguments[1], *in = arguments[2], *out = arguments[3];
  coh_status status = COH_E_CONFIG;
  if (strcmp(what, "npy") == 0) status = copy_npy(in, out);
  if (strcmp(what, "npz") == 0) status = copy_npz(in, out, false);
  if (strcmp(what, "npz-deflated") == 0) status = copy_npz(in, out, true);
  if (strcmp(what, "safetensors") == 0) status = copy_safetensors(in, out);
  if (strcmp(what, "png") == 0) status = copy_png(in, out);
  if (strcmp(what, "animation") == 0) status = make_animation(in, out);
  if (status != COH_OK) fprintf(stderr, "array_exchange: %s\n", coh_error_message());
  return status != COH_OK || coh_alloc_live() != 0;
}
