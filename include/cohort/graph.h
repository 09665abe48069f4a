/* A static graph of f32 operators, closed under differentiation.
 *
 *   build          differentiate          compile                    run
 *   coh_graph  ->  coh_gradient       ->  coh_program (immutable, -> coh_workspace (mutable,
 *   nodes          appends nodes          shared by all threads)     one per lane)
 *
 * Tensors are row-major, rank 0 to 6, with static shapes; images are NHWC. Parameters live in
 * one flat block with a table of named views, so do gradients and optimiser moments.
 *
 * Building never returns a status per operator: a function that fails (a shape that does not
 * fit, memory out) words the cause once, the graph keeps it, and returns COH_NO_VALUE, which
 * every later operator passes on. coh_graph_status, coh_gradient and coh_program_compile report
 * it. So formulas can be written as formulas:
 *
 *     coh_value h = coh_op_relu(g, coh_op_add(g, coh_op_matmul(g, x, w), b));
 *
 * Nothing here is collective. A graph is built by one thread; a program may be run by any
 * number of threads at once, each with its own workspace.
 */
#ifndef COHORT_GRAPH_H
#define COHORT_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Shapes ------------------------------------------------------------------------------ */

enum { COH_MAX_RANK = 6 };

/* Sizes from the slowest to the fastest axis; rank 0 is a scalar. Plain data. */
typedef struct coh_shape {
  int rank;
  int64_t size[COH_MAX_RANK];
} coh_shape;

/* COH_SHAPE(32, 10, 10, 4) and COH_SCALAR as expressions. */
#define COH_SHAPE(...) \
  ((coh_shape){(int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), {__VA_ARGS__}})
#define COH_SCALAR ((coh_shape){0, {0}})

/* Number of elements; 1 for a scalar. */
int64_t coh_shape_count(coh_shape shape);
bool coh_shape_equal(coh_shape a, coh_shape b);

/* ---- Graph ------------------------------------------------------------------------------- */

typedef struct coh_graph coh_graph;

/* A node of a graph: its tensor. */
typedef int32_t coh_value;
#define COH_NO_VALUE ((coh_value)-1)

/* Create an empty graph; caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_graph_create(coh_graph **out);
void coh_graph_destroy(coh_graph **graph);

/* COH_OK, or the first failure while building, with its message set for this thread. */
coh_status coh_graph_status(const coh_graph *graph);

/* The shape of a value (a scalar for COH_NO_VALUE). */
coh_shape coh_graph_shape(const coh_graph *graph, coh_value value);

/* Name a value (copied) for messages and dumps; returns the value. Inputs and parameters have
 * names already. */
coh_value coh_graph_name(coh_graph *graph, coh_value value, const char *name);

/* The name of a value, or its operator's name when it has none. Borrowed. */
const char *coh_graph_name_of(const coh_graph *graph, coh_value value);

/* The first value of that name, COH_NO_VALUE when there is none. */
coh_value coh_graph_find(const coh_graph *graph, const char *name);

int64_t coh_graph_n_values(const coh_graph *graph);

/* Leaves. Names are copied; those of parameters must be unique in the graph.
 * input: bound or filled in the workspace before each run. parameter: the next view of the flat
 * parameter block. constant: a scalar. constant_array: data is copied. */
coh_value coh_graph_input(coh_graph *graph, const char *name, coh_shape shape);
coh_value coh_graph_parameter(coh_graph *graph, const char *name, coh_shape shape);
coh_value coh_graph_constant(coh_graph *graph, double number);
coh_value coh_graph_constant_array(coh_graph *graph, coh_shape shape, const float *data);

/* One parameter's place in the flat block. Offsets are multiples of 16 floats (64 bytes); the
 * gaps are padding that callers keep zero and the graph never reads or writes. */
typedef struct coh_parameter_view {
  const char *name; /* borrowed from the graph */
  coh_value value;
  coh_shape shape;
  int64_t offset; /* floats from the start of the block */
  int64_t count;  /* floats of the view, without padding */
} coh_parameter_view;

int64_t coh_graph_n_parameters(const coh_graph *graph);

/* View k, 0 <= k < n_parameters, in the order of creation. Graphs that create the same
 * parameters in the same order have the same layout, whatever their batch size. */
coh_parameter_view coh_graph_parameter_at(const coh_graph *graph, int64_t k);

/* Floats of the flat block, padding included. */
int64_t coh_graph_parameter_floats(const coh_graph *graph);

/* ---- Operators: elementwise -------------------------------------------------------------- */
/* Two operands broadcast as in NumPy: axes align from the right, 1 stretches. */

coh_value coh_op_add(coh_graph *g, coh_value a, coh_value b);
coh_value coh_op_sub(coh_graph *g, coh_value a, coh_value b);
coh_value coh_op_mul(coh_graph *g, coh_value a, coh_value b);
coh_value coh_op_div(coh_graph *g, coh_value a, coh_value b);
coh_value coh_op_max(coh_graph *g, coh_value a, coh_value b); /* gradient of a tie goes to a */
coh_value coh_op_min(coh_graph *g, coh_value a, coh_value b); /* gradient of a tie goes to a */

/* Masks: 1 where true, else 0; no gradient flows through them. */
coh_value coh_op_greater(coh_graph *g, coh_value a, coh_value b);       /* a > b */
coh_value coh_op_greater_equal(coh_graph *g, coh_value a, coh_value b); /* a >= b */
coh_value coh_op_equal(coh_graph *g, coh_value a, coh_value b);         /* a == b */

/* condition != 0 ? a : b; the three broadcast together. No gradient to the condition. */
coh_value coh_op_select(coh_graph *g, coh_value condition, coh_value a, coh_value b);

coh_value coh_op_affine(coh_graph *g, coh_value x, double scale,
                        double shift); /* scale x + shift */
coh_value coh_op_scale(coh_graph *g, coh_value x, double scale);
coh_value coh_op_neg(coh_graph *g, coh_value x);
coh_value coh_op_abs(coh_graph *g, coh_value x); /* gradient at 0: 0 */
coh_value coh_op_sign(coh_graph *g, coh_value x);
coh_value coh_op_exp(coh_graph *g, coh_value x);
coh_value coh_op_log(coh_graph *g, coh_value x);
coh_value coh_op_sqrt(coh_graph *g, coh_value x);
coh_value coh_op_rsqrt(coh_graph *g, coh_value x);
coh_value coh_op_square(coh_graph *g, coh_value x);
coh_value coh_op_pow(coh_graph *g, coh_value x, double exponent);
coh_value coh_op_step(coh_graph *g, coh_value x); /* x > 0 */
coh_value coh_op_relu(coh_graph *g, coh_value x); /* gradient at 0: 0 */
coh_value coh_op_leaky_relu(coh_graph *g, coh_value x, double slope);
coh_value coh_op_sigmoid(coh_graph *g, coh_value x);
coh_value coh_op_tanh(coh_graph *g, coh_value x);
coh_value coh_op_softplus(coh_graph *g, coh_value x); /* log(1 + e^x), no overflow */
coh_value coh_op_erf(coh_graph *g, coh_value x);
coh_value coh_op_clip(coh_graph *g, coh_value x, double low, double high);

/* Huber: x^2/2 for |x| <= delta, else delta (|x| - delta/2). Composed. */
coh_value coh_op_huber(coh_graph *g, coh_value x, double delta);

/* The same tensor; no gradient flows through it. */
coh_value coh_op_stop_gradient(coh_graph *g, coh_value x);

/* The same tensor; only the positive part of a gradient flows through it (guided
 * backpropagation: Springenberg et al., 2015). */
coh_value coh_op_rectify_gradient(coh_graph *g, coh_value x);

/* ---- Operators: shape -------------------------------------------------------------------- */
/* Axes are counted from 0; negative ones from the end. */

coh_value coh_op_broadcast(coh_graph *g, coh_value x, coh_shape shape);
coh_value coh_op_reshape(coh_graph *g, coh_value x,
                         coh_shape shape); /* free; one size may be -1 */
coh_value coh_op_transpose(coh_graph *g, coh_value x,
                           const int *axes); /* out axis k = x axis axes[k] */
coh_value coh_op_concat(coh_graph *g, const coh_value *x, int64_t n, int axis);
coh_value coh_op_slice(coh_graph *g, coh_value x, int axis, int64_t begin, int64_t end);
coh_value coh_op_pad(coh_graph *g, coh_value x, int axis, int64_t before,
                     int64_t after); /* zeros */

/* ---- Operators: reductions --------------------------------------------------------------- */

/* Sum or mean over the listed axes; keep: they stay with size 1. n_axes 0: over all axes.
 * The order of the sum is fixed by the shape. */
coh_value coh_op_sum(coh_graph *g, coh_value x, const int *axes, int n_axes, bool keep);
coh_value coh_op_mean(coh_graph *g, coh_value x, const int *axes, int n_axes, bool keep);
coh_value coh_op_sum_all(coh_graph *g, coh_value x);  /* scalar */
coh_value coh_op_mean_all(coh_graph *g, coh_value x); /* scalar */

/* Maximum over one axis; the gradient goes to the first maximum. */
coh_value coh_op_reduce_max(coh_graph *g, coh_value x, int axis, bool keep);

/* 1 at the first maximum of the last axis, else 0; no gradient. */
coh_value coh_op_argmax_onehot(coh_graph *g, coh_value x);

/* Over the last axis. */
coh_value coh_op_softmax(coh_graph *g, coh_value x);
coh_value coh_op_log_softmax(coh_graph *g, coh_value x);

/* ---- Operators: products ----------------------------------------------------------------- */

/* a (m,k) b (k,n), or with a leading batch axis on both: (B,m,k) (B,k,n). */
coh_value coh_op_matmul(coh_graph *g, coh_value a, coh_value b);

/* The same with either operand read transposed. */
coh_value coh_op_matmul_t(coh_graph *g, coh_value a, bool transpose_a, coh_value b,
                          bool transpose_b);

/* How a convolution or pooling window moves. Zero-initialised fields mean: stride 1, no
 * padding, dilation 1 (adjacent taps), 1 group. Padding is zeros for convolutions. */
typedef struct coh_window {
  int64_t stride[2];     /* height, width */
  int64_t pad_before[2]; /* top, left */
  int64_t pad_after[2];  /* bottom, right */
  int64_t dilation[2];
  int64_t groups;
} coh_window;

/* x (N,H,W,C) * w (KH,KW,C/groups,O) -> (N,OH,OW,O), cross-correlation, with
 * OH = (H + pad - (dilation (KH-1) + 1)) / stride + 1, rounded down. */
coh_value coh_op_conv2d(coh_graph *g, coh_value x, coh_value w, coh_window window);

/* The transpose of conv2d in x: from y's gradient (N,OH,OW,O) to x's (N,H,W,C). It is also the
 * transposed convolution; height and width name the output's size. */
coh_value coh_op_conv2d_data(coh_graph *g, coh_value dy, coh_value w, coh_window window,
                             int64_t height, int64_t width);

/* The transpose of conv2d in w: from x and y's gradient to w's (kernel_h, kernel_w, C/groups,
 * O). */
coh_value coh_op_conv2d_weights(coh_graph *g, coh_value x, coh_value dy, coh_window window,
                                int64_t kernel_h, int64_t kernel_w);

/* Pooling of x (N,H,W,C) with a window of kernel_h x kernel_w. Maximum: padding never wins, the
 * first maximum takes the gradient. Average: always divided by kernel_h kernel_w. Groups and
 * dilation do not apply. */
coh_value coh_op_max_pool(coh_graph *g, coh_value x, int64_t kernel_h, int64_t kernel_w,
                          coh_window window);
coh_value coh_op_avg_pool(coh_graph *g, coh_value x, int64_t kernel_h, int64_t kernel_w,
                          coh_window window);

/* Images larger or smaller by a whole factor, x (N,H,W,C). enlarge: every output is a weighted
 * mean of its neighbours. shrink: the transpose of enlarge over factor^2, so a smoothing filter
 * that does not alias (nearest: the mean of each factor x factor square). Edges repeat.
 * binomial is [1,2,1] and takes factor 2; bicubic: Keys, 1981. Shrinking needs sizes that
 * factor divides. */
typedef enum coh_resample_method {
  COH_RESAMPLE_NEAREST,
  COH_RESAMPLE_BILINEAR,
  COH_RESAMPLE_BINOMIAL,
  COH_RESAMPLE_BICUBIC,
} coh_resample_method;

coh_value coh_op_enlarge(coh_graph *g, coh_value x, int64_t factor, coh_resample_method method);
coh_value coh_op_shrink(coh_graph *g, coh_value x, int64_t factor, coh_resample_method method);

/* ---- Operators: over lanes --------------------------------------------------------------- */

/* The sum of x over the n_lanes lanes of a run, each with a workspace of its own: the same
 * value on all. A gradient is then that of the sum of what all lanes compute. Programs with it
 * are cut (coh_program_cut_at), unless n_lanes is 1. */
coh_value coh_op_lane_sum(coh_graph *g, coh_value x, int64_t n_lanes);

/* ---- Gradient ---------------------------------------------------------------------------- */

/* Append the gradient of y (one element) with respect to wrt[0..n): out[k] has wrt[k]'s shape.
 * wrt may be any values but scalar constants, intermediate ones too; where y does not depend on
 * one, out is zeros. Everything appended is made of the same operators, so gradients can be
 * differentiated again. Fails: COH_E_CONFIG when y has more than one element or the graph has
 * failed already. */
coh_status coh_gradient(coh_graph *graph, coh_value y, const coh_value *wrt, int64_t n,
                        coh_value *out);

/* The same for any y: the gradient of sum(seed * y), seed of y's shape taken as constant. */
coh_status coh_gradient_seeded(coh_graph *graph, coh_value y, coh_value seed,
                               const coh_value *wrt, int64_t n, coh_value *out);

/* The gradient of sum_i weight_i y_i where row i of y depends on row i of `rows` only and what
 * is asked for enters all rows alike, such as a network's parameters: y and weight (B) or
 * (B,1), rows (B,...). It is worked out with seeds of one, so that its backward pass is the one
 * of sum_i y_i, and the weights meet the forward values where a parameter enters. In a program
 * that also takes a penalty on dy/drows both share one backward pass, and products of weights
 * that meet the same gradient become one. Fails: COH_E_CONFIG. */
coh_status coh_gradient_weighted(coh_graph *graph, coh_value y, coh_value weight,
                                 coh_value rows, const coh_value *wrt, int64_t n,
                                 coh_value *out);

/* The gradient with respect to every parameter, in the order of the table; out: n_parameters.
 */
coh_status coh_gradient_parameters(coh_graph *graph, coh_value y, coh_value *out);

/* ---- Program ----------------------------------------------------------------------------- */

typedef struct coh_program coh_program;

typedef enum coh_precision {
  COH_PRECISION_F32 = 0, /* everything in single precision */
  COH_PRECISION_BF16,    /* convolutions may round operands to bfloat16; sums in single */
} coh_precision;

/* Zero-initialised: f32 with every optimisation. */
typedef struct coh_compile_options {
  coh_precision precision; /* bf16 is refused by processors that have no products of it */
  bool no_fusion;          /* one kernel a node */
  bool no_reuse;           /* every value keeps its own buffer */
  bool no_merge;           /* common subexpressions stay */
} coh_compile_options;

/* Compile what the outputs need: dead nodes dropped, common subexpressions merged, chains
 * fused, buffers planned. options: borrowed, NULL for the defaults. The program does not refer
 * to the graph afterwards; values of the graph go on naming its outputs and inputs. Caller
 * destroys, after the last of its workspaces. Results depend on the graph and the processor
 * only. Fails: COH_E_CONFIG (the graph has failed, a value is unknown, precision not
 * available), COH_E_MEMORY, COH_E_INTERNAL. */
coh_status coh_program_compile(const coh_graph *graph, const coh_value *outputs, int64_t n,
                               const coh_compile_options *options, coh_program **out);
void coh_program_destroy(coh_program **program);

/* Steps of the schedule; the step after which an output is final (its index + 1: outputs that
 * are ready when coh_program_run_steps(.., first, last) returned have ready <= last); 0 for
 * what is no output. Gradients become ready one by one, so their reduction can start early. */
int64_t coh_program_n_steps(const coh_program *program);
int64_t coh_program_ready(const coh_program *program, coh_value output);

/* A step that sums over lanes: whoever runs the program runs the steps before it on every lane,
 * adds up the lanes' parts in lane order, writes the sum on every lane (coh_workspace_cut), and
 * goes on with the step behind. */
typedef struct coh_cut {
  int64_t step;  /* of the schedule; its number of steps when there is no such cut */
  int64_t count; /* floats that are summed */
} coh_cut;
int64_t coh_program_n_cuts(const coh_program *program);
coh_cut coh_program_cut_at(const coh_program *program, int64_t k);

/* Bytes of one workspace's memory, and floating-point operations of one run (products only). */
int64_t coh_program_bytes(const coh_program *program);
int64_t coh_program_flops(const coh_program *program);

/* The schedule as text, one line a step: kernel, shapes, offset, bytes, flops. The caller frees
 * *out with coh_free. */
coh_status coh_program_describe(const coh_program *program, char **out);

/* ---- Workspace --------------------------------------------------------------------------- */

typedef struct coh_workspace coh_workspace;

/* Create the memory of one lane: all buffers and scratch, zeroed. Caller destroys. program:
 * borrowed for the workspace's life. Fails: COH_E_MEMORY. */
coh_status coh_workspace_create(const coh_program *program, coh_workspace **out);
void coh_workspace_destroy(coh_workspace **workspace);

/* Bind the whole parameter block (coh_graph_parameter_floats floats, 64-byte aligned, borrowed,
 * read only). Needed before the first run if the program uses parameters; may change between
 * runs at no cost (a target network is another block). */
coh_status coh_workspace_bind_parameters(coh_workspace *workspace, const float *block);

/* Let an input or an output live in the caller's memory: its count of floats, borrowed until
 * the next bind; NULL returns to the workspace's own memory. Nothing is copied. Inputs are only
 * read. Inputs the program does not use are accepted and ignored. Buffers bound to one
 * workspace must not overlap, other than inputs among themselves. 4-byte alignment suffices, 64
 * is faster. A value that is both is bound as
 * an input. Fails: COH_E_CONFIG when it is neither. */
coh_status coh_workspace_bind(coh_workspace *workspace, coh_value value, float *data);
coh_status coh_workspace_bind_const(coh_workspace *workspace, coh_value input,
                                    const float *data);

/* Bind n outputs, one for each parameter in table order and of its shape (what
 * coh_gradient_parameters gave), to the views of one flat block of the parameters' layout.
 * Padding is not written. */
coh_status coh_workspace_bind_flat(coh_workspace *workspace, const coh_value *outputs,
                                   int64_t n, float *block);

/* Where an input or output lives now: bound memory or the workspace's own. Inputs may be
 * written there before a run, outputs read after it. NULL for other values, and for inputs that
 * the program does not use. */
float *coh_workspace_data(coh_workspace *workspace, coh_value value);

/* The part of a lane in the sum at a cut, and where the sum over all lanes belongs. step: of
 * coh_program_cut_at. part, sum: out, borrowed, of the cut's count of floats. */
void coh_workspace_cut(const coh_workspace *workspace, int64_t step, const float **part,
                       float **sum);

/* Run all steps in the calling thread. Allocates nothing. The same bits on any thread.
 * Fails: COH_E_CONFIG when parameters are not bound, COH_E_INTERNAL when a kernel fails. */
coh_status coh_program_run(const coh_program *program, coh_workspace *workspace);

/* Run steps first <= i < last only; a run is complete when every step has run once, in order.
 */
coh_status coh_program_run_steps(const coh_program *program, coh_workspace *workspace,
                                 int64_t first, int64_t last);

#ifdef __cplusplus
}
#endif
#endif
