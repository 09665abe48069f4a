/* Inputs that topics look at: rows of the run's dataset, or frames of a game that the network
 * plays itself. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "explain/topic.h"

enum { FRAMES_BETWEEN = 7 }; // of a game, so that the pictures differ

static coh_status make(coh_explain_rows *rows, int64_t n_values) {
  COH_NEW(rows->input, rows->n * n_values);
  COH_NEW(rows->target, rows->n);
  COH_NEW(rows->label, rows->n);
  COH_NEW(rows->rgb, rows->n * rows->width * rows->height * 3);
  return COH_OK;
}

void coh_explain_rows_clear(coh_explain_rows *rows) {
  coh_free(rows->input), coh_free(rows->target);
  coh_free(rows->label), coh_free(rows->rgb);
  *rows = (coh_explain_rows){0};
}

void coh_explain_show_row(const float *row, const int64_t size[3], uint8_t *rgb) {
  int64_t n_pixels = size[0] * size[1], channels = size[2];
  float low = row[0], high = row[0];
  for (int64_t i = 1; i < n_pixels * channels; i++) {
    low = row[i] < low ? row[i] : low;
    high = row[i] > high ? row[i] : high;
  }
  for (int64_t i = 0; i < n_pixels; i++)
    for (int64_t c = 0; c < 3; c++) {
      float value = 0;
      if (channels == 3)
        value = row[i * 3 + c];
      else
        for (int64_t k = 0; k < channels; k++)
          value = k == 0 || row[i * channels + k] > value ? row[i * channels + k] : value;
      coh_image_from_floats(&value, 1, low, high, rgb + 3 * i + c);
    }
}

static double share_of(const float *outputs, int64_t n, int64_t k) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += exp((double)outputs[i] - (double)outputs[k]);
  return 1 / sum;
}

// what the network answers, and how sure it is
static coh_status label_rows(const coh_explain_site *site, coh_explainer *e,
                             const int32_t *labels, coh_explain_rows *rows) {
  int64_t n_outputs = coh_explainer_n_outputs(e);
  float *outputs;
  COH_NEW(outputs, rows->n * n_outputs);
  coh_status status = coh_explainer_outputs(e, rows->input, rows->n, outputs);
  if (status == COH_OK) status = coh_explainer_answers(e, rows->input, rows->n, rows->target);
  bool are_classes = strcmp(coh_network_file_facts(site->file)->role, "classes") == 0;
  for (int64_t i = 0; status == COH_OK && i < rows->n; i++) {
    char answer[48], name[48];
    const float *row = outputs + i * n_outputs;
    coh_explain_output_name(site->file, rows->target[i], answer);
    if (n_outputs == 1)
      snprintf(rows->label[i], 48, "%.2f", (double)row[0]);
    else if (!are_classes)
      snprintf(rows->label[i], 48, "%.30s %.2f", answer, (double)row[rows->target[i]]);
    else if (labels && labels[i] != rows->target[i])
      snprintf(rows->label[i], 48, "%.20s, not %.20s", answer,
               coh_explain_output_name(site->file, labels[i], name));
    else
      snprintf(rows->label[i], 48, "%.30s %.0f%%", answer,
               100 * share_of(row, n_outputs, rows->target[i]));
    if (site->options->target >= 0) rows->target[i] = (int32_t)site->options->target;
  }
  coh_free(outputs);
  return status;
}

static coh_status check_target(const coh_explain_site *site, const coh_explainer *e) {
  COH_CHECK(site->options->target < coh_explainer_n_outputs(e), COH_E_CONFIG,
            "target: the network has outputs 0 to %lld, not %lld",
            (long long)coh_explainer_n_outputs(e) - 1, (long long)site->options->target);
  return COH_OK;
}

static coh_status take_dataset(const coh_explain_site *site, coh_explainer *e,
                               coh_explain_rows *rows) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(site->dataset);
  int64_t size[3], first = site->options->first;
  coh_explainer_input(e, size);
  COH_CHECK(spec->n_values == size[0] * size[1] * size[2], COH_E_CONFIG,
            "the network takes %lld values, the rows of %s have %lld",
            (long long)(size[0] * size[1] * size[2]), spec->name, (long long)spec->n_values);
  COH_CHECK(first + rows->n <= spec->n_rows, COH_E_CONFIG,
            "first: rows %lld to %lld are not among the %lld of %s", (long long)first,
            (long long)(first + rows->n - 1), (long long)spec->n_rows, spec->name);
  rows->height = size[0];
  rows->width = size[1];
  COH_TRY(make(rows, spec->n_values));
  coh_dataset_read(site->dataset, first, rows->n, coh_network_file_facts(site->file)->affine,
                   rows->input);
  for (int64_t i = 0; i < rows->n; i++)
    coh_explain_show_row(rows->input + i * spec->n_values, size,
             rows->rgb + i * rows->width * rows->height * 3);
  const int32_t *labels = coh_dataset_labels(site->dataset);
  return label_rows(site, e, labels ? labels + first : NULL, rows);
}

static coh_status play(const coh_explain_site *site, coh_explainer *e, coh_env *env,
                       uint8_t *observation, coh_explain_rows *rows) {
  const coh_env_spec *spec = coh_env_spec_of(env);
  coh_env_reset(env, observation);
  for (int64_t frame = 0, taken = 0; taken < rows->n; frame++) {
    float *input = rows->input + taken * spec->n_values;
    int32_t action;
    coh_env_expand(spec, 1, observation, input);
    COH_TRY(coh_explainer_answers(e, input, 1, &action));
    if (frame % FRAMES_BETWEEN == FRAMES_BETWEEN - 1) {
      coh_env_render(env, 0, rows->rgb + taken * rows->width * rows->height * 3);
      taken++;
    }
    float reward;
    uint8_t terminated, truncated;
    COH_TRY(coh_env_step(env, &action, observation, &reward, &terminated, &truncated));
    coh_env_reset_ended(env, observation);
  }
  return label_rows(site, e, NULL, rows);
}

static coh_status take_env(const coh_explain_site *site, coh_explainer *e,
                           coh_explain_rows *rows) {
  coh_env *env = NULL;
  COH_TRY(coh_env_create(site->env, 1, 0, (uint64_t)site->options->seed, &env));
  const coh_env_spec *spec = coh_env_spec_of(env);
  rows->width = spec->render_width;
  rows->height = spec->render_height;
  uint8_t *observation = coh_alloc_array(1, spec->observation_bytes);
  coh_status status = observation ? make(rows, spec->n_values)
                                  : coh_fail(COH_E_MEMORY, "out of memory to play");
  if (status == COH_OK) status = play(site, e, env, observation, rows);
  coh_free(observation);
  coh_env_destroy(&env);
  return status;
}

coh_status coh_explain_rows_take(const coh_explain_site *site, coh_explainer *explainer,
                                 coh_explain_rows *rows) {
  *rows = (coh_explain_rows){.n = site->options->images};
  COH_TRY(check_target(site, explainer));
  COH_CHECK(site->dataset || site->env, COH_E_CONFIG,
            "the run has neither a dataset nor an environment to take inputs from");
  coh_status status =
      site->dataset ? take_dataset(site, explainer, rows) : take_env(site, explainer, rows);
  if (status != COH_OK) coh_explain_rows_clear(rows);
  return status;
}
