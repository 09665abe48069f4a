/* Option tables: defaults, conversion, bounds, kinds, and the round trip through YAML. */
#include "cohort_test.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "cohort/option.h"

typedef struct layer_options {
  int64_t units;
  double scale;
} layer_options;

static const coh_option layer_table[] = {
    {.name = "units",
     .type = COH_INT,
     .offset = offsetof(layer_options, units),
     .min = 1,
     .max = 4096,
     .doc = "Outputs."},
    {.name = "scale",
     .type = COH_REAL,
     .offset = offsetof(layer_options, scale),
     .initial = "1",
     .doc = "Factor."},
    {0},
};
static const coh_kind dense = {"dense", "A layer.", layer_table, sizeof(layer_options)};
static const coh_kind relu = {"relu", "An activation.", NULL, 0};
static const coh_kind *const layers[] = {&dense, &relu};
static const coh_kind_set layer_set = {"layer", layers, 2};

typedef struct inner_options {
  bool on;
  int64_t every;
} inner_options;

typedef struct options {
  int64_t seed, memory;
  double rate;
  char *path;
  int loss;
  coh_int_list sizes;
  inner_options evaluation;
  coh_choice head;
  coh_choice_list network;
} options;

static const coh_option inner_table[] = {
    {.name = "on",
     .type = COH_BOOL,
     .offset = offsetof(inner_options, on),
     .initial = "true",
     .doc = "Whether."},
    {.name = "every",
     .type = COH_INT,
     .offset = offsetof(inner_options, every),
     .initial = "1000",
     .min = 1,
     .max = INFINITY,
     .unit = "steps",
     .doc = "How often."},
    {0},
};
static const coh_option table[] = {
    {.name = "seed", .type = COH_INT, .offset = offsetof(options, seed), .doc = "Seed."},
    {.name = "memory",
     .type = COH_BYTES,
     .offset = offsetof(options, memory),
     .initial = "1GiB",
     .doc = "Bound."},
    {.name = "rate",
     .type = COH_REAL,
     .offset = offsetof(options, rate),
     .initial = "1e-3",
     .min = 0,
     .max = 1,
     .doc = "Rate."},
    {.name = "path",
     .type = COH_STRING,
     .offset = offsetof(options, path),
     .initial = "",
     .doc = "Path."},
    {.name = "loss",
     .type = COH_CHOICE,
     .offset = offsetof(options, loss),
     .initial = "huber",
     .choices = "huber|squared",
     .doc = "Loss."},
    {.name = "sizes",
     .type = COH_INTS,
     .offset = offsetof(options, sizes),
     .initial = "[3, 4]",
     .min = 1,
     .max = 9,
     .doc = "Sizes."},
    {.name = "evaluation",
     .type = COH_GROUP,
     .offset = offsetof(options, evaluation),
     .group = inner_table,
     .doc = "Evaluation."},
    {.name = "head",
     .type = COH_KIND,
     .offset = offsetof(options, head),
     .initial = "",
     .kinds = &layer_set,
     .doc = "Head."},
    {.name = "network",
     .type = COH_KINDS,
     .offset = offsetof(options, network),
     .initial = "[dense: 16, relu]",
     .kinds = &layer_set,
     .doc = "Layers."},
    {0},
};

static coh_status fill(const char *text, options *out) {
  coh_config *root = NULL;
  coh_status status = coh_config_parse("c.yaml", text, strlen(text), &root);
  if (status == COH_OK) status = coh_options_fill(table, root, out);
  coh_config_destroy(&root);
  return status;
}

static void defaults_and_values_arrive(void **state) {
  (void)state;
  int64_t live = coh_alloc_live();
  options o = {0};
  assert_ok(fill("seed: 3\nloss: squared\nevaluation: {every: 7}\nhead: {dense: {units: 5}}\n"
                 "path: 'it''s: #1'\n",
                 &o));
  assert_int_equal(o.seed, 3);
  assert_int_equal(o.memory, 1 << 30);
  assert_true(o.rate == 1e-3);
  assert_int_equal(o.loss, 1);
  assert_int_equal(o.sizes.n_items, 2);
  assert_true(o.evaluation.on && o.evaluation.every == 7);
  assert_ptr_equal(o.head.kind, &dense);
  assert_int_equal(((layer_options *)o.head.options)->units, 5);
  assert_int_equal(o.network.n_items, 2);
  assert_int_equal(((layer_options *)o.network.item[0].options)->units, 16);
  assert_ptr_equal(o.network.item[1].kind, &relu);

  // written and read again, it is the same
  char *text = NULL, *again = NULL;
  assert_ok(coh_options_write(table, &o, 0, &text));
  options copy = {0};
  assert_ok(fill(text, &copy));
  assert_ok(coh_options_write(table, &copy, 0, &again));
  assert_string_equal(text, again);
  assert_string_equal(copy.path, "it's: #1");
  coh_free(text);
  coh_free(again);
  coh_options_clear(table, &o);
  coh_options_clear(table, &copy);
  assert_int_equal(coh_alloc_live(), live);
}

static void faults_name_place_finding_and_remedy(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } bad[] = {
      {"sed: 3\n", "c.yaml:1:1: sed: unknown key; did you mean 'seed'?"},
      {"rate: 0.1\n", "c.yaml:1:1: seed: is missing"},
      {"seed: 1.5\n", "c.yaml:1:7: seed: '1.5' is not a whole number"},
      {"seed: 1\nrate: nan\n", "c.yaml:2:7: rate: 'nan' is not a finite number"},
      {"seed: 1\nrate: 2\n", "rate: 2 is out of range; it must be from 0 to 1"},
      {"seed: 1\nevaluation: {every: 0}\n",
       "c.yaml:2:21: every: 0 is out of range; it must be at least 1"},
      {"seed: 1\nloss: hubert\n", "'hubert' is unknown; did you mean 'huber'?"},
      {"seed: 1\nloss: zzzzzz\n", "must be one of huber|squared"},
      {"seed: 1\nmemory: 1MB\n", "not a size"},
      {"seed: 1\nsizes: [3, 10]\n", "c.yaml:2:12: 10 is out of range"},
      {"seed: 1\nhead: dence\n", "c.yaml:2:7: head: 'dence' is unknown; did you mean 'dense'?"},
      {"seed: 1\nhead: dense\n", "units: is missing"},
      {"seed: 1\nnetwork: [relu: 3]\n", "relu: takes no options"},
      {"seed: 1\nnetwork: [dense: {unit: 3}]\n", "did you mean 'units'?"},
      {"seed: 1\nevaluation: 3\n", "options are expected"},
      {"seed: {a: 1}\n", "is not a whole number"},
      {"seed: 1\npath: [a]\n", "a list was found"},
      {"seed: 1\nevaluation: {on: maybe}\n", "neither true nor false"},
  };
  int64_t live = coh_alloc_live();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    options o = {0};
    assert_fails(fill(bad[i].text, &o), COH_E_CONFIG, bad[i].message);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void help_says_what_the_row_says(void **state) {
  (void)state;
  char *text = NULL;
  assert_ok(coh_options_help(table, 0, &text));
  assert_non_null(strstr(text, "rate  (number, 0 to 1; default 1e-3)"));
  assert_non_null(strstr(text, "seed  (whole number; must be given)"));
  coh_free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_and_values_arrive),
      cmocka_unit_test(faults_name_place_finding_and_remedy),
      cmocka_unit_test(help_says_what_the_row_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
