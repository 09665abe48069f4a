/* The parts of a GAN that a config chooses by name: one small file and one line each. */
#ifndef COHORT_TASK_GAN_KINDS_H
#define COHORT_TASK_GAN_KINDS_H

#include "cohort/graph.h"
#include "cohort/option.h"

/* ---- losses/: what the two players minimise ------------------------------------------------
 */

typedef struct coh_gan_loss_type {
  coh_kind kind;

  /* real, fake: the discriminator's values (n) of real and generated rows -> losses of the
   * discriminator and of the generator, one a row (n). */
  void (*build)(const void *options, coh_graph *g, coh_value real, coh_value fake,
                coh_value *discriminator, coh_value *generator);
} coh_gan_loss_type;

extern const coh_kind_set coh_gan_loss_kinds;

/* ---- regularizers/: penalties on the discriminator's slope ----------------------------------
 */

typedef enum coh_gan_where { COH_GAN_AT_REAL, COH_GAN_AT_FAKE, COH_GAN_BETWEEN } coh_gan_where;

typedef struct coh_gan_regularizer_type {
  coh_kind kind;
  coh_gan_where where; /* the rows at which the slope is taken; between: random mixtures */

  /* squares (n): |dD/dx|^2 of each row -> penalty of each row (n). */
  coh_value (*build)(const void *options, coh_graph *g, coh_value squares);
} coh_gan_regularizer_type;

extern const coh_kind_set coh_gan_regularizer_kinds;

/* A single weight. */
typedef struct coh_gan_weight_options {
  double weight;
} coh_gan_weight_options;

/* R1 and R2, which differ in where they look: gamma / 2 |dD/dx|^2. */
extern const coh_option coh_gan_slope_table[];
coh_value coh_gan_slope_penalty(const void *options, coh_graph *g, coh_value squares);

/* One-sided label smoothing of the losses of probabilities. */
typedef struct coh_gan_smoothing_options {
  double smoothing;
} coh_gan_smoothing_options;

extern const coh_option coh_gan_smoothing_table[];

/* -log D(x) - log(1 - D(G(z))) of each pair, D being the sigmoid of the network's value. */
coh_value coh_gan_log_loss(const coh_gan_smoothing_options *options, coh_graph *g,
                           coh_value real, coh_value fake);

/* ---- sources/: what the generator is given
 * --------------------------------------------------- */

typedef struct coh_gan_source_type {
  coh_kind kind;
  bool is_latent; /* made of noise alone: images can be generated without a real one */
  bool is_poorer; /* an image like the real one, but poorer: what can be compared with it */

  /* Shape of the normal noise that a row takes; rank 0: none. sample: shape of a real row. */
  coh_shape (*noise)(const void *options, coh_shape sample);

  /* real (n, sample shape), noise (n, noise shape) -> what the generator sees (n, ...). */
  coh_status (*build)(const void *options, coh_graph *g, coh_value real, coh_value noise,
                      coh_value *out);
} coh_gan_source_type;

extern const coh_kind_set coh_gan_source_kinds;

/* ---- augments/: differentiable changes to all that the discriminator sees (DiffAugment)
 * ------ */

typedef struct coh_gan_augment_type {
  coh_kind kind;

  /* Uniform numbers in [0, 1) that a row takes. */
  int64_t n_uniforms;

  /* Turn them into the values of the input (shape of a row as `input` says); may be NULL: they
   * are the input. */
  coh_shape (*input)(const void *options, coh_shape sample);
  void (*fill)(const void *options, coh_shape sample, const double *uniform, float *input);

  /* x (n, H, W, C), input (n, input shape) -> the changed x. */
  coh_value (*build)(const void *options, coh_graph *g, coh_value x, coh_value input);
} coh_gan_augment_type;

extern const coh_kind_set coh_gan_augment_kinds;

#endif
