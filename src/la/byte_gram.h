/* X^T X of rows of bytes, exact, in integers: an instruction multiplies and adds two to four
 * times the products that floats allow. Not collective; allocates nothing. */
#ifndef COHORT_LA_BYTE_GRAM_H
#define COHORT_LA_BYTE_GRAM_H

#include <stdint.h>

/* Rows that may be added to one result before 32 bits overflow. */
enum { COH_BYTE_GRAM_ROWS = INT32_MAX / (255 * 255) };

/* Columns of a row of the result, at least d; integers of the result, and of scratch. */
int64_t coh_la_byte_gram_pitch(int64_t d);
int64_t coh_la_byte_gram_size(int64_t d);
int64_t coh_la_byte_gram_scratch(int64_t d);

/* Add X^T X to c and the sums of X's columns to column_sums. x: (n, d), n <= COH_BYTE_GRAM_ROWS
 * over all calls; c: in and out, rows of pitch, entries below the diagonal and on it are valid;
 * column_sums: (d), in and out. */
void coh_la_byte_gram(int64_t n, int64_t d, const uint8_t *x, int32_t *c, int32_t *column_sums,
                      int32_t *scratch);

#endif
