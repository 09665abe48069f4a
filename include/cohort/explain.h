/* Seeing inside: what in an input speaks for an output of a network, and whether that answer
 * can be believed.
 *
 *     coh_network_file_open(path, NULL, &file);
 *     coh_explainer_create(file, NULL, &explainer);
 *     coh_explain(explainer, &method, rows, targets, n, maps);
 *
 * Methods are kinds of a registry with options of their own. A map has one number a pixel (or a
 * component of a vector): positive where the input speaks for the target.
 * Nothing here is collective. */
#ifndef COHORT_EXPLAIN_H
#define COHORT_EXPLAIN_H

#include "cohort/network_file.h"
#include "cohort/option.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The registry: src/explain/methods/method.def. */
extern const coh_kind_set coh_explain_kinds;

typedef struct coh_explainer coh_explainer;

/* Make an explainer of a network. file: borrowed; its parameters are read anew at each call, so
 * they may be changed in between. layer: whose feature maps class activation maps are made of;
 * NULL: the last one with height and width. Caller destroys.
 * Fails: COH_E_CONFIG (an unknown layer, or one without height and width), COH_E_MEMORY. */
coh_status coh_explainer_create(coh_network_file *file, const char *layer,
                                coh_explainer **explainer);

/* Destroy; accepts NULL, sets NULL. */
void coh_explainer_destroy(coh_explainer **explainer);

/* Height, width and channels of an input; a vector is a line: 1 x n x 1. */
void coh_explainer_input(const coh_explainer *explainer, int64_t size[3]);

/* Number of outputs, and the name of the layer of class activation maps ("" without one). */
int64_t coh_explainer_n_outputs(const coh_explainer *explainer);
const char *coh_explainer_layer(const coh_explainer *explainer);

/* Outputs (logits, action values) of n rows. rows: n inputs; outputs: out, n x n_outputs. */
coh_status coh_explainer_outputs(coh_explainer *explainer, const float *rows, int64_t n,
                                 float *outputs);

/* Index of the largest output of each row. targets: out, n. */
coh_status coh_explainer_answers(coh_explainer *explainer, const float *rows, int64_t n,
                                 int32_t *targets);

/* Maps of n rows. method: a choice of coh_explain_kinds. targets: n, which output is asked
 * about. maps: out, n x height x width: for methods that answer a number an input value, their
 * sum over channels. Allocates.
 * Fails: COH_E_CONFIG (class activation maps of a network without feature maps),
 * COH_E_MEMORY. */
coh_status coh_explain(coh_explainer *explainer, const coh_choice *method, const float *rows,
                       const int32_t *targets, int64_t n, float *maps);

/* The same with a number an input value, n x height x width x channels; methods that answer a
 * number a pixel repeat it over channels. */
coh_status coh_explain_values(coh_explainer *explainer, const coh_choice *method,
                              const float *rows, const int32_t *targets, int64_t n,
                              float *values);

/* ---- Can it be believed? ----------------------------------------------------------------- */

/* How far a sum of attributions is from what it must be: |sum - (f(x) - f(black))| divided by
 * the larger of |f(x) - f(black)| and 1, the worst of n rows. */
coh_status coh_explain_completeness(coh_explainer *explainer, const float *values,
                                    const float *rows, const int32_t *targets, int64_t n,
                                    double *gap);

/* Insertion and deletion (Petsiuk, Das, Saenko, BMVC 2018): the area under the probability of
 * the target while the most important pixels appear on a blurred image, or turn black; means
 * over n rows. High insertion and low deletion are good. steps: points of the curves. */
typedef struct coh_explain_curves {
  double insertion, deletion;
} coh_explain_curves;
coh_status coh_explain_insertion(coh_explainer *explainer, const float *maps, const float *rows,
                                 const int32_t *targets, int64_t n, int64_t steps,
                                 coh_explain_curves *curves);

/* The sanity check of Adebayo et al., NeurIPS 2018: layers are set to random weights one after
 * the other, from the output down, and maps are compared with the first ones by the rank
 * correlation of their magnitudes. similarity: out, one mean a stage (first: the output layer
 * alone); *n_stages: in: room, out: stages. The parameters are restored. A method whose last
 * similarity stays high does not look at the network. */
coh_status coh_explain_sanity(coh_explainer *explainer, const coh_choice *method,
                              const float *rows, const int32_t *targets, int64_t n,
                              uint64_t seed, double *similarity, int64_t *n_stages);

/* Above this the sanity check calls a method uninformative. */
#define COH_EXPLAIN_UNINFORMATIVE 0.7

/* Rank correlation (Spearman) of the magnitudes of two maps of n numbers. Fails:
 * COH_E_MEMORY. */
coh_status coh_explain_rank_correlation(const float *a, const float *b, int64_t n,
                                        double *correlation);

#ifdef __cplusplus
}
#endif
#endif
