/* Writing the card of a network: the same rows from which a config is read describe it, so what
 * a config can say a card can keep. */
#include "nn/network_card.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cohort/network_file.h"
#include "nn/network.h"

#define FIELD(name) .offset = offsetof(coh_network_card_data, name)

const coh_option coh_network_card_table[] = {
    {.name = "name", .type = COH_STRING, FIELD(name), .initial = "\"\"", .doc = "Its name."},
    {.name = "role",
     .type = COH_STRING,
     FIELD(role),
     .initial = "\"\"",
     .doc = "What its outputs are."},
    {.name = "input",
     .type = COH_INTS,
     FIELD(input),
     .min = 1,
     .max = 1 << 24,
     .doc = "Shape of a sample."},
    {.name = "layers",
     .type = COH_KINDS,
     FIELD(layers),
     .kinds = &coh_layer_kinds,
     .initial = "[]",
     .doc = "Its layers."},
    {.name = "outputs",
     .type = COH_INT,
     FIELD(outputs),
     .initial = "0",
     .min = 0,
     .max = 1 << 24,
     .doc = "Width of the output layer; 0: none."},
    {.name = "condition",
     .type = COH_INT,
     FIELD(condition),
     .initial = "0",
     .min = 0,
     .max = 1 << 24,
     .doc = "Classes that rows are conditioned on; 0: none."},
    {.name = "scale",
     .type = COH_REAL,
     FIELD(scale),
     .initial = "1",
     .doc = "Input = scale x stored value + shift."},
    {.name = "shift", .type = COH_REAL, FIELD(shift), .initial = "0", .doc = "See scale."},
    {.name = "classes",
     .type = COH_STRING,
     FIELD(classes),
     .initial = "\"\"",
     .doc = "Names of the outputs, parted by |."},
    {0},
};

// one string of all names; a separator within a name becomes a slash
static coh_status join_classes(const coh_network_facts *facts, char **joined) {
  coh_text text = {0};
  const char separator[2] = {COH_CARD_SEPARATOR, '\0'};
  for (int64_t k = 0; facts->class_names && k < facts->n_classes; k++) {
    if (k) coh_text_add(&text, "%s", separator);
    for (const char *c = facts->class_names[k]; *c; c++)
      coh_text_add_bytes(&text, *c == COH_CARD_SEPARATOR ? "/" : c, 1);
  }
  return coh_text_take(&text, joined);
}

coh_status coh_network_card(const coh_network *network, const coh_network_facts *facts,
                            char **key, char **value) {
  int64_t sides[COH_MAX_RANK];
  coh_network_card_data card = {
      .name = network->name ? network->name : "",
      .role = (char *)(facts->role ? facts->role : ""),
      .layers = network->layers,
      .input = {.item = sides, .n_items = network->input.rank - 1},
      .outputs = network->n_outputs,
      .condition = network->n_classes,
      .scale = facts->affine.scale == 0 ? 1 : (double)facts->affine.scale,
      .shift = (double)facts->affine.shift,
  };
  for (int axis = 1; axis < network->input.rank; axis++)
    sides[axis - 1] = network->input.size[axis];
  coh_text text = {0};
  char *made_key = NULL, *made_value = NULL;
  coh_status status = join_classes(facts, &card.classes);
  if (status == COH_OK)
    status = coh_options_write(coh_network_card_table, &card, 0, &made_value);
  coh_free(card.classes);
  if (status == COH_OK) {
    coh_text_add(&text, "network%s%s", *card.name ? "." : "", card.name);
    status = coh_text_take(&text, &made_key);
  }
  if (status != COH_OK) {
    coh_free(made_value);
    return status;
  }
  *key = made_key;
  *value = made_value;
  return COH_OK;
}
