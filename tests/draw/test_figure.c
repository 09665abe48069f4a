/* Figures: ticks and ranges at round numbers, scripts that gnuplot accepts whatever the texts
 * hold, and grids whose pixels are where they belong. */
#include "scratch.h"

#include <math.h>

#include "draw/figure.h"
#include "draw/figure_axis.h"

static void expect_ticks(double lo, double hi, bool logarithmic, const char *expected) {
  coh_text text = {0};
  coh_axis_range range = {lo, hi, logarithmic};
  coh_axis_write(&text, 'x', &range, 6);
  if (!strstr(text.data, expected)) fail_msg("'%s' lacks '%s'", text.data, expected);
  coh_text_clear(&text);
}

static void axis_ticks_are_round_and_short(void **state) {
  (void)state;
  expect_ticks(0, 1, false, "('0' 0, '0.2' 0.2, '0.4' 0.4, '0.6' 0.6, '0.8' 0.8, '1.0' 1)");
  expect_ticks(0, 5e6, false, "'1M' 1000000, '2M' 2000000");
  expect_ticks(0, 3e6, false, "'500k' 500000, '1M' 1000000, '1.5M' 1500000");
  expect_ticks(-20000, 0, false, "'-20k' -20000");
  expect_ticks(0, 100, false, "'20' 20");
  expect_ticks(0, 1e-5, false, "'2e-06' 2e-06");
  expect_ticks(1e-3, 10, true, "set logscale x");
  expect_ticks(1e-3, 10, true, "'0.001' 0.001");
  expect_ticks(1e-8, 1e6, true, "'1e-6'");
  expect_ticks(1e-8, 1e6, true, "'1M' 1000000");
  expect_ticks(100, 900, true, "'200' 200");
}

static coh_panel panel_of(const coh_series *series) {
  return (coh_panel){.series = series, .n_series = 1};
}

static void axis_ranges_hold_the_data(void **state) {
  (void)state;
  double x[4] = {10, 20, 30, 40}, y[4] = {5, NAN, 6, INFINITY}, equal[4] = {7, 7, 7, 7};
  double far[1000], at[1000];
  for (int i = 0; i < 1000; i++)
    at[i] = i, far[i] = i == 500 ? 1e9 : 1;
  coh_axis_range rx, ry;
  coh_series series = {.n = 4, .x = x, .y = y};
  coh_panel panel = panel_of(&series);
  assert_ok(coh_axis_ranges(&panel, &rx, &ry));
  assert_true(rx.lo == 10 && rx.hi == 40 && ry.lo < 5 && ry.hi > 6 && ry.hi < 7);
  series.y = equal;
  assert_ok(coh_axis_ranges(&panel, &rx, &ry));
  assert_true(ry.lo < 7 && ry.hi > 7);
  series.n = 0;
  assert_ok(coh_axis_ranges(&panel, &rx, &ry));
  assert_true(rx.lo < rx.hi && ry.lo < ry.hi);
  panel.y.logarithmic = true;
  assert_ok(coh_axis_ranges(&panel, &rx, &ry));
  assert_true(ry.lo > 0 && ry.lo < ry.hi);
  panel.y.logarithmic = false;
  series = (coh_series){.style = COH_SERIES_SMOOTHED, .n = 1000, .x = at, .y = far};
  assert_ok(coh_axis_ranges(&panel, &rx, &ry));
  assert_true(ry.hi < 1e9); // the spike itself is not shown, its mark on the mean is
}

static void chart_smoothing_is_a_triangular_mean(void **state) {
  (void)state;
  enum { N = 400 };
  double y[N], smooth[N];
  for (int i = 0; i < N; i++)
    y[i] = i % 37 == 5 ? NAN : sin(i * 0.3) + i % 11;
  coh_chart_smooth(y, N, smooth);
  for (int i = 0; i < N; i++) {
    double sum = 0, weight = 0;
    for (int d = 1 - N / 40; d < N / 40; d++) {
      if (i + d < 0 || i + d >= N || !isfinite(y[i + d])) continue;
      sum += (N / 40 - abs(d)) * y[i + d];
      weight += N / 40 - abs(d);
    }
    assert_true(fabs(smooth[i] - sum / weight) < 1e-10);
  }
  double one[1] = {3};
  coh_chart_smooth(one, 1, smooth);
  assert_true(fabs(smooth[0] - 3) < 1e-12);
}

static void chart_is_drawn_whatever_its_texts_hold(void **state) {
  (void)state;
  double x[5000], y[5000], lo[5000], hi[5000];
  for (int i = 0; i < 5000; i++) {
    x[i] = i, y[i] = i == 17 ? NAN : 1 + sin(i / 300.0);
    lo[i] = y[i] - 0.1, hi[i] = y[i] + 0.1;
  }
  static const char nasty[] = "it's {a_b^2} \"q\" \\n & @x ~y `ls` $z 100% \xc3\xa9";
  coh_series series[7] = {{0}};
  for (int i = 0; i < 7; i++)
    series[i] = (coh_series){.label = nasty,
                             .style = (coh_series_style)(i % 6),
                             .n = 50 << i,
                             .x = x,
                             .y = y,
                             .lo = lo,
                             .hi = hi,
                             .color = i};
  series[6].n = 5000;
  coh_reference reference = {1.5, nasty};
  coh_panel panel = {.title = nasty,
                     .x = {.label = nasty},
                     .y = {.label = nasty, .logarithmic = true},
                     .series = series,
                     .n_series = 7,
                     .references = &reference,
                     .n_references = 1};
  coh_panel empty = {.title = "nothing"};
  coh_panel panels[3] = {panel, empty, panel};
  coh_chart chart = {.title = nasty, .panels = panels, .n_panels = 3};
  bool drawn, installed = system("command -v gnuplot >/dev/null") == 0;
  assert_ok(coh_chart_write(&chart, ".", "chart", &drawn));
  assert_true(drawn == installed);
  assert_true(coh_file_exists("chart.gp") && coh_file_exists("chart.dat"));
  if (installed) {
    coh_image image;
    assert_ok(coh_png_read("chart.png", 1 << 24, &image));
    coh_image_clear(&image);
    char *svg = scratch_read("chart.svg", NULL);
    assert_non_null(strstr(svg, "</svg>"));
    assert_non_null(strstr(svg, "it's (a_b^2)"));
    coh_free(svg);
  }
  assert_false(coh_file_exists("chart.log"));
  chart.n_panels = 0;
  assert_int_equal(coh_chart_write(&chart, ".", "chart", &drawn), COH_E_INTERNAL);
}

static void chart_without_gnuplot_is_a_warning(void **state) {
  (void)state;
  double x[2] = {0, 1}, y[2] = {0, 1};
  coh_series series = {.n = 2, .x = x, .y = y};
  coh_panel panel = panel_of(&series);
  coh_chart chart = {.panels = &panel, .n_panels = 1};
  char *path = coh_alloc_string(getenv("PATH"));
  assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
  bool drawn = true;
  assert_ok(coh_chart_write(&chart, ".", "undrawn", &drawn));
  assert_int_equal(setenv("PATH", path, 1), 0);
  coh_free(path);
  assert_false(drawn);
  assert_true(coh_file_exists("undrawn.gp"));
  assert_false(coh_file_exists("undrawn.svg") || coh_file_exists("undrawn.log"));
}

static void grid_places_every_cell(void **state) {
  (void)state;
  uint8_t cells[5][6];
  const uint8_t *cell[5];
  for (int i = 0; i < 5; i++) {
    memset(cells[i], 10 + i, 6);
    cell[i] = i == 3 ? NULL : cells[i];
  }
  static const char *const labels[5] = {"a", "a label that is much too long for its cell", "",
                                        "x", NULL};
  static const char *const rows[2] = {"first", "second"};
  coh_grid grid = {.title = "t",
                   .cell = cell,
                   .n_cells = 5,
                   .width = 3,
                   .height = 2,
                   .n_channels = 1,
                   .columns = 3,
                   .scale = 4,
                   .label = labels,
                   .row_label = rows};
  coh_image image;
  assert_ok(coh_grid_draw(&grid, &image));
  int64_t count[5] = {0};
  for (int64_t i = 0; i < image.width * image.height; i++)
    for (int k = 0; k < 5; k++)
      count[k] += image.data[3 * i] == 10 + k && image.data[3 * i + 1] == 10 + k;
  for (int k = 0; k < 5; k++)
    assert_int_equal(count[k], k == 3 ? 0 : 6 * 16);
  coh_image_clear(&image);
  assert_ok(coh_grid_write(&grid, "grid.png"));
  grid.n_cells = 0;
  assert_int_equal(coh_grid_draw(&grid, &image), COH_E_INTERNAL);
}

static void font_draws_and_clips(void **state) {
  (void)state;
  coh_image image;
  static const uint8_t white[3] = {255, 255, 255};
  assert_ok(coh_image_make(8, 9, 1, &image));
  coh_font_draw(&image, 1, 1, 1, white, "T");
  for (int y = 0; y < 9; y++)
    for (int x = 0; x < 8; x++) {
      bool ink = (y == 1 && x >= 1 && x <= 5) || (x == 3 && y >= 1 && y <= 7);
      assert_int_equal(image.data[y * 8 + x], ink ? 255 : 0);
    }
  for (int x = -20; x < 20; x += 3)
    coh_font_draw(&image, x, x / 2, 3, white, "Wg\xff\x01~");
  coh_image_clear(&image);
}

static void values_become_lighter_as_they_grow(void **state) {
  (void)state;
  float values[256];
  uint8_t rgb[768], gray[256];
  for (int i = 0; i < 256; i++)
    values[i] = (float)i;
  coh_image_from_values(values, 256, 0, 255, rgb);
  for (int i = 1; i < 256; i++) {
    double now = 0.2126 * rgb[3 * i] + 0.7152 * rgb[3 * i + 1] + 0.0722 * rgb[3 * i + 2];
    double before = 0.2126 * rgb[3 * i - 3] + 0.7152 * rgb[3 * i - 2] + 0.0722 * rgb[3 * i - 1];
    assert_true(now >= before - 1); // but for rounding
  }
  coh_image_from_floats(values, 256, 0, 255, gray);
  for (int i = 0; i < 256; i++)
    assert_int_equal(gray[i], i);
  float odd[4] = {NAN, -INFINITY, INFINITY, 5};
  coh_image_from_floats(odd, 4, 0, 1, gray);
  assert_true(gray[0] == 0 && gray[1] == 0 && gray[2] == 255 && gray[3] == 255);
  coh_image_from_values(odd, 4, 1, 1, rgb);
  assert_int_equal(rgb[0], 128);
}

static void images_are_enlarged_without_blur(void **state) {
  (void)state;
  uint8_t pixels[6] = {1, 2, 3, 4, 5, 6};
  coh_image from = {2, 1, 3, pixels}, to;
  assert_ok(coh_image_enlarge(&from, 3, &to));
  assert_int_equal(to.width, 6);
  assert_int_equal(to.height, 3);
  for (int i = 0; i < 18; i++)
    assert_memory_equal(to.data + 3 * i, pixels + 3 * (i % 6 / 3), 3);
  coh_image_clear(&to);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(axis_ticks_are_round_and_short),
      cmocka_unit_test(axis_ranges_hold_the_data),
      cmocka_unit_test(chart_smoothing_is_a_triangular_mean),
      cmocka_unit_test(chart_is_drawn_whatever_its_texts_hold),
      cmocka_unit_test(chart_without_gnuplot_is_a_warning),
      cmocka_unit_test(grid_places_every_cell),
      cmocka_unit_test(font_draws_and_clips),
      cmocka_unit_test(values_become_lighter_as_they_grow),
      cmocka_unit_test(images_are_enlarged_without_blur),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
