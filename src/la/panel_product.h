/* The inner kernel of products written by hand: a few rows times a panel of columns, with all
 * sums in registers. Compile with contraction to fused multiply-adds. Internal to la. */
#ifndef COHORT_LA_PANEL_PRODUCT_H
#define COHORT_LA_PANEL_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __AVX512F__
enum { COH_PIECE = 16 };
#else
enum { COH_PIECE = 8 };
#endif
enum { COH_PANEL_ROWS = 6, COH_PANEL_PIECES = 2 }; /* at most */
typedef float coh_piece __attribute__((vector_size(COH_PIECE * sizeof(float)), aligned(4)));

#define COH_PANEL_INLINE static inline __attribute__((always_inline))

// what is used several times is loaded once
#if defined(__x86_64__)
#define COH_PANEL_KEEP(x) __asm__("" : "+x"(x))
#else
#define COH_PANEL_KEEP(x) (void)(x)
#endif

COH_PANEL_INLINE coh_piece coh_piece_load(const float *from) {
  return *(const coh_piece *)(const void *)from;
}

COH_PANEL_INLINE void coh_piece_store(float *to, coh_piece x) {
  *(coh_piece *)(void *)to = x;
}

/* Where a product's factors and result lie. */
typedef struct coh_panel_product {
  int64_t depth;               /* terms of a sum */
  int64_t row_step, term_step; /* in a: from row to row, from term to term */
  int64_t b_step;              /* in b: from term to term */
  int64_t out_step;            /* in out: from row to row */
  bool add;                    /* to what stands in out */
} coh_panel_product;

/* rows x (pieces COH_PIECE) of out; both counts are constants. */
COH_PANEL_INLINE void coh_panel_multiply(int rows, int pieces, const coh_panel_product *p,
                                         const float *a, const float *b, float *out) {
  coh_piece sum[COH_PANEL_ROWS][COH_PANEL_PIECES] = {{{0}}};
  for (int64_t k = 0; k < p->depth; k++, a += p->term_step, b += p->b_step) {
    coh_piece term[COH_PANEL_PIECES];
    for (int q = 0; q < pieces; q++) {
      term[q] = coh_piece_load(b + q * COH_PIECE);
      COH_PANEL_KEEP(term[q]);
    }
    for (int i = 0; i < rows; i++)
      for (int q = 0; q < pieces; q++)
        sum[i][q] += a[i * p->row_step] * term[q];
  }
  for (int i = 0; i < rows; i++)
    for (int q = 0; q < pieces; q++) {
      float *to = out + i * p->out_step + q * COH_PIECE;
      coh_piece_store(to, p->add ? coh_piece_load(to) + sum[i][q] : sum[i][q]);
    }
}

/* The same for any number of rows. */
COH_PANEL_INLINE void coh_panel_multiply_rows(int64_t rows, int pieces,
                                              const coh_panel_product *p, const float *a,
                                              const float *b, float *out) {
  int64_t i = 0;
  for (; i + COH_PANEL_ROWS <= rows; i += COH_PANEL_ROWS)
    coh_panel_multiply(COH_PANEL_ROWS, pieces, p, a + i * p->row_step, b,
                       out + i * p->out_step);
  for (; i + 2 <= rows; i += 2)
    coh_panel_multiply(2, pieces, p, a + i * p->row_step, b, out + i * p->out_step);
  for (; i < rows; i++)
    coh_panel_multiply(1, pieces, p, a + i * p->row_step, b, out + i * p->out_step);
}

#endif
