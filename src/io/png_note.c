/* Notes in PNG files: tEXt chunks (PNG specification, 11.3.3.3) put behind the header chunk, so
 * that every reader finds them and animations keep them. */
#include <png.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "io/file.h"
#include "io/image.h"

enum { HEADER = 33, MOST_BYTES = 1 << 30, MOST_NOTE = 4096 };

static void put32(uint8_t *to, uint32_t value) {
  for (int k = 0; k < 4; k++)
    to[k] = (uint8_t)(value >> (24 - 8 * k));
}

static uint32_t get32(const uint8_t *from) {
  return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

// signature and header chunk
static coh_status load(const char *path, char **data, size_t *n_bytes) {
  COH_TRY(coh_file_load(path, MOST_BYTES, data, n_bytes));
  if (*n_bytes >= HEADER && png_sig_cmp((png_const_bytep)*data, 0, 8) == 0) return COH_OK;
  coh_free(*data);
  return coh_fail(COH_E_DATA, "%s: is no PNG image", path);
}

coh_status coh_png_note(const char *path, const char *key, const char *text) {
  size_t n_key = strlen(key), n_text = strlen(text), n = n_key + 1 + n_text;
  COH_CHECK(n_key >= 1 && n_key < 80 && n_text <= MOST_NOTE, COH_E_INTERNAL,
            "a note of %zu bytes under '%s' does not fit into a PNG", n_text, key);
  char *data;
  size_t n_bytes;
  COH_TRY(load(path, &data, &n_bytes));
  uint8_t *all = coh_alloc_array(n_bytes + n + 12, 1);
  if (!all) {
    coh_free(data);
    return coh_fail(COH_E_MEMORY, "out of memory for a note in %s", path);
  }
  memcpy(all, data, HEADER);
  uint8_t *chunk = all + HEADER;
  put32(chunk, (uint32_t)n);
  memcpy(chunk + 4, "tEXt", 4);
  memcpy(chunk + 8, key, n_key + 1);
  memcpy(chunk + 8 + n_key + 1, text, n_text);
  put32(chunk + 8 + n, (uint32_t)crc32(0, chunk + 4, (uInt)(n + 4)));
  memcpy(chunk + n + 12, data + HEADER, n_bytes - HEADER);
  coh_status status = coh_file_save(path, all, n_bytes + n + 12);
  coh_free(all), coh_free(data);
  return status;
}

coh_status coh_png_noted(const char *path, const char *key, char **text) {
  char *data;
  size_t n_bytes;
  COH_TRY(load(path, &data, &n_bytes));
  *text = NULL;
  coh_status status = COH_OK;
  for (size_t at = 8; at + 12 <= n_bytes && !*text && status == COH_OK;) {
    const uint8_t *chunk = (const uint8_t *)data + at;
    size_t n = get32(chunk), n_key = strlen(key);
    if (n > n_bytes - at - 12) break; // cut off
    bool found = memcmp(chunk + 4, "tEXt", 4) == 0 && n > n_key &&
                 memcmp(chunk + 8, key, n_key + 1) == 0;
    if (found) {
      *text = coh_alloc_array(n - n_key, 1);
      if (*text)
        memcpy(*text, chunk + 8 + n_key + 1, n - n_key - 1);
      else
        status = coh_fail(COH_E_MEMORY, "out of memory for a note");
    }
    at += n + 12;
  }
  coh_free(data);
  return status;
}
