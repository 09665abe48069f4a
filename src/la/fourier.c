/* A stage of radix r takes n = r m sequences apart: with s the product of the radices done
 * before, out[(r p + k) s + q] = w^(p k) sum_j in[(j m' + p) s + q] exp(-2 pi i j k / r), where
 * m' = m / s. Inverse: real and imaginary parts change places on the way in and out. */
#include "la/fourier.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"

enum { B = COH_FOURIER_BATCH, MOST_STAGES = 40 };

typedef float vector __attribute__((vector_size(B * sizeof(float))));

struct coh_fourier {
  int64_t n, n_stages;
  int radix[MOST_STAGES];
  float *twiddle; /* per stage, m' rows of radix - 1 pairs (cos, -sin) */
};

int64_t coh_fourier_length(int64_t n, int64_t multiple) {
  for (int64_t length = (n + multiple - 1) / multiple * multiple;; length += multiple) {
    int64_t rest = length;
    for (int p = 2; p <= 5; p += p == 2 ? 1 : 2)
      while (rest % p == 0)
        rest /= p;
    if (rest == 1) return length;
  }
}

static int64_t choose_radices(coh_fourier *plan) {
  static const int order[] = {4, 5, 3, 2};
  int64_t rest = plan->n;
  for (int i = 0; i < 4; i++)
    while (rest % order[i] == 0 && plan->n_stages < MOST_STAGES) {
      plan->radix[plan->n_stages++] = order[i];
      rest /= order[i];
    }
  return rest;
}

static void fill_twiddles(coh_fourier *plan) {
  float *t = plan->twiddle;
  int64_t length = plan->n; /* what is left to transform before the stage */
  for (int64_t stage = 0; stage < plan->n_stages; stage++) {
    int radix = plan->radix[stage];
    int64_t m = length / radix;
    for (int64_t p = 0; p < m; p++)
      for (int k = 1; k < radix; k++) {
        double angle = 2 * M_PI * (double)(p * k) / (double)length;
        *t++ = (float)cos(angle);
        *t++ = (float)-sin(angle);
      }
    length = m;
  }
}

coh_status coh_fourier_create(int64_t n, coh_fourier **plan) {
  coh_fourier *new;
  COH_NEW(new, 1);
  new->n = n;
  coh_status status =
      n >= 1 && choose_radices(new) == 1
          ? COH_OK
          : coh_fail(COH_E_INTERNAL, "no fast transform of length %lld", (long long)n);
  if (status == COH_OK) {
    new->twiddle = coh_alloc_array((size_t)(4 * n + 16), sizeof *new->twiddle);
    if (!new->twiddle) status = coh_fail(COH_E_MEMORY, "out of memory for a transform");
  }
  if (status == COH_OK)
    fill_twiddles(new);
  else
    coh_fourier_destroy(&new);
  *plan = new;
  return status;
}

void coh_fourier_destroy(coh_fourier **plan) {
  if (*plan) coh_free((*plan)->twiddle);
  COH_DELETE(*plan);
}

typedef struct complex8 {
  vector re, im;
} complex8;

static inline complex8 add(complex8 a, complex8 b) {
  return (complex8){a.re + b.re, a.im + b.im};
}

static inline complex8 sub(complex8 a, complex8 b) {
  return (complex8){a.re - b.re, a.im - b.im};
}

// times -i
static inline complex8 turn(complex8 a) {
  return (complex8){a.im, -a.re};
}

static inline complex8 scale(complex8 a, float s) {
  return (complex8){a.re * s, a.im * s};
}

static inline complex8 times(complex8 a, const float *w) {
  return (complex8){a.re * w[0] - a.im * w[1], a.re * w[1] + a.im * w[0]};
}

// y_k = sum_j x_j exp(-2 pi i j k / radix)
static inline __attribute__((always_inline)) void butterfly(int radix, const complex8 *x,
                                                            complex8 *y) {
  if (radix == 2) {
    y[0] = add(x[0], x[1]);
    y[1] = sub(x[0], x[1]);
  } else if (radix == 3) {
    complex8 sum = add(x[1], x[2]), middle = sub(x[0], scale(sum, 0.5f));
    complex8 side = turn(scale(sub(x[1], x[2]), 0.866025403784438647f));
    y[0] = add(x[0], sum);
    y[1] = add(middle, side);
    y[2] = sub(middle, side);
  } else if (radix == 4) {
    complex8 a = add(x[0], x[2]), b = sub(x[0], x[2]);
    complex8 c = add(x[1], x[3]), d = turn(sub(x[1], x[3]));
    y[0] = add(a, c);
    y[1] = add(b, d);
    y[2] = sub(a, c);
    y[3] = sub(b, d);
  } else {
    const float c1 = 0.309016994374947424f, c2 = -0.809016994374947424f;
    const float s1 = 0.951056516295153572f, s2 = 0.587785252292473129f;
    complex8 p1 = add(x[1], x[4]), m1 = sub(x[1], x[4]);
    complex8 p2 = add(x[2], x[3]), m2 = sub(x[2], x[3]);
    complex8 r1 = add(x[0], add(scale(p1, c1), scale(p2, c2)));
    complex8 r2 = add(x[0], add(scale(p1, c2), scale(p2, c1)));
    complex8 i1 = turn(add(scale(m1, s1), scale(m2, s2)));
    complex8 i2 = turn(sub(scale(m1, s2), scale(m2, s1)));
    y[0] = add(x[0], add(p1, p2));
    y[1] = add(r1, i1);
    y[2] = add(r2, i2);
    y[3] = sub(r2, i2);
    y[4] = sub(r1, i1);
  }
}

static inline complex8 load(const float *re, const float *im, int64_t i) {
  complex8 value;
  memcpy(&value.re, re + B * i, sizeof value.re);
  memcpy(&value.im, im + B * i, sizeof value.im);
  return value;
}

static inline void store(float *re, float *im, int64_t i, complex8 value) {
  memcpy(re + B * i, &value.re, sizeof value.re);
  memcpy(im + B * i, &value.im, sizeof value.im);
}

static inline __attribute__((always_inline)) void
run_stage(int radix, int64_t m, int64_t s, const float *w, const float *from_re,
          const float *from_im, float *re, float *im) {
  for (int64_t p = 0; p < m; p++, w += 2 * (radix - 1))
    for (int64_t q = 0; q < s; q++) {
      complex8 x[5], y[5];
      for (int j = 0; j < radix; j++)
        x[j] = load(from_re, from_im, (j * m + p) * s + q);
      butterfly(radix, x, y);
      store(re, im, radix * p * s + q, y[0]);
      for (int k = 1; k < radix; k++)
        store(re, im, (radix * p + k) * s + q, times(y[k], w + 2 * (k - 1)));
    }
}

void coh_fourier_run(const coh_fourier *plan, bool inverse, float *out_re, float *out_im,
                     float *scratch) {
  float *re = inverse ? out_im : out_re, *im = inverse ? out_re : out_im;
  float *to_re = scratch, *to_im = scratch + B * plan->n;
  const float *w = plan->twiddle;
  int64_t length = plan->n, s = 1;
  for (int64_t stage = 0; stage < plan->n_stages; stage++) {
    int radix = plan->radix[stage];
    int64_t m = length / radix;
    switch (radix) {
    case 2:
      run_stage(2, m, s, w, re, im, to_re, to_im);
      break;
    case 3:
      run_stage(3, m, s, w, re, im, to_re, to_im);
      break;
    case 4:
      run_stage(4, m, s, w, re, im, to_re, to_im);
      break;
    default:
      run_stage(5, m, s, w, re, im, to_re, to_im);
      break;
    }
    float *kept_re = re, *kept_im = im;
    re = to_re;
    im = to_im;
    to_re = kept_re;
    to_im = kept_im;
    w += 2 * m * (radix - 1);
    length = m;
    s *= radix;
  }
  if (plan->n_stages % 2 == 0) return;
  size_t n_bytes = (size_t)(B * plan->n) * sizeof *re;
  memcpy(inverse ? out_im : out_re, re, n_bytes);
  memcpy(inverse ? out_re : out_im, im, n_bytes);
}
