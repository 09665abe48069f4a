/* The inner kernel of products written by hand: a few rows times a panel of columns, with all
 * sums in registers. Compile with contraction to fused multiply-adds. Internal to la. */
#ifndef COHORT_LA_PANEL_PRODUCT_H
#define COHORT_LA_PANEL_PRODUCT_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __AVX512F__ // 32 registers
enum { COH_PIECE = 16, COH_PANEL_PIECES = 3 };
#else
enum { COH_PIECE = 8, COH_PANEL_PIECES = 2 };
#endif
enum { COH_PANEL_ROWS = 6 }; /* at most, as pieces are */
typedef float coh_piece __attribute__((vector_size(COH_PIECE * sizeof(float)), aligned(4)));

#define COH_PANEL_INLINE static inline __attribute__((always_inline))

// what is used several times is loaded once
#if defined(__AVX512F__)
#define COH_PANEL_KEEP(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
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
  // two bases: rows are then reached by multiples that addresses can hold
  const float *high = a + 3 * p->row_step;
  for (int64_t k = 0; k < p->depth; k++) {
    coh_piece term[COH_PANEL_PIECES];
    for (int q = 0; q < pieces; q++) {
      term[q] = coh_piece_load(b + q * COH_PIECE);
      COH_PANEL_KEEP(term[q]);
    }
    for (int i = 0; i < rows; i++)
      for (int q = 0; q < pieces; q++)
        sum[i][q] += (i < 3 ? a[i * p->row_step] : high[(i - 3) * p->row_step]) * term[q];
    a += p->term_step;
    high += p->term_step;
    b += p->b_step;
  }
  for (int i = 0; i < rows; i++)
    for (int q = 0; q < pieces; q++) {
      float *to = out + i * p->out_step + q * COH_PIECE;
      coh_piece_store(to, p->add ? coh_piece_load(to) + sum[i][q] : sum[i][q]);
    }
}

/* The same for any number of rows; pieces: a constant. */
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

/* Any number of rows, n_pieces COH_PIECE columns: as few panels as registers allow, none of a
 * piece alone where there are two. */
COH_PANEL_INLINE void coh_panel_multiply_all(int64_t rows, int64_t n_pieces,
                                             const coh_panel_product *p, const float *a,
                                             const float *b, float *out) {
  int64_t q = 0;
  for (; COH_PANEL_PIECES == 3 && n_pieces - q >= 3 && n_pieces - q != 4; q += 3)
    coh_panel_multiply_rows(rows, COH_PANEL_PIECES, p, a, b + q * COH_PIECE,
                            out + q * COH_PIECE);
  for (; q + 2 <= n_pieces; q += 2)
    coh_panel_multiply_rows(rows, 2, p, a, b + q * COH_PIECE, out + q * COH_PIECE);
  if (q < n_pieces)
    coh_panel_multiply_rows(rows, 1, p, a, b + q * COH_PIECE, out + q * COH_PIECE);
}

#endif
