/* Imitation's discriminator: its gradient against finite differences, its rewards against the
 * definitions, and what it learns against the ratio that it must learn. */
#include "world_at_hand.h"

#include "cohort/nn.h"
#include "task/dqn/dqn.h"
#include "task/gan/gan_kinds.h"

enum { N = 24, D = 2, N_ACTIONS = 2 };

// a world of one state value, 0 or 1, and two actions; the expert takes action 1 at 3 of 4 rows
static void write_expert(void) {
  coh_transitions *t = NULL;
  assert_ok(coh_transitions_create("expert", D, N_ACTIONS, &t));
  for (int i = 0; i < 64; i++) {
    const float state[D] = {(float)(i & 1), 0.5f}, next[D] = {(float)(~i & 1), 0.5f};
    const coh_transition_row row = {.state = state,
                                    .next_state = next,
                                    .action = i % 4 != 0,
                                    .reward = 2,
                                    .terminated = i % 16 == 15};
    assert_ok(coh_transitions_append(t, &row));
  }
  assert_ok(coh_transitions_write(t, "expert.npz"));
  coh_transitions_destroy(&t);
}

typedef struct fixture {
  coh_run_context context;
  coh_imitation_options options;
  coh_imitation *it;
  float states[N * D], next_states[N * D], discounts[N], log_policy[2 * N], returns[N];
  int32_t actions[N];
  coh_imitation_rows rows;
} fixture;

// the agent: actions at even odds, one end in N rows
static void open_fixture(fixture *f, const char *options) {
  *f = (fixture){0};
  coh_config *config = NULL;
  assert_ok(coh_config_parse("test", options, strlen(options), &config));
  assert_ok(coh_options_fill(coh_imitation_option_table, config, &f->options));
  coh_config_destroy(&config);
  f->context = (coh_run_context){.world = world, .lanes = {1, 0, 1}, .n_threads = 1, .seed = 7};
  const coh_imitation_config c = {.context = &f->context,
                                  .options = &f->options,
                                  .n_values = D,
                                  .n_actions = N_ACTIONS,
                                  .batch = N,
                                  .lane_rows = N,
                                  .gamma = 0.9,
                                  .temperature = 0.5};
  assert_ok(coh_imitation_create(&c, &f->it));
  assert_ok(coh_learner_connect(&f->it->learner));
  for (int i = 0; i < N; i++) {
    f->states[D * i] = (float)(i / 2 % 2), f->states[D * i + 1] = 0.5f;
    f->next_states[D * i] = (float)(1 - i / 2 % 2), f->next_states[D * i + 1] = 0.5f;
    f->actions[i] = i % 2;
    f->discounts[i] = i == 5 ? 0 : 0.9f;
    f->log_policy[i] = -0.3f - 0.01f * (float)i;
    f->log_policy[N + i] = logf(0.5f);
  }
  f->rows = (coh_imitation_rows){f->states, f->next_states, f->actions, f->discounts,
                                 f->it->shaping ? f->log_policy : NULL};
}

static void close_fixture(fixture *f) {
  coh_imitation_destroy(&f->it);
  coh_options_clear(coh_imitation_option_table, &f->options);
}

static double loss_of(fixture *f) {
  assert_ok(coh_imitation_run(f->it, 0, &f->rows, f->returns));
  return (double)coh_learner_gradient(&f->it->learner, 0)[f->it->n_floats];
}

// along the gradient itself, where the slope is its norm, and along each single parameter
static void check_gradient(const char *options) {
  fixture f;
  open_fixture(&f, options);
  coh_imitation *it = f.it;
  coh_imitation_draw(it, 3, 0, 0, NULL);
  loss_of(&f);
  float *gradient = coh_alloc_array((size_t)it->n_floats, sizeof *gradient);
  memcpy(gradient, coh_learner_gradient(&it->learner, 0),
         (size_t)it->n_floats * sizeof *gradient);
  double norm = 0;
  for (int64_t k = 0; k < it->n_floats; k++)
    norm += (double)gradient[k] * (double)gradient[k];
  norm = sqrt(norm);
  assert_true(norm > 1e-3);
  for (int64_t k = 0; k < it->n_floats; k++) {
    float kept = it->params[k], h = 4e-3f;
    it->params[k] = kept + h;
    double more = loss_of(&f);
    it->params[k] = kept - h;
    double less = loss_of(&f);
    it->params[k] = kept;
    // padding has no gradient and no effect; singles carry f32's rounding over 2h
    assert_within((more - less) / (2 * (double)h), gradient[k], 1e-4 + 2e-3 * norm);
  }
  coh_free(gradient);
  close_fixture(&f);
}

static void imitation_gradient_is_the_slope_of_its_loss(void **state) {
  (void)state;
  const char *const options[] = {
      "{demonstrations: expert.npz, network: [dense: 5, tanh], regularizers: []}",
      "{demonstrations: expert.npz, network: [dense: 5, tanh], regularizers: "
      "[gradient_penalty: 1]}",
      "{demonstrations: expert.npz, network: [dense: 5, tanh], regularizers: [r1: 1, r2: 2], "
      "loss: "
      "hinge, on_actions: false}",
      "{demonstrations: expert.npz, network: [dense: 5, tanh], method: airl}",
  };
  for (size_t k = 0; k < sizeof options / sizeof *options; k++)
    check_gradient(options[k]);
}

// ---- the same loss in double precision ----------------------------------------------------

enum { WIDTH = 5 };

// a network of one hidden layer, tanh, from the parameters first .. first + 3 of the graph
static double network_of(const coh_imitation *it, const double *params, int64_t first,
                         const float *x, int64_t n) {
  coh_parameter_view w[4];
  for (int64_t k = 0; k < 4; k++)
    w[k] = coh_graph_parameter_at(it->graph, first + k);
  bool by_output = w[0].shape.size[0] == WIDTH;
  double out = params[w[3].offset];
  for (int64_t o = 0; o < WIDTH; o++) {
    double sum = params[w[1].offset + o];
    for (int64_t i = 0; i < n; i++)
      sum += (double)x[i] * params[w[0].offset + (by_output ? o * n + i : i * WIDTH + o)];
    out += tanh(sum) * params[w[2].offset + o];
  }
  return out;
}

static double softplus(double x) {
  return fmax(x, 0) + log1p(exp(-fabs(x)));
}

// the logistic loss of what the program was last given
static double exact_loss(fixture *f, const double *params) {
  const coh_imitation *it = f->it;
  coh_workspace *w = it->lane[0].workspace;
  const float *rows = coh_workspace_data(w, it->rows), *ends = coh_workspace_data(w, it->ends);
  const float *policy = it->shaping ? coh_workspace_data(w, it->policy) : NULL;
  int64_t width = 2 * D + N_ACTIONS;
  double end = params[coh_graph_parameter_at(it->graph, it->n_parameters - 1).offset];
  double sum = 0;
  for (int64_t i = 0; i < 2 * N; i++) {
    const float *row = rows + i * width;
    bool is_expert = i < N;
    double logit = network_of(it, params, 0, row, D + N_ACTIONS);
    if (policy)
      logit += 0.9 * (1 - (double)ends[i]) * network_of(it, params, 4, row + D + N_ACTIONS, D) -
               network_of(it, params, 4, row, D) - (double)policy[i];
    sum += softplus(is_expert ? -logit : logit) / N;
    double yes = softplus(-end), no = softplus(end);
    sum += (double)ends[i] * (is_expert ? 0.95 * yes + 0.05 * no : 0.95 * no + 0.05 * yes) / N;
  }
  return sum;
}

static void imitation_gradient_is_the_slope_to_1e_6(void **state) {
  (void)state;
  const char *const options[] = {
      "{demonstrations: expert.npz, network: [dense: 5, tanh], regularizers: []}",
      "{demonstrations: expert.npz, network: [dense: 5, tanh], regularizers: [], method: airl}",
  };
  for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
    fixture f;
    open_fixture(&f, options[o]);
    coh_imitation *it = f.it;
    coh_imitation_draw(it, 3, 0, 0, NULL);
    double found = loss_of(&f), norm = 0;
    double *params = test_calloc((size_t)it->n_floats, sizeof *params);
    for (int64_t k = 0; k < it->n_floats; k++)
      params[k] = (double)it->params[k];
    assert_within(exact_loss(&f, params), found, 1e-6);
    for (int64_t k = 0; k < it->n_floats; k++) {
      double at = params[k], value[4];
      for (int i = 0; i < 4; i++) {
        params[k] = at + 1e-3 * (i < 2 ? i - 2 : i - 1);
        value[i] = exact_loss(&f, params);
      }
      params[k] = at;
      double slope = (8 * (value[2] - value[1]) - (value[3] - value[0])) / 12e-3;
      assert_within(coh_learner_gradient(&it->learner, 0)[k], slope, 1e-6);
      norm += slope * slope;
    }
    assert_true(norm > 1e-4);
    test_free(params);
    close_fixture(&f);
  }
}

// r(s, a) of a discriminator with the logit l, and its reward for ever where an episode ended
static void imitation_rewards_are_what_they_are_called(void **state) {
  (void)state;
  for (int form = 0; form < 3; form++) {
    static const char *const name[] = {"logit", "positive", "negative"};
    char options[128];
    snprintf(options, sizeof options, "{demonstrations: expert.npz, reward: %s}", name[form]);
    fixture f;
    open_fixture(&f, options);
    coh_imitation_draw(f.it, 0, 0, 0, NULL);
    f.it->params[f.it->n_floats - 16] = 0.7f; // the end's logit is the last parameter
    loss_of(&f);
    const float *logits = coh_workspace_data(f.it->lane[0].workspace, f.it->logits) + N;
    for (int i = 0; i < N; i++) {
      double d[2] = {1 / (1 + exp(-(double)logits[i])), 1 / (1 + exp(-0.7))}, reward[2];
      for (int k = 0; k < 2; k++)
        reward[k] = form == 0   ? log(d[k]) - log(1 - d[k])
                    : form == 1 ? -log(1 - d[k])
                                : log(d[k]);
      double want = reward[0] + (f.discounts[i] == 0 ? 0.9 / (1 - 0.9) * reward[1] : 0);
      assert_within(f.returns[i], want, 1e-5);
    }
    close_fixture(&f);
  }
}

// Goodfellow et al. 2014, proposition 1: the best logit is the log of the ratio of densities
static void imitation_logit_becomes_the_log_ratio(void **state) {
  (void)state;
  fixture f;
  open_fixture(&f, "{demonstrations: expert.npz, regularizers: [], network: [dense: 32, tanh], "
                   "optimizer: {adam: {learning_rate: 0.01, schedule: {shape: linear, steps: "
                   "4000, final: 0.01}}}}");
  for (int k = 0; k < 4000; k++) {
    coh_imitation_draw(f.it, (uint64_t)k, 0, 0, NULL);
    loss_of(&f);
    assert_ok(coh_learner_step(&f.it->learner, f.it->params, 1));
  }
  loss_of(&f);
  const float *logits = coh_workspace_data(f.it->lane[0].workspace, f.it->logits) + N;
  // of the expert's rows: state 0 with action 0 a quarter, action 1 a quarter; state 1 with
  // action 1 a half, action 0 never. The agent: a quarter each.
  for (int i = 0; i < N; i++) {
    bool one = f.states[D * i] > 0.5f, acts = f.actions[i] == 1;
    if (!one) assert_within(logits[i], 0, 0.15);
    if (one && acts) assert_within(logits[i], log(2), 0.15);
    if (one && !acts) assert_true(logits[i] < -3);
  }
  // ends: 1 of 16 rows against 1 of 24, smoothed by 0.05
  double e = 1. / 16, a = 1. / 24;
  assert_within(*coh_workspace_data(f.it->lane[0].workspace, f.it->end),
                log((0.95 * e + 0.05 * a) / (0.05 * e + 0.95 * a)), 0.1);
  close_fixture(&f);
}

static void imitation_says_what_does_not_fit(void **state) {
  (void)state;
  coh_run_context context = {.world = world, .lanes = {1, 0, 1}, .n_threads = 1};
  coh_imitation_options options;
  assert_ok(coh_options_fill(coh_imitation_option_table, NULL, &options));
  coh_free(options.demonstrations);
  options.demonstrations = coh_alloc_string("expert.npz");
  coh_imitation_config c = {.context = &context,
                            .options = &options,
                            .n_values = 4,
                            .n_actions = 2,
                            .batch = N,
                            .lane_rows = N,
                            .gamma = 0.9};
  coh_imitation *it = NULL;
  assert_fails(coh_imitation_create(&c, &it), COH_E_DATA, "states of 2 values");
  coh_imitation_destroy(&it);
  c.n_values = 2, c.n_actions = 1;
  assert_fails(coh_imitation_create(&c, &it), COH_E_DATA, "action");
  coh_imitation_destroy(&it);
  coh_options_clear(coh_imitation_option_table, &options);
}

static int setup(void **state) {
  if (scratch_world_enter(state) != 0) return -1;
  write_expert();
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(imitation_gradient_is_the_slope_of_its_loss),
      cmocka_unit_test(imitation_gradient_is_the_slope_to_1e_6),
      cmocka_unit_test(imitation_rewards_are_what_they_are_called),
      cmocka_unit_test(imitation_logit_becomes_the_log_ratio),
      cmocka_unit_test(imitation_says_what_does_not_fit),
  };
  return cmocka_run_group_tests(tests, setup, scratch_world_leave);
}
