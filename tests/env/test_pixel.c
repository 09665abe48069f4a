/* Shapes: areas against their formulas, and nothing outside the canvas. */
#include <math.h>
#include <string.h>

#include "cohort_test.h"
#include "env/pixel.h"

enum { SIDE = 120, GUARD = 256 };

typedef struct picture {
  uint8_t before[GUARD], rgb[SIDE * SIDE * 3], after[GUARD];
  coh_canvas canvas;
} picture;

static picture *fresh(void) {
  static picture shared;
  memset(&shared, 0, sizeof shared);
  shared.canvas = (coh_canvas){shared.rgb, SIDE, SIDE};
  return &shared;
}

/* Covered area in pixels, from white on black. */
static double area(const picture *drawn) {
  double sum = 0.0;
  for (int k = 0; k < SIDE * SIDE * 3; k += 3)
    sum += drawn->rgb[k] / 255.0;
  for (int k = 0; k < GUARD; k++)
    assert_true(drawn->before[k] == 0 && drawn->after[k] == 0);
  return sum;
}

static const coh_color white = {255, 255, 255};

static void pixel_shapes_have_their_areas(void **state) {
  (void)state;
  picture *drawn = fresh();
  coh_canvas_rect(&drawn->canvas, 10.25, 20.5, 50.75, 60.0, 0.0, white);
  assert_within(area(drawn), 40.5 * 39.5, 1.0);
  drawn = fresh();
  coh_canvas_rect(&drawn->canvas, 10, 20, 50, 60, 8.0, white);
  assert_within(area(drawn), 1600.0 - (4.0 - 3.14159265) * 64.0, 2.0);
  drawn = fresh();
  coh_canvas_disc(&drawn->canvas, (coh_point){60.3, 59.1}, 31.7, white);
  assert_within(area(drawn), 3.14159265 * 31.7 * 31.7, 3.0);
  drawn = fresh();
  coh_canvas_line(&drawn->canvas, (coh_point){20, 30}, (coh_point){80, 75}, 7.0, white);
  assert_within(area(drawn), 75.0 * 7.0 + 3.14159265 * 3.5 * 3.5, 3.0);
  const coh_point triangle[] = {{10, 100}, {100, 100}, {40, 15}};
  for (int turn = 0; turn < 2; turn++) {
    const coh_point corners[] = {triangle[0], triangle[turn ? 2 : 1], triangle[turn ? 1 : 2]};
    drawn = fresh();
    coh_canvas_polygon(&drawn->canvas, corners, 3, white);
    assert_within(area(drawn), 0.5 * 90.0 * 85.0, 4.0);
  }
}

static void pixel_shapes_are_cut_at_the_canvas(void **state) {
  (void)state;
  picture *drawn = fresh();
  coh_canvas_disc(&drawn->canvas, (coh_point){0, 0}, 40.0, white);
  assert_within(area(drawn), 0.25 * 3.14159265 * 1600.0, 3.0);
  drawn = fresh();
  coh_canvas_rect(&drawn->canvas, -1e9, -50, 1e9, 1e300, 0.0, white);
  assert_within(area(drawn), SIDE * SIDE, 0.5);
  drawn = fresh();
  const double odd[] = {NAN, INFINITY, -INFINITY, 1e300, -500.0};
  for (int k = 0; k < 5; k++) {
    coh_point far_away = {odd[k], odd[k]};
    const coh_point corners[] = {far_away, {odd[k], -900.0}, {-800.0, odd[k]}};
    coh_canvas_disc(&drawn->canvas, far_away, 5.0, white);
    coh_canvas_line(&drawn->canvas, far_away, (coh_point){-9.0, -9.0}, 2.0, white);
    coh_canvas_polygon(&drawn->canvas, corners, 3, white);
  }
  area(drawn);
}

static void pixel_colors_mix(void **state) {
  (void)state;
  coh_color mixed = coh_color_mix(coh_rgb(0x000000), coh_rgb(0xFF8040), 0.5);
  assert_int_equal(mixed.r, 128);
  assert_int_equal(mixed.g, 64);
  assert_int_equal(mixed.b, 32);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(pixel_shapes_have_their_areas),
      cmocka_unit_test(pixel_shapes_are_cut_at_the_canvas),
      cmocka_unit_test(pixel_colors_mix),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
