/* An iteration: forces, momentum and gains (Jacobs, Neural Networks 1, 1988), and everybody's
 * new positions, centred. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/float_mode.h"
#include "task/tsne/tsne.h"

typedef struct tsne_pace {
  float exaggeration, push, rate, momentum, max_step;
} tsne_pace;

static bool is_early(const coh_tsne *t) {
  return t->iteration < t->options->early_steps;
}

static tsne_pace pace_of(const coh_tsne *t) {
  const coh_tsne_options *o = t->options;
  double exaggeration = is_early(t) ? o->early_exaggeration : o->exaggeration;
  double rate = o->learning_rate;
  if (!(rate > 0)) rate = fmax((double)t->n / exaggeration, 200);
  return (tsne_pace){.exaggeration = (float)exaggeration,
                     .push = (float)(1 / t->z),
                     .rate = (float)rate,
                     .momentum = (float)(is_early(t) ? o->early_momentum : o->momentum),
                     .max_step = (float)o->max_step};
}

// move one of this rank's points
static inline __attribute__((always_inline)) void
move(const coh_tsne *t, const tsne_pace *pace, int64_t dims, int64_t stride, int64_t i) {
  int64_t at = (t->first + i) * stride;
  float step[COH_TSNE_MAX_DIMS], squared = 0;
  for (int64_t a = 0; a < dims; a++) {
    float gradient =
        pace->exaggeration * t->pull[i * stride + a] - pace->push * t->push[i * stride + a];
    float gain = t->gain[at + a], velocity = t->velocity[at + a];
    gain = (gradient > 0) != (velocity > 0) ? gain + 0.2f : gain * 0.8f;
    gain = gain < 0.01f ? 0.01f : gain;
    velocity = pace->momentum * velocity - pace->rate * gain * gradient;
    t->gain[at + a] = gain;
    step[a] = velocity;
    squared += velocity * velocity;
  }
  float cut = squared > pace->max_step * pace->max_step ? pace->max_step / sqrtf(squared) : 1;
  for (int64_t a = 0; a < dims; a++) {
    t->velocity[at + a] = cut * step[a];
    t->own[i * stride + a] = t->y[at + a] + cut * step[a];
  }
}

static void move_own(coh_tsne *t) {
  tsne_pace pace = pace_of(t);
#pragma omp parallel for default(none) shared(t, pace) schedule(static) \
    num_threads(t->context->n_threads)
  for (int64_t i = 0; i < t->n_own; i++) {
    if (t->dims == 2)
      move(t, &pace, 2, 2, i);
    else
      move(t, &pace, t->dims, t->stride, i);
  }
}

// the mean is zero after every iteration, or single precision is lost on it
static coh_status centre(coh_tsne *t) {
  double sum[COH_TSNE_MAX_DIMS + 1] = {0};
  for (int64_t i = 0; i < t->n; i++)
    for (int64_t a = 0; a < t->dims; a++)
      sum[a] += (double)t->y[i * t->stride + a];
  for (int64_t a = 0; a < t->dims; a++) {
    float mean = (float)(sum[a] / (double)t->n);
    COH_CHECK(isfinite(mean), COH_E_DIVERGED,
              "the map is not finite after iteration %lld: a smaller learning_rate or max_step "
              "would help",
              (long long)t->iteration);
    for (int64_t i = 0; i < t->n; i++)
      t->y[i * t->stride + a] -= mean;
  }
  return COH_OK;
}

// stop when the divergence has stopped falling; looked at every 25 iterations
static coh_status look_whether_done(coh_tsne *t) {
  enum { EVERY = 25 };
  const coh_tsne_options *o = t->options;
  if (!(o->min_progress > 0) || t->iteration <= o->early_steps || t->iteration % EVERY)
    return COH_OK;
  double divergence;
  COH_TRY(coh_tsne_divergence(t, &divergence));
  if (!(divergence > t->best * (1 - o->min_progress))) {
    t->best = divergence;
    t->best_at = t->iteration;
  }
  t->stopped = t->iteration - t->best_at >= o->patience;
  return COH_OK;
}

void coh_tsne_film(coh_tsne *t) {
  float *to = coh_map_film_frame(&t->film, t->iteration);
  if (!to) return;
  for (int64_t i = 0; i < t->n; i++) {
    // point p is row p n / n_points, rounded down
    int64_t row = t->order[i], p = (row * t->film.n_points + t->n - 1) / t->n;
    if (p >= t->film.n_points || p * t->n / t->film.n_points != row) continue;
    for (int64_t a = 0; a < 2; a++)
      to[2 * p + a] = t->y[i * t->stride + a];
  }
}

__attribute__((noinline)) static coh_status iterate(coh_tsne *t) {
  double begun = coh_clock_now();
  coh_tsne_attract(t);
  double attracted = coh_clock_now();
  COH_TRY(coh_tsne_repel(t));
  t->seconds_attract += attracted - begun;
  t->seconds_repel += coh_clock_now() - attracted;
  move_own(t);
  COH_TRY(coh_comm_allgather_varied(t->context->world, t->own, t->share, t->y));
  t->iteration++;
  t->window_iterations++;
  COH_TRY(centre(t));
  coh_tsne_film(t);
  return look_whether_done(t);
}

coh_status coh_tsne_step(void *task) {
  coh_float_mode before = coh_float_mode_begin();
  coh_status status = iterate(task);
  coh_float_mode_end(before);
  return status;
}
