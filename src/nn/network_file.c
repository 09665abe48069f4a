/* Opening a network from a file: the card is parsed as a config is, the network is created from
 * it, and each of its parameters is looked up by name. */
#include "nn/network_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "nn/network.h"

static const char *card_of(const coh_safetensors *tensors, const char *name) {
  char key[128];
  snprintf(key, sizeof key, "network%s%s", *name ? "." : "", name);
  return coh_safetensors_metadata(tensors, key);
}

static coh_status find_card(const char *path, const coh_safetensors *tensors, const char *name,
                            const char **card) {
  *card = card_of(tensors, name ? name : "");
  if (*card) return COH_OK;
  char known[256] = "";
  int n_found = 0;
  const char *key, *only = NULL;
  for (int64_t i = 0; (key = coh_safetensors_metadata_key(tensors, i)); i++) {
    if (strncmp(key, "network", 7) != 0) continue;
    only = coh_safetensors_metadata(tensors, key);
    size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", n_found++ ? ", " : "",
             key[7] ? key + 8 : "one without a name");
  }
  COH_CHECK(n_found > 0, COH_E_DATA,
            "%s: does not say what network it holds (its metadata has no 'network'); models "
            "saved by this program do",
            path);
  COH_CHECK(n_found == 1 && !name, COH_E_DATA, "%s: %s '%s'; it has: %s", path,
            name ? "holds no network" : "say which network is meant, not", name ? name : "",
            known);
  *card = only;
  return COH_OK;
}

static coh_status read_card(coh_network_file *file, const char *text) {
  coh_config *root = NULL;
  char name[512];
  snprintf(name, sizeof name, "%s: network", file->path);
  coh_status status = coh_config_parse(name, text, strlen(text), &root);
  if (status == COH_OK) status = coh_options_fill(coh_network_card_table, root, &file->card);
  coh_config_destroy(&root);
  // the card of a file is data, not a config of the user's
  return status == COH_E_CONFIG ? coh_fail(COH_E_DATA, "%s", coh_error_message()) : status;
}

static coh_status split_classes(coh_network_file *file) {
  const char *joined = file->card.classes;
  if (!joined || !*joined) return COH_OK;
  int64_t n = 1;
  for (const char *c = joined; *c; c++)
    n += *c == COH_CARD_SEPARATOR;
  COH_NEW(file->class_names, n);
  file->classes_text = coh_alloc_string(joined);
  COH_CHECK(file->classes_text, COH_E_MEMORY, "out of memory for names of classes");
  char *at = file->classes_text;
  for (int64_t k = 0; k < n; k++) {
    file->class_names[k] = at;
    at = strchr(at, COH_CARD_SEPARATOR);
    if (at) *at++ = '\0';
  }
  file->facts.class_names = file->class_names;
  file->facts.n_classes = n;
  return COH_OK;
}

static coh_status create_network(coh_network_file *file) {
  const coh_network_card_data *card = &file->card;
  COH_CHECK(card->input.n_items >= 1 && card->input.n_items < COH_MAX_RANK, COH_E_DATA,
            "%s: the network's input has %" PRId64 " sides", file->path, card->input.n_items);
  coh_network_config config = {
      .name = *card->name ? card->name : NULL,
      .layers = card->layers,
      .input = {.rank = (int)card->input.n_items},
      .n_outputs = card->outputs,
      .n_classes = card->condition,
  };
  for (int axis = 0; axis < config.input.rank; axis++)
    config.input.size[axis] = card->input.item[axis];
  coh_status status = coh_network_create(&config, &file->network);
  if (status != COH_OK) return coh_fail(COH_E_DATA, "%s: %s", file->path, coh_error_message());
  file->facts.role = card->role;
  file->facts.affine = (coh_affine){(float)card->scale, (float)card->shift};
  COH_TRY(split_classes(file));
  COH_NEW(file->params, coh_network_floats(file->network));
  COH_NEW(file->layer, file->network->n_layers);
  for (int64_t i = 0; i < file->network->n_layers; i++)
    coh_network_layer_path(file->network, i, file->layer[i]);
  return COH_OK;
}

static coh_status read_parameter(coh_network_file *file, const coh_safetensors *tensors,
                                 const coh_parameter_view *view) {
  int64_t i = coh_safetensors_find(tensors, view->name);
  COH_CHECK(i >= 0, COH_E_DATA, "%s: has no tensor '%s'", file->path, view->name);
  coh_array shape;
  coh_safetensors_shape(tensors, i, &shape);
  bool same = shape.dtype == COH_DTYPE_F32 && shape.n_dims == view->shape.rank;
  for (int axis = 0; same && axis < shape.n_dims; axis++)
    same = shape.shape[axis] == view->shape.size[axis];
  COH_CHECK(same, COH_E_DATA, "%s: tensor '%s' is not what the network's layers need",
            file->path, view->name);
  return coh_safetensors_read(tensors, i, 0, file->params + view->offset,
                              (size_t)view->count * sizeof(float));
}

static coh_status read_parameters(coh_network_file *file, const coh_safetensors *tensors) {
  coh_graph *graph = NULL;
  COH_TRY(coh_graph_create(&graph));
  coh_value in = coh_graph_input(graph, "input", file->network->input), out;
  coh_network_use use = {.inference = true, .is_conditional = file->network->n_classes > 0};
  if (use.is_conditional)
    use.condition = coh_graph_input(
        graph, "class", COH_SHAPE(file->network->input.size[0], file->network->n_classes));
  coh_status status = coh_network_build_for(file->network, graph, in, &use, NULL, &out);
  for (int64_t k = 0; status == COH_OK && k < coh_graph_n_parameters(graph); k++) {
    coh_parameter_view view = coh_graph_parameter_at(graph, k);
    status = read_parameter(file, tensors, &view);
  }
  coh_graph_destroy(&graph);
  return status;
}

static coh_status read_file(coh_network_file *file, const coh_safetensors *tensors,
                            const char *name) {
  const char *text;
  COH_TRY(find_card(file->path, tensors, name, &text));
  COH_TRY(read_card(file, text));
  COH_TRY(create_network(file));
  return read_parameters(file, tensors);
}

coh_status coh_network_file_open(const char *path, const char *name, coh_network_file **out) {
  coh_network_file *file;
  COH_NEW(file, 1);
  coh_safetensors *tensors = NULL;
  file->path = coh_alloc_string(path);
  coh_status status =
      file->path ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to open %s", path);
  if (status == COH_OK) status = coh_safetensors_open(path, &tensors);
  if (status == COH_OK) status = read_file(file, tensors, name);
  coh_safetensors_close(&tensors);
  if (status != COH_OK)
    coh_network_file_close(&file);
  else
    *out = file;
  return status;
}

void coh_network_file_close(coh_network_file **pointer) {
  coh_network_file *file = *pointer;
  if (!file) return;
  coh_network_destroy(&file->network);
  coh_options_clear(coh_network_card_table, &file->card);
  coh_free(file->classes_text), coh_free(file->class_names);
  coh_free(file->params), coh_free(file->layer), coh_free(file->path);
  COH_DELETE(*pointer);
}

const coh_network *coh_network_file_network(const coh_network_file *file) {
  return file->network;
}

const char *coh_network_file_name(const coh_network_file *file) {
  return file->card.name;
}

const coh_network_facts *coh_network_file_facts(const coh_network_file *file) {
  return &file->facts;
}

static coh_shape without_batch(coh_shape shape) {
  coh_shape sample = {.rank = shape.rank - 1};
  for (int axis = 0; axis < sample.rank; axis++)
    sample.size[axis] = shape.size[axis + 1];
  return sample;
}

coh_shape coh_network_file_input(const coh_network_file *file) {
  return without_batch(file->network->input);
}

float *coh_network_file_params(coh_network_file *file) {
  return file->params;
}

int64_t coh_network_file_n_layers(const coh_network_file *file) {
  return file->network->n_layers;
}

const char *coh_network_file_layer(const coh_network_file *file, int64_t i) {
  return file->layer[i];
}

coh_shape coh_network_file_layer_shape(const coh_network_file *file, int64_t i) {
  return without_batch(file->network->layer_output[i]);
}

static coh_status fail_unknown(const coh_network_file *file, const char *layer) {
  int64_t n = file->network->n_layers;
  const char **names;
  COH_NEW(names, n);
  for (int64_t k = 0; k < n; k++)
    names[k] = file->layer[k];
  const char *nearest = coh_text_nearest(layer, names, n);
  coh_status status =
      nearest
          ? coh_fail(COH_E_CONFIG, "layer '%s' is unknown; did you mean '%s'?", layer, nearest)
          : coh_fail(COH_E_CONFIG, "layer '%s' is unknown; the layers are %s to %s", layer,
                     names[0], names[n - 1]);
  coh_free(names);
  return status;
}

coh_status coh_network_file_find(const coh_network_file *file, const char *layer, int64_t *i) {
  int64_t n = file->network->n_layers, found = -1, n_of_kind = 0;
  for (int64_t k = 0; k < n; k++) {
    if (strcmp(file->layer[k], layer) == 0) {
      *i = k;
      return COH_OK;
    }
    const char *kind = strrchr(file->layer[k], '.');
    if (kind && strcmp(kind + 1, layer) == 0) found = k, n_of_kind++;
  }
  if (n_of_kind == 1 || strcmp(layer, "output") == 0) {
    *i = n_of_kind == 1 ? found : n - 1;
    return COH_OK;
  }
  if (strcmp(layer, "penultimate") == 0 && n > 1) {
    *i = n - 2;
    return COH_OK;
  }
  return fail_unknown(file, layer);
}
