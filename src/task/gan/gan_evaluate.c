/* How good the averaged generator is now. */
#include <math.h>

#include "base/alloc.h"
#include "task/gan/gan.h"

static coh_status measure_rows(coh_gan *gan, float *rows, int64_t n, coh_gan_score *score) {
  COH_TRY(coh_gan_generate(gan, "gan.evaluate", n, NULL, rows, NULL, NULL));
  if (gan->spec->n_modes) coh_gan_modes(gan->spec, rows, n, score);
  return COH_OK;
}

coh_status coh_gan_measure(coh_gan *gan, coh_gan_score *score) {
  int64_t n = gan->options->evaluation.samples;
  *score = (coh_gan_score){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
  if (!gan->source->is_latent) return COH_OK;
  float *rows = coh_alloc_array((size_t)(n * gan->spec->n_values), sizeof *rows);
  coh_status status = rows ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory to evaluate");
  status = coh_comm_agree(gan->context->world, status);
  if (status == COH_OK) status = measure_rows(gan, rows, n, score);
  coh_free(rows);
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
  add(exact, "eval/precision", gan->score.precision);
  add(exact, "eval/recall", gan->score.recall);
  add(exact, "eval/density", gan->score.density);
  add(exact, "eval/coverage", gan->score.coverage);
  add(exact, "eval/fid_second", gan->score.fid_second);
  add(exact, "eval/nearest", gan->score.nearest);
  add(exact, "eval/psnr", gan->score.psnr);
  add(exact, "eval/ssim", gan->score.ssim);
  return COH_OK;
}
