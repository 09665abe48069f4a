/* Making the task: data, network, programs, and each lane's memory. */
#include <inttypes.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "task/classify/classify.h"

enum { MAX_CLASSES = 1000 };

static coh_status check_test(const coh_classify *task) {
  const coh_dataset_spec *train = task->spec, *test = coh_dataset_spec_of(task->test);
  bool same = train->n_dims == test->n_dims;
  for (int k = 0; same && k < train->n_dims; k++)
    same = train->shape[k] == test->shape[k];
  COH_CHECK(same, COH_E_DATA, "test: the rows of %s have another shape than those of %s",
            test->name, train->name);
  COH_CHECK(test->has_labels && test->n_classes <= task->n_classes, COH_E_DATA,
            "test: %s needs labels of the %" PRId64 " classes of %s", test->name,
            task->n_classes, train->name);
  return COH_OK;
}

static coh_status check_classes(const coh_classify *task, const coh_dataset *whole) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(whole);
  COH_CHECK(spec->has_labels, COH_E_DATA, "dataset: %s has no labels to learn", spec->name);
  COH_CHECK(spec->n_classes >= 2 && spec->n_classes <= MAX_CLASSES, COH_E_DATA,
            "dataset: %s has %" PRId64 " classes; 2 to %d can be learned", spec->name,
            spec->n_classes, MAX_CLASSES);
  COH_CHECK(task->options->validation < spec->n_rows, COH_E_CONFIG,
            "validation: %" PRId64 " rows of the %" PRId64 " of %s would leave none to learn",
            task->options->validation, spec->n_rows, spec->name);
  int64_t *counts;
  COH_NEW(counts, spec->n_classes);
  coh_dataset_count_classes(whole, counts);
  int64_t empty = -1;
  for (int64_t k = 0; k < spec->n_classes && empty < 0; k++)
    if (counts[k] == 0) empty = k;
  coh_free(counts);
  COH_CHECK(empty < 0, COH_E_DATA, "dataset: %s has no rows of class %" PRId64 " (%s)",
            spec->name, empty, spec->class_names[empty]);
  return COH_OK;
}

static coh_status create_data(coh_classify *task) {
  const coh_classify_options *o = task->options;
  if (!task->given) COH_TRY(coh_dataset_create(&o->dataset, &task->whole));
  const coh_dataset *whole = task->given ? task->given : task->whole;
  COH_TRY(check_classes(task, whole));
  COH_TRY(coh_dataset_split(whole, o->validation, task->context->seed, &task->train,
                            &task->validation));
  coh_dataset_destroy(&task->whole);
  task->spec = coh_dataset_spec_of(task->train);
  task->n_classes = task->spec->n_classes;
  if (o->test.kind) {
    COH_TRY(coh_dataset_create(&o->test, &task->test));
    COH_TRY(check_test(task));
  }
  COH_CHECK(!o->mirror || task->spec->n_dims == 3, COH_E_CONFIG,
            "mirror: only images have a mirror image");
  COH_TRY(coh_loader_create(task->train, &o->loader, task->context->seed,
                            task->context->lanes.n_lanes, &task->loader));
  task->lane_rows = coh_loader_lane_rows(task->loader);
  task->validate_every =
      o->validate_every ? o->validate_every : coh_loader_batches_per_epoch(task->loader);
  return COH_OK;
}

static coh_status create_network(coh_classify *task) {
  coh_network_config config = {.layers = task->options->network,
                               .initializer = task->options->initializer,
                               .input = {.rank = task->spec->n_dims},
                               .n_outputs = task->n_classes};
  for (int k = 0; k < task->spec->n_dims; k++)
    config.input.size[k] = task->spec->shape[k];
  COH_TRY(coh_network_create(&config, &task->network));
  COH_TRY(coh_classify_programs_create(task));
  COH_NEW(task->params, task->n_floats);
  COH_NEW(task->best, task->n_floats);
  COH_TRY(coh_network_initialize(task->network, task->context->seed, task->params));
  coh_block_copy(task->best, task->params, task->n_floats);
  COH_TRY(coh_learner_create(&task->learner, task->context, "", &task->options->optimizer,
                             task->n_floats));
  COH_TRY(coh_learner_overlap(&task->learner, task->update.program, task->layout,
                              task->update.gradient));
  COH_TRY(coh_layer_states_create(&task->states, task->context, task->layout,
                                  &task->update.refresh));
  return coh_lane_pass_create(&task->pass, task->context, task->update.program, &task->learner);
}

static coh_status create_lane(coh_classify *task, coh_classify_lane *lane, int64_t local) {
  lane->index = task->context->lanes.first + local;
  COH_NEW(lane->labels, task->lane_rows);
  COH_NEW(lane->logits, COH_CLASSIFY_BLOCK * task->n_classes);
  COH_NEW(lane->counts, task->n_classes * task->n_classes);
  COH_TRY(coh_workspace_create(task->update.program, &lane->update));
  COH_TRY(coh_workspace_create(task->judge.program, &lane->judge));
  COH_TRY(coh_workspace_bind_parameters(lane->update, task->params));
  COH_TRY(coh_layer_states_bind(&task->states, local, lane->update));
  coh_lane_pass_set(&task->pass, local, lane->update);
  return coh_workspace_bind_flat(lane->update, task->update.gradient, task->update.n_parameters,
                                 coh_learner_gradient(&task->learner, local));
}

static coh_status create(coh_classify *task) {
  int64_t n_local = task->context->lanes.n_local;
  COH_TRY(create_data(task));
  COH_TRY(create_network(task));
  COH_NEW(task->sources, n_local);
  COH_NEW(task->counts, task->n_classes * task->n_classes);
  COH_NEW(task->lane, n_local);
  for (int64_t i = 0; i < n_local; i++)
    COH_TRY(create_lane(task, &task->lane[i], i));
  task->window_begun = coh_clock_now();
  return COH_OK;
}

// the collective parts
static coh_status connect(coh_classify *task) {
  const coh_run_context *context = task->context;
  COH_TRY(coh_learner_connect(&task->learner));
  COH_TRY(coh_lane_pass_connect(&task->pass));
  COH_TRY(coh_layer_states_connect(&task->states));
  COH_TRY(
      coh_lane_sum_create(context->world, &context->lanes, COH_SUM_F64, 1, 1, &task->sum_real));
  return coh_lane_sum_create(context->world, &context->lanes, COH_SUM_I64,
                             task->n_classes * task->n_classes, 1, &task->sum_count);
}

coh_status coh_classify_create_of(const coh_run_context *context, const void *options,
                                  const coh_dataset *given, void **pointer) {
  coh_classify *task = coh_alloc_array(1, sizeof *task);
  coh_status status = task ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory for task classify");
  if (status == COH_OK) {
    task->context = context;
    task->options = options;
    task->given = given;
    status = create(task);
  }
  status = coh_comm_agree(context->world, status);
  if (status == COH_OK) status = connect(task);
  *pointer = task;
  if (status != COH_OK && task) coh_classify_destroy(pointer);
  return status;
}

coh_status coh_classify_create(const coh_run_context *context, const void *options,
                               void **pointer) {
  return coh_classify_create_of(context, options, NULL, pointer);
}

void coh_classify_destroy(void **pointer) {
  coh_classify *task = *pointer;
  if (!task) return;
  coh_lane_sum_destroy(&task->sum_real);
  coh_lane_sum_destroy(&task->sum_count);
  for (int64_t i = 0; task->lane && i < task->context->lanes.n_local; i++) {
    coh_classify_lane *lane = &task->lane[i];
    coh_workspace_destroy(&lane->update);
    coh_workspace_destroy(&lane->judge);
    coh_free(lane->labels), coh_free(lane->logits), coh_free(lane->counts);
  }
  coh_free(task->lane);
  if (task->learner.context) coh_learner_destroy(&task->learner);
  coh_lane_pass_destroy(&task->pass);
  coh_layer_states_destroy(&task->states);
  coh_classify_programs_destroy(task);
  coh_network_destroy(&task->network);
  coh_loader_destroy(&task->loader);
  coh_dataset_destroy(&task->whole), coh_dataset_destroy(&task->train);
  coh_dataset_destroy(&task->validation), coh_dataset_destroy(&task->test);
  coh_free(task->params), coh_free(task->best);
  coh_free(task->sources), coh_free(task->counts);
  coh_free(task);
  *pointer = NULL;
}
