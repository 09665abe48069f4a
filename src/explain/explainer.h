/* An explainer from the inside, and how a method is written: one file in methods/ that defines
 * a coh_explain_method, and one line in method.def. */
#ifndef COHORT_EXPLAIN_EXPLAINER_H
#define COHORT_EXPLAIN_EXPLAINER_H

#include "cohort/explain.h"
#include "cohort/graph.h"

/* Rows computed at once. */
enum { COH_EXPLAIN_BLOCK = 32 };

/* A compiled program with one set of outputs. */
typedef struct coh_explain_program {
  coh_program *program;
  coh_workspace *workspace;
  coh_value input, seed, outputs, wanted, features;
} coh_explain_program;

struct coh_explainer {
  coh_network_file *file;
  int64_t size[3], n_pixels, n_values, n_outputs;
  float black;    /* what a stored 0 is as input */
  int64_t layer;  /* of class activation maps; -1: none */
  int64_t map[3]; /* height, width, channels of its feature maps */
  coh_explain_program forward, gradient, guided, features; /* compiled when first used */
};

/* Gradient of the targets' outputs in the inputs: out n x n_values. guided: activations pass on
 * positive gradients only. outputs: NULL, or n x n_outputs. */
coh_status coh_explainer_gradient(coh_explainer *e, bool guided, const float *rows,
                                  const int32_t *targets, int64_t n, float *gradient,
                                  float *outputs);

/* Feature maps of at most COH_EXPLAIN_BLOCK rows and the targets' gradient in them: borrowed,
 * (n, map[0], map[1], map[2]) each, valid until the next call.
 * Fails: COH_E_CONFIG without feature maps. */
coh_status coh_explainer_features(coh_explainer *e, const float *rows, const int32_t *targets,
                                  int64_t n, const float **features, const float **gradient);

/* Bilinear enlargement, pixel centres at half, edges held: (h, w) -> (height, width). */
void coh_explain_resize(const float *from, int64_t h, int64_t w, float *to, int64_t height,
                        int64_t width);

typedef struct coh_explain_method {
  coh_kind kind;
  bool is_per_value; /* answers n_values a row, otherwise n_pixels */
  coh_status (*run)(coh_explainer *e, const void *options, const float *rows,
                    const int32_t *targets, int64_t n, float *out);
} coh_explain_method;

/* A class activation map from one row's feature maps and gradients: out map[0] x map[1]. */
typedef void coh_cam_function(const coh_explainer *e, const float *features,
                              const float *gradient, float *out);
coh_status coh_explain_cam(coh_explainer *e, coh_cam_function *cam, const float *rows,
                           const int32_t *targets, int64_t n, float *out);

#endif
