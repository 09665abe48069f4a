/* Compile and run a graph once, for the tests of nn. */
#ifndef COHORT_TESTS_NN_GRAPH_RUN_H
#define COHORT_TESTS_NN_GRAPH_RUN_H

#include <string.h>

#include "cohort/graph.h"
#include "cohort_test.h"

enum { GRAPH_RUN_MAX = 16 };

/* Inputs to bind and outputs to read; data holds the value's floats. */
typedef struct graph_io {
  coh_value value;
  float *data;
} graph_io;

typedef struct graph_run {
  coh_program *program;
  coh_workspace *workspace;
} graph_run;

/* Compile for n_out outputs and bind everything. block: parameters, or NULL. */
static inline graph_run graph_run_begin(const coh_graph *graph, const float *block,
                                        const graph_io *in, int n_in, const graph_io *out,
                                        int n_out) {
  graph_run run = {0};
  coh_value outputs[GRAPH_RUN_MAX];
  for (int k = 0; k < n_out; k++)
    outputs[k] = out[k].value;
  assert_ok(coh_graph_status(graph));
  assert_ok(coh_program_compile(graph, outputs, n_out, NULL, &run.program));
  assert_ok(coh_workspace_create(run.program, &run.workspace));
  if (block) assert_ok(coh_workspace_bind_parameters(run.workspace, block));
  for (int k = 0; k < n_in; k++)
    assert_ok(coh_workspace_bind_const(run.workspace, in[k].value, in[k].data));
  for (int k = 0; k < n_out; k++)
    assert_ok(coh_workspace_bind(run.workspace, out[k].value, out[k].data));
  return run;
}

static inline void graph_run_end(graph_run *run) {
  coh_workspace_destroy(&run->workspace);
  coh_program_destroy(&run->program);
}

static inline void graph_run_once(const coh_graph *graph, const float *block,
                                  const graph_io *in, int n_in, const graph_io *out,
                                  int n_out) {
  graph_run run = graph_run_begin(graph, block, in, n_in, out, n_out);
  assert_ok(coh_program_run(run.program, run.workspace));
  graph_run_end(&run);
}

#endif
