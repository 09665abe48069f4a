/* Networks in files: what is written opens again, from the file alone, as the same function. */
#include "cohort_test.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "choice_text.h"
#include "cohort/network_file.h"
#include "io/safetensors_write.h"
#include "scratch.h"

enum { N_ROWS = 70 }; // more than a block, and not a multiple of it

typedef struct subject {
  choice_holder holder;
  coh_network *network;
  coh_graph *graph;
  coh_value in, out;
  float *block;
} subject;

static subject subject_make(const char *name, const char *layers, coh_shape input,
                            int64_t n_outputs) {
  subject s = {0};
  assert_ok(choice_from(&coh_layer_kinds, layers, true, &s.holder));
  coh_network_config config = {
      .name = name, .layers = s.holder.list, .input = input, .n_outputs = n_outputs};
  assert_ok(coh_network_create(&config, &s.network));
  assert_ok(coh_graph_create(&s.graph));
  coh_shape shape = {.rank = input.rank + 1, .size = {N_ROWS}};
  for (int axis = 0; axis < input.rank; axis++)
    shape.size[axis + 1] = input.size[axis];
  s.in = coh_graph_input(s.graph, "x", shape);
  assert_ok(coh_network_build(s.network, s.graph, s.in, &s.out));
  s.block = coh_alloc_array((size_t)coh_network_floats(s.network), sizeof *s.block);
  assert_ok(coh_network_initialize(s.network, 3, s.block));
  return s;
}

static void subject_clear(subject *s) {
  coh_graph_destroy(&s->graph);
  coh_network_destroy(&s->network);
  choice_holder_clear(&s->holder);
  coh_free(s->block);
}

// write a file as a checkpoint would
static void write_file(const char *path, const subject *s, const coh_network_facts *facts,
                       bool with_card) {
  char *key, *value;
  assert_ok(coh_network_card(s->network, facts, &key, &value));
  coh_metadata_row metadata = {key, value};
  coh_tensor_row rows[32];
  int64_t n = coh_graph_n_parameters(s->graph);
  for (int64_t k = 0; k < n; k++) {
    coh_parameter_view view = coh_graph_parameter_at(s->graph, k);
    rows[k] = (coh_tensor_row){view.name, {.dtype = COH_DTYPE_F32, .n_dims = view.shape.rank}};
    memcpy(rows[k].shape.shape, view.shape.size, sizeof view.shape.size);
  }
  coh_safetensors_writer *writer = NULL;
  assert_ok(coh_safetensors_begin(path, rows, n, &metadata, with_card ? 1 : 0, &writer));
  for (int64_t k = 0; k < n; k++) {
    coh_parameter_view view = coh_graph_parameter_at(s->graph, k);
    assert_ok(coh_safetensors_write(writer, s->block + view.offset,
                                    (size_t)view.count * sizeof(float)));
  }
  assert_ok(coh_safetensors_end(&writer, NULL, NULL));
  coh_free(key), coh_free(value);
}

static void test_network_file_is_the_same_function(void **state) {
  (void)state;
  const char *path = "model.safetensors";
  subject s = subject_make(NULL,
                           "[conv: {channels: 4, kernel: [3, 2], padding: same}, leaky_relu: "
                           "0.3, max_pool: 2, dense: 7, tanh]",
                           COH_SHAPE(6, 6, 2), 3);
  const char *const names[] = {"cat: a", "dog | wolf", "it's"};
  coh_network_facts facts = {
      .role = "classes", .affine = {1 / 255.f, -0.5f}, .class_names = names, .n_classes = 3};
  write_file(path, &s, &facts, true);

  coh_network_file *file = NULL;
  assert_ok(coh_network_file_open(path, NULL, &file));
  const coh_network_facts *read = coh_network_file_facts(file);
  assert_string_equal(read->role, "classes");
  assert_true(read->affine.scale == facts.affine.scale && read->affine.shift == -0.5f);
  assert_int_equal(read->n_classes, 3);
  assert_string_equal(read->class_names[0], "cat: a");
  assert_string_equal(read->class_names[1], "dog / wolf");
  assert_string_equal(read->class_names[2], "it's");
  assert_int_equal(coh_network_file_n_layers(file), 6);
  assert_string_equal(coh_network_file_layer(file, 5), "5.output");
  assert_memory_equal(coh_network_file_params(file), s.block,
                      (size_t)coh_network_floats(s.network) * sizeof(float));

  // bytes of a dataset through both: the same numbers, on any number of threads
  coh_array rows = {.dtype = COH_DTYPE_U8, .n_dims = 4, .shape = {N_ROWS, 6, 6, 2}};
  uint8_t *bytes = coh_alloc_array(N_ROWS * 72, 1);
  for (int i = 0; i < N_ROWS * 72; i++)
    bytes[i] = (uint8_t)(i * 37 % 251);
  rows.data = bytes;
  coh_dataset *dataset = NULL;
  assert_ok(coh_dataset_of_arrays("made up", &rows, NULL, &dataset));
  coh_program *program = NULL;
  coh_workspace *workspace = NULL;
  assert_ok(coh_program_compile(s.graph, &s.out, 1, NULL, &program));
  assert_ok(coh_workspace_create(program, &workspace));
  assert_ok(coh_workspace_bind_parameters(workspace, s.block));
  coh_dataset_read(dataset, 0, N_ROWS, facts.affine, coh_workspace_data(workspace, s.in));
  assert_ok(coh_program_run(program, workspace));
  const float *expected = coh_workspace_data(workspace, s.out);
  coh_array one, two;
  assert_ok(coh_network_file_activations(file, "output", dataset, 1, &one));
  assert_ok(coh_network_file_activations(file, "5.output", dataset, 2, &two));
  assert_int_equal(one.shape[0], N_ROWS);
  assert_int_equal(one.shape[1], 3);
  assert_memory_equal(one.data, two.data, N_ROWS * 3 * sizeof(float));
  for (int i = 0; i < N_ROWS * 3; i++)
    assert_within(((float *)one.data)[i], expected[i], 1e-5);
  coh_array_clear(&one), coh_array_clear(&two);
  assert_ok(coh_network_file_activations(file, "penultimate", dataset, 1, &one));
  assert_int_equal(one.shape[1], 7);
  coh_array_clear(&one);

  coh_workspace_destroy(&workspace);
  coh_program_destroy(&program);
  coh_dataset_destroy(&dataset);
  coh_network_file_close(&file);
  subject_clear(&s);
}

static void test_network_file_says_what_is_wrong(void **state) {
  (void)state;
  const char *path = "wrong.safetensors";
  subject s = subject_make("generator", "[dense: 5, relu, dense: 4, relu]", COH_SHAPE(3), 2);
  coh_network_facts facts = {0};
  coh_network_file *file = NULL;
  write_file(path, &s, &facts, false);
  assert_fails(coh_network_file_open(path, NULL, &file), COH_E_DATA,
               "does not say what network");
  write_file(path, &s, &facts, true);
  assert_fails(coh_network_file_open(path, "critic", &file), COH_E_DATA, "it has: generator");
  assert_ok(coh_network_file_open(path, NULL, &file)); // the only one
  assert_string_equal(coh_network_file_name(file), "generator");
  int64_t i;
  assert_ok(coh_network_file_find(file, "generator.2.dense", &i));
  assert_int_equal(i, 2);
  assert_fails(coh_network_file_find(file, "generator.2.dens", &i), COH_E_CONFIG,
               "did you mean 'generator.2.dense'?");
  assert_fails(coh_network_file_find(file, "relu", &i), COH_E_CONFIG, "unknown");
  coh_network_file_close(&file);
  subject_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_network_file_is_the_same_function),
      cmocka_unit_test(test_network_file_says_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
