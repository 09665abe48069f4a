/* Convolutions and their two transposes against plain loops in double precision; with bf16
 * against the same loops over operands rounded to bfloat16, to the nearest, ties to even. */
#include <stdbool.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort_test.h"
#include "la/dnnl_convolution.h"
#include "la/libraries.h"

typedef struct problem {
  coh_convolution_shape shape;
  int64_t n_x, n_w, n_y;
  float *x, *w, *y;     // operands, as they are given
  double *rx, *rw, *ry; // as they are multiplied
} problem;

static float rounded(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  bits += 0x7fff + (bits >> 16 & 1);
  bits &= 0xffff0000u;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static void fill(int64_t n, uint32_t seed, bool whole, bool bf16, float **given,
                 double **multiplied) {
  *given = coh_alloc_array((size_t)n, sizeof **given);
  *multiplied = coh_alloc_array((size_t)n, sizeof **multiplied);
  assert_true(*given && *multiplied);
  for (int64_t i = 0; i < n; i++) {
    seed = seed * 1664525 + 1013904223;
    float value = whole ? (float)(seed >> 16 & 15) - 8 : (float)(seed >> 8) / 0x1p23f - 1;
    (*given)[i] = value;
    (*multiplied)[i] = (double)(bf16 ? rounded(value) : value);
  }
}

static void start(problem *p, coh_convolution_shape shape, bool whole) {
  *p = (problem){.shape = shape};
  p->n_x = shape.n * shape.h * shape.w * shape.c;
  p->n_w = shape.kh * shape.kw * shape.c / shape.groups * shape.o;
  p->n_y = shape.n * shape.oh * shape.ow * shape.o;
  fill(p->n_x, 1, whole, shape.bf16, &p->x, &p->rx);
  fill(p->n_w, 2, whole, shape.bf16, &p->w, &p->rw);
  fill(p->n_y, 3, whole, shape.bf16, &p->y, &p->ry);
}

static void end(problem *p) {
  coh_free(p->x), coh_free(p->w), coh_free(p->y);
  coh_free(p->rx), coh_free(p->rw), coh_free(p->ry);
}

// one loop over all products; each goes where the kind sends it
static void reference(const problem *p, coh_convolution_kind kind, double *out) {
  const coh_convolution_shape *s = &p->shape;
  int64_t in = s->c / s->groups, each = s->o / s->groups;
  for (int64_t at = 0; at < p->n_y; at++)
    for (int64_t tap = 0; tap < s->kh * s->kw; tap++)
      for (int64_t c = 0; c < in; c++) {
        int64_t o = at % s->o, pixel = at / s->o;
        int64_t j = pixel % s->ow, i = pixel / s->ow % s->oh, n = pixel / (s->ow * s->oh);
        int64_t y = i * s->stride[0] - s->pad_before[0] + tap / s->kw * s->dilation[0];
        int64_t x = j * s->stride[1] - s->pad_before[1] + tap % s->kw * s->dilation[1];
        if (y < 0 || y >= s->h || x < 0 || x >= s->w) continue;
        int64_t at_x = ((n * s->h + y) * s->w + x) * s->c + o / each * in + c;
        int64_t at_w = (tap * in + c) * s->o + o;
        if (kind == COH_CONVOLUTION_FORWARD) out[at] += p->rx[at_x] * p->rw[at_w];
        if (kind == COH_CONVOLUTION_DATA) out[at_x] += p->ry[at] * p->rw[at_w];
        if (kind == COH_CONVOLUTION_WEIGHTS) out[at_w] += p->rx[at_x] * p->ry[at];
      }
}

static void run(const problem *p, coh_convolution_kind kind, float *out) {
  coh_convolution *plan;
  coh_convolution_state *state;
  assert_ok(coh_convolution_create(&p->shape, kind, &plan));
  assert_ok(coh_convolution_state_create(plan, &state));
  float *scratch = coh_alloc_array((size_t)coh_convolution_scratch(plan) + 1, sizeof *scratch);
  assert_non_null(scratch);
  const float *first = kind == COH_CONVOLUTION_DATA ? p->y : p->x;
  const float *second = kind == COH_CONVOLUTION_WEIGHTS ? p->y : p->w;
  assert_ok(coh_convolution_run(plan, state, first, second, out, scratch));
  coh_free(scratch);
  coh_convolution_state_destroy(&state);
  coh_convolution_destroy(&plan);
}

static void check(coh_convolution_shape shape, bool whole, double tolerance) {
  problem p;
  start(&p, shape, whole);
  const int64_t size[3] = {p.n_y, p.n_x, p.n_w};
  const char *const name[3] = {"forward", "to the data", "to the weights"};
  for (int k = 0; k < 3; k++) {
    coh_convolution_kind kind = (coh_convolution_kind)k;
    float *out = coh_alloc_array((size_t)size[k], sizeof *out);
    double *wanted = coh_alloc_array((size_t)size[k], sizeof *wanted);
    assert_true(out && wanted);
    reference(&p, kind, wanted);
    run(&p, kind, out);
    for (int64_t i = 0; i < size[k]; i++)
      if (!(fabs((double)out[i] - wanted[i]) <= tolerance))
        fail_msg("%s, %lld channels, bf16 %d: %.9g instead of %.9g", name[k],
                 (long long)shape.c, shape.bf16, (double)out[i], wanted[i]);
    coh_free(out), coh_free(wanted);
  }
  end(&p);
}

static const coh_convolution_shape shapes[] = {
    // the discriminator's, a thin one, a 3x3 one (the Winograd way in single precision)
    {.n = 3,
     .h = 14,
     .w = 14,
     .c = 32,
     .kh = 4,
     .kw = 4,
     .groups = 1,
     .o = 64,
     .oh = 7,
     .ow = 7,
     .stride = {2, 2},
     .dilation = {1, 1},
     .pad_before = {1, 1},
     .pad_after = {1, 1}},
    {.n = 2,
     .h = 12,
     .w = 10,
     .c = 1,
     .kh = 4,
     .kw = 4,
     .groups = 1,
     .o = 16,
     .oh = 6,
     .ow = 5,
     .stride = {2, 2},
     .dilation = {1, 1},
     .pad_before = {1, 1},
     .pad_after = {1, 1}},
    {.n = 2,
     .h = 9,
     .w = 8,
     .c = 16,
     .kh = 3,
     .kw = 3,
     .groups = 1,
     .o = 24,
     .oh = 9,
     .ow = 8,
     .stride = {1, 1},
     .dilation = {1, 1},
     .pad_before = {1, 1},
     .pad_after = {1, 1}},
    // groups, dilation, another padding on either side
    {.n = 2,
     .h = 11,
     .w = 9,
     .c = 12,
     .kh = 3,
     .kw = 2,
     .groups = 2,
     .o = 8,
     .oh = 8,
     .ow = 9,
     .stride = {1, 1},
     .dilation = {2, 1},
     .pad_before = {1, 0},
     .pad_after = {0, 1}},
};
enum { N_SHAPES = sizeof shapes / sizeof *shapes };

static void convolutions_of_whole_numbers_are_exact(void **state) {
  (void)state;
  for (int k = 0; k < N_SHAPES; k++)
    check(shapes[k], true, 0);
}

static void convolutions_match_plain_loops(void **state) {
  (void)state;
  for (int k = 0; k < N_SHAPES; k++)
    check(shapes[k], false, 2e-4);
}

static void need_bf16(void) {
  if (!coh_la_has_bf16()) skip();
}

static void bf16_leaves_small_whole_numbers_alone(void **state) {
  (void)state;
  need_bf16();
  for (int k = 0; k < N_SHAPES; k++) {
    coh_convolution_shape shape = shapes[k];
    shape.bf16 = true;
    check(shape, true, 0);
  }
}

static void bf16_multiplies_rounded_operands_and_adds_in_single_precision(void **state) {
  (void)state;
  need_bf16();
  coh_convolution_shape shape = shapes[0];
  shape.bf16 = true;
  check(shape, false, 2e-4);
  shape = shapes[2];
  shape.bf16 = true;
  check(shape, false, 2e-4);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(convolutions_of_whole_numbers_are_exact),
      cmocka_unit_test(convolutions_match_plain_loops),
      cmocka_unit_test(bf16_leaves_small_whole_numbers_alone),
      cmocka_unit_test(bf16_multiplies_rounded_operands_and_adds_in_single_precision),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
