/* JSON: what RFC 8259 allows is read, what it does not is refused. */
#include "scratch.h"

#include <math.h>

#include "io/json.h"

static coh_status parse(const char *text, coh_json **json) {
  return coh_json_parse("text", text, strlen(text), json);
}

static void json_reads_every_kind(void **state) {
  (void)state;
  coh_json *json;
  assert_ok(parse(" {\"a\": [1, -2.5e3, true, null], \"b\\n\\u00e9\\ud83d\\ude00\": \"x/\\\"\","
                  " \"c\": {}, \"d\": []} ",
                  &json));
  const coh_json_value *root = coh_json_root(json), *a = coh_json_get(root, "a");
  assert_int_equal(root->n_children, 4);
  assert_int_equal(a->n_children, 4);
  assert_true(a->first->is_integer && a->first->integer == 1);
  // a decimal that a double holds exactly
  assert_true(a->first->next->real == -2500 && !a->first->next->is_integer);
  assert_true(a->first->next->next->boolean);
  assert_int_equal(a->first->next->next->next->kind, COH_JSON_NULL);
  assert_string_equal(coh_json_get(root, "b\n\xc3\xa9\xf0\x9f\x98\x80")->string, "x/\"");
  assert_int_equal(coh_json_get(root, "c")->kind, COH_JSON_OBJECT);
  assert_null(coh_json_get(root, "e"));
  assert_null(coh_json_get(a, "e"));
  coh_json_destroy(&json);
  assert_null(json);
}

static void json_refuses_what_is_not_json(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    "{",
                                    "[1,]",
                                    "[1 2]",
                                    "{\"a\":1,}",
                                    "{\"a\" 1}",
                                    "{a:1}",
                                    "nul",
                                    "tru",
                                    "nan",
                                    "NaN",
                                    "Infinity",
                                    "01",
                                    "+1",
                                    "1.",
                                    ".5",
                                    "1e",
                                    "-",
                                    "1e999",
                                    "0x10",
                                    "\"",
                                    "\"\\x\"",
                                    "\"\\u12g4\"",
                                    "\"\\ud800\"",
                                    "\"\\udc00\"",
                                    "\"\\u0000\"",
                                    "\"\t\"",
                                    "\"\xff\"",
                                    "\"\xc0\x80\"",
                                    "\"\xed\xa0\x80\"",
                                    "\"\xf4\x90\x80\x80\"",
                                    "\"\xe2\x82\"",
                                    "[]]",
                                    "1 2",
                                    "{\"a\":1,\"a\":2}",
                                    "'a'",
                                    "[1,,2]",
                                    "// x\n1",
                                    "{\"a\":}",
                                    "{1:2}",
                                    "\xEF\xBB\xBF 1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    coh_json *json = NULL;
    if (parse(bad[i], &json) != COH_E_DATA) fail_msg("'%s' is taken", bad[i]);
    assert_null(json);
  }
  char deep[201] = {0};
  memset(deep, '[', 100);
  memset(deep + 100, ']', 100);
  coh_json *json;
  assert_fails(parse(deep, &json), COH_E_DATA, "too deeply");
}

static void json_typed_members_are_checked(void **state) {
  (void)state;
  coh_json *json;
  int64_t whole;
  double real;
  const char *string;
  uint64_t word;
  assert_ok(parse("{\"i\":9007199254740993,\"r\":1.5,\"s\":\"t\",\"w\":\"0x00000000000000ff\"}",
                  &json));
  const coh_json_value *root = coh_json_root(json);
  assert_ok(coh_json_get_int("m", root, "i", &whole));
  assert_int_equal(whole, 9007199254740993); // beyond what a double holds
  assert_ok(coh_json_get_real("m", root, "r", &real));
  assert_true(real == 1.5); // exact in binary
  assert_ok(coh_json_get_string("m", root, "s", &string));
  assert_ok(coh_json_get_word("m", root, "w", &word));
  assert_int_equal(word, 255);
  assert_fails(coh_json_get_int("m", root, "r", &whole), COH_E_DATA, "'r' must be a whole");
  assert_fails(coh_json_get_int("m", root, "x", &whole), COH_E_DATA, "'x' must be a whole");
  assert_fails(coh_json_get_word("m", root, "s", &word), COH_E_DATA, "hexadecimal");
  coh_json_destroy(&json);
}

static void json_writer_round_trips(void **state) {
  (void)state;
  for (int indented = 0; indented < 2; indented++) {
    coh_text text = {0};
    coh_json_writer w = {.text = &text, .indented = indented};
    coh_json_begin_object(&w);
    coh_json_key(&w, "a\"\\\n\x01");
    coh_json_begin_list(&w);
    coh_json_real(&w, 0.1);
    coh_json_real(&w, NAN);
    coh_json_real(&w, -INFINITY);
    coh_json_int(&w, INT64_MIN);
    coh_json_bool(&w, true);
    coh_json_string(&w, NULL);
    coh_json_begin_object(&w);
    coh_json_end_object(&w);
    coh_json_end_list(&w);
    coh_json_key(&w, "w");
    coh_json_word(&w, UINT64_MAX);
    coh_json_end_object(&w);
    if (!indented)
      assert_string_equal(text.data, "{\"a\\\"\\\\\\n\\u0001\":[0.1,\"nan\",\"-inf\","
                                     "-9223372036854775808,true,null,{}],"
                                     "\"w\":\"0xffffffffffffffff\"}");
    coh_json *json;
    uint64_t word;
    assert_ok(parse(text.data, &json));
    const coh_json_value *list = coh_json_get(coh_json_root(json), "a\"\\\n\x01");
    assert_int_equal(list->n_children, 7);
    assert_true(list->first->real == 0.1); // shortest round trip is exact
    assert_int_equal(list->first->next->next->next->integer, INT64_MIN);
    assert_ok(coh_json_get_word("w", coh_json_root(json), "w", &word));
    assert_true(word == UINT64_MAX);
    coh_json_destroy(&json);
    coh_text_clear(&text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(json_reads_every_kind),
      cmocka_unit_test(json_refuses_what_is_not_json),
      cmocka_unit_test(json_typed_members_are_checked),
      cmocka_unit_test(json_writer_round_trips),
  };
  return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
