/* Two-dimensional convolutions and their two transposes through oneDNN.
 *
 * A plan is immutable and shared by threads; a state holds the library's handles for one thread
 * at a time. Tensors are f32: x (N,H,W,C), w (KH,KW,C/groups,O), y (N,OH,OW,O). Not collective.
 */
#ifndef COHORT_LA_DNNL_CONVOLUTION_H
#define COHORT_LA_DNNL_CONVOLUTION_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_convolution_shape {
  int64_t n, h, w, c;     /* x */
  int64_t kh, kw, groups; /* w */
  int64_t o, oh, ow;      /* y */
  int64_t stride[2], dilation[2], pad_before[2], pad_after[2];
  bool bf16; /* products may be of operands rounded to bfloat16, with sums in single precision */
} coh_convolution_shape;

typedef enum coh_convolution_kind {
  COH_CONVOLUTION_FORWARD, /* y from x, w */
  COH_CONVOLUTION_DATA,    /* dx from dy, w */
  COH_CONVOLUTION_WEIGHTS, /* dw from x, dy */
} coh_convolution_kind;

typedef struct coh_convolution coh_convolution;
typedef struct coh_convolution_state coh_convolution_state;

/* Choose a kernel. Caller destroys. Bias and activation stay outside: oneDNN's fused relu makes
 * 0 of NaN, which hides a diverged run, and saved no time that could be measured. Fails:
 * COH_E_INTERNAL when oneDNN refuses the shape, COH_E_MEMORY. */
coh_status coh_convolution_create(const coh_convolution_shape *shape, coh_convolution_kind kind,
                                  coh_convolution **out);
void coh_convolution_destroy(coh_convolution **plan);

/* Floats of scratch that a run overwrites. */
int64_t coh_convolution_scratch(const coh_convolution *plan);

/* The kernel's name for dumps. Borrowed. */
const char *coh_convolution_kernel(const coh_convolution *plan);

coh_status coh_convolution_state_create(const coh_convolution *plan,
                                        coh_convolution_state **out);
void coh_convolution_state_destroy(coh_convolution_state **state);

/* Run in the calling thread. first, second: x and w, dy and w, or x and dy; out: y, dx or dw;
 * scratch: 64-byte aligned. Fails: COH_E_INTERNAL. */
coh_status coh_convolution_run(const coh_convolution *plan, coh_convolution_state *state,
                               const float *first, const float *second, float *out,
                               float *scratch);

#endif
