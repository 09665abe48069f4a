/* Animated PNG. Each frame is kept as the packed RGB of the rectangle that changed; when the
 * animation is written, libpng encodes each rectangle as an image of its own, whose IDAT chunks
 * become the frame's data. Source: the APNG chapter of PNG, third edition (W3C). */
#include <math.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "io/array.h"
#include "io/file.h"
#include "io/pack.h"
#include "io/png.h"

enum { MAX_COLORS = 256, N_SLOTS = 1024, CHUNK_OVERHEAD = 12, SIGNATURE_BYTES = 8 };

typedef struct frame {
  int64_t x, y, width, height;
  double seconds;
  uint8_t *packed;
  size_t n_packed;
} frame;

struct coh_animation {
  int64_t width, height, n_frames, max_frames;
  frame *frames;
  uint8_t *previous; // RGB of the whole picture
  uint8_t *rectangle;
  uint8_t *packed;
  coh_packer *packer;
  uint8_t palette[MAX_COLORS * 3];
  int n_colors; // MAX_COLORS + 1: too many for a palette
  uint32_t slot_color[N_SLOTS];
  uint16_t slot_index[N_SLOTS]; // index + 1; 0 is free
};

static size_t picture_bytes(const coh_animation *a) {
  return (size_t)(a->width * a->height * 3);
}

static coh_status animation_start(coh_animation *a) {
  size_t n = picture_bytes(a);
  COH_NEW(a->previous, n);
  COH_NEW(a->rectangle, n);
  COH_NEW(a->packed, coh_pack_bound(n));
  return coh_packer_create(3, n, &a->packer);
}

coh_status coh_animation_create(int64_t width, int64_t height, coh_animation **animation) {
  COH_CHECK(width > 0 && height > 0 && width <= 1 << 14 && height <= 1 << 14, COH_E_INTERNAL,
            "an animation of %lld x %lld pixels is not possible", (long long)width,
            (long long)height);
  coh_animation *made;
  COH_NEW(made, 1);
  made->width = width;
  made->height = height;
  coh_status status = animation_start(made);
  if (status == COH_OK)
    *animation = made;
  else
    coh_animation_destroy(&made);
  return status;
}

void coh_animation_destroy(coh_animation **animation) {
  coh_animation *a = *animation;
  if (!a) return;
  for (int64_t i = 0; i < a->n_frames; i++)
    coh_free(a->frames[i].packed);
  coh_free(a->frames);
  coh_free(a->previous);
  coh_free(a->rectangle);
  coh_free(a->packed);
  coh_packer_destroy(&a->packer);
  COH_DELETE(*animation);
}

int64_t coh_animation_count(const coh_animation *animation) {
  return animation->n_frames;
}

// ---- colours ------------------------------------------------------------------------------

// the slot of a colour: its own or the free one where it belongs (the table stays sparse)
static uint32_t slot_of(const coh_animation *a, uint32_t color) {
  uint32_t slot = color * 2654435761u >> 22;
  while (a->slot_index[slot] && a->slot_color[slot] != color)
    slot = (slot + 1) % N_SLOTS;
  return slot;
}

static uint32_t color_at(const uint8_t *rgb) {
  return (uint32_t)rgb[0] << 16 | (uint32_t)rgb[1] << 8 | rgb[2];
}

static void collect_colors(coh_animation *a, const uint8_t *rgb, int64_t n) {
  uint32_t last = UINT32_MAX;
  for (int64_t i = 0; i < n && a->n_colors <= MAX_COLORS; i++, rgb += 3) {
    uint32_t color = color_at(rgb);
    if (color == last) continue;
    last = color;
    uint32_t slot = slot_of(a, color);
    if (a->slot_index[slot]) continue;
    if (a->n_colors < MAX_COLORS) {
      memcpy(a->palette + 3 * a->n_colors, rgb, 3);
      a->slot_color[slot] = color;
      a->slot_index[slot] = (uint16_t)(a->n_colors + 1);
    }
    a->n_colors++;
  }
}

// ---- adding frames ------------------------------------------------------------------------

// the smallest rectangle that holds every changed pixel; false if there is none
static bool find_change(const coh_animation *a, const uint8_t *rgb, frame *f) {
  int64_t left = a->width, right = -1, top = -1, bottom = -1;
  size_t row_bytes = (size_t)a->width * 3;
  for (int64_t y = 0; y < a->height; y++) {
    const uint8_t *now = rgb + (size_t)y * row_bytes,
                  *then = a->previous + (size_t)y * row_bytes;
    if (memcmp(now, then, row_bytes) == 0) continue;
    if (top < 0) top = y;
    bottom = y;
    int64_t first = 0, last = a->width - 1;
    while (memcmp(now + 3 * first, then + 3 * first, 3) == 0)
      first++;
    while (memcmp(now + 3 * last, then + 3 * last, 3) == 0)
      last--;
    if (first < left) left = first;
    if (last > right) right = last;
  }
  if (top < 0) return false;
  f->x = left;
  f->y = top;
  f->width = right - left + 1;
  f->height = bottom - top + 1;
  return true;
}

static coh_status keep_frame(coh_animation *a, const uint8_t *rgb, frame f) {
  if (a->n_frames == a->max_frames) {
    int64_t wider = a->max_frames ? 2 * a->max_frames : 64;
    frame *grown =
        coh_alloc_resize(a->frames, (size_t)a->n_frames, (size_t)wider, sizeof *grown);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for %lld frames", (long long)wider);
    a->frames = grown;
    a->max_frames = wider;
  }
  size_t row_bytes = (size_t)f.width * 3, n_bytes = row_bytes * (size_t)f.height;
  for (int64_t y = 0; y < f.height; y++)
    memcpy(a->rectangle + (size_t)y * row_bytes, rgb + 3 * ((f.y + y) * a->width + f.x),
           row_bytes);
  COH_TRY(coh_pack(a->packer, a->rectangle, n_bytes, a->packed,
                   coh_pack_bound(picture_bytes(a)), &f.n_packed));
  COH_NEW(f.packed, f.n_packed);
  memcpy(f.packed, a->packed, f.n_packed);
  collect_colors(a, a->rectangle, f.width * f.height);
  memcpy(a->previous, rgb, picture_bytes(a));
  a->frames[a->n_frames++] = f;
  return COH_OK;
}

coh_status coh_animation_add(coh_animation *animation, const uint8_t *rgb, double seconds) {
  frame f = {.width = animation->width, .height = animation->height, .seconds = seconds};
  if (animation->n_frames > 0 && !find_change(animation, rgb, &f)) {
    animation->frames[animation->n_frames - 1].seconds += seconds;
    return COH_OK;
  }
  return keep_frame(animation, rgb, f);
}

// ---- writing ------------------------------------------------------------------------------

typedef struct apng {
  const coh_animation *animation;
  coh_file *file;
  uint32_t sequence;
} apng;

// one chunk whose data comes in two parts
static coh_status put_chunk(apng *out, const char *type, const uint8_t *head, size_t n_head,
                            const uint8_t *body, size_t n_body) {
  uint8_t start[8], end[4];
  coh_write_be32(start, (uint32_t)(n_head + n_body));
  memcpy(start + 4, type, 4);
  uLong crc = crc32(0, start + 4, 4);
  if (n_head) crc = crc32_z(crc, head, n_head);
  if (n_body) crc = crc32_z(crc, body, n_body);
  coh_write_be32(end, (uint32_t)crc);
  COH_TRY(coh_file_write(out->file, start, sizeof start));
  COH_TRY(coh_file_write(out->file, head, n_head));
  COH_TRY(coh_file_write(out->file, body, n_body));
  return coh_file_write(out->file, end, sizeof end);
}

static coh_status put_frame_control(apng *out, const frame *f) {
  uint8_t data[26] = {0};
  double milliseconds = fmin(fmax(round(f->seconds * 1000), 1), 65535);
  coh_write_be32(data, out->sequence++);
  coh_write_be32(data + 4, (uint32_t)f->width);
  coh_write_be32(data + 8, (uint32_t)f->height);
  coh_write_be32(data + 12, (uint32_t)f->x);
  coh_write_be32(data + 16, (uint32_t)f->y);
  coh_write_be32(data + 20, (uint32_t)milliseconds << 16 | 1000); // 16 bits each: delay, per
  return put_chunk(out, "fcTL", data, sizeof data, NULL, 0);
}

// take over the chunks that matter of a frame that libpng encoded as an image
static coh_status put_chunks(apng *out, const frame *f, bool first, const uint8_t *png,
                             size_t n_bytes) {
  bool controlled = false;
  for (size_t at = SIGNATURE_BYTES; at + CHUNK_OVERHEAD <= n_bytes;) {
    size_t n = coh_read_be32(png + at);
    const char *type = (const char *)png + at + 4;
    const uint8_t *data = png + at + 8;
    at += CHUNK_OVERHEAD + n;
    bool is_data = memcmp(type, "IDAT", 4) == 0;
    if (is_data && !controlled) {
      COH_TRY(put_frame_control(out, f));
      controlled = true;
    }
    if (is_data && !first) {
      uint8_t sequence[4];
      coh_write_be32(sequence, out->sequence++);
      COH_TRY(put_chunk(out, "fdAT", sequence, sizeof sequence, data, n));
    } else if (is_data || (first && memcmp(type, "PLTE", 4) == 0)) {
      COH_TRY(put_chunk(out, type, data, n, NULL, 0));
    } else if (first && memcmp(type, "IHDR", 4) == 0) {
      uint8_t control[8] = {0}; // frames; 0 plays: for ever
      coh_write_be32(control, (uint32_t)out->animation->n_frames);
      COH_TRY(coh_file_write(out->file, png, SIGNATURE_BYTES));
      COH_TRY(put_chunk(out, type, data, n, NULL, 0));
      COH_TRY(put_chunk(out, "acTL", control, sizeof control, NULL, 0));
    }
  }
  return COH_OK;
}

static coh_status encode_frame(const coh_animation *a, const frame *f, uint8_t *rgb,
                               uint8_t **png, size_t *n_bytes) {
  int64_t n = f->width * f->height;
  COH_TRY(coh_unpack(a->packer, f->packed, f->n_packed, rgb, (size_t)n * 3));
  if (a->n_colors > MAX_COLORS) {
    coh_image image = {f->width, f->height, 3, rgb};
    return coh_png_encode(&image, png, n_bytes);
  }
  for (int64_t i = 0; i < n; i++) // in place: index i lies before pixel i
    rgb[i] = (uint8_t)(a->slot_index[slot_of(a, color_at(rgb + 3 * i))] - 1);
  return coh_png_encode_indexed(rgb, f->width, f->height, a->palette, a->n_colors, png,
                                n_bytes);
}

static coh_status put_frames(apng *out, uint8_t *rgb) {
  const coh_animation *a = out->animation;
  for (int64_t i = 0; i < a->n_frames; i++) {
    uint8_t *png;
    size_t n_bytes;
    COH_TRY(encode_frame(a, &a->frames[i], rgb, &png, &n_bytes));
    coh_status status = put_chunks(out, &a->frames[i], i == 0, png, n_bytes);
    coh_free(png);
    COH_TRY(status);
  }
  return put_chunk(out, "IEND", NULL, 0, NULL, 0);
}

coh_status coh_animation_write(const coh_animation *animation, const char *path) {
  COH_CHECK(animation->n_frames > 0, COH_E_INTERNAL, "%s: an animation without frames", path);
  uint8_t *rgb;
  COH_NEW(rgb, picture_bytes(animation));
  apng out = {.animation = animation};
  coh_status status = coh_file_create(path, &out.file);
  if (status == COH_OK) status = put_frames(&out, rgb);
  coh_free(rgb);
  if (status == COH_OK) return coh_file_commit(&out.file, NULL, NULL);
  coh_file_discard(&out.file);
  return status;
}
