/* Pictures of a GAN's rows, which its results and its frames share. */
#ifndef COHORT_TASK_GAN_SHOW_H
#define COHORT_TASK_GAN_SHOW_H

#include "draw/figure.h"
#include "task/gan/gan.h"

enum { COH_GAN_PATH = 4096, COH_GAN_COLUMNS = 10, COH_GAN_ROWS = 10, COH_GAN_POINTS = 2000 };

/* FOLDER/figures/NAME, made ready to be written. path: out, COH_GAN_PATH bytes. */
coh_status coh_gan_figures_path(const coh_gan *gan, const char *name, char *path);

/* Write into a PNG that it is synthetic, and where it is from. */
coh_status coh_gan_mark_synthetic(const coh_gan *gan, const char *path);

/* Columns of a grid: classes where there are few, so that each has a column of its own. */
int64_t coh_gan_columns(const coh_gan *gan);

/* Write a grid into the figures. */
coh_status coh_gan_write_grid(const coh_gan *gan, const coh_grid *grid, bool is_synthetic,
                              const char *name);

/* Images in a grid in the figures, two pixels a pixel. */
typedef struct coh_gan_grid {
  const float *rows; /* n images */
  int64_t n, columns;
  const char *const *row_label; /* or NULL */
  bool is_synthetic;
  const char *name; /* of the file */
} coh_gan_grid;
coh_status coh_gan_draw_rows(const coh_gan *gan, const coh_gan_grid *grid);

/* n images edge to edge, coh_gan_columns a row. image: out; caller clears. */
coh_status coh_gan_draw_tiles(const coh_gan *gan, const float *rows, int64_t n,
                              coh_image *image);

/* Data, n rows and the discriminator's values over the plane. image: out; caller clears. */
coh_status coh_gan_draw_plane(const coh_gan *gan, const float *rows, int64_t n,
                              coh_image *image);

/* ---- gan_frames.c */

/* Keep a picture of what the fixed noise makes now, results/progress/update-....png.
 * Collective.
 */
coh_status coh_gan_keep_frame(coh_gan *gan);

/* The figure and the animation of the pictures that were kept. On rank 0. */
coh_status coh_gan_show_growth(const coh_gan *gan, coh_results *results);

/* An animation between latents. Collective. */
coh_status coh_gan_show_walk(coh_gan *gan, coh_results *results);

/* The point at t of the way from a to b on the great circle through both, their lengths mixed:
 * normal latents keep their length. to: out, n. */
void coh_gan_between(const float *a, const float *b, int64_t n, double t, float *to);

#endif
