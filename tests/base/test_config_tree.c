/* The YAML reader: what it refuses, where it says the fault is, and overrides. */
#include "cohort_test.h"

#include <string.h>

#include "base/alloc.h"
#include "cohort/option.h"

static coh_status parse(const char *text, coh_config **root) {
  return coh_config_parse("x.yaml", text, strlen(text), root);
}

static void what_yaml_surprises_with_is_refused_at_its_place(void **state) {
  (void)state;
  static const struct {
    const char *text, *message;
  } bad[] = {
      {"a: &x 1\nb: *x\n", "x.yaml:1:4: anchors"},
      {"a: 1\nb: *x\n", "x.yaml:2:4: anchors"},
      {"a: !!str 1\n", "x.yaml:1:4: tags"},
      {"a: 1\n---\nb: 2\n", "x.yaml:2:1: a second document"},
      {"a: 1\nb: 2\na: 3\n", "x.yaml:3:1: a: given twice"},
      {"<<: 1\n", "merge keys"},
      {"- 1\n- 2\n", "x.yaml:1:1: a config is a map"},
      {"", "is empty"},
      {"a: [1, 2\n", "x.yaml:2:1: not valid YAML"},
      {"? [a]\n: b\n", "a key must be a plain name"},
      {"a: \"x\\0y\"\n", "zero byte"},
      {"a: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n", "nested too deeply"},
  };
  int64_t live = coh_alloc_live();
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    coh_config *root = NULL;
    assert_fails(parse(bad[i].text, &root), COH_E_CONFIG, bad[i].message);
    assert_null(root);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void missing_files_are_named(void **state) {
  (void)state;
  coh_config *root = NULL;
  assert_fails(coh_config_read("/nonexistent/a.yaml", &root), COH_E_CONFIG,
               "/nonexistent/a.yaml: cannot read: No such file");
  assert_fails(coh_config_read("/", &root), COH_E_CONFIG, "/: cannot read");
}

static void truncated_texts_never_crash(void **state) {
  (void)state;
  const char *text = "a: {b: [1, 'x', \"y\"], c: d}\nlist:\n  - k: {v: 1}\n  - |\n    block\n";
  int64_t live = coh_alloc_live();
  for (size_t n = 0; n <= strlen(text); n++) {
    coh_config *root = NULL;
    if (coh_config_parse("x", text, n, &root) == COH_OK) coh_config_destroy(&root);
  }
  assert_int_equal(coh_alloc_live(), live);
}

static void overrides_replace_add_and_enter(void **state) {
  (void)state;
  int64_t live = coh_alloc_live();
  coh_config *root = NULL;
  assert_ok(parse("seed: 1\nenv: cartpole\n", &root));
  assert_ok(coh_config_override(root, "seed=5"));
  assert_ok(coh_config_override(root, "a.b.c=[1, 2]"));
  assert_ok(coh_config_override(root, "env.cartpole.max_steps=9"));
  assert_string_equal(coh_config_text(coh_config_child(root, "seed")), "5");
  const coh_config *inner = coh_config_child(coh_config_child(root, "env"), "cartpole");
  assert_string_equal(coh_config_text(coh_config_child(inner, "max_steps")), "9");
  assert_non_null(coh_config_child(coh_config_child(coh_config_child(root, "a"), "b"), "c"));
  assert_fails(coh_config_override(root, "seed"), COH_E_CONFIG, "key.path=value");
  assert_fails(coh_config_override(root, "=3"), COH_E_CONFIG, "key.path=value");
  assert_fails(coh_config_override(root, "a.=3"), COH_E_CONFIG, "empty key");
  assert_fails(coh_config_override(root, "a.b.c.d=3"), COH_E_CONFIG, "is a list");
  assert_fails(coh_config_override(root, "a=&x 1"), COH_E_CONFIG, "command line:1:1: anchors");
  coh_config_destroy(&root);
  assert_int_equal(coh_alloc_live(), live);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_yaml_surprises_with_is_refused_at_its_place),
      cmocka_unit_test(missing_files_are_named),
      cmocka_unit_test(truncated_texts_never_crash),
      cmocka_unit_test(overrides_replace_add_and_enter),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
