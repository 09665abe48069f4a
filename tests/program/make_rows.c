/* The same small labelled images in three forms: make_rows FOLDER writes images.idx and
 * labels.idx, rows.npy and labels.npy, and an image a file in png/CLASS there. */
#include <stdio.h>
#include <string.h>

#include "cohort/io.h"
#include "io/file.h"
#include "io/image.h"

enum { SIDE = 8, PIXELS = SIDE * SIDE, CLASSES = 3, A_CLASS = 40, ROWS = CLASSES * A_CLASS };

static const char *const names[CLASSES] = {"across", "down", "plain"};
static uint8_t rows[ROWS * PIXELS], labels[ROWS];

// stripes across, stripes down, or one gray, with a pattern of noise
static void draw(void) {
  for (int i = 0; i < ROWS; i++) {
    labels[i] = (uint8_t)(i % CLASSES);
    for (int p = 0; p < PIXELS; p++) {
      int y = p / SIDE, x = p % SIDE, shift = i / CLASSES;
      int line = labels[i] == 0   ? (y + shift) % 4 < 2
                 : labels[i] == 1 ? (x + shift) % 4 < 2
                                  : 1;
      rows[i * PIXELS + p] = (uint8_t)(40 + 150 * line + (i * 31 + p * 17) % 50);
    }
  }
}

static coh_status write_idx(const char *path, int n_dims, const uint8_t *data, size_t n) {
  uint8_t bytes[16 + ROWS * PIXELS] = {0, 0, 8, (uint8_t)n_dims, 0, 0, 0, ROWS};
  for (int k = 1; k < n_dims; k++)
    bytes[7 + 4 * k] = SIDE;
  size_t head = 4 + 4 * (size_t)n_dims;
  memcpy(bytes + head, data, n);
  return coh_file_save(path, bytes, head + n);
}

static coh_status write_all(const char *folder) {
  char path[512];
  snprintf(path, sizeof path, "%s/images.idx", folder);
  COH_TRY(write_idx(path, 3, rows, sizeof rows));
  snprintf(path, sizeof path, "%s/labels.idx", folder);
  COH_TRY(write_idx(path, 1, labels, sizeof labels));
  snprintf(path, sizeof path, "%s/rows.npy", folder);
  coh_array array = {
      .dtype = COH_DTYPE_U8, .n_dims = 3, .shape = {ROWS, SIDE, SIDE}, .data = rows};
  COH_TRY(coh_npy_write(path, &array));
  snprintf(path, sizeof path, "%s/labels.npy", folder);
  array = (coh_array){.dtype = COH_DTYPE_U8, .n_dims = 1, .shape = {ROWS}, .data = labels};
  COH_TRY(coh_npy_write(path, &array));
  for (int i = 0; i < ROWS; i++) {
    snprintf(path, sizeof path, "%s/png/%s", folder, names[labels[i]]);
    COH_TRY(coh_folder_make(path));
    snprintf(path, sizeof path, "%s/png/%s/%03d.png", folder, names[labels[i]], i);
    const coh_image image = {SIDE, SIDE, 1, rows + (size_t)i * PIXELS};
    COH_TRY(coh_png_write(path, &image));
  }
  return COH_OK;
}

int main(int count, char **argument) {
  if (count != 2) return 2;
  draw();
  if (write_all(argument[1]) == COH_OK) return 0;
  fprintf(stderr, "%s\n", coh_error_message());
  return 1;
}
