/* Copying a run's model out of its newest checkpoint: as it is, or as NPZ. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/file.h"
#include "io/npz.h"
#include "run/driver.h"

enum { MODEL_BYTES = 1 << 30 };

static coh_status copy_file(const char *from, const char *to) {
  char *data = NULL;
  size_t n_bytes = 0;
  COH_TRY(coh_file_load(from, MODEL_BYTES, &data, &n_bytes));
  coh_status status = coh_file_save(to, data, n_bytes);
  coh_free(data);
  return status;
}

// read every tensor of the model into members; the caller releases them
static coh_status read_members(const coh_safetensors *file, coh_npz_member *members) {
  for (int64_t i = 0; i < coh_safetensors_count(file); i++) {
    coh_array *array = &members[i].array;
    members[i].name = (char *)coh_safetensors_name(file, i);
    coh_safetensors_shape(file, i, array);
    size_t n_bytes = (size_t)coh_array_count(array) * coh_dtype_bytes(array->dtype);
    char *data;
    COH_NEW(data, n_bytes);
    array->data = data;
    COH_TRY(coh_safetensors_read(file, i, 0, data, n_bytes));
  }
  return COH_OK;
}

static coh_status export_npz(const char *from, const char *to) {
  coh_safetensors *file = NULL;
  COH_TRY(coh_safetensors_open(from, &file));
  int64_t n = coh_safetensors_count(file);
  coh_npz_member *members = coh_alloc_array((size_t)n, sizeof *members);
  coh_status status = members ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  if (status == COH_OK) status = read_members(file, members);
  if (status == COH_OK) status = coh_npz_write(to, members, n, false);
  for (int64_t i = 0; members && i < n; i++)
    coh_free(members[i].array.data);
  coh_free(members);
  coh_safetensors_close(&file);
  return status;
}

static coh_status export_model(const char *checkpoint, const char *path) {
  char from[COH_PATH_BYTES];
  snprintf(from, sizeof from, "%s/model.safetensors", checkpoint);
  if (coh_text_ends_with(path, ".npz")) return export_npz(from, path);
  COH_CHECK(coh_text_ends_with(path, ".safetensors"), COH_E_CONFIG,
            "%s: a model is exported as .safetensors or .npz", path);
  return copy_file(from, path);
}

coh_status coh_run_export(coh_world *world, const char *folder, const char *path) {
  char config_path[COH_PATH_BYTES];
  snprintf(config_path, sizeof config_path, "%s/config.yaml", folder);
  coh_status status = COH_OK;
  if (!coh_file_exists(config_path))
    status = coh_fail(COH_E_CHECKPOINT, "%s: is no run folder (it has no config.yaml)", folder);
  coh_run_config config = {0};
  if (status == COH_OK) status = coh_run_config_read(config_path, NULL, 0, &config);
  uint64_t hash = config.hash;
  coh_run_config_clear(&config);
  COH_TRY(coh_comm_agree(world, status));
  coh_checkpoint_info info = {0};
  char *checkpoint = NULL;
  COH_TRY(coh_checkpoint_find(world, folder, hash, &checkpoint, &info));
  if (coh_world_rank(world) == 0) status = export_model(checkpoint, path);
  coh_free(checkpoint);
  return coh_comm_agree(world, status);
}
