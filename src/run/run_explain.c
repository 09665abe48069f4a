/* Asking a run's network: its model from the newest checkpoint, its dataset or environment from
 * its config, and the topics of explain/. What is found is kept in results/explain.json, from
 * which the report shows it. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "explain/topic.h"
#include "io/file.h"
#include "run/driver.h"

typedef struct asked {
  coh_run_config config;
  coh_explain_options options;
  coh_explain_site site;
  coh_network_file *file;
  coh_dataset *dataset;
  coh_results *results;
  FILE *output;
} asked;

// ---- where topics' words go ----------------------------------------------------------------

static void add_picture(void *context, const char *path, const char *caption, bool pixelated) {
  asked *a = context;
  coh_results_picture(a->results, path, caption, pixelated);
  if (a->output) fprintf(a->output, "%s/%s\n", a->site.folder, path);
}

static void add_text(void *context, const char *text) {
  asked *a = context;
  coh_results_text(a->results, text);
  if (a->output) fprintf(a->output, "%s\n", text);
}

static void add_warning(void *context, const char *text) {
  asked *a = context;
  coh_results_warning(a->results, text);
  if (a->output) fprintf(a->output, "warning: %s\n", text);
}

// column k of every line, as wide as its longest cell and two more
static int column_width(const char *const *header, const char *const *cells, int64_t n_rows,
                        int64_t n_columns, int64_t k) {
  size_t width = strlen(header[k]);
  for (int64_t r = 0; r < n_rows; r++)
    if (strlen(cells[r * n_columns + k]) > width) width = strlen(cells[r * n_columns + k]);
  return (int)width + 2;
}

static void print_table(FILE *output, const char *const *header, const char *const *cells,
                        int64_t n_rows, int64_t n_columns, const int width[]) {
  for (int64_t r = -1; r < n_rows; r++) {
    const char *const *line = r < 0 ? header : cells + r * n_columns;
    for (int64_t k = 0; k + 1 < n_columns; k++)
      fprintf(output, "%-*s", width[k], line[k]);
    fprintf(output, "%s\n", line[n_columns - 1]);
  }
}

static void add_table(void *context, const char *caption, const char *const *header,
                      const char *const *cells, int64_t n_rows, int64_t n_columns) {
  asked *a = context;
  coh_results_table(a->results, caption, header, cells, n_rows, n_columns);
  if (!a->output || n_columns == 0) return;
  int *width = coh_alloc_array((size_t)n_columns, sizeof *width);
  if (!width) {
    fprintf(a->output, "warning: out of memory for the table '%s'\n", caption);
    return;
  }
  for (int64_t k = 0; k < n_columns; k++)
    width[k] = column_width(header, cells, n_rows, n_columns, k);
  print_table(a->output, header, cells, n_rows, n_columns, width);
  coh_free(width);
}

// ---- what the run has ----------------------------------------------------------------------

// the task's option of that name if it chooses from a registry
static const coh_choice *find_choice(const coh_run_config *config, const char *name,
                                     const coh_kind_set *kinds) {
  for (const coh_option *row = config->task->kind.options; row && row->name; row++)
    if (strcmp(row->name, name) == 0 && row->type == COH_KIND && row->kinds == kinds) {
      const char *field = (const char *)config->task_options + row->offset;
      const coh_choice *choice = (const coh_choice *)(const void *)field;
      return choice->kind ? choice : NULL;
    }
  return NULL;
}

static coh_status open_run(asked *a, const char *folder) {
  char path[COH_PATH_BYTES], **names = NULL;
  int64_t n = 0;
  snprintf(path, sizeof path, "%s/config.yaml", folder);
  COH_CHECK(coh_file_exists(path), COH_E_DATA, "%s: is no run folder (it has no config.yaml)",
            folder);
  COH_TRY(coh_run_config_read(path, NULL, 0, &a->config));
  snprintf(path, sizeof path, "%s/checkpoints", folder);
  COH_TRY(coh_checkpoint_list(path, &names, &n));
  if (n > 0)
    snprintf(path, sizeof path, "%s/checkpoints/%s/model.safetensors", folder, names[0]);
  coh_checkpoint_list_free(names, n);
  COH_CHECK(n > 0, COH_E_CHECKPOINT, "%s: has no checkpoint yet", folder);
  const char *name = *a->options.network ? a->options.network : NULL;
  COH_TRY(coh_network_file_open(path, name, &a->file));
  a->site.file = a->file;
  a->site.env = find_choice(&a->config, "env", &coh_env_kinds);
  const coh_choice *data = find_choice(&a->config, "test", &coh_dataset_kinds);
  if (!data) data = find_choice(&a->config, "dataset", &coh_dataset_kinds);
  if (data) COH_TRY(coh_dataset_create(data, &a->dataset));
  a->site.dataset = a->dataset;
  return COH_OK;
}

static coh_status find_topic(const char *name, const coh_explain_topic **topic) {
  const coh_kind *kind = coh_kind_find(&coh_explain_topic_kinds, name);
  if (!kind) {
    const char *nearest = coh_kind_nearest(&coh_explain_topic_kinds, name);
    return nearest ? coh_fail(COH_E_CONFIG, "topic '%s' is unknown; did you mean '%s'?", name,
                              nearest)
                   : coh_fail(COH_E_CONFIG,
                              "topic '%s' is unknown; cohort list topics shows all", name);
  }
  *topic = (const coh_explain_topic *)(const void *)kind;
  return COH_OK;
}

static coh_status show_topics(asked *a, const char *const *topics, int64_t n_topics) {
  for (int64_t i = 0; i < n_topics; i++) {
    const coh_explain_topic *topic = NULL;
    COH_TRY(find_topic(topics[i], &topic));
    COH_CHECK(!topic->needs_network || a->file, COH_E_CONFIG,
              "topic '%s' is about a run: cohort explain RUN %s", topics[i], topics[i]);
    if (topic->needs_files) {
      a->site.paths = topics + i + 1;
      a->site.n_paths = n_topics - i - 1;
      return topic->show(&a->site);
    }
    COH_TRY(topic->show(&a->site));
  }
  // all that a network can be asked
  for (int64_t k = 0; n_topics == 0 && k < coh_explain_topic_kinds.n_kinds; k++) {
    const coh_explain_topic *topic =
        (const coh_explain_topic *)(const void *)coh_explain_topic_kinds.kinds[k];
    if (topic->needs_network) COH_TRY(topic->show(&a->site));
  }
  return COH_OK;
}

static void close_all(asked *a) {
  coh_network_file_close(&a->file);
  coh_dataset_destroy(&a->dataset);
  coh_options_clear(coh_explain_option_table, &a->options);
  if (a->config.run) coh_run_config_clear(&a->config);
  if (a->results) coh_results_clear(a->results);
  coh_free(a->results);
}

static coh_status show_and_keep(asked *a, const char *folder, bool is_run,
                                const char *const *topics, int64_t n_topics) {
  for (int64_t i = 0; i < n_topics; i++) {
    const coh_explain_topic *topic = NULL;
    COH_TRY(find_topic(topics[i], &topic));
    if (topic->needs_files) break; // what follows are their names
  }
  if (is_run) COH_TRY(open_run(a, folder));
  COH_TRY(show_topics(a, topics, n_topics));
  if (!is_run) return COH_OK;
  COH_TRY(coh_results_save_as(a->results, folder, "explain.json"));
  return coh_run_report(folder);
}

coh_status coh_run_explain(const char *folder, bool is_run, const char *const *topics,
                           int64_t n_topics, const coh_run_start_options *options) {
  asked a = {.output = options ? options->output : NULL};
  const coh_explain_output output = {&a, add_picture, add_text, add_warning, add_table};
  COH_NEW(a.results, 1);
  a.results->active = true;
  coh_status status =
      coh_run_read_overrides("command line", coh_explain_option_table, options, &a.options);
  a.site = (coh_explain_site){
      .options = &a.options, .folder = folder, .n_threads = 1, .output = &output};
  if (status == COH_OK) status = show_and_keep(&a, folder, is_run, topics, n_topics);
  close_all(&a);
  return status;
}
