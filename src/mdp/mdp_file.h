/* What the readers and writers of models share. */
#ifndef COHORT_MDP_MDP_FILE_H
#define COHORT_MDP_MDP_FILE_H

#include "base/text.h"
#include "cohort/mdp.h"
#include "io/file.h"

/* The formats, each in a file of its own; discount: 0, or instead of the file's. */
coh_status coh_mdp_read_prism(const char *path, const coh_mdp_file_options *options,
                              coh_mdp **mdp);
coh_status coh_mdp_read_drn(const char *path, const coh_mdp_file_options *options,
                            coh_mdp **mdp);
coh_status coh_mdp_read_csv(const char *path, const coh_mdp_file_options *options,
                            coh_mdp **mdp);
coh_status coh_mdp_read_npz(const char *path, const coh_mdp_file_options *options,
                            coh_mdp **mdp);
coh_status coh_mdp_write_prism(const coh_mdp *mdp, const char *path);
coh_status coh_mdp_write_drn(const coh_mdp *mdp, const char *path);
coh_status coh_mdp_write_csv(const coh_mdp *mdp, const char *path);
coh_status coh_mdp_write_npz(const coh_mdp *mdp, const char *path);

/* End the open row of a builder: its checks, now. Nothing to do where no row is open. */
coh_status coh_mdp_close_row(coh_mdp_builder *builder);

/* It begins, with equal chances, in the states of that label; nothing where there are none. */
coh_status coh_mdp_start_in(coh_mdp *mdp, const char *label);

/* A text file being written: lines gather in `text` and leave it when there are many. */
typedef struct coh_mdp_sink {
  coh_file *file;
  coh_text text;
} coh_mdp_sink;
coh_status coh_mdp_sink_open(const char *path, coh_mdp_sink *sink);
coh_status coh_mdp_sink_flush(coh_mdp_sink *sink, size_t at_least);
/* Commit, or discard where status is a failure; returns the first failure. */
coh_status coh_mdp_sink_close(coh_mdp_sink *sink, coh_status status);
void coh_mdp_sink_real(coh_mdp_sink *sink, double value);

/* The path with another ending, e.g. ".lab". *out: caller frees. */
coh_status coh_mdp_file_beside(const char *path, const char *ending, char **out);

#endif
