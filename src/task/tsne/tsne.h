/* t-SNE: a map of rows in which similar rows are near each other.
 *
 * Set-up: rows (reduced by PCA) -> neighbours -> affinities p, symmetric, sum 1 -> start.
 * An iteration: attraction over the edges of p, repulsion between all points (exact, tree or
 * grid), momentum and gains; every rank moves its rows, then all get all positions.
 *
 * Rows are kept in an order of their own, along a space-filling curve through the start, so
 * that neighbours lie near each other in memory; order[i] is the dataset's row. Points are in
 * blocks of COH_TSNE_BLOCK rows; ranks own whole blocks, sums over points are sums of blocks in
 * order. So ranks and threads do not change a bit. Sources: van der Maaten, Hinton, JMLR 9
 * (2008); van der Maaten, JMLR 15 (2014); Linderman et al., Nature Methods 16 (2019); Belkina
 * et al., Nature Communications 10 (2019). */
#ifndef COHORT_TASK_TSNE_TSNE_H
#define COHORT_TASK_TSNE_TSNE_H

#include "cohort/task.h"
#include "task/map/map_film.h"
#include "task/pca/principal.h"
#include "task/tsne/repulsion_grid.h"
#include "task/tsne/repulsion_tree.h"
#include "task/tsne/tsne_affinity.h"
#include "task/tsne/tsne_options.h"

enum { COH_TSNE_BLOCK = 256, COH_TSNE_MAX_DIMS = 3 };

typedef struct coh_tsne {
  const coh_run_context *context;
  const coh_tsne_options *options;
  coh_dataset *dataset;
  coh_dataset *images;     /* what people know the rows as; NULL: the rows */
  coh_affine affine;       /* stored values to floats */
  coh_principal principal; /* what reduced the rows; components NULL: nothing did */
  int64_t n, n_values;     /* rows, and values of a row after PCA */
  float *rows;             /* (n, n_values), in the dataset's order; NULL with a matrix */
  int64_t dims, stride;    /* floats of a point and from point to point: 1 1, 2 2, 3 4 */
  int method;              /* coh_tsne_method, chosen */
  double recall;           /* of the neighbours; 1: exact or given */
  int64_t k;               /* neighbours of a row; 0: all pairs */
  int32_t *order;          /* (n): the dataset's row of point i */
  int64_t first, n_own;    /* this rank's points */
  size_t *share;           /* (ranks): bytes of the positions of each */
  coh_affinities p;
  /* points */
  float *y;               /* (n, stride): all */
  float *own;             /* (n_own, stride): what is sent */
  float *velocity, *gain; /* (n, stride): those of this rank are current */
  float *pull, *push;     /* (n_own, stride): attraction, repulsion */
  double *block_sum;      /* (blocks of this rank) */
  double *block_all;      /* (all blocks) */
  coh_tsne_grid *grid;
  coh_tsne_tree *tree;
  float *columns; /* exact: positions by dimension (dims, n padded) */
  double z;       /* sum of all similarities in the map */
  /* progress */
  int64_t iteration;
  double divergence; /* of the last measurement, NaN before */
  double best;       /* lowest divergence that counted, for stopping */
  int64_t best_at, measured_at;
  bool stopped;
  int64_t window_iterations;
  double window_begun, seconds_attract, seconds_repel, setup_seconds;
  /* copies that a checkpoint borrows */
  float *saved[3]; /* y, velocity, gain (n, dims) in the dataset's order */
  int64_t saved_counters[5];
  double saved_reals[2];
  double trust, preserved; /* of the last evaluation */
  int64_t trusted_at;
  coh_map_film film;
} coh_tsne;

/* ---- set-up: tsne_neighbors.c, tsne_start.c; collective */

/* Find, or read, the k nearest neighbours of all rows. index, distance (squared): out, (n, k).
 */
coh_status coh_tsne_find_neighbors(coh_tsne *t, int32_t *index, float *distance);

/* Choose the start and the order of points. */
coh_status coh_tsne_start(coh_tsne *t);

/* The rows of a dataset as floats, reduced by PCA where wide. rows: out, caller frees. */
coh_status coh_tsne_read_rows(coh_tsne *t);

/* ---- an iteration */

/* Sum of p_ij (1 + d^2/a)^-1 (y_i - y_j) over j for this rank's points. tsne_attract.c */
void coh_tsne_attract(coh_tsne *t);

/* The repulsion of this rank's points and t->z; collective. tsne_repel.c */
coh_status coh_tsne_repel(coh_tsne *t);
coh_status coh_tsne_repel_create(coh_tsne *t);

/* All pairs, for this rank's points: push, and the similarities' sum of each block. */
void coh_tsne_repel_exact(coh_tsne *t);

/* One iteration. Collective. Fails: COH_E_DIVERGED. tsne_step.c */
coh_status coh_tsne_step(void *task);

/* Keep the map as it is now for its animation, if its turn has come. Not collective. */
void coh_tsne_film(coh_tsne *t);

/* Sum blocks over all ranks in order: from t->block_sum. Collective. */
coh_status coh_tsne_sum_blocks(coh_tsne *t, double *sum);

/* ---- measures: tsne_measure.c; collective */

/* Kullback-Leibler divergence of the map from the affinities, without exaggeration; uses the z
 * of the current positions. */
coh_status coh_tsne_divergence(coh_tsne *t, double *divergence);

/* Trustworthiness (Venna, Kaski 2001) and share of the k nearest neighbours kept, at a sample
 * of rows. */
coh_status coh_tsne_quality(coh_tsne *t, int64_t k, double *trust, double *preserved);

/* Places of new rows on the map as it is: rows (n_new, n_values) as t->rows are; out: (n_new,
 * dims), on every rank. Collective. Fails: COH_E_MEMORY. tsne_place.c */
coh_status coh_tsne_place(const coh_tsne *t, int64_t n_new, const float *rows, float *out);

/* ---- task functions in files of their own */
coh_status coh_tsne_create(const coh_run_context *context, const void *options, void **task);
void coh_tsne_destroy(void **task);
coh_status coh_tsne_place_rows(void *task, const coh_place_request *request, coh_array *places);
coh_status coh_tsne_save(void *task, coh_saver *saver);
coh_status coh_tsne_load(void *task, coh_loader *loader);
coh_status coh_tsne_results(void *task, coh_results *results);

/* Positions in the dataset's order: out (n, dims). */
void coh_tsne_positions(const coh_tsne *t, float *out);

#endif
