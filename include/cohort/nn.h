/* Networks, losses and optimisers.
 *
 *   config             create              build                    initialize, step
 *   coh_choice_list -> coh_network      -> values of a coh_graph -> flat blocks of floats
 *   (layers)           (shapes checked)    (any batch size)         (parameters, moments)
 *
 * Layers, activations, initialisers, losses and optimisers are kinds of a registry; a task's
 * option table refers to the registry:
 *
 *     {.name = "network", .type = COH_KINDS, .kinds = &coh_layer_kinds,
 *      .initial = "[conv: 16, relu, dense: 128, relu]", ...},
 *     {.name = "optimizer", .type = COH_KIND, .kinds = &coh_optimizer_kinds,
 *      .initial = "{rmsprop: {learning_rate: 2.5e-4, centered: true}}", ...},
 *
 * Nothing here is collective, and no result depends on ranks or threads.
 */
#ifndef COHORT_NN_H
#define COHORT_NN_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/graph.h"
#include "cohort/option.h"
#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Registries -------------------------------------------------------------------------- */

/* What a `network:` list is made of: layers, activations among them. */
extern const coh_kind_set coh_layer_kinds;

/* The activations alone. */
extern const coh_kind_set coh_activation_kinds;

extern const coh_kind_set coh_initializer_kinds;
extern const coh_kind_set coh_loss_kinds;
extern const coh_kind_set coh_optimizer_kinds;

/* ---- Networks ---------------------------------------------------------------------------- */

/* A description: layers, the shapes between them, how parameters begin. Immutable once created;
 * any number of threads may build and initialise from it. */
typedef struct coh_network coh_network;

/* What a network is created from. Zero-initialised fields mean their defaults. Everything
 * pointed to is borrowed for the network's life (the option struct that owns the choices must
 * outlive it). */
typedef struct coh_network_config {
  const char *name;       /* prefix of all names, and of the initial draws: networks of one
                             run with different names begin differently; NULL: none */
  coh_choice_list layers; /* of coh_layer_kinds; may be empty */
  coh_choice initializer; /* of coh_initializer_kinds; kind NULL: pytorch */
  coh_shape input;        /* of one sample, without the batch axis; images are H,W,C */
  int64_t n_outputs;      /* width of the output layer that is appended; 0: none */
  int64_t n_classes;      /* of conditional networks; 0: not conditional */
} coh_network_config;

/* Create a network and check that its layers fit each other. Caller destroys.
 * The output layer (n_outputs > 0) is the last layer of the list when that is a head such as
 * `dueling`, otherwise a dense layer named "output" is appended.
 * Fails: COH_E_CONFIG, naming the layer by index and kind, its input and what would be right;
 * COH_E_MEMORY. */
coh_status coh_network_create(const coh_network_config *config, coh_network **out);
void coh_network_destroy(coh_network **network);

/* Add the network to a graph: input (B, sample shape) -> *output (B, ...).
 * Parameters are created in the graph under stable names such as "0.conv.weight" or
 * "2.dense.bias" (after the network's name and a dot, if it has one), layer outputs are named
 * "0.conv", "1.relu", ..., "4.output" (coh_graph_find gives feature maps). The layout of the
 * parameters does not depend on the batch size. Building the same network again in the graph
 * shares the parameters of the first time.
 * Weights: dense (inputs, units), conv (height, width, channels in, channels out).
 * Fails: COH_E_CONFIG (the input's shape is not the network's, or the graph has failed). */
coh_status coh_network_build(const coh_network *network, coh_graph *graph, coh_value input,
                             coh_value *output);

/* How a network is built where that matters. Zero-initialised: for training, one lane, no
 * class. */
typedef struct coh_network_use {
  bool inference;      /* normalisations use the statistics they have kept */
  int64_t n_lanes;     /* of the run, for statistics over all lanes; 0: 1 */
  bool is_conditional; /* `condition` holds: the class of each row, one-hot (B, n_classes) */
  coh_value condition;
  bool guided; /* activations pass on positive gradients only (guided backpropagation) */
} coh_network_use;

/* What layers keep beside trained parameters (running statistics, power iterations): parameters
 * of the block that no gradient reaches and that the trainer renews after each step:
 *   parameter = (1 - rate) parameter + rate value
 * with value an output of the program, averaged over lanes. */
enum { COH_MAX_REFRESH = 128 };
typedef struct coh_network_refresh {
  coh_value parameter[COH_MAX_REFRESH], value[COH_MAX_REFRESH];
  double rate[COH_MAX_REFRESH];
  int64_t n;
} coh_network_refresh;

/* The same with a use; refresh: what layers ask for is appended, NULL: not wanted.
 * Fails also: COH_E_CONFIG when a layer needs a class and there is none. */
coh_status coh_network_build_for(const coh_network *network, coh_graph *graph, coh_value input,
                                 const coh_network_use *use, coh_network_refresh *refresh,
                                 coh_value *output);

/* Write the initial parameters: a function of the network, its name and the seed only.
 * block: out, coh_network_floats floats, 64-byte aligned, borrowed: where the network's first
 * parameter lies (the start of the flat block, when the graph holds this network only).
 * Padding is set to zero. Fails: COH_E_MEMORY. */
coh_status coh_network_initialize(const coh_network *network, uint64_t seed, float *block);

/* Floats of the network's flat block, padding included: equal to coh_graph_parameter_floats of
 * a graph that holds this network only. */
int64_t coh_network_floats(const coh_network *network);

/* Trainable numbers, without padding. */
int64_t coh_network_n_parameters(const coh_network *network);

/* Whether in training a row's output depends on the other rows (batch normalisation). */
bool coh_network_mixes_rows(const coh_network *network);

/* Shape of one sample of the output, without the batch axis. */
coh_shape coh_network_output_shape(const coh_network *network);

/* A table for people: layer, output shape, parameters. *text: caller frees with coh_free. */
coh_status coh_network_describe(const coh_network *network, char **text);

/* ---- Activations ------------------------------------------------------------------------- */

/* What is known of an activation: formulas as text and the range of its values. */
typedef struct coh_activation_facts {
  const char *formula;    /* "x / (1 + e^-x)" */
  const char *derivative; /* "s (1 + x (1 - s)), s = 1 / (1 + e^-x)" */
  double low, high;       /* infimum and supremum of its values, with the options chosen */
} coh_activation_facts;

/* Facts, value and derivative in double precision, of a choice from coh_activation_kinds (or a
 * layer choice that is an activation). Where the derivative jumps: the one the graph uses. */
coh_activation_facts coh_activation_describe(const coh_choice *choice);
double coh_activation_value(const coh_choice *choice, double x);
double coh_activation_derivative(const coh_choice *choice, double x);

/* ---- Losses ------------------------------------------------------------------------------ */

/* Add a loss to a graph, one value a row: prediction and target (B) or (B, ...), of equal
 * shape -> *per_row (B), the mean over the further axes (cross_entropy: the sum over classes).
 * The caller weights and averages the rows. No gradient flows to the target.
 * Fails: COH_E_CONFIG. */
coh_status coh_loss_build(const coh_choice *choice, coh_graph *graph, coh_value prediction,
                          coh_value target, coh_value *per_row);

/* ---- Schedules --------------------------------------------------------------------------- */

/* A factor over steps: warm-up from 0 to 1, then constant, or a decay to `final`. */
typedef struct coh_schedule {
  int shape;      /* constant | linear | cosine */
  int64_t warmup; /* steps of linear growth at the start */
  int64_t steps;  /* step at which the decay ends, warm-up included; unused when constant */
  double final;   /* factor from then on */
} coh_schedule;

/* Rows of a COH_GROUP that fills a coh_schedule. */
extern const coh_option coh_schedule_table[];

/* Check what bounds cannot (a decay must end after its warm-up). Fails: COH_E_CONFIG. */
coh_status coh_schedule_check(const coh_schedule *schedule);

/* The factor at a step, counted from 0: a function of both only. */
double coh_schedule_factor(const coh_schedule *schedule, int64_t step);

/* ---- Optimisers -------------------------------------------------------------------------- */

/* An optimiser of one flat block: moments of the block's layout, a step counter. */
typedef struct coh_optimizer coh_optimizer;

/* Create the optimiser of a block of n_floats. Caller destroys. choice: from
 * coh_optimizer_kinds, its options borrowed for the optimiser's life.
 * Fails: COH_E_CONFIG, COH_E_MEMORY. */
coh_status coh_optimizer_create(const coh_choice *choice, int64_t n_floats,
                                coh_optimizer **out);
void coh_optimizer_destroy(coh_optimizer **optimizer);

/* One whole step: params -= update(scale * grads), after clipping as configured. One pass over
 * memory, two with clip_norm. Allocates nothing.
 * params: in/out; grads: in; both n_floats with zero padding, which stays zero. scale: such as
 * 1 / batch.
 * Fails: COH_E_DIVERGED when a gradient is not finite, or after scaling so large (2^63) that
 * its square would not be. With clip_norm params and moments are then as before; without, they
 * have been updated and are of no use. */
coh_status coh_optimizer_step(coh_optimizer *optimizer, float *params, const float *grads,
                              double scale);

/* The same in parts, with the same bits, for shards and threads:
 *
 *     begin (one thread), range ... (threads, disjoint, together the floats held here), end
 *
 * begin: norm is coh_norm_finish of the whole gradient before scaling; ignored unless
 * coh_optimizer_needs_norm. Fails: COH_E_DIVERGED when a norm that is needed is not finite;
 * then nothing has changed and the step is not begun.
 * range: floats first <= i < first + n of params and grads, which point to the start of the
 * block. On a shard only the moments of its own ranges are kept up to date.
 * end: counts the step. Fails: COH_E_DIVERGED when a gradient of the ranges was not finite. */
bool coh_optimizer_needs_norm(const coh_optimizer *optimizer);
coh_status coh_optimizer_begin(coh_optimizer *optimizer, double scale, double norm);
void coh_optimizer_range(coh_optimizer *optimizer, float *params, const float *grads,
                         int64_t first, int64_t n);
coh_status coh_optimizer_end(coh_optimizer *optimizer);

/* Learning rate of the next step, schedule included. */
double coh_optimizer_learning_rate(const coh_optimizer *optimizer);

/* ---- Optimiser state for checkpoints ----------------------------------------------------- */

/* A named flat block of the parameters' layout. */
typedef struct coh_moment {
  const char *name; /* "first_moment", ...: borrowed, static */
  float *data;      /* n_floats, owned by the optimiser */
} coh_moment;

/* Moment k, 0 <= k < n_moments: to be saved, or overwritten by what was saved. */
int64_t coh_optimizer_n_moments(const coh_optimizer *optimizer);
coh_moment coh_optimizer_moment_at(const coh_optimizer *optimizer, int64_t k);

/* Steps taken. */
int64_t coh_optimizer_steps(const coh_optimizer *optimizer);
void coh_optimizer_set_steps(coh_optimizer *optimizer, int64_t n_steps);

/* ---- Flat blocks ------------------------------------------------------------------------- */

/* The Euclidean norm in parts: the sum of squares of each stretch of COH_NORM_STRETCH floats,
 * in an order fixed by the stretch; then a binary tree over stretches. It is not finite exactly
 * when a float is not.
 * partials: of stretches first <= k < last; block: start of the whole block of n_floats;
 * partial: out, at the start of the array of all coh_norm_stretches(n_floats). */
enum { COH_NORM_STRETCH = 4096 };
int64_t coh_norm_stretches(int64_t n_floats);
void coh_norm_partials(const float *block, int64_t n_floats, int64_t first, int64_t last,
                       double *partial);
double coh_norm_finish(const double *partial, int64_t n_stretches);

/* Target networks and averaged weights: target = source, and the Polyak average
 * target = (1 - tau) target + tau source. Disjoint ranges may run in any threads. */
void coh_block_copy(float *target, const float *source, int64_t n_floats);
void coh_block_polyak(float *target, const float *source, double tau, int64_t n_floats);

#ifdef __cplusplus
}
#endif
#endif
