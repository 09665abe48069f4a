/* Running an opened network over many rows: blocks of a fixed size, so that threads do not
 * change a bit; the last block is filled up with zeros. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "nn/layer_type.h"
#include "nn/network.h"
#include "nn/network_file.h"

enum { BLOCK = 64 };

typedef struct job {
  const coh_network_file *file;
  const coh_dataset *dataset; // or ...
  const float *rows;          // ... rows at hand
  int64_t n, n_inputs, n_outputs;
  coh_program *program;
  coh_value in, out, condition; // the class of each row, of conditional networks
  float *result;
} job;

static coh_status compile(job *j, int64_t layer) {
  coh_graph *graph = NULL;
  COH_TRY(coh_graph_create(&graph));
  coh_shape sample = coh_network_file_input(j->file),
            shape = {.rank = sample.rank + 1, .size = {BLOCK}};
  for (int axis = 0; axis < sample.rank; axis++)
    shape.size[axis + 1] = sample.size[axis];
  j->in = coh_graph_input(graph, "input", shape);
  coh_value last;
  coh_network_use use = {.inference = true, .is_conditional = j->file->network->n_classes > 0};
  if (use.is_conditional)
    use.condition =
        coh_graph_input(graph, "class", COH_SHAPE(BLOCK, j->file->network->n_classes));
  j->condition = use.condition;
  coh_status status = coh_network_build_for(j->file->network, graph, j->in, &use, NULL, &last);
  // a layer that passes its input on has no value of its own name: what it sees is the same
  for (j->out = COH_NO_VALUE; status == COH_OK && j->out == COH_NO_VALUE && layer >= 0; layer--)
    j->out = coh_graph_find(graph, coh_network_file_layer(j->file, layer));
  if (status == COH_OK && j->out == COH_NO_VALUE) j->out = j->in;
  if (status == COH_OK) status = coh_program_compile(graph, &j->out, 1, NULL, &j->program);
  coh_graph_destroy(&graph);
  return status;
}

// rows of an unknown class have none
static void fill_condition(const job *j, coh_workspace *workspace, int64_t first, int64_t n) {
  int64_t n_classes = j->file->network->n_classes;
  float *to = n_classes ? coh_workspace_data(workspace, j->condition) : NULL;
  const int32_t *labels = j->dataset ? coh_dataset_labels(j->dataset) : NULL;
  if (!to) return; // the layer does not depend on it
  memset(to, 0, (size_t)(BLOCK * n_classes) * sizeof *to);
  for (int64_t i = 0; labels && i < n; i++)
    if (labels[first + i] < n_classes) to[i * n_classes + labels[first + i]] = 1;
}

static coh_status run_block(const job *j, coh_workspace *workspace, int64_t block) {
  int64_t first = block * BLOCK, n = j->n - first < BLOCK ? j->n - first : BLOCK;
  float *in = coh_workspace_data(workspace, j->in);
  if (j->dataset)
    coh_dataset_read(j->dataset, first, n, j->file->facts.affine, in);
  else
    memcpy(in, j->rows + first * j->n_inputs, (size_t)(n * j->n_inputs) * sizeof *in);
  memset(in + n * j->n_inputs, 0, (size_t)((BLOCK - n) * j->n_inputs) * sizeof *in);
  fill_condition(j, workspace, first, n);
  COH_TRY(coh_program_run(j->program, workspace));
  memcpy(j->result + first * j->n_outputs, coh_workspace_data(workspace, j->out),
         (size_t)(n * j->n_outputs) * sizeof *in);
  return COH_OK;
}

static coh_status run_blocks(const job *j, int n_threads) {
  int64_t n_blocks = (j->n + BLOCK - 1) / BLOCK;
  coh_status status = COH_OK;
  char message[1024] = "";
#pragma omp parallel num_threads(n_threads) default(none) shared(j, n_blocks, status, message)
  {
    coh_workspace *workspace = NULL;
    coh_status own = coh_workspace_create(j->program, &workspace);
    if (own == COH_OK) own = coh_workspace_bind_parameters(workspace, j->file->params);
#pragma omp for schedule(static)
    for (int64_t block = 0; block < n_blocks; block++)
      if (own == COH_OK) own = run_block(j, workspace, block);
    coh_workspace_destroy(&workspace);
    if (own != COH_OK)
#pragma omp critical(coh_network_file_failure)
    {
      status = own;
      snprintf(message, sizeof message, "%s", coh_error_message());
    }
  }
  return status == COH_OK ? COH_OK : coh_fail(status, "%s", message);
}

static coh_status run(job *j, const char *layer, int n_threads, coh_array *out) {
  int64_t i;
  COH_TRY(coh_network_file_find(j->file, layer, &i));
  coh_shape shape = coh_network_file_layer_shape(j->file, i);
  j->n_inputs = coh_shape_count(coh_network_file_input(j->file));
  j->n_outputs = coh_shape_count(shape);
  COH_TRY(compile(j, i));
  j->result = coh_alloc_array((size_t)(j->n * j->n_outputs), sizeof *j->result);
  coh_status status = j->result ? run_blocks(j, n_threads)
                                : coh_fail(COH_E_MEMORY, "out of memory for %s of %lld rows",
                                           layer, (long long)j->n);
  coh_program_destroy(&j->program);
  if (status != COH_OK) {
    coh_free(j->result);
    return status;
  }
  *out = (coh_array){
      .dtype = COH_DTYPE_F32, .n_dims = shape.rank + 1, .shape = {j->n}, .data = j->result};
  for (int axis = 0; axis < shape.rank; axis++)
    out->shape[axis + 1] = shape.size[axis];
  return COH_OK;
}

coh_status coh_network_file_activations(const coh_network_file *file, const char *layer,
                                        const coh_dataset *dataset, int n_threads,
                                        coh_array *out) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(dataset);
  coh_shape input = coh_network_file_input(file);
  bool same = input.rank == spec->n_dims;
  for (int axis = 0; same && axis < input.rank; axis++)
    same = input.size[axis] == spec->shape[axis];
  coh_shape rows = {.rank = spec->n_dims};
  memcpy(rows.size, spec->shape, sizeof spec->shape);
  char found[96], wanted[96];
  COH_CHECK(same, COH_E_CONFIG, "%s: the network takes %s, the rows of dataset %s are %s",
            file->path, coh_shape_text(input, false, wanted), spec->name,
            coh_shape_text(rows, false, found));
  job j = {.file = file, .dataset = dataset, .n = spec->n_rows};
  return run(&j, layer, n_threads, out);
}

coh_status coh_network_file_run(const coh_network_file *file, const char *layer,
                                const float *rows, int64_t n, int n_threads, coh_array *out) {
  job j = {.file = file, .rows = rows, .n = n};
  return run(&j, layer, n_threads, out);
}
