/* Finding and reading checkpoints. Files from a disk are not trusted: the manifest names every
 * file with its size and checksum, and all are verified before anything is loaded. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/log.h"
#include "io/file.h"
#include "io/json.h"
#include "io/pack.h"
#include "run/checkpoint.h"

enum { PATH_BYTES = 4096, MANIFEST_BYTES = 16 << 20, N_STORES = COH_N_STORES };

struct coh_loader {
  coh_safetensors *store[N_STORES];
  coh_zst_reader *lane; /* the lane being read */
};

coh_status coh_load_tensor(coh_loader *loader, coh_store store, const char *name,
                           const coh_array *array) {
  const coh_safetensors *file = loader->store[store];
  int64_t i = coh_safetensors_find(file, name);
  COH_CHECK(i >= 0, COH_E_CHECKPOINT, "%s: has no tensor '%s'",
            coh_checkpoint_store_name(store), name);
  coh_array shape;
  coh_safetensors_shape(file, i, &shape);
  bool same = shape.dtype == array->dtype && shape.n_dims == array->n_dims;
  for (int k = 0; same && k < shape.n_dims; k++)
    same = shape.shape[k] == array->shape[k];
  COH_CHECK(same, COH_E_CHECKPOINT, "%s: tensor '%s' has another shape or type than this run",
            coh_checkpoint_store_name(store), name);
  size_t n_bytes = (size_t)coh_array_count(array) * coh_dtype_bytes(array->dtype);
  coh_status status = coh_safetensors_read(file, i, 0, array->data, n_bytes);
  return status == COH_E_DATA ? COH_E_CHECKPOINT : status;
}

coh_status coh_load_bytes(void *loader, void *data, size_t n_bytes) {
  coh_status status = coh_zst_read(((coh_loader *)loader)->lane, data, n_bytes);
  return status == COH_E_DATA ? COH_E_CHECKPOINT : status;
}

// compare one file with its row of the manifest; names never leave the folder
static coh_status verify_file(const char *folder, const coh_json_value *row) {
  const char *name = NULL;
  int64_t n_bytes = 0, found_bytes = 0;
  uint64_t checksum = 0, found = 0;
  COH_TRY(coh_json_get_string(folder, row, "name", &name));
  COH_TRY(coh_json_get_int(folder, row, "bytes", &n_bytes));
  COH_TRY(coh_json_get_word(folder, row, "xxh3", &checksum));
  COH_CHECK(*name && *name != '/' && !strstr(name, ".."), COH_E_DATA,
            "%s/manifest.json: '%.100s' is no file name", folder, name);
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  COH_TRY(coh_file_checksum(path, &found, &found_bytes));
  COH_CHECK(found_bytes == n_bytes, COH_E_DATA, "%s: has %" PRId64 " bytes instead of %" PRId64,
            path, found_bytes, n_bytes);
  COH_CHECK(found == checksum, COH_E_DATA, "%s: is damaged (its checksum differs)", path);
  return COH_OK;
}

static coh_status read_info(const char *name, const coh_json_value *root,
                            coh_checkpoint_info *info) {
  int64_t format = 0;
  COH_TRY(coh_json_get_int(name, root, "format", &format));
  COH_CHECK(format == 1, COH_E_DATA,
            "%s: format %" PRId64 " is not known; this version reads 1", name, format);
  COH_TRY(coh_json_get_word(name, root, "config", &info->hash));
  COH_TRY(coh_json_get_int(name, root, "step", &info->step));
  COH_TRY(coh_json_get_int(name, root, "lanes", &info->n_lanes));
  COH_TRY(coh_json_get_real(name, root, "seconds", &info->seconds));
  COH_TRY(coh_json_get_int(name, root, "metrics_bytes", &info->metrics.metrics_bytes));
  COH_TRY(coh_json_get_int(name, root, "timing_bytes", &info->metrics.timing_bytes));
  COH_TRY(coh_json_get_int(name, root, "events_bytes", &info->metrics.events_bytes));
  COH_CHECK(info->step >= 0 && info->n_lanes > 0 && info->metrics.metrics_bytes >= 0 &&
                info->metrics.timing_bytes >= 0 && info->metrics.events_bytes >= 0,
            COH_E_DATA, "%s: holds a negative number", name);
  return COH_OK;
}

// parse the manifest's bytes and check the seal that covers them
static coh_status parse_manifest(const char *path, const char *data, size_t n_bytes,
                                 coh_json **json) {
  size_t seal_bytes = strlen(COH_MANIFEST_SEAL), at = n_bytes;
  while (at > 0 && strncmp(data + at, COH_MANIFEST_SEAL, seal_bytes) != 0)
    at--;
  char expected[32];
  snprintf(expected, sizeof expected, "\"0x%016" PRIx64 "\"\n}\n",
           coh_checksum_fold(0, data, at));
  COH_CHECK(at > 0 && strcmp(data + at + seal_bytes, expected) == 0, COH_E_DATA,
            "%s: is damaged (its checksum differs)", path);
  return coh_json_parse(path, data, n_bytes, json);
}

static coh_status read_manifest(const char *path, coh_json **json) {
  char *data = NULL;
  size_t n_bytes = 0;
  COH_TRY(coh_file_load(path, MANIFEST_BYTES, &data, &n_bytes));
  coh_status status = parse_manifest(path, data, n_bytes, json);
  coh_free(data);
  return status;
}

// read the manifest and verify everything that it names
static coh_status verify(const char *folder, coh_checkpoint_info *info) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/manifest.json", folder);
  coh_json *json = NULL;
  COH_TRY(read_manifest(path, &json));
  const coh_json_value *root = coh_json_root(json);
  coh_status status = read_info(path, root, info);
  const coh_json_value *files = coh_json_get(root, "files");
  if (status == COH_OK && (!files || files->kind != COH_JSON_LIST || files->n_children < 1))
    status = coh_fail(COH_E_DATA, "%s: lists no files", path);
  if (status == COH_OK)
    for (const coh_json_value *row = files->first; row && status == COH_OK; row = row->next)
      status = verify_file(folder, row);
  coh_json_destroy(&json);
  return status;
}

static coh_status find(const char *folder, uint64_t hash, char path[PATH_BYTES],
                       coh_checkpoint_info *info) {
  char checkpoints[PATH_BYTES - 512];
  snprintf(checkpoints, sizeof checkpoints, "%s/checkpoints", folder);
  char **names = NULL;
  int64_t n_names = 0;
  COH_TRY(coh_checkpoint_list(checkpoints, &names, &n_names));
  coh_status status =
      coh_fail(COH_E_CHECKPOINT, "%s: holds no checkpoint that is whole", checkpoints);
  for (int64_t i = 0; i < n_names && status != COH_OK; i++) {
    snprintf(path, PATH_BYTES, "%s/%.255s", checkpoints, names[i]);
    status = verify(path, info);
    if (status == COH_OK && info->hash != hash) {
      status = coh_fail(COH_E_CHECKPOINT,
                        "%s: was saved under another config than %s/config.yaml", path, folder);
      break;
    }
    if (status != COH_OK) {
      coh_log(COH_LOG_WARNING, "checkpoint passed over: %s", coh_error_message());
      status = coh_fail(COH_E_CHECKPOINT, "%s: holds no checkpoint that is whole (newest: %s)",
                        checkpoints, coh_error_message());
    }
  }
  for (int64_t i = 0; i < n_names; i++)
    coh_free(names[i]);
  coh_free(names);
  return status;
}

coh_status coh_checkpoint_find(coh_world *world, const char *folder, uint64_t hash, char **path,
                               coh_checkpoint_info *info) {
  struct {
    coh_checkpoint_info info;
    char path[PATH_BYTES];
  } * answer;
  COH_NEW(answer, 1);
  coh_status status = COH_OK;
  if (coh_world_rank(world) == 0) status = find(folder, hash, answer->path, &answer->info);
  status = coh_comm_agree(world, status);
  if (status == COH_OK) status = coh_comm_bcast(world, answer, sizeof *answer, 0);
  if (status == COH_OK) {
    *info = answer->info;
    *path = coh_alloc_string(answer->path);
    if (!*path) status = coh_fail(COH_E_MEMORY, "out of memory");
  }
  coh_free(answer);
  return status;
}

static coh_status load_lane(coh_loader *loader, const coh_run_config *config, void *task,
                            int64_t lane, const char *folder) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/experience/lane-%05" PRId64 ".zst", folder, lane);
  coh_status status = coh_zst_open(path, &loader->lane);
  if (status == COH_OK) status = config->task->load_lane(task, lane, loader);
  if (status == COH_OK) status = coh_zst_finish(loader->lane);
  coh_zst_close(&loader->lane);
  return status;
}

coh_status coh_checkpoint_load(coh_world *world, const coh_lanes *lanes,
                               const coh_run_config *config, void *task, const char *path) {
  coh_loader loader = {0};
  coh_status status = COH_OK;
  for (int k = 0; k < N_STORES && status == COH_OK; k++) {
    char file[PATH_BYTES];
    snprintf(file, sizeof file, "%s/%s", path, coh_checkpoint_store_name((coh_store)k));
    status = coh_safetensors_open(file, &loader.store[k]);
  }
  if (status == COH_OK) status = config->task->load(task, &loader);
  coh_lanes held = *lanes;
  if (config->task->held) config->task->held(task, &held);
  for (int64_t i = 0; config->task->load_lane && i < held.n_local && status == COH_OK; i++)
    status = load_lane(&loader, config, task, held.first + i, path);
  for (int k = 0; k < N_STORES; k++)
    coh_safetensors_close(&loader.store[k]);
  if (status == COH_E_DATA) status = COH_E_CHECKPOINT;
  return coh_comm_agree(world, status);
}
