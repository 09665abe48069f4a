/* Explanations against closed forms: linear networks, where every attribution is known; feature
 * maps under a mean, where Grad-CAM is the class activation map; a small net by hand. */
#include "cohort_test.h"

#include "cohort/explain.h"
#include "network_at_hand.h"

enum { SIDE = 6, CHANNELS = 2, N = SIDE * SIDE * CHANNELS, K = 3, ROWS = 5 };

typedef struct subject {
  coh_network_file *file;
  coh_explainer *explainer;
  float rows[ROWS * N];
  int32_t targets[ROWS];
} subject;

static subject subject_make(const char *layers, float shift) {
  subject s = {.file = network_at_hand(layers, COH_SHAPE(SIDE, SIDE, CHANNELS), K, shift)};
  assert_ok(coh_explainer_create(s.file, NULL, &s.explainer));
  for (int i = 0; i < ROWS * N; i++)
    s.rows[i] = (float)((i * 7919) % 101) / 50 - 1;
  for (int i = 0; i < ROWS; i++)
    s.targets[i] = i % K;
  return s;
}

static void subject_clear(subject *s) {
  coh_explainer_destroy(&s->explainer);
  coh_network_file_close(&s->file);
}

static void explain(const subject *s, const char *name, float *values) {
  coh_choice method;
  assert_ok(coh_choice_make(&coh_explain_kinds, name, &method));
  assert_ok(coh_explain_values(s->explainer, &method, s->rows, s->targets, ROWS, values));
  coh_choice_clear(&method);
}

static void test_explain_is_exact_for_linear_networks(void **state) {
  (void)state;
  const float black = -0.25f;
  subject s = subject_make("[]", black);
  const float *w = parameter_at_hand(s.file, 0); // (N, K)
  static const char *const names[] = {"saliency", "guided_backprop", "smooth_grad",
                                      "gradient_x_input", "integrated_gradients"};
  float values[ROWS * N];
  for (int m = 0; m < 5; m++) {
    explain(&s, names[m], values);
    for (int i = 0; i < ROWS * N; i++) {
      double slope = (double)w[i % N * K + s.targets[i / N]];
      double share = m < 3 ? 1 : (double)s.rows[i] - (double)black;
      assert_within(values[i], slope * share, 2e-6);
    }
  }
  double gap;
  assert_ok(coh_explain_completeness(s.explainer, values, s.rows, s.targets, ROWS, &gap));
  assert_true(gap < 1e-5);

  // the fall of a linear output is the sum over the window, whatever is around it
  coh_choice method;
  assert_ok(coh_choice_make(&coh_explain_kinds, "occlusion", &method));
  float maps[ROWS * SIDE * SIDE];
  assert_ok(coh_explain(s.explainer, &method, s.rows, s.targets, ROWS, maps)); // window 1
  for (int i = 0; i < ROWS * SIDE * SIDE; i++) {
    double fall = 0;
    for (int c = 0; c < CHANNELS; c++) {
      int k = i * CHANNELS + c;
      fall += (double)w[k % N * K + s.targets[k / N]] * ((double)s.rows[k] - (double)black);
    }
    assert_within(maps[i], fall, 5e-6);
  }
  coh_choice_clear(&method);
  subject_clear(&s);
}

// a convolution with relu by plain loops: features (SIDE, SIDE, C), padding same
static void convolve(const float *row, const float *w, const float *b, int n_out, float *out) {
  for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++)
      for (int o = 0; o < n_out; o++) {
        double sum = (double)b[o];
        for (int v = 0; v < 3; v++)
          for (int u = 0; u < 3; u++) {
            int yy = y + v - 1, xx = x + u - 1;
            if (yy < 0 || yy >= SIDE || xx < 0 || xx >= SIDE) continue;
            for (int c = 0; c < CHANNELS; c++)
              sum += (double)row[(yy * SIDE + xx) * CHANNELS + c] *
                     (double)w[((v * 3 + u) * CHANNELS + c) * n_out + o];
          }
        out[(y * SIDE + x) * n_out + o] = sum > 0 ? (float)sum : 0;
      }
}

static void test_explain_class_activation_maps_by_hand(void **state) {
  (void)state;
  enum { MAPS = 4 };
  subject s =
      subject_make("[conv: {channels: 4, kernel: 3, padding: same}, relu, avg_pool: 6]", 0);
  assert_string_equal(coh_explainer_layer(s.explainer), "1.relu");
  const float *w = parameter_at_hand(s.file, 0), *b = parameter_at_hand(s.file, 1);
  const float *head = parameter_at_hand(s.file, 2); // (MAPS, K)
  float cam[ROWS * N], pp[ROWS * N], layer[ROWS * N], features[SIDE * SIDE * MAPS];
  explain(&s, "grad_cam", cam);
  explain(&s, "grad_cam_pp", pp);
  explain(&s, "layer_cam", layer);
  for (int r = 0; r < ROWS; r++) {
    convolve(s.rows + r * N, w, b, MAPS, features);
    for (int i = 0; i < SIDE * SIDE; i++) {
      // below a mean every pixel of map c has the gradient head[c] / 36
      double sum = 0, sum_pp = 0, sum_layer = 0;
      for (int c = 0; c < MAPS; c++) {
        double g = (double)head[c * K + s.targets[r]] / (SIDE * SIDE), total = 0;
        for (int k = 0; k < SIDE * SIDE; k++)
          total += (double)features[k * MAPS + c];
        double alpha = g * g / (2 * g * g + total * g * g * g + 1e-6);
        double value = (double)features[i * MAPS + c];
        sum += g * value;
        sum_pp += (g > 0 ? SIDE * SIDE * alpha * g : 0) * value;
        sum_layer += (g > 0 ? g : 0) * value;
      }
      int at = (r * SIDE * SIDE + i) * CHANNELS;
      assert_within(cam[at], sum > 0 ? sum : 0, 1e-6);
      assert_within(pp[at], sum_pp > 0 ? sum_pp : 0, 1e-4);
      assert_within(layer[at], sum_layer, 1e-6);
    }
  }
  explain(&s, "score_cam", cam);
  explain(&s, "rise", pp);
  for (int i = 0; i < ROWS * N; i++)
    assert_true(isfinite(cam[i]) && cam[i] >= 0 && pp[i] >= 0 && pp[i] <= 1.2f);
  subject_clear(&s);
}

static void test_explain_guides_backpropagation_by_hand(void **state) {
  (void)state;
  subject s = subject_make("[dense: 4, relu, dense: 5, relu]", 0);
  const float *w1 = parameter_at_hand(s.file, 0), *w2 = parameter_at_hand(s.file, 2),
              *w3 = parameter_at_hand(s.file, 4);
  const float *b1 = parameter_at_hand(s.file, 1), *b2 = parameter_at_hand(s.file, 3);
  float values[ROWS * N];
  explain(&s, "guided_backprop", values);
  for (int r = 0; r < ROWS; r++) {
    double h1[4], h2[5], d2[5], d1[4];
    for (int j = 0; j < 4; j++) {
      h1[j] = (double)b1[j];
      for (int i = 0; i < N; i++)
        h1[j] += (double)s.rows[r * N + i] * (double)w1[i * 4 + j];
    }
    for (int j = 0; j < 5; j++) {
      h2[j] = (double)b2[j];
      for (int i = 0; i < 4; i++)
        h2[j] += fmax(h1[i], 0) * (double)w2[i * 5 + j];
      double d = (double)w3[j * K + s.targets[r]];
      d2[j] = h2[j] > 0 && d > 0 ? d : 0;
    }
    for (int j = 0; j < 4; j++) {
      double d = 0;
      for (int k = 0; k < 5; k++)
        d += d2[k] * (double)w2[j * 5 + k];
      d1[j] = h1[j] > 0 && d > 0 ? d : 0;
    }
    for (int i = 0; i < N; i++) {
      double d = 0;
      for (int j = 0; j < 4; j++)
        d += d1[j] * (double)w1[i * 4 + j];
      assert_within(values[r * N + i], d, 1e-6);
    }
  }
  subject_clear(&s);
}

static void test_explain_integrates_to_the_difference(void **state) {
  (void)state;
  subject s = subject_make("[conv: {channels: 6, kernel: 3}, relu, dense: 8, tanh]", 0.1f);
  float values[ROWS * N];
  double gap;
  explain(&s, "integrated_gradients", values);
  assert_ok(coh_explain_completeness(s.explainer, values, s.rows, s.targets, ROWS, &gap));
  assert_true(gap <= 1e-3);
  // and the measure sees what is not complete
  explain(&s, "saliency", values);
  assert_ok(coh_explain_completeness(s.explainer, values, s.rows, s.targets, ROWS, &gap));
  assert_true(gap > 0.05);
  subject_clear(&s);
}

static void test_explain_checks_are_right(void **state) {
  (void)state;
  double r;
  const float a[] = {1, -2, 3, -4}, b[] = {10, 20, 30, 40}, c[] = {4, 3, 2, 1};
  const float ties[] = {1, 1, 2, 2};
  assert_ok(coh_explain_rank_correlation(a, b, 4, &r));
  assert_within(r, 1, 1e-12);
  assert_ok(coh_explain_rank_correlation(a, c, 4, &r));
  assert_within(r, -1, 1e-12);
  assert_ok(coh_explain_rank_correlation(ties, b, 4, &r));
  assert_within(r, 4 / sqrt(4 * 5), 1e-12); // 0.5 0.5 2.5 2.5 against 0 1 2 3

  // a network that looks at one pixel: its map inserts at once, the opposite at last
  subject s = subject_make("[]", 0);
  float *w = parameter_at_hand(s.file, 0), *bias = parameter_at_hand(s.file, 1);
  memset(w, 0, N * K * sizeof *w);
  memset(bias, 0, K * sizeof *bias);
  const int pixel = 3;
  w[pixel * CHANNELS * K + 0] = 50;
  float row[N] = {0}, map[SIDE * SIDE] = {0};
  row[pixel * CHANNELS] = 1; // probability 1 with it, 1/3 on black
  const int32_t target = 0;
  coh_explain_curves good, bad;
  map[pixel] = 1;
  assert_ok(coh_explain_insertion(s.explainer, map, row, &target, 1, SIDE * SIDE, &good));
  map[pixel] = -1;
  assert_ok(coh_explain_insertion(s.explainer, map, row, &target, 1, SIDE * SIDE, &bad));
  assert_within(good.deletion, 1. / 3 + 1. / 3 / 36, 1e-3); // 1 at first, then 1/3
  assert_within(bad.deletion, 1 - 1. / 3 / 36, 1e-3);       // 1 until the end
  assert_true(good.insertion >= bad.insertion);
  subject_clear(&s);
}

static void test_explain_sanity_restores_the_network(void **state) {
  (void)state;
  subject s = subject_make("[dense: 8, relu]", 0);
  size_t n = (size_t)coh_network_floats(coh_network_file_network(s.file));
  float *before = coh_alloc_array(n, sizeof *before);
  memcpy(before, coh_network_file_params(s.file), n * sizeof *before);
  coh_choice method;
  assert_ok(coh_choice_make(&coh_explain_kinds, "saliency", &method));
  double similarity[8];
  int64_t n_stages = 8;
  assert_ok(coh_explain_sanity(s.explainer, &method, s.rows, s.targets, ROWS, 7, similarity,
                               &n_stages));
  assert_int_equal(n_stages, 2);
  // the seed that made the network: the "random" weights are its own, nothing changes
  assert_within(similarity[0], 1, 1e-12);
  assert_within(similarity[1], 1, 1e-12);
  n_stages = 8;
  assert_ok(coh_explain_sanity(s.explainer, &method, s.rows, s.targets, ROWS, 8, similarity,
                               &n_stages));
  assert_true(fabs(similarity[1]) < 0.5);
  assert_memory_equal(before, coh_network_file_params(s.file), n * sizeof *before);
  coh_choice_clear(&method);
  coh_free(before);
  subject_clear(&s);
}

static void test_explain_says_what_cannot_be(void **state) {
  (void)state;
  subject s = subject_make("[dense: 8, relu]", 0);
  float values[ROWS * N];
  coh_choice method;
  assert_ok(coh_choice_make(&coh_explain_kinds, "grad_cam", &method));
  assert_fails(coh_explain(s.explainer, &method, s.rows, s.targets, ROWS, values), COH_E_CONFIG,
               "no convolution");
  const int32_t far = K;
  assert_fails(coh_explain(s.explainer, &method, s.rows, &far, 1, values), COH_E_CONFIG,
               "the network has 3");
  coh_explainer *other = NULL;
  assert_fails(coh_explainer_create(s.file, "0.dens", &other), COH_E_CONFIG,
               "did you mean '0.dense'");
  coh_choice_clear(&method);
  subject_clear(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_explain_is_exact_for_linear_networks),
      cmocka_unit_test(test_explain_class_activation_maps_by_hand),
      cmocka_unit_test(test_explain_guides_backpropagation_by_hand),
      cmocka_unit_test(test_explain_integrates_to_the_difference),
      cmocka_unit_test(test_explain_checks_are_right),
      cmocka_unit_test(test_explain_sanity_restores_the_network),
      cmocka_unit_test(test_explain_says_what_cannot_be),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
