/* How good the averaged generator is now: rank 0 measures what all ranks have generated. */
#include <math.h>

#include "base/alloc.h"
#include "task/gan/gan.h"
#include "task/gan/image_quality.h"
#include "task/gan/image_scores.h"

enum { MAX_RESTORED = 10000 };

static const coh_gan_score unknown = {NAN, NAN, NAN, NAN, NAN, NAN, NAN,
                                      NAN, NAN, NAN, NAN, NAN, NAN};

// a feature space is looked at when it is first needed: that takes a pass over the dataset
static coh_status open_scores(coh_gan *gan) {
  const char *path[2] = {gan->options->evaluation.classifier, gan->options->evaluation.second};
  for (int k = 0; k < 2; k++)
    if (path[k] && *path[k] && !gan->scores[k])
      COH_TRY(coh_image_scores_create(path[k], gan->train, gan->options->evaluation.neighbors,
                                      gan->context->n_threads, &gan->scores[k]));
  return COH_OK;
}

static coh_status score_images(coh_gan *gan, const coh_dataset *images, coh_gan_score *score) {
  coh_image_score found;
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
  *score = unknown;
  COH_TRY(open_scores(gan));
  return score_images(gan, images, score);
}

// generated rows, on rank 0
static coh_status measure_made(coh_gan *gan, const float *rows, const int32_t *labels,
                               int64_t n, coh_gan_score *score) {
  if (gan->spec->n_modes) coh_gan_modes(gan->spec, rows, n, score);
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

static coh_status measure(coh_gan *gan, float *rows, float *real, int32_t *labels, int64_t n,
                          coh_gan_score *score) {
  const coh_dataset *from = gan->source->is_latent ? NULL : gan->test ? gan->test : gan->train;
  COH_TRY(coh_gan_generate(gan, "gan.evaluate", n, from, rows,
                           gan->options->conditional ? labels : NULL, NULL));
  coh_status status = COH_OK;
  if (coh_world_rank(gan->context->world) == 0) {
    status = measure_made(gan, rows, gan->options->conditional ? labels : NULL, n, score);
    if (status == COH_OK && from) {
      coh_dataset_read(from, 0, n, coh_loader_affine(gan->loader), real);
      compare_rows(gan, rows, real, n, score);
    }
  }
  status = coh_comm_agree(gan->context->world, status);
  if (status != COH_OK) return status;
  return coh_comm_bcast(gan->context->world, score, sizeof *score, 0);
}

coh_status coh_gan_measure(coh_gan *gan, coh_gan_score *score) {
  int64_t n = gan->options->evaluation.samples;
  if (!gan->source->is_latent) {
    int64_t most = coh_dataset_spec_of(gan->test ? gan->test : gan->train)->n_rows;
    if (most > MAX_RESTORED) most = MAX_RESTORED;
    n = n < most ? n : most;
  }
  *score = unknown;
  size_t count = (size_t)(n * gan->spec->n_values);
  float *rows = coh_alloc_array(2 * count, sizeof *rows);
  int32_t *labels = coh_alloc_array((size_t)n, sizeof *labels);
  coh_status status =
      rows && labels ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to evaluate");
  status = coh_comm_agree(gan->context->world, status);
  if (status == COH_OK) status = measure(gan, rows, rows + count, labels, n, score);
  coh_free(rows), coh_free(labels);
  return status;
}

static void add(coh_metric_row *exact, const char *name, double value) {
  if (isfinite(value)) coh_metric_add(exact, name, value);
}

coh_status coh_gan_evaluate(void *task, coh_metric_row *exact) {
  coh_gan *gan = task;
  COH_TRY(coh_gan_measure(gan, &gan->score));
  gan->scored_at = gan->maker_learner.n_updates;
  add(exact, "eval/modes", gan->score.modes);
  add(exact, "eval/high_quality", gan->score.high_quality);
  add(exact, "eval/kl", gan->score.kl);
  add(exact, "eval/fid", gan->score.fid);
  add(exact, "eval/fid_relative", gan->score.relative);
  add(exact, "eval/fid_second", gan->score.fid_second);
  add(exact, "eval/precision", gan->score.precision);
  add(exact, "eval/recall", gan->score.recall);
  add(exact, "eval/density", gan->score.density);
  add(exact, "eval/coverage", gan->score.coverage);
  add(exact, "eval/accuracy", gan->score.accuracy);
  add(exact, "eval/psnr", gan->score.psnr);
  add(exact, "eval/ssim", gan->score.ssim);
  return COH_OK;
}
