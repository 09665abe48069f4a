/* Task tsne: metrics, saving, and the descriptor. */
#include "task/tsne/tsne.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "task/tensor_visit.h"

void coh_tsne_positions(const coh_tsne *t, float *out) {
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t a = 0; a < t->dims; a++)
      out[t->order[i] * t->dims + a] = t->y[i * t->stride + a];
}

static int64_t tsne_position(const void *task) {
  return ((const coh_tsne *)task)->iteration;
}

static bool tsne_finished(const void *task) {
  return ((const coh_tsne *)task)->stopped;
}

static double extent_of(const coh_tsne *t) {
  double most = 0;
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t a = 0; a < t->dims; a++)
      most = fmax(most, fabs((double)t->y[i * t->stride + a]));
  return most;
}

static coh_status tsne_metrics(void *task, coh_metric_row *exact, coh_metric_row *timing) {
  coh_tsne *t = task;
  double divergence, now = coh_clock_now(), seconds = now - t->window_begun;
  COH_TRY(coh_tsne_divergence(t, &divergence));
  coh_metric_add(exact, "tsne/divergence", divergence);
  coh_metric_add(exact, "train/updates", (double)t->iteration);
  coh_metric_add(exact, "tsne/extent", extent_of(t));
  coh_metric_add(exact, "tsne/exaggeration",
                 t->iteration <= t->options->early_steps ? t->options->early_exaggeration
                                                         : t->options->exaggeration);
  double per = t->window_iterations ? 1e3 / (double)t->window_iterations : 0;
  coh_metric_add(timing, "rate/iterations", (double)t->window_iterations / seconds);
  coh_metric_add(timing, "ms/attraction", per * t->seconds_attract);
  coh_metric_add(timing, "ms/repulsion", per * t->seconds_repel);
  coh_metric_add(timing, "time/setup", t->setup_seconds);
  t->window_begun = coh_clock_now();
  t->window_iterations = 0;
  t->seconds_attract = t->seconds_repel = 0;
  return COH_OK;
}

enum { QUALITY_NEIGHBORS = 10 };

static coh_status tsne_evaluate(void *task, coh_metric_row *exact) {
  coh_tsne *t = task;
  int64_t k = t->n / 4 < QUALITY_NEIGHBORS ? t->n / 4 : QUALITY_NEIGHBORS;
  if (t->options->quality_rows == 0 || k < 1) return COH_OK;
  COH_TRY(coh_tsne_quality(t, k, &t->trust, &t->preserved));
  t->trusted_at = t->iteration;
  coh_metric_add(exact, "eval/trustworthiness", t->trust);
  coh_metric_add(exact, "eval/neighbours_kept", t->preserved);
  return COH_OK;
}

// every rank's velocities and gains to all, then to the dataset's order
static coh_status collect(coh_tsne *t, float *all, float *out) {
  memcpy(t->own, all + t->first * t->stride, (size_t)(t->n_own * t->stride) * sizeof *all);
  COH_TRY(coh_comm_allgather_varied(t->context->world, t->own, t->share, all));
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t a = 0; a < t->dims; a++)
      out[t->order[i] * t->dims + a] = all[i * t->stride + a];
  return COH_OK;
}

static coh_status visit_tensors(coh_tsne *t, coh_tensor_visit *visit, void *context) {
  static const char *const name[] = {"embedding", "velocity", "gain"};
  for (int i = 0; i < 3; i++) {
    coh_array array = {COH_DTYPE_F32, 2, {t->n, t->dims}, t->saved[i]};
    COH_TRY(visit(context, i ? COH_STORE_STATE : COH_STORE_MODEL, name[i], &array));
  }
  coh_array counters = {COH_DTYPE_I64, 1, {5}, t->saved_counters};
  COH_TRY(visit(context, COH_STORE_STATE, "counters", &counters));
  coh_array film = {
      COH_DTYPE_F32, 3, {t->saved_counters[3], t->film.n_points, 2}, t->film.place};
  COH_CHECK(film.shape[0] >= 0 && film.shape[0] <= COH_FILM_FRAMES, COH_E_CHECKPOINT,
            "state.safetensors: %lld frames of a film", (long long)film.shape[0]);
  if (film.shape[0]) COH_TRY(visit(context, COH_STORE_STATE, "film", &film));
  coh_array reals = {COH_DTYPE_F64, 1, {2}, t->saved_reals};
  return visit(context, COH_STORE_STATE, "divergence", &reals);
}

coh_status coh_tsne_save(void *task, coh_saver *saver) {
  coh_tsne *t = task;
  coh_tsne_positions(t, t->saved[0]);
  COH_TRY(collect(t, t->velocity, t->saved[1]));
  COH_TRY(collect(t, t->gain, t->saved[2]));
  t->saved_counters[0] = t->iteration;
  t->saved_counters[1] = t->best_at;
  t->saved_counters[2] = t->stopped;
  t->saved_counters[3] = t->film.n_frames;
  t->saved_counters[4] = t->film.pace;
  t->saved_reals[0] = t->best;
  t->saved_reals[1] = t->measured_at == t->iteration ? t->divergence : 0;
  return visit_tensors(t, coh_visit_save, saver);
}

coh_status coh_tsne_load(void *task, coh_loader *loader) {
  coh_tsne *t = task;
  COH_TRY(visit_tensors(t, coh_visit_load, loader));
  float *to[] = {t->y, t->velocity, t->gain};
  for (int k = 0; k < 3; k++)
    for (int64_t i = 0; i < t->n; i++)
      for (int64_t a = 0; a < t->dims; a++) {
        float value = t->saved[k][t->order[i] * t->dims + a];
        COH_CHECK(isfinite(value), COH_E_CHECKPOINT, "the saved map is not finite");
        to[k][i * t->stride + a] = value;
      }
  t->iteration = t->saved_counters[0];
  t->best_at = t->saved_counters[1];
  t->stopped = t->saved_counters[2] != 0;
  t->best = t->saved_reals[0];
  t->film.n_frames = t->saved_counters[3];
  t->film.pace = t->saved_counters[4];
  COH_CHECK(t->iteration >= 0 && t->best_at >= 0 && t->film.pace >= (t->film.place != NULL),
            COH_E_CHECKPOINT, "state.safetensors: a counter is negative");
  return COH_OK;
}

static const coh_task_chart charts[] = {
    {.name = "divergence",
     .title = "Divergence",
     .y_label = "nats",
     .caption =
         "Kullback-Leibler divergence of the map from the affinities of the rows, always "
         "without exaggeration.",
     .curve = {{"tsne/divergence", "divergence", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "extent",
     .title = "Extent of the map",
     .y_label = "map units",
     .logarithmic = true,
     .caption = "Largest coordinate.",
     .curve = {{"tsne/extent", "extent", NULL, NULL, COH_CURVE_LINE}}},
    {.name = "cost",
     .title = "Cost of an iteration",
     .y_label = "ms",
     .from_timing = true,
     .caption = "Time of attraction and repulsion on rank 0.",
     .curve = {{"ms/attraction", "attraction", NULL, NULL, COH_CURVE_LINE},
               {"ms/repulsion", "repulsion", NULL, NULL, COH_CURVE_LINE}}},
    {0},
};

static const char *const progress[] = {"tsne/divergence", "rate/iterations", NULL};

const coh_task_type coh_task_tsne = {
    .kind =
        {"tsne",
         "t-SNE, a map of rows: exact, Barnes-Hut or FFT-interpolated (van der Maaten, Hinton "
         "2008; Linderman et al. 2019).",
         coh_tsne_option_table, sizeof(coh_tsne_options)},
    .unit = "iterations",
    .create = coh_tsne_create,
    .destroy = coh_tsne_destroy,
    .step = coh_tsne_step,
    .position = tsne_position,
    .finished = tsne_finished,
    .metrics = tsne_metrics,
    .evaluate = tsne_evaluate,
    .save = coh_tsne_save,
    .load = coh_tsne_load,
    .results = coh_tsne_results,
    .place = coh_tsne_place_rows,
    .charts = charts,
    .progress = progress,
};
