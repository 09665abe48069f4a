#include "task/map/map_film.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/scatter.h"
#include "io/file.h"

enum { PATH_BYTES = 4096, FIRST_PACE = 5, SIDE = 360 };

coh_status coh_map_film_init(coh_map_film *film, int64_t n_rows) {
  *film = (coh_map_film){.n_rows = n_rows,
                         .n_points = n_rows < COH_FILM_POINTS ? n_rows : COH_FILM_POINTS,
                         .pace = FIRST_PACE};
  COH_NEW(film->place, COH_FILM_FRAMES * film->n_points * 2);
  return COH_OK;
}

void coh_map_film_fini(coh_map_film *film) {
  coh_free(film->place);
  *film = (coh_map_film){0};
}

float *coh_map_film_frame(coh_map_film *film, int64_t iteration) {
  int64_t width = film->n_points * 2;
  if (!film->place || iteration != film->n_frames * film->pace) return NULL;
  if (film->n_frames == COH_FILM_FRAMES) {
    for (int64_t f = 1; 2 * f < COH_FILM_FRAMES; f++)
      memcpy(film->place + f * width, film->place + 2 * f * width,
             (size_t)width * sizeof *film->place);
    film->n_frames /= 2;
    film->pace *= 2;
  }
  return film->place + film->n_frames++ * width;
}

static coh_status add_frame(const coh_map_film *film, int64_t f, coh_scatter *s,
                            coh_animation **animation) {
  char title[64];
  snprintf(title, sizeof title, "iteration %lld", (long long)(f * film->pace));
  s->title = title;
  s->x = film->place + f * film->n_points * 2;
  s->y = s->x + 1;
  coh_image image = {0};
  COH_TRY(coh_scatter_draw(s, &image));
  coh_status status = COH_OK;
  if (!*animation) status = coh_animation_create(image.width, image.height, animation);
  if (status == COH_OK)
    status = coh_animation_add(*animation, image.data, f + 1 < film->n_frames ? 0.09 : 2.5);
  coh_image_clear(&image);
  return status;
}

coh_status coh_map_film_write(const coh_map_film *film, const coh_dataset *rows,
                              const char *folder, coh_results *results) {
  if (film->n_frames < 2) return COH_OK;
  const coh_dataset_spec *spec = coh_dataset_spec_of(rows);
  const int32_t *all = coh_dataset_labels(rows);
  int32_t *label;
  COH_NEW(label, film->n_points);
  for (int64_t p = 0; all && p < film->n_points; p++)
    label[p] = all[p * film->n_rows / film->n_points];
  coh_scatter s = {.n = film->n_points,
                   .stride = 2,
                   .label = all ? label : NULL,
                   .n_classes = spec->n_classes,
                   .class_name = spec->class_names,
                   .size = SIDE};
  coh_animation *animation = NULL;
  coh_status status = COH_OK;
  for (int64_t f = 0; f < film->n_frames && status == COH_OK; f++)
    status = add_frame(film, f, &s, &animation);
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/figures", folder);
  if (status == COH_OK) status = coh_folder_make(path);
  snprintf(path, sizeof path, "%s/figures/optimisation.png", folder);
  if (status == COH_OK) status = coh_animation_write(animation, path);
  coh_animation_destroy(&animation);
  coh_free(label);
  if (status == COH_OK)
    coh_results_picture(results, "figures/optimisation.png",
                        "How the map formed: an animation, each frame scaled to its points.",
                        false);
  return status;
}
