/* A random orthogonal matrix times a gain: Saxe, McClelland and Ganguli, ICLR 2014.
 * The weight is a matrix (n_rows, n_columns); its shorter side is made of orthonormal vectors,
 * by modified Gram-Schmidt on normal draws in double precision, each vector cleaned twice,
 * which leaves errors of a few units of rounding. */
#include <math.h>

#include "base/alloc.h"
#include "nn/initializer_type.h"

// eight running sums, in an order that the length alone fixes
static double dot_product(const double *x, const double *y, int64_t length) {
  double sum[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= length; i += 8)
    for (int64_t j = 0; j < 8; j++)
      sum[j] += x[i + j] * y[i + j];
  for (int64_t j = 0; i < length; i++, j++)
    sum[j] += x[i] * y[i];
  return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
}

static void remove_component(double *restrict x, const double *restrict unit, int64_t length) {
  double dot = dot_product(x, unit, length);
  for (int64_t i = 0; i < length; i++)
    x[i] -= dot * unit[i];
}

static void normalise(double *x, int64_t length) {
  double norm = sqrt(dot_product(x, x, length));
  for (int64_t i = 0; i < length; i++)
    x[i] /= norm;
}

static coh_status weight(const void *options, const coh_fill *fill, coh_stream *stream) {
  const coh_gain_options *o = options;
  bool wide = fill->n_rows <= fill->n_columns;
  int64_t n_vectors = wide ? fill->n_rows : fill->n_columns;
  int64_t length = wide ? fill->n_columns : fill->n_rows;
  double *basis;
  COH_NEW(basis, fill->n);
  for (int64_t k = 0; k < n_vectors; k++) {
    double *x = basis + k * length;
    for (int64_t i = 0; i < length; i++)
      x[i] = coh_stream_normal(stream);
    for (int round = 0; round < 2; round++)
      for (int64_t j = 0; j < k; j++)
        remove_component(x, basis + j * length, length);
    normalise(x, length);
  }
  for (int64_t row = 0; row < fill->n_rows; row++)
    for (int64_t column = 0; column < fill->n_columns; column++)
      fill->data[row * fill->n_columns + column] =
          (float)(o->gain *
                  (wide ? basis[row * length + column] : basis[column * length + row]));
  coh_free(basis);
  return COH_OK;
}

const coh_initializer_type coh_initializer_type_orthogonal = {
    .kind = {.name = "orthogonal",
             .doc = "A random orthogonal matrix (Saxe et al. 2014).",
             .options = coh_gain_table,
             .options_size = sizeof(coh_gain_options)},
    .weight = weight,
};
