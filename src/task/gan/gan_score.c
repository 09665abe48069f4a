/* Rows that others have made, scored like the run's own: one yardstick for peers and for us.
 * And rows that say what the numbers mean: real ones, whole, poorer and damaged. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "task/classify/classify.h"
#include "task/gan/gan.h"
#include "task/gan/image_files.h"
#include "task/gan/image_scores.h"

enum { ROWS = 10000 };

typedef enum yardstick {
  TEST = COH_GAN_REAL_TEST,
  TRAINING = COH_GAN_REAL_TRAINING,
  ONE_CLASS_LESS,
  NOISY,
  BLURRED,
} yardstick;

const char *const coh_gan_yardsticks[] = {
    "real test images",       "real training images",       "test images, first class left out",
    "test images, noise 0.1", "test images, mean of 3 x 3", NULL};

// ---- yardsticks ---------------------------------------------------------------------------

static coh_status without_first_class(const coh_dataset *from, coh_dataset **rows) {
  const int32_t *labels = coh_dataset_labels(from);
  int64_t n_all = coh_dataset_spec_of(from)->n_rows, n = 0, *kept;
  COH_NEW(kept, n_all);
  for (int64_t i = 0; i < n_all && n < ROWS; i++)
    if (labels[i] != 0) kept[n++] = i;
  coh_status status =
      n ? coh_dataset_select(from, n, kept, rows)
        : coh_fail(COH_E_DATA, "%s has one class only", coh_dataset_spec_of(from)->name);
  coh_free(kept);
  return status;
}

// normal noise of a deviation of 0.1 on values of 0 to 1
static void add_noise(float *row, int64_t n, int64_t i) {
  coh_stream stream = coh_stream_begin(coh_key_make(1, "gan.yardstick"), (uint32_t)i, 0);
  for (int64_t k = 0; k < n; k++)
    row[k] += 0.1f * (float)coh_stream_normal(&stream);
}

// the mean over 3 x 3 pixels; pixels beyond the border are black
static void blur(const float *from, const int64_t shape[3], float *to) {
  for (int64_t y = 0; y < shape[0]; y++)
    for (int64_t x = 0; x < shape[1]; x++)
      for (int64_t c = 0; c < shape[2]; c++) {
        float sum = 0;
        for (int64_t v = y - 1; v <= y + 1; v++)
          for (int64_t u = x - 1; u <= x + 1; u++)
            if (v >= 0 && v < shape[0] && u >= 0 && u < shape[1])
              sum += from[(v * shape[1] + u) * shape[2] + c];
        to[(y * shape[1] + x) * shape[2] + c] = sum / 9;
      }
}

// rows as they would be stored after something was done to them
static coh_status damaged(const coh_dataset *from, yardstick which, coh_dataset **rows) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(from);
  int64_t n = spec->n_rows < ROWS ? spec->n_rows : ROWS, width = spec->n_values;
  coh_affine unit = {spec->dtype == COH_DTYPE_U8 ? 1 / 255.0f : 1, 0};
  float *values = coh_alloc_array((size_t)(2 * n * width), sizeof *values);
  COH_CHECK(values, COH_E_MEMORY, "out of memory for %lld rows", (long long)n);
  coh_dataset_read(from, 0, n, unit, values);
  float *changed = which == BLURRED ? values + n * width : values;
  for (int64_t i = 0; i < n; i++) {
    if (which == NOISY) add_noise(values + i * width, width, i);
    if (which == BLURRED) blur(values + i * width, spec->shape, changed + i * width);
  }
  coh_status status =
      coh_images_of_rows(spec, unit, changed, n, coh_dataset_labels(from), rows);
  coh_free(values);
  return status;
}

static coh_status some_of(const coh_dataset *from, uint64_t seed, coh_dataset **rows) {
  int64_t n_all = coh_dataset_spec_of(from)->n_rows, n = n_all < ROWS ? n_all : ROWS, *chosen;
  COH_NEW(chosen, n);
  coh_permutation order = coh_permutation_make(n_all, seed, "gan.yardstick", 0);
  for (int64_t i = 0; i < n; i++)
    chosen[i] = coh_permutation_at(&order, i);
  coh_status status = coh_dataset_select(from, n, chosen, rows);
  coh_free(chosen);
  return status;
}

// *rows stays NULL where the run has no such rows
static coh_status open_yardstick(const coh_gan *gan, yardstick which, coh_dataset **rows) {
  bool is_image = gan->sample.rank == 3;
  if (which == TRAINING) return some_of(gan->train, gan->context->seed, rows);
  if (!gan->test) return COH_OK;
  if (which == TEST) return some_of(gan->test, gan->context->seed, rows);
  if (which == ONE_CLASS_LESS)
    return gan->spec->n_classes > 1 ? without_first_class(gan->test, rows) : COH_OK;
  return is_image ? damaged(gan->test, which, rows) : COH_OK;
}

// ---- scores -------------------------------------------------------------------------------

// on rank 0
static coh_status look_at(coh_gan *gan, const coh_dataset *rows, coh_gan_score *score) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(rows);
  COH_TRY(coh_gan_score_images(gan, rows, score));
  float *values;
  COH_NEW(values, spec->n_rows * spec->n_values);
  coh_dataset_read(rows, 0, spec->n_rows, coh_loader_affine(gan->loader), values);
  if (gan->spec->n_modes) coh_gan_modes(gan->spec, values, spec->n_rows, score);
  const int32_t *labels = spec->n_classes <= gan->n_classes ? coh_dataset_labels(rows) : NULL;
  coh_status status = coh_gan_measure_diversity(gan, values, labels, spec->n_rows, score);
  coh_free(values);
  if (status == COH_OK && gan->sample.rank == 3)
    status = coh_gan_look_for_copies(gan, rows, score, NULL, NULL);
  return status;
}

// whether a classifier can learn all classes of the test set from these rows
static coh_status has_all_classes(const coh_gan *gan, const coh_dataset *rows, bool *has) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(rows);
  *has = gan->test && gan->sample.rank == 3 && spec->has_labels && gan->n_classes > 1 &&
         gan->n_classes <= 100 && spec->n_classes == gan->n_classes;
  if (!*has) return COH_OK;
  int64_t *counts;
  COH_NEW(counts, spec->n_classes);
  coh_dataset_count_classes(rows, counts);
  for (int64_t k = 0; k < spec->n_classes; k++)
    *has = *has && counts[k] > 0;
  coh_free(counts);
  return COH_OK;
}

coh_status coh_gan_score_yardstick(coh_gan *gan, int which, coh_gan_score *score) {
  coh_dataset *rows = NULL;
  coh_gan_forget(score);
  COH_TRY(open_yardstick(gan, (yardstick)which, &rows));
  coh_status status = rows ? coh_gan_score_images(gan, rows, score) : COH_OK;
  coh_dataset_destroy(&rows);
  return status;
}

coh_status coh_gan_fit_classifier(coh_gan *gan, const coh_dataset *rows, double *accuracy) {
  bool has;
  *accuracy = NAN;
  COH_TRY(coh_comm_agree(gan->context->world, has_all_classes(gan, rows, &has)));
  return has ? coh_classify_fit(gan->context, rows, gan->test, accuracy) : COH_OK;
}

static coh_status score_rows(coh_gan *gan, const coh_dataset *rows, bool fit,
                             coh_gan_score *score) {
  coh_world *world = gan->context->world;
  coh_status status = COH_OK;
  if (coh_world_rank(world) == 0) status = look_at(gan, rows, score);
  COH_TRY(coh_comm_agree(world, status));
  COH_TRY(coh_comm_bcast(world, score, sizeof *score, 0));
  return fit ? coh_gan_fit_classifier(gan, rows, &score->accuracy_score) : COH_OK;
}

coh_status coh_gan_score_rows(void *task, const char *path, int64_t which,
                              coh_metric_row *row) {
  coh_gan *gan = task;
  coh_dataset *rows = NULL;
  coh_gan_score score;
  coh_gan_forget(&score);
  coh_status status = path ? coh_images_open(path, gan->spec, &rows)
                           : open_yardstick(gan, (yardstick)which, &rows);
  status = coh_comm_agree(gan->context->world, status);
  bool fit = path || which == TRAINING;
  if (status == COH_OK && rows) status = score_rows(gan, rows, fit, &score);
  if (status == COH_OK && rows) {
    coh_metric_add(row, "eval/images", (double)coh_dataset_spec_of(rows)->n_rows);
    coh_gan_add_score(&score, row);
  }
  coh_dataset_destroy(&rows);
  return status;
}
