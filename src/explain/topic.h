/* What `cohort explain` can show: one file in topics/ that defines a coh_explain_topic, and one
 * line in topic.def. A topic gets a network and the data or environment of its run, and says
 * what it found through the site's output. */
#ifndef COHORT_EXPLAIN_TOPIC_H
#define COHORT_EXPLAIN_TOPIC_H

#include "cohort/data.h"
#include "cohort/env.h"
#include "cohort/explain.h"

/* Where results go; texts are copied. Any function may be NULL. */
typedef struct coh_explain_output {
  void *context;
  void (*picture)(void *context, const char *path, const char *caption, bool pixelated);
  void (*text)(void *context, const char *text);
  void (*warning)(void *context, const char *text);
  void (*table)(void *context, const char *caption, const char *const *header,
                const char *const *cells, int64_t n_rows, int64_t n_columns);
} coh_explain_output;

/* Options of all topics: one table, so that one command line serves several. */
typedef struct coh_explain_options {
  char *layer, *network;
  int64_t images, first, target, units, frames, seed;
  coh_choice method;
} coh_explain_options;
extern const coh_option coh_explain_option_table[];

typedef struct coh_explain_site {
  coh_network_file *file;     /* NULL for topics that need none */
  const coh_dataset *dataset; /* of the run, or NULL */
  const coh_choice *env;      /* of the run, or NULL */
  const coh_explain_options *options;
  const char *const *paths; /* for topics about files */
  int64_t n_paths;
  const char *folder; /* pictures go to FOLDER/figures, named relative to FOLDER */
  int n_threads;
  const coh_explain_output *output;
} coh_explain_site;

typedef struct coh_explain_topic {
  coh_kind kind;
  bool needs_network;
  bool needs_files;
  coh_status (*show)(const coh_explain_site *site);
} coh_explain_topic;

/* The registry: src/explain/topics/topic.def. */
extern const coh_kind_set coh_explain_topic_kinds;

/* ---- what topics share: topic_rows.c, topic_output.c */

/* Inputs to look at, from the dataset or played by the network in the environment. */
typedef struct coh_explain_rows {
  int64_t n, width, height; /* of the images that people see */
  float *input;             /* n x n_values */
  int32_t *target;          /* n: the answer asked about */
  uint8_t *rgb;             /* n images */
  char (*label)[48];        /* n: class, answer, how sure */
} coh_explain_rows;

/* Take options->images of them. Fails: COH_E_CONFIG when the run has neither. */
coh_status coh_explain_rows_take(const coh_explain_site *site, coh_explainer *explainer,
                                 coh_explain_rows *rows);
void coh_explain_rows_clear(coh_explain_rows *rows);

/* An image of size (height, width, channels) as people see it, from its own range: RGB as it
 * is, otherwise gray, the largest of the channels. rgb: out. */
void coh_explain_show_row(const float *row, const int64_t size[3], uint8_t *rgb);

/* Name of an output of the network; buffer of 48 bytes, returned. */
const char *coh_explain_output_name(const coh_network_file *file, int64_t k, char buffer[48]);

/* FOLDER/figures/explain-NAME.EXTENSION, made ready to be written. */
coh_status coh_explain_path(const coh_explain_site *site, const char *name,
                            const char *extension, char path[4096]);

/* Say that the picture is there. */
void coh_explain_picture(const coh_explain_site *site, const char *name, const char *extension,
                         const char *caption, bool pixelated);
__attribute__((format(printf, 2, 3))) void coh_explain_say(const coh_explain_site *site,
                                                           const char *format, ...);
__attribute__((format(printf, 2, 3))) void coh_explain_warn(const coh_explain_site *site,
                                                            const char *format, ...);

#endif
