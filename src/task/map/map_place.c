#include "task/map/map_place.h"

#include <math.h>

#include "base/alloc.h"
#include "draw/scatter.h"

enum { SQUARE = 840 };

coh_status coh_map_placed_write(const coh_map_placed *p, const char *path) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(p->rows);
  int64_t n = p->n + spec->n_rows;
  const int32_t *labels = coh_dataset_labels(p->rows);
  float *seen;
  COH_NEW(seen, 2 * n);
  int32_t *label = coh_alloc_array((size_t)n, sizeof *label);
  coh_status status = label ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for a picture");
  for (int64_t i = 0; i < n && label; i++) {
    const float *y = i < p->n ? p->map + i * p->dims : p->places + (i - p->n) * p->dims;
    seen[2 * i] = y[0];
    seen[2 * i + 1] =
        p->dims > 1 ? y[1] : (float)(fmod((double)i * 0.61803398875, 1) * (i < p->n ? 1 : 2));
    label[i] = i >= p->n && labels ? labels[i - p->n] : 0;
  }
  coh_scatter s = {.n = n,
                   .x = seen,
                   .y = seen + 1,
                   .stride = 2,
                   .label = label,
                   .n_classes = spec->has_labels ? spec->n_classes : 0,
                   .class_name = spec->class_names,
                   .size = SQUARE,
                   .n_behind = p->n};
  if (status == COH_OK) status = coh_scatter_write(&s, path);
  coh_free(seen);
  coh_free(label);
  return status;
}
