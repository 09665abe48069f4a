/* Writing checkpoints: rank 0 writes the tensors, every rank its lanes, rank 0 the manifest. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/log.h"
#include "base/text.h"
#include "io/file.h"
#include "io/json.h"
#include "io/pack.h"
#include "io/safetensors_write.h"
#include "run/checkpoint.h"

enum { PATH_BYTES = 4096, PACK_LEVEL = 3, N_STORES = COH_N_STORES, MAX_METADATA = 16 };

// one tensor waiting to be written
typedef struct pending {
  char *name;
  coh_store store;
  coh_array array;
} pending;

struct coh_saver {
  pending *tensor;
  int64_t n_tensors, capacity;
  coh_metadata_row metadata[MAX_METADATA]; /* of the model, owned */
  int64_t n_metadata;
  coh_zst_writer *lane; /* the lane being written */
};

// size and checksum of one file, as ranks tell rank 0
typedef struct file_record {
  uint64_t checksum;
  int64_t n_bytes;
} file_record;

coh_status coh_save_tensor(coh_saver *saver, coh_store store, const char *name,
                           const coh_array *array) {
  if (saver->n_tensors == saver->capacity) {
    int64_t capacity = saver->capacity ? 2 * saver->capacity : 32;
    pending *grown = coh_alloc_resize(saver->tensor, (size_t)saver->n_tensors, (size_t)capacity,
                                      sizeof *grown);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for a checkpoint");
    saver->tensor = grown;
    saver->capacity = capacity;
  }
  char *copy = coh_alloc_string(name);
  COH_CHECK(copy, COH_E_MEMORY, "out of memory for a checkpoint");
  saver->tensor[saver->n_tensors++] = (pending){copy, store, *array};
  return COH_OK;
}

coh_status coh_save_metadata(coh_saver *saver, const char *key, const char *value) {
  COH_CHECK(saver->n_metadata < MAX_METADATA, COH_E_INTERNAL, "too much metadata");
  coh_metadata_row row = {coh_alloc_string(key), coh_alloc_string(value)};
  saver->metadata[saver->n_metadata++] = row;
  COH_CHECK(row.key && row.value, COH_E_MEMORY, "out of memory for a checkpoint");
  return COH_OK;
}

coh_status coh_save_bytes(void *saver, const void *data, size_t n_bytes) {
  return coh_zst_write(((coh_saver *)saver)->lane, data, n_bytes);
}

static void saver_clear(coh_saver *saver) {
  for (int64_t i = 0; i < saver->n_tensors; i++)
    coh_free(saver->tensor[i].name);
  coh_free(saver->tensor);
  for (int64_t i = 0; i < saver->n_metadata; i++)
    coh_free((char *)saver->metadata[i].key), coh_free((char *)saver->metadata[i].value);
  *saver = (coh_saver){0};
}

static coh_status write_store(const coh_saver *saver, coh_store store, const char *folder,
                              const coh_checkpoint_info *info, file_record *record) {
  char path[PATH_BYTES], step[32];
  snprintf(path, sizeof path, "%s/%s", folder, coh_checkpoint_store_name(store));
  snprintf(step, sizeof step, "%" PRId64, info->step);
  coh_tensor_row *rows;
  COH_NEW(rows, saver->n_tensors);
  int64_t n_rows = 0;
  for (int64_t i = 0; i < saver->n_tensors; i++)
    if (saver->tensor[i].store == store)
      rows[n_rows++] = (coh_tensor_row){saver->tensor[i].name, saver->tensor[i].array};
  coh_metadata_row metadata[3 + MAX_METADATA] = {
      {"format", "pt"}, {"producer", "cohort"}, {"step", step}};
  int64_t n_metadata = 3;
  for (int64_t i = 0; store == COH_STORE_MODEL && i < saver->n_metadata; i++)
    metadata[n_metadata++] = saver->metadata[i];
  coh_safetensors_writer *writer = NULL;
  coh_status status = coh_safetensors_begin(path, rows, n_rows, metadata, n_metadata, &writer);
  for (int64_t i = 0; i < n_rows && status == COH_OK; i++) {
    const coh_array *array = &rows[i].shape;
    size_t n_bytes = (size_t)coh_array_count(array) * coh_dtype_bytes(array->dtype);
    status = coh_safetensors_write(writer, array->data, n_bytes);
  }
  if (status == COH_OK)
    status = coh_safetensors_end(&writer, &record->checksum, &record->n_bytes);
  else
    coh_safetensors_discard(&writer);
  coh_free(rows);
  return status;
}

static coh_status write_lane(coh_saver *saver, const coh_run_config *config, void *task,
                             int64_t lane, const char *folder, file_record *record) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/experience/lane-%05" PRId64 ".zst", folder, lane);
  COH_TRY(coh_zst_begin(path, PACK_LEVEL, &saver->lane));
  coh_status status = config->task->save_lane(task, lane, saver);
  if (status == COH_OK) return coh_zst_end(&saver->lane, &record->checksum, &record->n_bytes);
  coh_zst_discard(&saver->lane);
  return status;
}

static void add_file(coh_json_writer *out, const char *name, const file_record *record) {
  coh_json_begin_object(out);
  coh_json_key(out, "name");
  coh_json_string(out, name);
  coh_json_key(out, "bytes");
  coh_json_int(out, record->n_bytes);
  coh_json_key(out, "xxh3");
  coh_json_word(out, record->checksum);
  coh_json_end_object(out);
}

static coh_status write_manifest(const char *folder, const coh_checkpoint_info *info,
                                 const coh_run_config *config, const file_record *stores,
                                 const file_record *lanes) {
  coh_text text = {0};
  coh_json_writer out = {.text = &text, .indented = true};
  coh_json_begin_object(&out);
  coh_json_key(&out, "format");
  coh_json_int(&out, 1);
  coh_json_key(&out, "task");
  coh_json_string(&out, config->task->kind.name);
  coh_json_key(&out, "config");
  coh_json_word(&out, info->hash);
  coh_json_key(&out, "step");
  coh_json_int(&out, info->step);
  coh_json_key(&out, "lanes");
  coh_json_int(&out, info->n_lanes);
  coh_json_key(&out, "seconds");
  coh_json_real(&out, info->seconds);
  coh_json_key(&out, "metrics_bytes");
  coh_json_int(&out, info->metrics.metrics_bytes);
  coh_json_key(&out, "timing_bytes");
  coh_json_int(&out, info->metrics.timing_bytes);
  coh_json_key(&out, "events_bytes");
  coh_json_int(&out, info->metrics.events_bytes);
  coh_json_key(&out, "files");
  coh_json_begin_list(&out);
  for (int k = 0; k < N_STORES; k++)
    add_file(&out, coh_checkpoint_store_name((coh_store)k), &stores[k]);
  for (int64_t i = 0; lanes && i < info->n_lanes; i++) {
    char name[64];
    snprintf(name, sizeof name, "experience/lane-%05" PRId64 ".zst", i);
    add_file(&out, name, &lanes[i]);
  }
  coh_json_end_list(&out);
  // sealed by hand: the seal covers the bytes above, commas and blanks included
  coh_text_add(&text, ",\n  ");
  uint64_t seal = text.failed ? 0 : coh_checksum_fold(0, text.data, text.n_bytes);
  coh_text_add(&text, COH_MANIFEST_SEAL "\"0x%016" PRIx64 "\"\n}\n", seal);
  char *json = NULL;
  COH_TRY(coh_text_take(&text, &json));
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/manifest.json", folder);
  coh_status status = coh_file_save(path, json, strlen(json));
  coh_free(json);
  return status;
}

// remove all but the newest `keep` checkpoints; a failure only costs disk space
static void prune(const char *checkpoints, int64_t keep) {
  char **names = NULL;
  int64_t n = 0;
  if (coh_checkpoint_list(checkpoints, &names, &n) != COH_OK) return;
  for (int64_t i = keep; i < n; i++) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%.255s", checkpoints, names[i]);
    if (coh_folder_remove(path) != COH_OK)
      coh_log(COH_LOG_WARNING, "old checkpoint stays: %s", coh_error_message());
  }
  coh_checkpoint_list_free(names, n);
}

// every lane's record to all ranks, in lane order
static coh_status gather_records(coh_world *world, const coh_lanes *lanes,
                                 const file_record *local, file_record *all) {
  size_t *pieces;
  COH_NEW(pieces, coh_world_size(world));
  size_t own = (size_t)lanes->n_local * sizeof *local;
  coh_status status = coh_comm_allgather(world, &own, sizeof own, pieces);
  if (status == COH_OK) status = coh_comm_allgather_varied(world, local, pieces, all);
  coh_free(pieces);
  return status;
}

// the files of this rank: its lanes, and on rank 0 the tensors
static coh_status write_files(coh_world *world, const coh_lanes *lanes,
                              const coh_run_config *config, void *task, const char *temporary,
                              const coh_checkpoint_info *info, file_record *stores,
                              file_record *lane_records) {
  coh_saver saver = {0};
  coh_status status = config->task->save(task, &saver);
  if (coh_world_rank(world) == 0)
    for (int k = 0; k < N_STORES && status == COH_OK; k++)
      status = write_store(&saver, (coh_store)k, temporary, info, &stores[k]);
  for (int64_t i = 0; lane_records && i < lanes->n_local && status == COH_OK; i++)
    status = write_lane(&saver, config, task, lanes->first + i, temporary, &lane_records[i]);
  saver_clear(&saver);
  return status;
}

coh_status coh_checkpoint_write(coh_world *world, const coh_lanes *lanes,
                                const coh_run_config *config, void *task,
                                const coh_checkpoint_info *info, const char *folder,
                                int64_t keep) {
  bool root = coh_world_rank(world) == 0;
  coh_lanes held = *lanes;
  if (config->task->held) config->task->held(task, &held);
  char checkpoints[PATH_BYTES - 512], path[PATH_BYTES + 64], temporary[PATH_BYTES + 512] = "";
  snprintf(checkpoints, sizeof checkpoints, "%s/checkpoints", folder);
  coh_checkpoint_path(folder, info->step, path, sizeof path);
  coh_folder *target = NULL;
  coh_status status = COH_OK;
  if (root) {
    char experience[PATH_BYTES + 256];
    status = coh_folder_begin(path, &target);
    if (status == COH_OK) {
      snprintf(temporary, sizeof temporary, "%s", coh_folder_path(target));
      snprintf(experience, sizeof experience, "%s/experience", temporary);
      if (config->task->save_lane) status = coh_folder_make(experience);
    }
  }
  status = coh_comm_agree(world, status);
  if (status == COH_OK) status = coh_comm_bcast(world, temporary, sizeof temporary, 0);

  // every rank writes; what goes wrong anywhere undoes the whole
  file_record stores[N_STORES] = {0};
  file_record *local = NULL, *all = NULL;
  if (status == COH_OK) {
    if (config->task->save_lane) {
      local = coh_alloc_array((size_t)held.n_local + 1, sizeof *local);
      all = coh_alloc_array((size_t)lanes->n_lanes, sizeof *all);
    }
    if (config->task->save_lane && (!local || !all))
      status = coh_fail(COH_E_MEMORY, "out of memory for a checkpoint");
    if (status == COH_OK)
      status = write_files(world, &held, config, task, temporary, info, stores, local);
    status = coh_comm_agree(world, status);
  }
  if (status == COH_OK && local) status = gather_records(world, &held, local, all);
  if (root && status == COH_OK) status = write_manifest(temporary, info, config, stores, all);
  if (root) {
    if (status == COH_OK)
      status = coh_folder_commit(&target);
    else
      coh_folder_discard(&target);
    if (status == COH_OK) prune(checkpoints, keep);
  }
  coh_free(local);
  coh_free(all);
  return coh_comm_agree(world, status);
}
