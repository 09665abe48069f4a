/* The members of a sweep. Grid: the last axis turns fastest, and every setting has all seeds.
 * Random search: setting k draws its values from the stream (seed of the draws, k), so a longer
 * search begins with the settings of a shorter one. Source: Bergstra, Bengio, "Random search
 * for hyper-parameter optimization", JMLR 2012. */
#include "run/sweep_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/checksum.h"
#include "base/text.h"
#include "io/file.h"
#include "io/json.h"
#include "run/sweep_axis.h"

enum { PATH_BYTES = 4096, CONFIG_BYTES = 1 << 20, PLAN_BYTES = 1 << 26 };

void coh_sweep_overrides_free(char **overrides, int64_t n) {
  for (int64_t i = 0; overrides && i < n; i++)
    coh_free(overrides[i]);
  coh_free(overrides);
}

void coh_sweep_plan_clear(coh_sweep_plan *plan) {
  for (int64_t i = 0; plan->member && i < plan->n_members; i++)
    coh_sweep_overrides_free(plan->member[i].value, plan->n_axes + 1);
  for (int64_t i = 0; plan->axis && i < plan->n_axes; i++)
    coh_sweep_axis_clear(&plan->axis[i]);
  coh_sweep_overrides_free(plan->fixed, plan->n_fixed);
  coh_free(plan->member);
  coh_free(plan->axis);
  coh_free(plan->config);
  coh_free(plan->metric);
  *plan = (coh_sweep_plan){0};
}

void coh_sweep_member_folder(const char *folder, int64_t member, char *path, size_t n_bytes) {
  snprintf(path, n_bytes, "%s/members/%04lld", folder, (long long)member + 1);
}

static coh_status duplicate(const char *text, char **copy) {
  *copy = text ? coh_alloc_string(text) : NULL;
  COH_CHECK(*copy || !text, COH_E_MEMORY, "out of memory for the plan of a sweep");
  return COH_OK;
}

static coh_status checksum_of(const char *path, uint64_t *checksum) {
  char *text = NULL;
  size_t n_bytes = 0;
  coh_status status = coh_file_load(path, CONFIG_BYTES, &text, &n_bytes);
  COH_CHECK(status == COH_OK, COH_E_CONFIG, "%s", coh_error_message());
  *checksum = coh_checksum(text, n_bytes);
  coh_free(text);
  return COH_OK;
}

// overrides become axes, or stay as they are; the seed has an axis of its own
static coh_status take_axes(const coh_run_start_options *start, coh_sweep_plan *plan,
                            coh_sweep_axis *seeds) {
  COH_NEW(plan->axis, COH_MAX_SWEEP_AXES);
  COH_NEW(plan->fixed, start->n_overrides + 1);
  for (int64_t i = 0; i < start->n_overrides; i++) {
    coh_sweep_axis axis;
    bool varies;
    COH_TRY(coh_sweep_axis_parse(NULL, start->overrides[i], &axis, &varies));
    if (!varies) {
      COH_TRY(duplicate(start->overrides[i], &plan->fixed[plan->n_fixed]));
      plan->n_fixed++;
      continue;
    }
    bool is_seed = strcmp(axis.key, "seed") == 0;
    bool fits = is_seed ? !seeds->key : plan->n_axes < COH_MAX_SWEEP_AXES;
    for (int64_t k = 0; k < plan->n_axes; k++)
      fits = fits && strcmp(plan->axis[k].key, axis.key) != 0;
    if (!fits) {
      coh_status status = coh_fail(COH_E_CONFIG, "%s: given twice, or the axis after the %dth",
                                   axis.key, COH_MAX_SWEEP_AXES);
      coh_sweep_axis_clear(&axis);
      return status;
    }
    if (is_seed)
      *seeds = axis;
    else
      plan->axis[plan->n_axes++] = axis;
  }
  return COH_OK;
}

static coh_status value_of(const coh_sweep_plan *plan, const coh_sweep_options *options,
                           int64_t setting, int64_t axis, coh_stream *stream, char **value) {
  if (options->n_random > 0) return coh_sweep_axis_draw(&plan->axis[axis], stream, value);
  int64_t turn = setting;
  for (int64_t k = plan->n_axes - 1; k > axis; k--)
    turn /= plan->axis[k].n_values;
  return duplicate(plan->axis[axis].value[turn % plan->axis[axis].n_values], value);
}

static coh_status make_members(const coh_sweep_options *options, const coh_sweep_axis *seeds,
                               coh_sweep_plan *plan) {
  int64_t n_seeds = seeds->n_values ? seeds->n_values : 1;
  plan->n_settings = options->n_random > 0 ? options->n_random : 1;
  for (int64_t k = 0; k < plan->n_axes && options->n_random == 0; k++) {
    plan->n_settings *= plan->axis[k].n_values;
    if (plan->n_settings > COH_MAX_SWEEP_MEMBERS) break;
  }
  COH_CHECK(plan->n_settings * n_seeds <= COH_MAX_SWEEP_MEMBERS, COH_E_CONFIG,
            "sweep: more than %d runs", COH_MAX_SWEEP_MEMBERS);
  COH_NEW(plan->member, plan->n_settings * n_seeds);
  coh_key key = coh_key_make((uint64_t)options->random_seed, "sweep");
  for (int64_t setting = 0; setting < plan->n_settings; setting++) {
    coh_stream begin = coh_stream_begin(key, 0, (uint64_t)setting);
    for (int64_t s = 0; s < n_seeds; s++) {
      coh_sweep_member *member = &plan->member[plan->n_members];
      COH_NEW(member->value, plan->n_axes + 1);
      plan->n_members++;
      member->setting = setting;
      coh_stream stream = begin;
      for (int64_t k = 0; k < plan->n_axes; k++)
        COH_TRY(value_of(plan, options, setting, k, &stream, &member->value[k]));
      if (seeds->n_values) COH_TRY(duplicate(seeds->value[s], &member->value[plan->n_axes]));
    }
  }
  return COH_OK;
}

static coh_status make_plan(const char *config_path, const coh_run_start_options *start,
                            const coh_sweep_options *options, coh_sweep_plan *plan,
                            coh_sweep_axis *seeds) {
  COH_TRY(checksum_of(config_path, &plan->checksum));
  char *path = realpath(config_path, NULL); // a sweep may be resumed from anywhere
  coh_status status = duplicate(path ? path : config_path, &plan->config);
  free(path);
  COH_TRY(status);
  COH_TRY(duplicate(options->metric, &plan->metric));
  if (options->seeds) {
    bool varies;
    COH_TRY(coh_sweep_axis_parse("seed", options->seeds, seeds, &varies));
    COH_CHECK(varies, COH_E_CONFIG, "--seeds %s: a list or a range is expected, e.g. 1..10",
              options->seeds);
  }
  COH_TRY(take_axes(start, plan, seeds));
  COH_CHECK(options->n_random == 0 || plan->n_axes > 0, COH_E_CONFIG,
            "--random %lld: there is nothing to draw; give key=a,b,c or key=lo..hi",
            (long long)options->n_random);
  COH_CHECK(plan->n_axes > 0 || seeds->key, COH_E_CONFIG,
            "sweep: nothing varies; give key=a,b,c, key=lo..hi or --seeds 1..10");
  COH_TRY(coh_sweep_axis_enumerate(seeds));
  for (int64_t k = 0; k < plan->n_axes && options->n_random == 0; k++)
    COH_TRY(coh_sweep_axis_enumerate(&plan->axis[k]));
  return make_members(options, seeds, plan);
}

coh_status coh_sweep_plan_make(const char *config_path, const coh_run_start_options *start,
                               const coh_sweep_options *options, coh_sweep_plan *plan) {
  *plan = (coh_sweep_plan){0};
  coh_sweep_axis seeds = {0};
  coh_status status = make_plan(config_path, start, options, plan, &seeds);
  coh_sweep_axis_clear(&seeds);
  if (status != COH_OK) coh_sweep_plan_clear(plan);
  return status;
}

coh_status coh_sweep_overrides(const coh_sweep_plan *plan, int64_t member, char ***overrides,
                               int64_t *n) {
  char *const *value = plan->member[member].value;
  char **made;
  COH_NEW(made, plan->n_fixed + plan->n_axes + 1);
  int64_t n_made = 0;
  bool whole = true;
  for (int64_t i = 0; i < plan->n_fixed; i++)
    whole = (made[n_made++] = coh_alloc_string(plan->fixed[i])) && whole;
  for (int64_t k = 0; k <= plan->n_axes; k++) {
    if (!value[k]) continue;
    coh_text text = {0};
    coh_text_add(&text, "%s=%s", k < plan->n_axes ? plan->axis[k].key : "seed", value[k]);
    whole = coh_text_take(&text, &made[n_made++]) == COH_OK && whole;
  }
  if (!whole) {
    coh_sweep_overrides_free(made, n_made);
    return coh_fail(COH_E_MEMORY, "out of memory for the overrides of a run");
  }
  *overrides = made;
  *n = n_made;
  return COH_OK;
}

/* ---- on disk ---- */

static void write_texts(coh_json_writer *out, const char *key, char *const *texts, int64_t n) {
  if (key) coh_json_key(out, key);
  coh_json_begin_list(out);
  for (int64_t i = 0; i < n; i++)
    coh_json_string(out, texts[i]);
  coh_json_end_list(out);
}

coh_status coh_sweep_plan_save(const coh_sweep_plan *plan, const char *folder) {
  coh_text text = {0};
  coh_json_writer out = {.text = &text};
  coh_json_begin_object(&out);
  coh_json_key(&out, "config");
  coh_json_string(&out, plan->config);
  coh_json_key(&out, "config_xxh3");
  coh_json_word(&out, plan->checksum);
  coh_json_key(&out, "metric");
  coh_json_string(&out, plan->metric);
  write_texts(&out, "fixed", plan->fixed, plan->n_fixed);
  coh_json_key(&out, "axes");
  coh_json_begin_list(&out);
  for (int64_t k = 0; k < plan->n_axes; k++)
    coh_json_string(&out, plan->axis[k].key);
  coh_json_end_list(&out);
  coh_json_key(&out, "settings");
  coh_json_begin_list(&out);
  for (int64_t i = 0; i < plan->n_members; i++)
    coh_json_int(&out, plan->member[i].setting);
  coh_json_end_list(&out);
  coh_json_key(&out, "values"); // one list a member: the axes' values, then the seed or null
  coh_json_begin_list(&out);
  for (int64_t i = 0; i < plan->n_members; i++)
    write_texts(&out, NULL, plan->member[i].value, plan->n_axes + 1);
  coh_json_end_list(&out);
  coh_json_end_object(&out);
  char *json = NULL, path[PATH_BYTES];
  COH_TRY(coh_text_take(&text, &json));
  snprintf(path, sizeof path, "%s/sweep.json", folder);
  coh_status status = coh_file_save(path, json, strlen(json));
  coh_free(json);
  return status;
}

// a list of exactly n texts; null where `may_lack`
static coh_status read_texts(const char *path, const coh_json_value *list, bool may_lack,
                             char **texts, int64_t n) {
  COH_CHECK(list && list->kind == COH_JSON_LIST && list->n_children == n, COH_E_DATA,
            "%s: a list of %lld texts is expected", path, (long long)n);
  int64_t i = 0;
  for (const coh_json_value *item = list->first; item; item = item->next, i++) {
    COH_CHECK(item->kind == COH_JSON_STRING || (may_lack && item->kind == COH_JSON_NULL),
              COH_E_DATA, "%s: a text is expected", path);
    COH_TRY(duplicate(item->kind == COH_JSON_STRING ? item->string : NULL, &texts[i]));
  }
  return COH_OK;
}

static coh_status read_members(const char *path, const coh_json_value *root,
                               coh_sweep_plan *plan) {
  const coh_json_value *settings = coh_json_get(root, "settings");
  const coh_json_value *values = coh_json_get(root, "values");
  COH_CHECK(settings && values && settings->kind == COH_JSON_LIST &&
                values->kind == COH_JSON_LIST && settings->n_children == values->n_children &&
                values->n_children >= 1 && values->n_children <= COH_MAX_SWEEP_MEMBERS,
            COH_E_DATA, "%s: a setting and values for each of 1 to %d runs are expected", path,
            COH_MAX_SWEEP_MEMBERS);
  COH_NEW(plan->member, values->n_children);
  const coh_json_value *setting = settings->first;
  for (const coh_json_value *row = values->first; row;
       row = row->next, setting = setting->next) {
    coh_sweep_member *member = &plan->member[plan->n_members];
    COH_NEW(member->value, plan->n_axes + 1);
    plan->n_members++;
    COH_CHECK(setting->is_integer && setting->integer >= 0 &&
                  setting->integer <= plan->n_settings,
              COH_E_DATA, "%s: settings are numbered from 0", path);
    member->setting = setting->integer;
    if (member->setting == plan->n_settings) plan->n_settings++;
    COH_TRY(read_texts(path, row, true, member->value, plan->n_axes + 1));
  }
  return COH_OK;
}

static coh_status read_plan(const char *path, const coh_json_value *root,
                            coh_sweep_plan *plan) {
  const char *text = NULL;
  uint64_t now = 0;
  COH_TRY(coh_json_get_string(path, root, "config", &text));
  COH_TRY(duplicate(text, &plan->config));
  COH_TRY(coh_json_get_word(path, root, "config_xxh3", &plan->checksum));
  COH_TRY(checksum_of(plan->config, &now));
  COH_CHECK(now == plan->checksum, COH_E_CONFIG,
            "%s: has changed since the sweep began; start another sweep", plan->config);
  const coh_json_value *metric = coh_json_get(root, "metric");
  if (metric && metric->kind == COH_JSON_STRING)
    COH_TRY(duplicate(metric->string, &plan->metric));

  const coh_json_value *fixed = coh_json_get(root, "fixed"), *axes = coh_json_get(root, "axes");
  COH_CHECK(fixed && axes && fixed->kind == COH_JSON_LIST && axes->kind == COH_JSON_LIST &&
                axes->n_children <= COH_MAX_SWEEP_AXES,
            COH_E_DATA, "%s: lists 'fixed' and 'axes' are expected", path);
  COH_NEW(plan->fixed, fixed->n_children + 1);
  plan->n_fixed = fixed->n_children;
  COH_TRY(read_texts(path, fixed, false, plan->fixed, plan->n_fixed));
  COH_NEW(plan->axis, COH_MAX_SWEEP_AXES);
  char *keys[COH_MAX_SWEEP_AXES] = {0};
  coh_status status = read_texts(path, axes, false, keys, axes->n_children);
  for (int64_t k = 0; k < axes->n_children; k++)
    plan->axis[k].key = keys[k];
  plan->n_axes = axes->n_children;
  return status == COH_OK ? read_members(path, root, plan) : status;
}

coh_status coh_sweep_plan_load(const char *folder, coh_sweep_plan *plan) {
  *plan = (coh_sweep_plan){0};
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/sweep.json", folder);
  coh_json *json = NULL;
  COH_TRY(coh_json_read(path, PLAN_BYTES, &json));
  coh_status status = read_plan(path, coh_json_root(json), plan);
  coh_json_destroy(&json);
  if (status != COH_OK) coh_sweep_plan_clear(plan);
  return status;
}
