/* All products of up to `degree` values, each scaled to -1 .. 1, repetitions allowed. */
#include <stddef.h>

#include "task/fqi/basis.h"

typedef struct polynomial_options {
  int64_t degree;
  bool constant;
} polynomial_options;

static const coh_option table[] = {
    {.name = "degree",
     .type = COH_INT,
     .offset = offsetof(polynomial_options, degree),
     .initial = "3",
     .min = 1,
     .max = 20,
     .doc = "Highest total degree; 1: the values themselves."},
    {.name = "constant",
     .type = COH_BOOL,
     .offset = offsetof(polynomial_options, constant),
     .initial = "true",
     .doc = "Whether there is a constant feature; without it values are scaled to 0 .. 1, so "
            "that one-hot states give a table of values."},
    {0},
};

// binomial (n + degree, degree), less the constant where there is none
static int64_t count(const void *options, int64_t n_values) {
  const polynomial_options *o = options;
  double n = 1;
  for (int64_t k = 1; k <= o->degree; k++)
    n = n * (double)(n_values + k) / (double)k;
  if (n > 2.0 * COH_MOST_FEATURES) return 2 * COH_MOST_FEATURES;
  return (int64_t)(n + 0.5) - (o->constant ? 0 : 1);
}

// monomials of a degree: a value times those of the degree before that begin with it or later
static void fill_one(const polynomial_options *o, int64_t d, const double *x, double *phi) {
  double scale = o->constant ? 2 : 1, shift = o->constant ? -1 : 0;
  int64_t n = 0;
  if (o->constant) phi[n++] = 1;
  for (int64_t k = 0; k < d; k++)
    phi[n++] = scale * x[k] + shift;
  for (int64_t degree = 2; degree <= o->degree; degree++) {
    int64_t end = n;
    for (int64_t k = 0; k < d; k++) {
      int64_t tail = 1; // they are the last so many: binomial (d - k + degree - 2, degree - 1)
      for (int64_t j = 1; j < degree; j++)
        tail = tail * (d - k + j - 1) / j;
      double value = scale * x[k] + shift;
      for (int64_t m = end - tail; m < end; m++)
        phi[n++] = value * phi[m];
    }
  }
}

static void fill(const void *options, int64_t d, int64_t n, const double *x, double *phi) {
  int64_t n_features = count(options, d);
  for (int64_t i = 0; i < n; i++)
    fill_one(options, d, x + i * d, phi + i * n_features);
}

const coh_basis_type coh_basis_type_polynomial = {
    .kind = {.name = "polynomial",
             .doc = "Polynomials of the state's values.",
             .options = table,
             .options_size = sizeof(polynomial_options)},
    .count = count,
    .fill = fill,
};
