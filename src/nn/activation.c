/* The registry of activations and what is known of each. */
#include "nn/activation_type.h"

#define X(name) extern const coh_activation_type coh_activation_type_##name;
#include "nn/activations/activation.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_activation_type_##name.layer.kind,
#include "nn/activations/activation.def"
#undef X
};

const coh_kind_set coh_activation_kinds = {
    .noun = "activation",
    .kinds = kinds,
    .n_kinds = (int64_t)(sizeof kinds / sizeof kinds[0]),
};

static const coh_activation_type *type_of(const coh_choice *choice) {
  return (const coh_activation_type *)(const void *)choice->kind;
}

coh_status coh_activation_build(coh_layer_site *site, const void *options, coh_value in,
                                coh_value *out) {
  const coh_activation_type *type = (const coh_activation_type *)(const void *)site->type;
  *out = type->apply(options, site->graph, in);
  if (site->use->guided) *out = coh_op_rectify_gradient(site->graph, *out);
  return COH_OK;
}

coh_activation_facts coh_activation_describe(const coh_choice *choice) {
  const coh_activation_type *type = type_of(choice);
  coh_activation_facts facts = {.formula = type->formula,
                                .derivative = type->derivative_formula,
                                .low = type->low,
                                .high = type->high};
  if (type->range) type->range(choice->options, &facts.low, &facts.high);
  return facts;
}

double coh_activation_value(const coh_choice *choice, double x) {
  return type_of(choice)->value(choice->options, x);
}

double coh_activation_derivative(const coh_choice *choice, double x) {
  return type_of(choice)->derivative(choice->options, x);
}
