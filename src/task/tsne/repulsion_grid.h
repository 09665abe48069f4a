/* Repulsion through a grid: similarities are a convolution, and a convolution is a product of
 * Fourier transforms.
 *
 * Points are spread to nodes with cubic B-splines, as one field of charges. Its transform is
 * multiplied by those of three kernels: the similarity w, whose sum over all pairs is read off
 * in the Fourier domain and never transformed back, and the two components of the force, which
 * come back as real and imaginary part of one transform. The blur of the splines is divided
 * out. Twice the nodes keep the images of a periodic transform apart. After Linderman et al.,
 * Nature Methods 16 (2019), and particle-mesh methods (Hockney, Eastwood, "Computer Simulation
 * Using Particles", 1988), which bring one forward and one inverse complex transform instead of
 * four and four.
 *
 * Results do not depend on threads. Not collective: every rank spreads all points, and reads
 * forces at its own. */
#ifndef COHORT_TASK_TSNE_REPULSION_GRID_H
#define COHORT_TASK_TSNE_REPULSION_GRID_H

#include <stdint.h>

#include "cohort/status.h"

typedef struct coh_tsne_grid coh_tsne_grid;

/* n points of 1 or 2 dims; spacing: of nodes, at most; freedom: of the similarity.
 * Caller destroys. Fails: COH_E_MEMORY. */
coh_status coh_tsne_grid_create(int64_t n, int64_t dims, double spacing, double freedom,
                                int n_threads, coh_tsne_grid **grid);
void coh_tsne_grid_destroy(coh_tsne_grid **grid);

/* y: (n, dims), finite. push: out, (n_own, dims), of points [first, first + n_own): the sum of
 * w_ij (1 + d^2/a)^-1 (y_i - y_j) over j. z: out, the sum of w_ij over all i != j. Memory grows
 * with the extent of the map, the only allocation. Fails: COH_E_MEMORY. */
coh_status coh_tsne_grid_run(coh_tsne_grid *grid, const float *y, int64_t first, int64_t n_own,
                             float *push, double *z);

#endif
