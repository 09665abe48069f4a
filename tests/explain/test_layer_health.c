/* The health of layers: networks whose dead units, saturated values and gradients are known. */
#include "cohort_test.h"

#include <string.h>

#include "explain/layer_health.h"
#include "network_at_hand.h"

enum { WIDTH = 4, ROWS = 8 };

static const coh_layer_state *find(const coh_health *health, const char *name) {
  int64_t n;
  const coh_layer_state *state = coh_health_layers(health, &n);
  for (int64_t i = 0; i < n; i++)
    if (strcmp(state[i].name, name) == 0) return &state[i];
  fail_msg("no layer %s", name);
  return NULL;
}

// units 0 and 1 of the block's relu see -1 and 1 whatever comes in; tanh after it sees 50
static void health_looks_into_blocks(void **state) {
  (void)state;
  coh_network_file *file = network_at_hand(
      "[residual: {body: [dense: 4, relu, dense: 4]}, dense: 4, tanh]", COH_SHAPE(WIDTH), 2, 0);
  float *params = coh_network_file_params(file);
  const coh_network *network = coh_network_file_network(file);
  memset(params, 0, (size_t)coh_network_floats(network) * sizeof *params);
  const float relu_bias[WIDTH] = {-1, 1, -1, -1};
  memcpy(params + network->parameter[1].offset, relu_bias, sizeof relu_bias);
  for (int k = 0; k < WIDTH; k++)
    params[network->parameter[5].offset + k] = k == 0 ? 0.0f : 50.0f;
  coh_health *health = NULL;
  assert_ok(coh_health_create(network, &health));
  float rows[ROWS * WIDTH];
  for (int i = 0; i < ROWS * WIDTH; i++)
    rows[i] = (float)(i % 5);
  float *gradient = coh_alloc_array((size_t)coh_network_floats(network), sizeof *gradient);
  gradient[network->parameter[0].offset] = 3; // both in the block
  gradient[network->parameter[2].offset + 1] = 4;
  gradient[network->parameter[4].offset] = 1e5f;
  const coh_health_rows seen = {.values = rows, .n = ROWS};
  assert_ok(coh_health_look(health, params, &seen, gradient));

  const coh_layer_state *relu = find(health, "0.residual.body.1.relu");
  assert_within(relu->dead, 0.75, 0);
  assert_within(relu->mean, 0.25, 1e-12);
  assert_within(find(health, "2.tanh")->saturated, 0.75, 0);
  assert_within(find(health, "2.tanh")->dead, 0, 0); // 1 / cosh(50)^2 is small, not zero
  assert_within(find(health, "0.residual")->gradient_norm, 5, 1e-12);
  assert_within(find(health, "1.dense")->gradient_norm, 1e5, 1e-6);

  bool found = false;
  const char *name;
  double value;
  for (int64_t k = 0; coh_health_metric(health, k, &name, &value); k++)
    if (strcmp(name, "layer/0.residual.body.1.relu/dead") == 0)
      found = fabs(value - 0.75) < 1e-12;
  assert_true(found);
  char text[COH_HEALTH_TEXT];
  int64_t about = -2;
  assert_true(coh_health_warning(health, 0, &about, text));
  assert_non_null(strstr(text, "0.residual.body.1.relu: 75% of its units are dead"));
  coh_free(gradient);
  coh_health_destroy(&health);
  coh_network_file_close(&file);
}

static void health_warns_of_a_gradient_that_vanishes(void **state) {
  (void)state;
  coh_network_file *file =
      network_at_hand("[dense: 4, leaky_relu, dense: 4, leaky_relu]", COH_SHAPE(WIDTH), 2, 0);
  const coh_network *network = coh_network_file_network(file);
  coh_health *health = NULL;
  assert_ok(coh_health_create(network, &health));
  float rows[ROWS * WIDTH] = {1};
  float *gradient = coh_alloc_array((size_t)coh_network_floats(network), sizeof *gradient);
  gradient[network->parameter[0].offset] = 1e-6f;
  gradient[network->parameter[4].offset] = 1;
  const coh_health_rows seen = {.values = rows, .n = ROWS};
  assert_ok(coh_health_look(health, coh_network_file_params(file), &seen, gradient));
  char text[COH_HEALTH_TEXT];
  int64_t about;
  assert_true(coh_health_warning(health, 0, &about, text));
  assert_int_equal(about, -1);
  assert_non_null(strstr(text, "vanishes"));
  gradient[network->parameter[0].offset] = 0.01f;
  assert_ok(coh_health_look(health, coh_network_file_params(file), &seen, gradient));
  assert_false(coh_health_warning(health, 0, NULL, text));
  coh_free(gradient);
  coh_health_destroy(&health);
  coh_network_file_close(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(health_looks_into_blocks),
      cmocka_unit_test(health_warns_of_a_gradient_that_vanishes),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
