#include "task/map/map_source.h"

#include <stdio.h>

#include "cohort/network_file.h"

// what a layer gives, a vector a row, with the labels of the dataset
static coh_status run_network(const coh_map_source *source, const coh_dataset *data,
                              int n_threads, coh_dataset **rows) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(data);
  coh_network_file *file = NULL;
  coh_array values = {0};
  COH_TRY(coh_network_file_open(source->network, *source->part ? source->part : NULL, &file));
  coh_status status =
      coh_network_file_activations(file, source->layer, data, n_threads, &values);
  coh_network_file_close(&file);
  COH_TRY(status);
  values.shape[1] = coh_array_count(&values) / values.shape[0];
  values.n_dims = 2;
  char name[128];
  snprintf(name, sizeof name, "%s in layer %s", spec->name, source->layer);
  status = coh_dataset_with_rows(data, name, &values, rows);
  coh_array_clear(&values);
  return status;
}

coh_status coh_map_source_open(const coh_map_source *source, int n_threads, coh_dataset **rows,
                               coh_dataset **images) {
  *images = NULL;
  if (!*source->network) return coh_dataset_create(&source->data, rows);
  COH_TRY(coh_dataset_create(&source->data, images));
  coh_status status = run_network(source, *images, n_threads, rows);
  if (status != COH_OK) coh_dataset_destroy(images);
  return status;
}

coh_status coh_map_source_like(const coh_map_source *source, const coh_choice *data,
                               int n_threads, coh_dataset **rows) {
  coh_map_source other = *source;
  coh_dataset *images;
  other.data = *data;
  COH_TRY(coh_map_source_open(&other, n_threads, rows, &images));
  coh_dataset_destroy(&images);
  return COH_OK;
}
