/* PNG and animated PNG: pixels survive, and an animation's frames, rebuilt here by the rules of
 * the standard, are the frames that went in. */
#include "scratch.h"

#include <zlib.h>

#include "io/image.h"

enum { W = 20, H = 12, PIXELS = W * H, FRAME = PIXELS * 3 };

static void png_round_trips_gray_and_color(void **state) {
  (void)state;
  for (int channels = 1; channels <= 3; channels += 2) {
    coh_image image, back;
    assert_ok(coh_image_make(W, H, channels, &image));
    for (int i = 0; i < PIXELS * channels; i++)
      image.data[i] = (uint8_t)(i * 7);
    assert_ok(coh_png_write("a.png", &image));
    assert_ok(coh_png_read("a.png", PIXELS, &back));
    assert_int_equal(back.width, W);
    assert_int_equal(back.n_channels, channels);
    assert_memory_equal(back.data, image.data, (size_t)(PIXELS * channels));
    coh_image_clear(&back);
    assert_fails(coh_png_read("a.png", PIXELS - 1, &back), COH_E_DATA, "more than is read");
    coh_image_clear(&image);
  }
}

static uint32_t big32(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put_big32(uint8_t *p, uint32_t v) {
  for (int i = 0; i < 4; i++)
    p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static size_t add_chunk(uint8_t *to, const char *type, const uint8_t *data, uint32_t n) {
  put_big32(to, n);
  memcpy(to + 4, type, 4);
  if (n) memcpy(to + 8, data, n);
  put_big32(to + 8 + n, (uint32_t)crc32(0, to + 4, n + 4));
  return 12 + n;
}

// A frame's data as a PNG of its own: header with the frame's size, palette, data, end.
typedef struct player {
  uint8_t header[13], palette[768], data[8192];
  uint32_t n_palette, n_data, sequence;
  uint32_t x, y, width, height;
  uint8_t canvas[FRAME];
  int n_frames;
  double milliseconds;
} player;

static void show(player *p, const uint8_t *frames) {
  uint8_t png[12000] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
  size_t n = 8;
  put_big32(p->header, p->width);
  put_big32(p->header + 4, p->height);
  n += add_chunk(png + n, "IHDR", p->header, 13);
  if (p->n_palette) n += add_chunk(png + n, "PLTE", p->palette, p->n_palette);
  n += add_chunk(png + n, "IDAT", p->data, p->n_data);
  n += add_chunk(png + n, "IEND", NULL, 0);
  coh_image image;
  assert_ok(coh_png_decode("frame", png, n, PIXELS, &image));
  assert_int_equal(image.n_channels, 3);
  for (uint32_t row = 0; row < p->height; row++)
    memcpy(p->canvas + 3 * ((p->y + row) * W + p->x), image.data + 3 * row * p->width,
           3 * p->width);
  coh_image_clear(&image);
  assert_memory_equal(p->canvas, frames + (size_t)p->n_frames * FRAME, FRAME);
  p->n_frames++;
  p->n_data = 0;
}

static void take_control(player *p, const uint8_t *data) {
  assert_int_equal(big32(data), p->sequence++);
  p->width = big32(data + 4);
  p->height = big32(data + 8);
  p->x = big32(data + 12);
  p->y = big32(data + 16);
  assert_true(p->x + p->width <= W && p->y + p->height <= H);
  p->milliseconds += 1000.0 * (data[20] << 8 | data[21]) / (data[22] << 8 | data[23]);
}

static void play(const char *path, const uint8_t *frames, int n_frames, player *p) {
  size_t n;
  uint8_t *bytes = (uint8_t *)scratch_read(path, &n);
  *p = (player){0};
  for (size_t at = 8; at < n;) {
    uint32_t length = big32(bytes + at);
    const char *type = (const char *)bytes + at + 4;
    const uint8_t *data = bytes + at + 8;
    assert_int_equal(big32(data + length), crc32(0, bytes + at + 4, length + 4));
    if (memcmp(type, "IHDR", 4) == 0) memcpy(p->header, data, 13);
    if (memcmp(type, "acTL", 4) == 0) assert_int_equal(big32(data), n_frames);
    if (memcmp(type, "PLTE", 4) == 0) memcpy(p->palette, data, p->n_palette = length);
    if (memcmp(type, "fcTL", 4) == 0 || memcmp(type, "IEND", 4) == 0) {
      if (p->n_data) show(p, frames);
      if (type[0] == 'f') take_control(p, data);
    }
    if (memcmp(type, "IDAT", 4) == 0) {
      memcpy(p->data + p->n_data, data, length);
      p->n_data += length;
    }
    if (memcmp(type, "fdAT", 4) == 0) {
      assert_int_equal(big32(data), p->sequence++);
      memcpy(p->data + p->n_data, data + 4, length - 4);
      p->n_data += length - 4;
    }
    at += 12 + length;
  }
  assert_int_equal(p->n_frames, n_frames);
  coh_free(bytes);
}

// n_colors of 2 make a palette of one bit, of 256 one of a byte; more make RGB
static void animate(int n_colors) {
  enum { N = 9 };
  uint8_t *frames = coh_alloc_array(N, FRAME);
  for (int f = 0; f < N; f++) {
    uint8_t *frame = frames + f * FRAME;
    if (f > 0) memcpy(frame, frame - FRAME, FRAME);
    for (int i = 0; i < (f == 0 ? PIXELS : 4 + 3 * f); i++) {
      // pixel 0 changes in every frame, so that no two are equal
      int at = f == 0 ? i : i == 0 ? 0 : 1 + (i * 31 + f * 17) % (PIXELS - 1);
      int color = (n_colors > 256 ? 7 * i + f : i / 2 + f) % n_colors;
      frame[3 * at] = (uint8_t)color;
      frame[3 * at + 1] = (uint8_t)(color >> 8);
      frame[3 * at + 2] = (uint8_t)(200 - color % 7);
    }
  }
  coh_animation *animation;
  assert_ok(coh_animation_create(W, H, &animation));
  for (int f = 0; f < N; f++) {
    assert_ok(coh_animation_add(animation, frames + f * FRAME, 0.05));
    assert_ok(coh_animation_add(animation, frames + f * FRAME, 0.05)); // only lengthens it
  }
  assert_int_equal(coh_animation_count(animation), N);
  assert_ok(coh_animation_write(animation, "a.apng"));
  coh_animation_destroy(&animation);
  player p;
  play("a.apng", frames, N, &p);
  assert_true(p.milliseconds > 899.9 && p.milliseconds < 900.1);
  assert_true((p.n_palette > 0) == (n_colors <= 256));
  coh_free(frames);
  coh_image first;
  assert_ok(coh_png_read("a.apng", PIXELS, &first)); // a plain reader sees the first frame
  coh_image_clear(&first);
}

static void animation_frames_survive(void **state) {
  (void)state;
  static const int n_colors[] = {2, 4, 16, 17, 200, 256, 5000};
  for (int i = 0; i < 7; i++)
    animate(n_colors[i]);
}

static void animation_refuses_nothing_to_show(void **state) {
  (void)state;
  coh_animation *animation;
  assert_ok(coh_animation_create(4, 4, &animation));
  assert_int_equal(coh_animation_write(animation, "b.png"), COH_E_INTERNAL);
  coh_animation_destroy(&animation);
  assert_int_equal(coh_animation_create(0, 4, &animation), COH_E_INTERNAL);
}

static void notes_are_read_back_and_leave_the_image(void **state) {
  (void)state;
  coh_image image, back;
  assert_ok(coh_image_make(5, 3, 1, &image));
  image.data[7] = 200;
  assert_ok(coh_png_write("note.png", &image));
  assert_ok(coh_png_note("note.png", "Provenance", "synthetic: run one"));
  assert_ok(coh_png_note("note.png", "Other", "two"));
  char *text;
  assert_ok(coh_png_noted("note.png", "Provenance", &text));
  assert_string_equal(text, "synthetic: run one");
  coh_free(text);
  assert_ok(coh_png_noted("note.png", "Nothing", &text));
  assert_null(text);
  assert_ok(coh_png_read("note.png", 100, &back));
  assert_memory_equal(back.data, image.data, 15);
  coh_image_clear(&back);
  coh_image_clear(&image);
  FILE *file = fopen("no.png", "w");
  fputs("this is no image at all, only words that are long enough", file);
  fclose(file);
  assert_fails(coh_png_noted("no.png", "Provenance", &text), COH_E_DATA, "no PNG");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(notes_are_read_back_and_leave_the_image),
      cmocka_unit_test(png_round_trips_gray_and_color),
      cmocka_unit_test(animation_frames_survive),
      cmocka_unit_test(animation_refuses_nothing_to_show),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
