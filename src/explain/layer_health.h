/* The health of a network while it trains: per activation, units that are dead and values that
 * are saturated; per layer, the norm of its gradient. Every learner logs it, and is told in
 * words when it goes wrong. Not collective. */
#ifndef COHORT_EXPLAIN_LAYER_HEALTH_H
#define COHORT_EXPLAIN_LAYER_HEALTH_H

#include "cohort/nn.h"

/* Rows that are looked at. */
enum { COH_HEALTH_ROWS = 32, COH_HEALTH_LAYERS = 64 };

/* What was found of one layer. */
typedef struct coh_layer_state {
  char name[96];          /* "1.relu", or "0.conv" for a layer with parameters */
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

/* Look. params: the flat block. rows: n (at most COH_HEALTH_ROWS) inputs. gradient: a block of
 * the parameters' layout, or NULL. Allocates nothing. */
coh_status coh_health_look(coh_health *health, const float *params, const float *rows,
                           int64_t n, const float *gradient);

/* What the last look found, by layer. Borrowed. */
const coh_layer_state *coh_health_layers(const coh_health *health, int64_t *n_layers);

/* Its numbers as metrics "layer/1.relu/dead" and so on: name k and value, false beyond the
 * last. Names are borrowed for the health's life. */
bool coh_health_metric(const coh_health *health, int64_t k, const char **name, double *value);

/* What is wrong, in words: line k, false beyond the last. text: out, of 256 bytes. */
bool coh_health_warning(const coh_health *health, int64_t k, char text[256]);

#endif
