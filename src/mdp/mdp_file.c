/* Models in files: the format follows from the name. */
#include "mdp/mdp_file.h"

#include <string.h>

#include "base/alloc.h"

typedef struct format {
  const char *ending;
  coh_status (*read)(const char *, const coh_mdp_file_options *, coh_mdp **);
  coh_status (*write)(const coh_mdp *, const char *);
} format;

static const format formats[] = {
    {".tra", coh_mdp_read_prism, coh_mdp_write_prism},
    {".drn", coh_mdp_read_drn, coh_mdp_write_drn},
    {".csv", coh_mdp_read_csv, coh_mdp_write_csv},
    {".npz", coh_mdp_read_npz, coh_mdp_write_npz},
};

static const format *format_of(const char *path) {
  size_t n = strlen(path);
  for (size_t k = 0; k < sizeof formats / sizeof *formats; k++) {
    size_t length = strlen(formats[k].ending);
    if (n > length && strcmp(path + n - length, formats[k].ending) == 0) return &formats[k];
  }
  return NULL;
}

bool coh_mdp_is_file(const char *path) {
  return format_of(path) != NULL;
}

coh_status coh_mdp_open(const char *path, const coh_mdp_file_options *options, coh_mdp **mdp) {
  const format *found = format_of(path);
  COH_CHECK(found, COH_E_DATA, "%s: models end in .tra (PRISM), .drn (Storm), .csv or .npz",
            path);
  static const coh_mdp_file_options none = {0};
  if (!options) options = &none;
  COH_CHECK(options->discount >= 0.0 && options->discount <= 1.0, COH_E_DATA,
            "a discount is above 0 and at most 1, not %g", options->discount);
  return found->read(path, options, mdp);
}

coh_status coh_mdp_save(const coh_mdp *mdp, const char *path) {
  const format *found = format_of(path);
  COH_CHECK(found, COH_E_DATA, "%s: models end in .tra (PRISM), .drn (Storm), .csv or .npz",
            path);
  return found->write(mdp, path);
}

/* ------------------------------------------------------------------------------- shared -- */

coh_status coh_mdp_start_in(coh_mdp *mdp, const char *label) {
  const uint8_t *holds = coh_mdp_label_find(mdp, label);
  if (!holds || !memchr(holds, 1, (size_t)mdp->n_states)) return COH_OK;
  double *start;
  COH_NEW(start, mdp->n_states);
  for (int64_t s = 0; s < mdp->n_states; s++)
    start[s] = holds[s];
  coh_status status = coh_mdp_set_start(mdp, start);
  coh_free(start);
  return status;
}

coh_status coh_mdp_file_beside(const char *path, const char *ending, char **out) {
  coh_text text = {0};
  coh_text_add_bytes(&text, path, (size_t)(strrchr(path, '.') - path));
  coh_text_add_bytes(&text, ending, strlen(ending));
  return coh_text_take(&text, out);
}

coh_status coh_mdp_sink_open(const char *path, coh_mdp_sink *sink) {
  *sink = (coh_mdp_sink){0};
  return coh_file_create(path, &sink->file);
}

coh_status coh_mdp_sink_flush(coh_mdp_sink *sink, size_t at_least) {
  COH_CHECK(!sink->text.failed, COH_E_MEMORY, "out of memory for a line of a model");
  if (sink->text.n_bytes < at_least || sink->text.n_bytes == 0) return COH_OK;
  COH_TRY(coh_file_write(sink->file, sink->text.data, sink->text.n_bytes));
  sink->text.n_bytes = 0;
  return COH_OK;
}

coh_status coh_mdp_sink_close(coh_mdp_sink *sink, coh_status status) {
  if (status == COH_OK) status = coh_mdp_sink_flush(sink, 0);
  if (status == COH_OK) status = coh_file_commit(&sink->file, NULL, NULL);
  coh_file_discard(&sink->file);
  coh_text_clear(&sink->text);
  return status;
}

void coh_mdp_sink_real(coh_mdp_sink *sink, double value) {
  char digits[32];
  coh_text_from_real(value, digits);
  coh_text_add(&sink->text, "%s", digits);
}
