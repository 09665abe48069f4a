/* Maps in one line: `cohort embed` writes the config that a person would, or asks a finished
 * map where other rows belong. */
#include "run/run_embed.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cohort/data.h"
#include "io/csv.h"
#include "io/file.h"
#include "run/driver.h"

enum { MOST_OVERRIDES = 1024 };

// ---- what a person calls data -------------------------------------------------------------

// a scalar of YAML in double quotes
static void add_quoted(coh_text *text, const char *plain) {
  coh_text_add(text, "\"");
  for (; *plain; plain++)
    coh_text_add(text, *plain == '"' || *plain == '\\' ? "\\%c" : "%c", *plain);
  coh_text_add(text, "\"");
}

static void add_file(coh_text *text, const char *kind, const char *key, const char *path) {
  coh_text_add(text, "{%s: {%s: ", kind, key);
  add_quoted(text, path);
}

// the tables of a projector lie side by side
static void add_projector(coh_text *text, const char *path) {
  char metadata[COH_PATH_BYTES];
  const char *slash = strrchr(path, '/');
  snprintf(metadata, sizeof metadata, "%.*smetadata.tsv", slash ? (int)(slash - path + 1) : 0,
           path);
  add_file(text, "projector", "tensors", path);
  if (coh_file_exists(metadata)) {
    coh_text_add(text, ", metadata: ");
    add_quoted(text, metadata);
  }
  coh_text_add(text, "}}");
}

// a dataset's name, a dataset as in a config, or a file
static void add_data(coh_text *text, const char *word) {
  static const struct {
    const char *ending, *kind, *key;
  } files[] = {{".npy", "npy", "rows"},     {".npz", "npz", "file"},
               {".csv", "csv", "file"},     {".safetensors", "safetensors", "file"},
               {"-ubyte", "idx", "images"}, {".idx", "idx", "images"},
               {".gz", "idx", "images"}};
  if (coh_text_ends_with(word, ".tsv")) {
    add_projector(text, word);
    return;
  }
  for (size_t i = 0; *word != '{' && i < sizeof files / sizeof *files; i++)
    if (coh_text_ends_with(word, files[i].ending)) {
      add_file(text, files[i].kind, files[i].key, word);
      coh_text_add(text, "}}");
      return;
    }
  if (coh_text_ends_with(word, "/")) {
    add_file(text, "png_folder", "folder", word);
    coh_text_add(text, "}}");
    return;
  }
  coh_text_add(text, "%s", word);
}

static bool is_run(const char *word) {
  char path[COH_PATH_BYTES];
  snprintf(path, sizeof path, "%s/config.yaml", word);
  return coh_file_exists(path);
}

// what a run's task calls its dataset, as the lines of a resolved config
static coh_status add_own_data(coh_text *text, const char *run, const coh_run_config *config) {
  char key[64] = "";
  for (const coh_option *row = config->task->kind.options; row && row->name && !*key; row++)
    if (row->type == COH_KIND && row->kinds == &coh_dataset_kinds)
      snprintf(key, sizeof key, "\n%s:", row->name);
  const char *from = *key ? strstr(config->text, key) : NULL;
  COH_CHECK(from, COH_E_CONFIG, "%s: task %s has no dataset; name one: cohort embed %s DATA",
            run, config->task->kind.name, run);
  from += strlen(key);
  const char *end = from;
  do
    end += strcspn(end, "\n") + 1;
  while (*end == ' ' || *end == '-');
  coh_text_add(text, "data:");
  coh_text_add_bytes(text, from, (size_t)(end - from));
  return COH_OK;
}

// the network of a run's newest checkpoint, over its own data or other
static coh_status add_run(coh_world *world, const char *run, const char *data, coh_text *text) {
  char path[COH_PATH_BYTES], *checkpoint = NULL;
  snprintf(path, sizeof path, "%s/config.yaml", run);
  coh_run_config config = {0};
  coh_checkpoint_info info;
  coh_status status = coh_comm_agree(world, coh_run_config_read(path, NULL, 0, &config));
  COH_TRY(status);
  status = coh_checkpoint_find(world, run, config.hash, &checkpoint, &info);
  if (status == COH_OK) {
    snprintf(path, sizeof path, "%s/%s", checkpoint,
             coh_checkpoint_store_name(COH_STORE_MODEL));
    coh_text_add(text, "network: ");
    add_quoted(text, path);
    coh_text_add(text, "\n");
    if (!data) status = coh_comm_agree(world, add_own_data(text, run, &config));
  }
  if (status == COH_OK && data) {
    coh_text_add(text, "data: ");
    add_data(text, data);
    coh_text_add(text, "\n");
  }
  coh_free(checkpoint);
  coh_run_config_clear(&config);
  return status;
}

// ---- a new map ----------------------------------------------------------------------------

// "{npy: {rows: x}}" is called npy, "data/x.csv" x, "runs/dqn-1" dqn-1
static void name_map(const char *task, const char *word, char name[COH_NAME_BYTES]) {
  char plain[COH_PATH_BYTES];
  snprintf(plain, sizeof plain, "%s", word);
  for (size_t n = strlen(plain); n > 1 && plain[n - 1] == '/'; n--)
    plain[n - 1] = '\0';
  const char *slash = strrchr(plain, '/');
  const char *first = *plain == '{' ? plain + 1 : slash ? slash + 1 : plain;
  snprintf(name, COH_NAME_BYTES, "%s-%.*s", task, (int)(strcspn(first, ".:{} ") % 100), first);
}

// takes task=NAME out of the overrides
static const char *take_task(const coh_run_start_options *options, const char **overrides,
                             int64_t *n) {
  const char *task = "tsne";
  *n = 0;
  for (int64_t k = 0; k < options->n_overrides; k++)
    if (strncmp(options->overrides[k], "task=", 5) == 0)
      task = options->overrides[k] + 5;
    else
      overrides[(*n)++] = options->overrides[k];
  return task;
}

coh_status coh_run_embed(coh_world *world, const char *source, const char *data,
                         const coh_run_start_options *options) {
  if (coh_text_ends_with(source, ".yaml")) return coh_run_start(world, source, options);
  const char *overrides[MOST_OVERRIDES];
  COH_CHECK(options->n_overrides <= MOST_OVERRIDES, COH_E_CONFIG, "over %d overrides",
            MOST_OVERRIDES);
  coh_run_start_options with = *options;
  const char *task = take_task(options, overrides, &with.n_overrides);
  with.overrides = overrides;
  COH_CHECK(strcmp(task, "tsne") == 0 || strcmp(task, "pca") == 0, COH_E_CONFIG,
            "task=%s: maps are made by tasks tsne and pca", task);
  coh_text text = {0};
  coh_text_add(&text, "task: %s\nsteps: 750\nlanes: 8\n", task);
  coh_status status = COH_OK;
  if (is_run(source)) {
    status = add_run(world, source, data, &text);
  } else {
    coh_text_add(&text, "data: ");
    add_data(&text, source);
    coh_text_add(&text, "\n");
  }
  char *yaml = NULL, name[COH_NAME_BYTES];
  if (status == COH_OK && data && !is_run(source))
    status = coh_fail(COH_E_CONFIG, "%s is no run whose network could be asked about %s",
                      source, data);
  if (status == COH_OK) status = coh_text_take(&text, &yaml);
  coh_text_clear(&text);
  COH_TRY(coh_comm_agree(world, status));
  name_map(task, source, name);
  with.text = yaml;
  status = coh_run_start(world, name, &with);
  coh_free(yaml);
  return status;
}

// ---- on a map -----------------------------------------------------------------------------

const coh_option coh_place_option_table[] = {
    {.name = "data",
     .type = COH_KIND,
     .offset = offsetof(coh_place_options, data),
     .kinds = &coh_dataset_kinds,
     .doc = "Rows to place; the first word of the command."},
    {.name = "back",
     .type = COH_BOOL,
     .offset = offsetof(coh_place_options, back),
     .initial = "false",
     .doc = "Data are places on components (task pca): make rows of them."},
    {0}};

static coh_status read_request(const char *data, const coh_run_start_options *options,
                               coh_place_options *request) {
  coh_text text = {0};
  char *yaml = NULL;
  coh_config *config = NULL;
  coh_text_add(&text, "data: ");
  add_data(&text, data);
  coh_text_add(&text, "\n");
  COH_TRY(coh_text_take(&text, &yaml));
  coh_status status = coh_config_parse(data, yaml, strlen(yaml), &config);
  for (int64_t k = 0; status == COH_OK && k < options->n_overrides; k++)
    status = coh_config_override(config, options->overrides[k]);
  if (status == COH_OK) status = coh_options_fill(coh_place_option_table, config, request);
  coh_config_destroy(&config);
  coh_free(yaml);
  return status;
}

static coh_status write_csv(const coh_array *places, const char *path) {
  coh_text text = {0};
  int64_t width = places->shape[1];
  for (int64_t i = 0; i < places->shape[0] * width; i++)
    coh_csv_add_real(&text, (double)((const float *)places->data)[i], (i + 1) % width == 0);
  coh_status status = text.failed ? coh_fail(COH_E_MEMORY, "%s: out of memory", path)
                                  : coh_file_save(path, text.data, text.n_bytes);
  coh_text_clear(&text);
  return status;
}

static coh_status place(coh_run *run, const char *folder, const coh_place_options *request,
                        const char *file) {
  char path[COH_PATH_BYTES], picture[COH_PATH_BYTES];
  const coh_task_type *task = run->config.task;
  coh_status status = COH_OK;
  snprintf(path, sizeof path, "%s/results/%s.npy", folder, request->back ? "rows" : "placed");
  snprintf(picture, sizeof picture, "%s/figures/placed.png", folder);
  if (file) snprintf(path, sizeof path, "%s", file);
  if (!task->place)
    status = coh_fail(COH_E_CONFIG, "task %s makes no map", task->kind.name);
  else if (!coh_text_ends_with(path, ".npy") && !coh_text_ends_with(path, ".csv"))
    status = coh_fail(COH_E_CONFIG, "-o %s: places are written as .npy or .csv", path);
  COH_TRY(coh_comm_agree(run->world, status));
  const coh_place_request asked = {
      .data = &request->data, .back = request->back, .picture = file ? NULL : picture};
  coh_array places = {0};
  COH_TRY(task->place(run->task, &asked, &places));
  if (run->root) {
    status = coh_text_ends_with(path, ".csv") ? write_csv(&places, path)
                                              : coh_npy_write(path, &places);
    if (status == COH_OK && run->output) {
      fprintf(run->output, "%-24s %s  (%lld x %lld)\n", request->back ? "rows" : "places", path,
              (long long)places.shape[0], (long long)places.shape[1]);
      if (!file && !request->back) fprintf(run->output, "%-24s %s\n", "picture", picture);
    }
  }
  coh_array_clear(&places);
  return coh_comm_agree(run->world, status);
}

coh_status coh_run_place(coh_world *world, const char *folder, const char *data,
                         const coh_run_start_options *options) {
  coh_place_options request;
  COH_TRY(coh_comm_agree(world, read_request(data, options, &request)));
  coh_run_start_options quiet = {.quiet = true, .output = options->output};
  coh_run *run;
  coh_status status = coh_run_open_saved(world, folder, &quiet, true, &run);
  if (status == COH_OK) {
    status = place(run, folder, &request, options->folder);
    coh_run_close(run);
    coh_free(run);
  }
  coh_options_clear(coh_place_option_table, &request);
  return status;
}
