/* F(2x2, 3x3): Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016.
 * A tile of 2x2 results comes from 4x4 pixels d and the window g by 16 products instead of 36:
 *   y = A' [(G g G') (.) (B' d B)] A
 * with (.) elementwise; summed over channels that is 16 products of matrices, (tiles, C) x (C,
 * O), taken for as many tiles at a time as stay in cache.
 *
 * Its transposes. To x: the same with the window turned around, channels and results exchanged.
 * To g: dg = G' [sum over tiles of (B' d B) (.) (A dy A')] G.
 *
 * Sums of two or three pixels of like size come before the products, which costs about a bit.
 */
#include "la/winograd_convolution.h"

#include <string.h>

#include "la/panel_product.h"

enum {
  POINTS = 16,        // products a tile
  SIDE = 8,           // channels that are transformed side by side
  CACHED = 96 * 1024, // floats of transformed tiles that stay near
  MIN_TILES = 24,     // in a block
  LINE = 16,          // floats of a cache line
  MAX_TILES = 96,     // both multiples of COH_PANEL_ROWS
};
typedef float side __attribute__((vector_size(SIDE * sizeof(float)), aligned(4)));

/* The problem as y (n,oh,ow,o) from x (n,h,w,c), whichever of the three it is. */
typedef struct winograd {
  int64_t n, h, w, c, oh, ow, o, pad[2];
  int64_t tiles_h, tiles_w, n_tiles, block; // tiles; of a block
  int64_t wide;                             // o, filled up to whole pieces
  int64_t n_zeros, n_weights, n_in, n_out;  // floats of what follows
  float *zeros;                             // a pixel outside: max(c, o)
  float *weights;                           // POINTS x (c, wide)
  float *in, *out;                          // of a block: POINTS x (block, c), (block, wide)
} winograd;

bool coh_convolution_winograd_pays(const coh_convolution_shape *s) {
  bool fits = s->kh == 3 && s->kw == 3 && s->groups == 1 && !s->bf16;
  for (int k = 0; k < 2; k++)
    fits = fits && s->stride[k] == 1 && s->dilation[k] == 1 && s->pad_before[k] <= 2 &&
           s->pad_after[k] <= 2;
  return fits && s->c % SIDE == 0 && s->o % SIDE == 0 && s->c >= 16 && s->o >= 16 &&
         s->oh >= 4 && s->ow >= 4 && s->h >= 4 && s->w >= 4;
}

static int64_t round_up(int64_t n, int64_t unit) {
  return (n + unit - 1) / unit * unit;
}

static winograd arrange(const coh_convolution_shape *s, coh_convolution_kind kind) {
  winograd p = {
      .n = s->n, .h = s->h, .w = s->w, .c = s->c, .oh = s->oh, .ow = s->ow, .o = s->o};
  if (kind == COH_CONVOLUTION_DATA) {
    p.h = s->oh, p.w = s->ow, p.c = s->o;
    p.oh = s->h, p.ow = s->w, p.o = s->c;
  }
  for (int k = 0; k < 2; k++)
    p.pad[k] = kind == COH_CONVOLUTION_DATA ? 2 - s->pad_before[k] : s->pad_before[k];
  p.tiles_h = (p.oh + 1) / 2;
  p.tiles_w = (p.ow + 1) / 2;
  p.n_tiles = p.n * p.tiles_h * p.tiles_w;
  p.wide = round_up(p.o, COH_PIECE);
  int64_t tiles = CACHED / (POINTS * (p.c + p.wide)) / COH_PANEL_ROWS * COH_PANEL_ROWS;
  p.block = tiles < MIN_TILES ? MIN_TILES : tiles > MAX_TILES ? MAX_TILES : tiles;
  p.n_zeros = round_up(p.c > p.o ? p.c : p.o, LINE);
  p.n_weights = POINTS * p.c * p.wide;
  p.n_in = POINTS * p.block * p.c;
  p.n_out = POINTS * p.block * p.wide;
  return p;
}

int64_t coh_convolution_winograd_scratch(const coh_convolution_shape *s,
                                         coh_convolution_kind kind) {
  winograd p = arrange(s, kind);
  return p.n_zeros + p.n_weights + p.n_in + p.n_out;
}

COH_PANEL_INLINE side load(const float *from) {
  return *(const side *)(const void *)from;
}

COH_PANEL_INLINE void store(float *to, side x) {
  *(side *)(void *)to = x;
}

/* ---- tiles in: pixels -> points */

// B' d B
COH_PANEL_INLINE void transform_pixels(side d[4][4]) {
  for (int j = 0; j < 4; j++) {
    side a = d[0][j] - d[2][j], b = d[1][j] + d[2][j];
    side c = d[2][j] - d[1][j], e = d[1][j] - d[3][j];
    d[0][j] = a, d[1][j] = b, d[2][j] = c, d[3][j] = e;
  }
  for (int i = 0; i < 4; i++) {
    side a = d[i][0] - d[i][2], b = d[i][1] + d[i][2];
    side c = d[i][2] - d[i][1], e = d[i][1] - d[i][3];
    d[i][0] = a, d[i][1] = b, d[i][2] = c, d[i][3] = e;
  }
}

// A dy A'
COH_PANEL_INLINE void spread_results(side d[4][4]) {
  for (int j = 0; j < 2; j++) {
    side a = d[0][j], b = d[1][j];
    d[1][j] = a + b, d[2][j] = a - b, d[3][j] = -b;
  }
  for (int i = 0; i < 4; i++) {
    side a = d[i][0], b = d[i][1];
    d[i][1] = a + b, d[i][2] = a - b, d[i][3] = -b;
  }
}

// size x size pixels from (top, left) of an image (h,w,c); outside it stand zeros
COH_PANEL_INLINE void find_pixels(int size, const float *image, int64_t h, int64_t w, int64_t c,
                                  int64_t top, int64_t left, const float *zeros,
                                  const float *at[4][4]) {
  for (int i = 0; i < size; i++)
    for (int j = 0; j < size; j++) {
      int64_t y = top + i, x = left + j;
      bool inside = y >= 0 && y < h && x >= 0 && x < w;
      at[i][j] = inside ? image + (y * w + x) * c : zeros;
    }
}

// the place of a tile among the images
typedef struct tile_place {
  int64_t image, i, j;
} tile_place;

static tile_place place_of(const winograd *p, int64_t tile) {
  int64_t a_image = p->tiles_h * p->tiles_w, rest = tile % a_image;
  return (tile_place){tile / a_image, rest / p->tiles_w, rest % p->tiles_w};
}

// tiles of x from `first` on -> points (block, c)
static void take_pixels(const winograd *p, const float *x, int64_t first, int64_t n,
                        float *points) {
  for (int64_t t = 0; t < n; t++) {
    tile_place place = place_of(p, first + t);
    const float *at[4][4];
    find_pixels(4, x + place.image * p->h * p->w * p->c, p->h, p->w, p->c,
                2 * place.i - p->pad[0], 2 * place.j - p->pad[1], p->zeros, at);
    float *to = points + t * p->c;
    for (int64_t c = 0; c < p->c; c += SIDE, to += SIDE) {
      side d[4][4];
      for (int k = 0; k < POINTS; k++)
        d[k / 4][k % 4] = load(at[k / 4][k % 4] + c);
      transform_pixels(d);
      for (int k = 0; k < POINTS; k++)
        store(to + k * p->block * p->c, d[k / 4][k % 4]);
    }
  }
}

// tiles of dy -> points (block, wide)
static void take_results(const winograd *p, const float *dy, int64_t first, int64_t n,
                         float *points) {
  for (int64_t t = 0; t < n; t++) {
    tile_place place = place_of(p, first + t);
    const float *at[4][4];
    find_pixels(2, dy + place.image * p->oh * p->ow * p->o, p->oh, p->ow, p->o, 2 * place.i,
                2 * place.j, p->zeros, at);
    float *to = points + t * p->wide;
    for (int64_t c = 0; c < p->wide; c += SIDE, to += SIDE) {
      side d[4][4] = {{{0}}};
      for (int k = 0; k < 4 && c < p->o; k++)
        d[k / 2][k % 2] = load(at[k / 2][k % 2] + c);
      spread_results(d);
      for (int k = 0; k < POINTS; k++)
        store(to + k * p->block * p->wide, d[k / 4][k % 4]);
    }
  }
}

/* ---- tiles out: A' m A */

static void put_results(const winograd *p, const float *points, int64_t first, int64_t n,
                        float *y) {
  for (int64_t t = 0; t < n; t++) {
    tile_place place = place_of(p, first + t);
    bool below = 2 * place.i + 1 < p->oh, beside = 2 * place.j + 1 < p->ow;
    float *to = y + ((place.image * p->oh + 2 * place.i) * p->ow + 2 * place.j) * p->o;
    const float *from = points + t * p->wide;
    for (int64_t c = 0; c < p->o; c += SIDE, to += SIDE, from += SIDE) {
      side m[4][4], half[2][4];
      for (int k = 0; k < POINTS; k++)
        m[k / 4][k % 4] = load(from + k * p->block * p->wide);
      for (int j = 0; j < 4; j++) {
        half[0][j] = m[0][j] + m[1][j] + m[2][j];
        half[1][j] = m[1][j] - m[2][j] - m[3][j];
      }
      for (int i = 0; i < 2; i++) {
        if (i == 1 && !below) break;
        float *row = to + i * p->ow * p->o;
        store(row, half[i][0] + half[i][1] + half[i][2]);
        if (beside) store(row + p->o, half[i][1] - half[i][2] - half[i][3]);
      }
    }
  }
}

/* ---- windows: G g G' and G' u G */

static void transform_window(const float g[9], float u[POINTS]) {
  float half[4][3];
  for (int j = 0; j < 3; j++) {
    half[0][j] = g[j];
    half[1][j] = 0.5f * (g[j] + g[3 + j] + g[6 + j]);
    half[2][j] = 0.5f * (g[j] - g[3 + j] + g[6 + j]);
    half[3][j] = g[6 + j];
  }
  for (int i = 0; i < 4; i++) {
    u[4 * i] = half[i][0];
    u[4 * i + 1] = 0.5f * (half[i][0] + half[i][1] + half[i][2]);
    u[4 * i + 2] = 0.5f * (half[i][0] - half[i][1] + half[i][2]);
    u[4 * i + 3] = half[i][2];
  }
}

static void gather_window(const float u[POINTS], float g[9]) {
  float half[3][4];
  for (int j = 0; j < 4; j++) {
    half[0][j] = u[j] + 0.5f * (u[4 + j] + u[8 + j]);
    half[1][j] = 0.5f * (u[4 + j] - u[8 + j]);
    half[2][j] = 0.5f * (u[4 + j] + u[8 + j]) + u[12 + j];
  }
  for (int i = 0; i < 3; i++) {
    g[3 * i] = half[i][0] + 0.5f * (half[i][1] + half[i][2]);
    g[3 * i + 1] = 0.5f * (half[i][1] - half[i][2]);
    g[3 * i + 2] = 0.5f * (half[i][1] + half[i][2]) + half[i][3];
  }
}

// w (3,3,C,O) -> weights; for data gradients turned around: w (3,3,o,c)
static void take_weights(const winograd *p, bool turned, const float *w) {
  int64_t n_pairs = p->c * p->o;
  memset(p->weights, 0, (size_t)p->n_weights * sizeof *w);
  for (int64_t c = 0; c < p->c; c++)
    for (int64_t o = 0; o < p->o; o++) {
      float g[9], u[POINTS];
      int64_t pair = turned ? o * p->c + c : c * p->o + o;
      for (int k = 0; k < 9; k++)
        g[k] = w[(turned ? 8 - k : k) * n_pairs + pair];
      transform_window(g, u);
      for (int k = 0; k < POINTS; k++)
        p->weights[(k * p->c + c) * p->wide + o] = u[k];
    }
}

static void put_weights(const winograd *p, float *dw) {
  for (int64_t c = 0; c < p->c; c++)
    for (int64_t o = 0; o < p->o; o++) {
      float g[9], u[POINTS];
      for (int k = 0; k < POINTS; k++)
        u[k] = p->weights[(k * p->c + c) * p->wide + o];
      gather_window(u, g);
      for (int k = 0; k < 9; k++)
        dw[(k * p->c + c) * p->o + o] = g[k];
    }
}

/* ---- products */

// out (n, wide) = in (n, c) weights (c, wide), at every point
static void multiply(const winograd *p, int64_t n) {
  const coh_panel_product product = {
      .depth = p->c, .row_step = p->c, .term_step = 1, .b_step = p->wide, .out_step = p->wide};
  for (int k = 0; k < POINTS; k++)
    coh_panel_multiply_all(n, p->wide / COH_PIECE, &product, p->in + k * p->block * p->c,
                           p->weights + k * p->c * p->wide, p->out + k * p->block * p->wide);
}

// weights (c, wide) += in' (c, n) out (n, wide), at every point
static void accumulate(const winograd *p, int64_t n) {
  const coh_panel_product product = {.depth = n,
                                     .row_step = 1,
                                     .term_step = p->c,
                                     .b_step = p->wide,
                                     .out_step = p->wide,
                                     .add = true};
  for (int k = 0; k < POINTS; k++)
    coh_panel_multiply_all(p->c, p->wide / COH_PIECE, &product, p->in + k * p->block * p->c,
                           p->out + k * p->block * p->wide, p->weights + k * p->c * p->wide);
}

void coh_convolution_winograd_run(const coh_convolution_shape *s, coh_convolution_kind kind,
                                  const float *first, const float *second, float *out,
                                  float *scratch) {
  winograd p = arrange(s, kind);
  p.zeros = scratch;
  p.weights = p.zeros + p.n_zeros;
  p.in = p.weights + p.n_weights;
  p.out = p.in + p.n_in;
  bool weights = kind == COH_CONVOLUTION_WEIGHTS;
  memset(p.zeros, 0, (size_t)p.n_zeros * sizeof *p.zeros);
  if (weights)
    memset(p.weights, 0, (size_t)p.n_weights * sizeof *p.weights);
  else
    take_weights(&p, kind == COH_CONVOLUTION_DATA, second);
  for (int64_t tile = 0; tile < p.n_tiles; tile += p.block) {
    int64_t n = p.n_tiles - tile < p.block ? p.n_tiles - tile : p.block;
    take_pixels(&p, first, tile, n, p.in);
    if (weights) {
      take_results(&p, second, tile, n, p.out);
      accumulate(&p, n);
    } else {
      multiply(&p, n);
      put_results(&p, p.out, tile, n, out);
    }
  }
  if (weights) put_weights(&p, out);
}
