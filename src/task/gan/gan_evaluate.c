/* How good the averaged generator is now: rank 0 measures what all ranks have generated. */
#include <math.h>
#include <stddef.h>

#include "base/alloc.h"
#include "task/gan/gan.h"
#include "task/gan/gan_show.h"
#include "task/gan/image_modes.h"
#include "task/gan/image_novelty.h"
#include "task/gan/image_quality.h"
#include "task/gan/image_scores.h"

enum { MAX_RESTORED = 10000 };

// every member is a double
static const struct {
  const char *name;
  size_t offset;
} members[] = {
#define MEMBER(member) \
  { "eval/" #member, offsetof(coh_gan_score, member) }
    MEMBER(modes),    MEMBER(high_quality), MEMBER(kl),        MEMBER(fid),
    MEMBER(relative), MEMBER(fid_second),   MEMBER(precision), MEMBER(recall),
    MEMBER(density),  MEMBER(coverage),     MEMBER(accuracy),  MEMBER(diversity),
    MEMBER(nearest),  MEMBER(nearest_test), MEMBER(copies),    MEMBER(accuracy_score),
    MEMBER(psnr),     MEMBER(ssim),
#undef MEMBER
};
enum { N_MEMBERS = sizeof(coh_gan_score) / sizeof(double) };
_Static_assert(sizeof members / sizeof *members == N_MEMBERS, "a member has no name");

static double *member_of(coh_gan_score *score, int k) {
  return (double *)(void *)((char *)score + members[k].offset);
}

void coh_gan_forget(coh_gan_score *score) {
  for (int k = 0; k < N_MEMBERS; k++)
    *member_of(score, k) = NAN;
}

void coh_gan_add_score(const coh_gan_score *score, coh_metric_row *row) {
  coh_gan_score copy = *score;
  for (int k = 0; k < N_MEMBERS; k++)
    if (isfinite(*member_of(&copy, k)))
      coh_metric_add(row, members[k].name, *member_of(&copy, k));
}

// a classifier of one channel of stacked images counts their modes
static coh_status open_stack(coh_gan *gan, const char *path) {
  coh_network_file *file = NULL;
  if (gan->sample.rank != 3 || gan->sample.size[2] == 1) return COH_OK;
  COH_TRY(coh_network_file_open(path, NULL, &file));
  if (coh_image_modes_fit(file, gan->spec))
    gan->stack = file;
  else
    coh_network_file_close(&file);
  return COH_OK;
}

int64_t coh_gan_n_modes(const coh_gan *gan) {
  return gan->spec->n_modes ? gan->spec->n_modes : gan->stack ? gan->spec->n_classes : 0;
}

// a feature space is looked at when it is first needed: that takes a pass over the dataset
static coh_status open_scores(coh_gan *gan) {
  const char *path[2] = {gan->options->evaluation.classifier, gan->options->evaluation.second};
  if (*path[0] && !gan->scores[0] && !gan->stack) COH_TRY(open_stack(gan, path[0]));
  for (int k = 0; k < 2 && !gan->stack; k++)
    if (path[k] && *path[k] && !gan->scores[k])
      COH_TRY(coh_image_scores_create(path[k], gan->train, gan->options->evaluation.neighbors,
                                      gan->context->n_threads, &gan->scores[k]));
  return COH_OK;
}

static coh_status score_images(coh_gan *gan, const coh_dataset *images, coh_gan_score *score) {
  coh_image_score found;
  if (gan->stack)
    return coh_image_modes_of(gan->stack, images, gan->context->n_threads, &score->modes,
                              &score->kl);
  for (int k = 0; k < 2; k++) {
    if (!gan->scores[k]) continue;
    COH_TRY(coh_image_scores_of(gan->scores[k], images, &found));
    if (k) {
      score->fid_second = found.fid;
      continue;
    }
    score->fid = found.fid;
    score->relative = found.relative;
    score->precision = found.precision;
    score->recall = found.recall;
    score->density = found.density;
    score->coverage = found.coverage;
    score->accuracy = found.accuracy;
  }
  return COH_OK;
}

coh_status coh_gan_score_images(coh_gan *gan, const coh_dataset *images, coh_gan_score *score) {
  coh_gan_forget(score);
  COH_TRY(open_scores(gan));
  return score_images(gan, images, score);
}

coh_status coh_gan_look_for_copies(coh_gan *gan, const coh_dataset *images,
                                   coh_gan_score *score, int32_t *index, float *distance) {
  if (!gan->novelty)
    COH_TRY(coh_image_novelty_create(gan->train, gan->test, gan->context->n_threads,
                                     &gan->novelty));
  coh_novelty_score found;
  COH_TRY(coh_image_novelty_of(gan->novelty, images, &found, index, distance));
  score->nearest = found.nearest;
  score->nearest_test = found.nearest_test;
  score->copies = found.copies;
  return COH_OK;
}

// of as many rows of the data as are looked at
static coh_status spread_of_data(const coh_gan *gan, const int32_t *labels, double *spread) {
  int64_t width = gan->spec->n_values, n = gan->spec->n_rows;
  if (n > MAX_RESTORED) n = MAX_RESTORED;
  float *real;
  COH_NEW(real, n * width);
  coh_dataset_read(gan->train, 0, n, coh_loader_affine(gan->loader), real);
  coh_status status = coh_gan_spread(real, n, width, labels, gan->n_classes, spread);
  coh_free(real);
  return status;
}

coh_status coh_gan_measure_diversity(coh_gan *gan, const float *rows, const int32_t *labels,
                                     int64_t n, coh_gan_score *score) {
  const int32_t *of_data = labels ? coh_dataset_labels(gan->train) : NULL;
  double spread, *data = &gan->data_spread[of_data ? 1 : 0];
  if (!of_data) labels = NULL;
  if (*data == 0) COH_TRY(spread_of_data(gan, of_data, data));
  COH_TRY(coh_gan_spread(rows, n, gan->spec->n_values, labels, gan->n_classes, &spread));
  if (*data > 0) score->diversity = spread / *data;
  return COH_OK;
}

// generated rows, on rank 0
static coh_status measure_made(coh_gan *gan, const float *rows, const int32_t *labels,
                               int64_t n, coh_gan_score *score) {
  if (gan->spec->n_modes) coh_gan_modes(gan->spec, rows, n, score);
  COH_TRY(coh_gan_measure_diversity(gan, rows, labels, n, score));
  if (gan->sample.rank != 3) return COH_OK;
  coh_dataset *images = NULL;
  COH_TRY(open_scores(gan));
  COH_TRY(
      coh_images_of_rows(gan->spec, coh_loader_affine(gan->loader), rows, n, labels, &images));
  coh_status status = score_images(gan, images, score);
  coh_dataset_destroy(&images);
  return status;
}

// values of images as 0 to 1
void coh_gan_unit(const coh_gan *gan, const float *rows, int64_t count, float *unit) {
  coh_affine affine = coh_loader_affine(gan->loader);
  float largest = gan->spec->dtype == COH_DTYPE_U8 ? 255 : 1;
  for (int64_t i = 0; i < count; i++)
    unit[i] = fminf(fmaxf((rows[i] - affine.shift) / affine.scale / largest, 0), 1);
}

// restored rows against the originals, on rank 0; both are overwritten
static void compare_rows(const coh_gan *gan, float *made, float *real, int64_t n,
                         coh_gan_score *score) {
  int64_t width = gan->spec->n_values;
  coh_gan_unit(gan, made, n * width, made);
  coh_gan_unit(gan, real, n * width, real);
  score->psnr = score->ssim = 0;
  for (int64_t i = 0; i < n; i++) {
    score->psnr += coh_image_psnr(made + i * width, real + i * width, width) / (double)n;
    score->ssim += coh_image_ssim(made + i * width, real + i * width, gan->sample.size[0],
                                  gan->sample.size[1], gan->sample.size[2]) /
                   (double)n;
  }
}

/* Rows that are measured. */
typedef struct measured {
  bool is_given; /* what the generator is given, not what it makes of it */
  int64_t n;
  float *rows, *real; /* real: for restored ones */
  int32_t *labels;
} measured;

static coh_status measure(coh_gan *gan, const measured *m, coh_gan_score *score) {
  const coh_dataset *from = gan->source->is_latent ? NULL : gan->test ? gan->test : gan->train;
  const coh_gan_request request = {
      .n = m->n, .key = coh_gan_noise_key(gan, "gan.evaluate"), .label = -1, .real = from};
  int32_t *labels = gan->options->conditional && !m->is_given ? m->labels : NULL;
  if (m->is_given)
    COH_TRY(coh_gan_given(gan, &request, m->rows));
  else
    COH_TRY(coh_gan_generate(gan, &request, m->rows, labels, NULL));
  coh_status status = COH_OK;
  if (coh_world_rank(gan->context->world) == 0) {
    status = measure_made(gan, m->rows, labels, m->n, score);
    if (status == COH_OK && from) {
      coh_dataset_read(from, 0, m->n, coh_loader_affine(gan->loader), m->real);
      compare_rows(gan, m->rows, m->real, m->n, score);
    }
  }
  status = coh_comm_agree(gan->context->world, status);
  if (status != COH_OK) return status;
  return coh_comm_bcast(gan->context->world, score, sizeof *score, 0);
}

static coh_status measure_either(coh_gan *gan, bool is_given, coh_gan_score *score) {
  int64_t n = gan->options->evaluation.samples;
  if (!gan->source->is_latent) {
    int64_t most = coh_dataset_spec_of(gan->test ? gan->test : gan->train)->n_rows;
    if (most > MAX_RESTORED) most = MAX_RESTORED;
    n = n < most ? n : most;
  }
  coh_gan_forget(score);
  size_t count = (size_t)(n * gan->spec->n_values);
  float *rows = coh_alloc_array(gan->source->is_latent ? count : 2 * count, sizeof *rows);
  int32_t *labels = coh_alloc_array((size_t)n, sizeof *labels);
  coh_status status =
      rows && labels ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to evaluate");
  status = coh_comm_agree(gan->context->world, status);
  const measured all = {
      .is_given = is_given, .n = n, .rows = rows, .real = rows + count, .labels = labels};
  if (status == COH_OK) status = measure(gan, &all, score);
  coh_free(rows), coh_free(labels);
  return status;
}

coh_status coh_gan_measure(coh_gan *gan, coh_gan_score *score) {
  return measure_either(gan, false, score);
}

coh_status coh_gan_measure_given(coh_gan *gan, coh_gan_score *score) {
  return measure_either(gan, true, score);
}

coh_status coh_gan_evaluate(void *task, coh_metric_row *exact) {
  coh_gan *gan = task;
  COH_TRY(coh_gan_measure(gan, &gan->score));
  gan->scored_at = gan->maker_learner.n_updates;
  coh_gan_add_score(&gan->score, exact);
  return coh_gan_keep_frame(gan);
}
