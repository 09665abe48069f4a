/* The gradient of every likelihood by every parameter of every form of reward, against finite
 * differences: both entropies, both objectives, endless and finite, rewards of states and of
 * actions, linear in features of both kinds, a table, a network. The network computes in single
 * precision; its differences are of a second one, written here in double precision. */
#include "world_at_hand.h"

#include <stdio.h>
#include <string.h>

#include "cohort/random.h"
#include "task/irl/irl.h"

enum { WIDTH = 7 };

typedef struct fixture {
  coh_run_context context;
  coh_irl_options options;
  coh_irl *irl;
  double *reward, *by_row;
} fixture;

static void open_fixture(fixture *f, const char *form, int variant) {
  char text[1024];
  snprintf(text, sizeof text,
           "{%s, method: %s, objective: %s, horizon: %d, reward_on: %s, tolerance: 1e-12, "
           "expert: {policy: epsilon, trajectories: 6, length: 5, held_out: 0}}",
           form, variant & 1 ? "trajectory_entropy" : "causal_entropy",
           variant & 2 ? "matching" : "likelihood", variant & 4 ? 7 : 0,
           variant & 8 ? "actions" : "states");
  *f = (fixture){0};
  coh_config *config = NULL;
  assert_ok(coh_config_parse("test", text, strlen(text), &config));
  assert_ok(coh_options_fill(coh_irl_option_table, config, &f->options));
  coh_config_destroy(&config);
  f->context = (coh_run_context){
      .world = world, .lanes = {1, 0, 1}, .n_threads = 1, .seed = 11, .config_name = "test"};
  void *task = NULL;
  assert_ok(coh_irl_create(&f->context, &f->options, &task));
  f->irl = task;
  f->reward = test_calloc((size_t)f->irl->world.mdp->n_rows, sizeof(double));
  f->by_row = test_calloc((size_t)f->irl->world.mdp->n_rows, sizeof(double));
}

static void close_fixture(fixture *f) {
  void *task = f->irl;
  coh_irl_destroy(&task);
  coh_options_clear(coh_irl_option_table, &f->options);
  test_free(f->reward);
  test_free(f->by_row);
}

static float feature_of(const coh_irl_world *w, int64_t state, int64_t k) {
  return w->feature ? (float)(w->feature[state] == k) : w->features[state * w->n_features + k];
}

// a dense layer of the parameter block: n_in -> n_out, then tanh or nothing
static void dense(const coh_irl *irl, const double *params, int64_t layer, const double *in,
                  int64_t n_in, double *out, int64_t n_out, bool squash) {
  coh_parameter_view weight = coh_graph_parameter_at(irl->net.layout, 2 * layer);
  coh_parameter_view bias = coh_graph_parameter_at(irl->net.layout, 2 * layer + 1);
  bool by_output = weight.shape.size[0] == n_out; // (out, in); n_in and n_out differ here
  for (int64_t o = 0; o < n_out; o++) {
    double sum = params[bias.offset + o];
    for (int64_t i = 0; i < n_in; i++)
      sum += in[i] * params[weight.offset + (by_output ? o * n_in + i : i * n_out + o)];
    out[o] = squash ? tanh(sum) : sum;
  }
}

static void network_rewards(const coh_irl *irl, const double *params, double *reward) {
  const coh_irl_world *w = &irl->world;
  const coh_mdp *mdp = w->mdp;
  double in[64], hidden[WIDTH], out[8];
  assert_true(w->n_features <= 64 && irl->n_columns <= 8);
  for (int64_t s = 0; s < mdp->n_states; s++) {
    for (int64_t k = 0; k < w->n_features; k++)
      in[k] = (double)feature_of(w, s, k);
    dense(irl, params, 0, in, w->n_features, hidden, WIDTH, true);
    dense(irl, params, 1, hidden, WIDTH, out, irl->n_columns, false);
    for (int64_t row = mdp->first_row[s]; row < mdp->first_row[s + 1]; row++)
      reward[row] = out[irl->n_columns == 1 ? 0 : mdp->action[row]];
  }
}

static double objective_of(fixture *f, const double *params) {
  double objective;
  if (coh_irl_has_network(f->irl))
    network_rewards(f->irl, params, f->reward);
  else
    coh_irl_linear_rewards(f->irl, &f->irl->world, params, f->reward);
  assert_ok(
      coh_soft_likelihood_run(f->irl->likelihood, f->reward, &objective, f->by_row, NULL));
  return objective;
}

// parameters away from zero, and the task's own gradient by them
static void take_gradient(fixture *f, int64_t n, double *params, double *gradient) {
  coh_irl *irl = f->irl;
  coh_stream stream = coh_stream_begin(coh_key_make(5, "parameters"), 0, 0);
  for (int64_t k = 0; k < n; k++)
    params[k] = coh_irl_has_network(irl) ? (double)irl->net.params[k]
                                         : coh_stream_uniform(&stream) - 0.5;
  double objective = objective_of(f, params);
  if (!coh_irl_has_network(irl)) {
    coh_irl_linear_gradient(irl, f->by_row, gradient);
    return;
  }
  assert_ok(coh_irl_network_step(irl, f->by_row, objective));
  const float *loss = coh_learner_gradient(&irl->net.learner, 0);
  for (int64_t k = 0; k < n; k++)
    gradient[k] = -(double)loss[k];
}

static void check(const char *form, int variant) {
  fixture f;
  open_fixture(&f, form, variant);
  int64_t n = coh_irl_has_network(f.irl) ? f.irl->net.n_floats : f.irl->n_params;
  double *params = test_calloc((size_t)n, sizeof *params);
  double *gradient = test_calloc((size_t)n, sizeof *gradient), norm = 0;
  take_gradient(&f, n, params, gradient);
  for (int64_t k = 0; k < n; k++) {
    double at = params[k], step = 1e-3, value[4];
    for (int i = 0; i < 4; i++) {
      params[k] = at + step * (i < 2 ? i - 2 : i - 1);
      value[i] = objective_of(&f, params);
    }
    params[k] = at;
    double slope = (8 * (value[2] - value[1]) - (value[3] - value[0])) / (12 * step);
    if (fabs(gradient[k] - slope) > 1e-6 * fmax(1, fabs(slope)))
      fail_msg("%s, variant %d, parameter %lld: gradient %.9g, slope %.9g", form, variant,
               (long long)k, gradient[k], slope);
    norm += slope * slope;
  }
  assert_true(norm > 1e-8);
  test_free(params);
  test_free(gradient);
  close_fixture(&f);
}

static void every_likelihood_has_its_slope(void **state) {
  (void)state;
  static const char *const forms[] = {
      "world: {objectworld: {size: 4, objects: 4}}, reward: linear",
      "world: {objectworld: {size: 4, objects: 4, features: discrete}}, reward: linear",
      "world: {gridworld: {size: 4, macrocells: 2}}, reward: linear",
      "world: {env: {name: frozen_lake}}, reward: table",
      "world: {objectworld: {size: 4, objects: 4}}, reward: network, network: [dense: 7, tanh]",
      ("world: {gridworld: {size: 4, macrocells: 2}}, reward: network, "
       "network: [dense: 7, tanh]"),
  };
  for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
    for (int variant = 0; variant < 16; variant++)
      check(forms[k], variant);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_likelihood_has_its_slope)};
  return cmocka_run_group_tests(tests, world_enter, world_leave);
}
