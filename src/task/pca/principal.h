/* Principal components of the rows of a dataset, over ranks and threads.
 *
 * Exact: one pass; the covariance about a shift (so that nothing cancels), panels of rows in
 * single precision, their sums in double, one reduction, dsyevr. Randomised, for wide rows:
 * block power iteration on the covariance, a pass an iteration and one reduction a pass,
 * Rayleigh-Ritz at the end (Halko, Martinsson, Tropp, SIAM Review 53, 2011). Panels of rows are
 * fixed by the data and groups of panels by the lanes, so results do not depend on ranks and
 * threads. */
#ifndef COHORT_TASK_PCA_PRINCIPAL_H
#define COHORT_TASK_PCA_PRINCIPAL_H

#include "cohort/comm.h"
#include "cohort/data.h"

typedef enum coh_principal_method {
  COH_PRINCIPAL_AUTO, /* exact up to COH_PRINCIPAL_WIDE values a row */
  COH_PRINCIPAL_EXACT,
  COH_PRINCIPAL_RANDOMISED,
} coh_principal_method;

enum { COH_PRINCIPAL_WIDE = 4096 };

typedef struct coh_principal_options {
  int64_t components;         /* at most min(n_rows - 1, n_values) */
  int method;                 /* coh_principal_method */
  int64_t oversample, powers; /* randomised */
  bool center, scale, whiten;
} coh_principal_options;

/* A projection: y = (x - mean) / scale . component, whitened: / sqrt(variance). */
typedef struct coh_principal {
  int64_t n_values, k;
  double *mean, *scale; /* (n_values); zeros and ones where not asked for */
  double *components;   /* (k, n_values), unit rows; the largest entry of each is positive */
  double *variances;    /* (k), of the centred and scaled rows, divisor n - 1 */
  double total;         /* sum of all variances */
  int64_t n_constant;   /* columns that never change */
  bool whiten;
} coh_principal;

coh_status coh_principal_init(int64_t n_values, int64_t k, coh_principal *principal);
void coh_principal_fini(coh_principal *principal);

/* Project rows. rows: (n, n_values); out: (n, k); scratch: (n, n_values) floats. Not
 * collective. */
typedef struct coh_projector coh_projector;
coh_status coh_projector_create(const coh_principal *principal, coh_projector **projector);
void coh_projector_destroy(coh_projector **projector);
void coh_projector_transform(const coh_projector *projector, int64_t n, const float *rows,
                             float *scratch, float *out);

/* The way back: rows from their projections. out: (n, n_values). */
void coh_projector_inverse(const coh_projector *projector, int64_t n, const float *projected,
                           float *out);

/* Project this rank's part of a dataset and bring all of it to every rank. Collective.
 * out: (n_rows, k). Rows are computed in fixed panels. */
coh_status coh_projector_run(const coh_projector *projector, coh_world *world,
                             const coh_lanes *lanes, int n_threads, const coh_dataset *dataset,
                             coh_affine affine, float *out);

/* ---- fitting, a pass at a time */

typedef struct coh_principal_fit coh_principal_fit;

/* What a fit works on. Borrowed, must outlive it. */
typedef struct coh_principal_problem {
  coh_world *world;
  coh_lanes lanes;
  int n_threads;
  uint64_t seed;
  const coh_dataset *dataset;
  coh_affine affine;
  coh_principal_options options;
} coh_principal_problem;

/* Collective, as a pass. Caller destroys. Fails: COH_E_CONFIG (components), COH_E_MEMORY. */
coh_status coh_principal_fit_create(const coh_principal_problem *problem,
                                    coh_principal_fit **fit);
void coh_principal_fit_destroy(coh_principal_fit **fit);

/* Read all rows once. Fails, on all ranks alike: COH_E_DATA (a value that is not finite, with
 * its row), COH_E_COMM. */
coh_status coh_principal_fit_pass(coh_principal_fit *fit);

int64_t coh_principal_fit_passes(const coh_principal_fit *fit); /* done so far */
bool coh_principal_fit_done(const coh_principal_fit *fit);

/* The answer so far; borrowed. Its values are final when the fit is done. */
coh_principal *coh_principal_fit_result(coh_principal_fit *fit);

/* The basis between passes, (n_values, *columns), NULL for the exact method; and going on from
 * a saved one. */
float *coh_principal_fit_basis(coh_principal_fit *fit, int64_t *columns);
void coh_principal_fit_set_passes(coh_principal_fit *fit, int64_t passes);

/* All passes at once. principal: out, caller ends with coh_principal_fini. */
coh_status coh_principal_compute(const coh_principal_problem *problem,
                                 coh_principal *principal);

#endif
