/* Gaussian bumps on a grid over the box of states, and a constant:
 * exp(-|x - c|^2 / (2 (width spacing)^2)). A bump is a product over values, so only the factors
 * take exponentials. */
#include <math.h>
#include <stddef.h>

#include "task/fqi/basis.h"

enum { MOST_CENTERS = 64 };

typedef struct radial_options {
  int64_t centers;
  double width;
} radial_options;

static const coh_option table[] = {
    {.name = "centers",
     .type = COH_INT,
     .offset = offsetof(radial_options, centers),
     .initial = "9",
     .min = 2,
     .max = MOST_CENTERS,
     .doc = "Centres along each value of the state, borders included."},
    {.name = "width",
     .type = COH_REAL,
     .offset = offsetof(radial_options, width),
     .initial = "1",
     .min = 0.01,
     .max = 100,
     .doc = "Standard deviation of a bump, in distances between centres."},
    {0},
};

static int64_t count(const void *options, int64_t n_values) {
  const radial_options *o = options;
  double n = 1 + pow((double)o->centers, (double)n_values);
  return n > COH_MOST_FEATURES ? COH_MOST_FEATURES + 1 : (int64_t)n;
}

static void fill(const void *options, int64_t d, int64_t n, const double *x, double *phi) {
  const radial_options *o = options;
  int64_t m = o->centers, n_features = count(options, d);
  double factor[MOST_CENTERS], sharp = 1 / (2 * o->width * o->width);
  for (int64_t i = 0; i < n; i++) {
    double *row = phi + i * n_features;
    row[0] = 1;
    int64_t size = 1; // of the products so far, at row[1]
    row[1] = 1;
    for (int64_t k = 0; k < d; k++) {
      for (int64_t c = 0; c < m; c++) {
        double away = x[i * d + k] * (double)(m - 1) - (double)c;
        factor[c] = exp(-away * away * sharp);
      }
      // from behind, so that what is multiplied is not overwritten
      for (int64_t s = size - 1; s >= 0; s--) {
        double product = row[1 + s];
        for (int64_t c = 0; c < m; c++)
          row[1 + s * m + c] = product * factor[c];
      }
      size *= m;
    }
  }
}

const coh_basis_type coh_basis_type_radial = {
    .kind = {.name = "radial",
             .doc = "Gaussian radial functions on a grid.",
             .options = table,
             .options_size = sizeof(radial_options)},
    .count = count,
    .fill = fill,
};
