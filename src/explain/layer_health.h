/* The health of a network while it trains: per activation, units that are dead and values that
 * are saturated; per layer, the norm of its gradient. Every learner logs it, and is told in
 * words when it goes wrong. Not collective. */
#ifndef COHORT_EXPLAIN_LAYER_HEALTH_H
#define COHORT_EXPLAIN_LAYER_HEALTH_H

#include "cohort/nn.h"

/* Rows that are looked at. */
enum { COH_HEALTH_ROWS = 32, COH_HEALTH_LAYERS = 63 };

/* What was found of one layer. Activations within blocks stand for themselves; the gradient of
 * a block is that of all its parameters. */
typedef struct coh_layer_state {
  char name[96];          /* "1.relu", "2.residual.body.0.relu", or "0.conv" for parameters */
  bool is_activation;     /* dead and saturated are known */
  double dead;            /* share of units (channels of images) whose slope is 0 on all rows */
  double saturated;       /* share of values whose slope is below a hundredth of its largest */
  double mean, deviation; /* of the values that come out */
  bool has_parameters;
  double gradient_norm; /* of the layer's parameters; NAN when no gradient was given */
} coh_layer_state;

typedef struct coh_health coh_health;

/* Make it. network: borrowed for its life. Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_health_create(const coh_network *network, coh_health **health);
void coh_health_destroy(coh_health **health);

/* Inputs to look at; all borrowed for the call. */
typedef struct coh_health_rows {
  const float *values;  /* n rows of the network's input */
  const float *classes; /* of conditional networks: n one-hot rows; NULL: none */
  int64_t n;            /* beyond COH_HEALTH_ROWS they are left out */
} coh_health_rows;

/* Look. params: the network's part of a flat block. gradient: of the same layout, or NULL.
 * Allocates nothing. */
coh_status coh_health_look(coh_health *health, const float *params, const coh_health_rows *rows,
                           const float *gradient);

/* What the last look found, by layer. Borrowed. */
const coh_layer_state *coh_health_layers(const coh_health *health, int64_t *n_layers);

/* Its numbers as metrics "layer/1.relu/dead" and so on: name k and value, false beyond the
 * last. Names are borrowed for the health's life. */
bool coh_health_metric(const coh_health *health, int64_t k, const char **name, double *value);

/* What is wrong, in words: line k, false beyond the last. about: out, the layer's place in
 * coh_health_layers, or -1 for the gradient's way through all of them; may be NULL. */
enum { COH_HEALTH_TEXT = 384 };
bool coh_health_warning(const coh_health *health, int64_t k, int64_t *about,
                        char text[COH_HEALTH_TEXT]);

#endif
