/* Task gan: the metrics, the charts, and the descriptor. */
#include "task/gan/gan.h"

#include <math.h>

#include "base/clock.h"

static int64_t gan_position(const void *task) {
  return ((const coh_gan *)task)->maker_learner.n_updates;
}

static void add_norm(coh_metric_row *exact, const char *name, const coh_learner *learner) {
  double norm = coh_learner_norm(learner);
  if (isfinite(norm)) coh_metric_add(exact, name, norm);
}

static void add_critic(coh_gan *gan, coh_metric_row *exact) {
  const double *critic = gan->critic_learner.tail;
  double n = (double)gan->critic_learner.n_window;
  double rows = n * (double)gan->options->loader.batch;
  coh_metric_add(exact, "train/d_loss", critic[COH_GAN_TAIL_LOSS] / n);
  coh_metric_add(exact, "train/d_real", critic[COH_GAN_TAIL_REAL] / rows);
  coh_metric_add(exact, "train/d_fake", critic[COH_GAN_TAIL_FAKE] / rows);
  coh_metric_add(exact, "train/d_won", critic[COH_GAN_TAIL_WON] / rows);
  coh_metric_add(exact, "train/d_accuracy_real", critic[COH_GAN_TAIL_REAL_SURE] / rows);
  coh_metric_add(exact, "train/d_accuracy_fake", critic[COH_GAN_TAIL_FAKE_SURE] / rows);
  coh_metric_add(exact, "train/penalty", critic[COH_GAN_TAIL_PENALTY] / rows);
  add_norm(exact, "train/d_gradient_norm", &gan->critic_learner);
}

static void add_learning(coh_gan *gan, coh_metric_row *exact) {
  const double *maker = gan->maker_learner.tail;
  double n = (double)gan->maker_learner.n_window;
  coh_metric_add(exact, "train/updates", (double)gan->maker_learner.n_updates);
  if (gan->critic_learner.n_window) {
    const double *critic = gan->critic_learner.tail;
    add_critic(gan, exact);
    coh_metric_add(exact, "train/g_loss", maker[COH_GAN_TAIL_MAKER_LOSS] / n);
    coh_gan_remember(&gan->history,
                     critic[COH_GAN_TAIL_WON] / (n * (double)gan->options->loader.batch),
                     critic[COH_GAN_TAIL_LOSS] / n, maker[COH_GAN_TAIL_MAKER_LOSS] / n,
                     coh_learner_norm(&gan->maker_learner));
  }
  if (gan->options->content.weight > 0)
    coh_metric_add(exact, "train/content",
                   maker[COH_GAN_TAIL_CONTENT] / (n * (double)gan->options->loader.batch));
  add_norm(exact, "train/g_gradient_norm", &gan->maker_learner);
  coh_metric_add(exact, "train/g_learning_rate",
                 coh_optimizer_learning_rate(gan->maker_learner.optimizer));
}

static coh_status gan_metrics(void *task, coh_metric_row *exact, coh_metric_row *timing) {
  coh_gan *gan = task;
  if (gan->maker_learner.n_window) add_learning(gan, exact);
  double now = coh_clock_now(), seconds = now - gan->window_begun;
  double updates = (double)(gan->maker_learner.n_updates - gan->updates_at_window);
  coh_metric_add(timing, "rate/updates", updates / seconds);
  coh_metric_add(timing, "rate/images", updates * (double)gan->options->loader.batch / seconds);
  coh_metric_add(timing, "share/learn", gan->learn_seconds / seconds);
  coh_metric_add(timing, "share/reduce",
                 (gan->maker_learner.reduce_seconds + gan->critic_learner.reduce_seconds) /
                     seconds);
  gan->window_begun = now;
  gan->updates_at_window = gan->maker_learner.n_updates;
  gan->learn_seconds = 0;
  coh_learner_restart(&gan->maker_learner);
  coh_learner_restart(&gan->critic_learner);
  return COH_OK;
}

static const coh_task_chart charts[] = {
    {.name = "losses",
     .title = "Losses",
     .y_label = "loss",
     .caption = "Mean losses of the two players, penalties left out.",
     .curve = {{"train/d_loss", "discriminator", NULL, NULL, COH_CURVE_SMOOTHED},
               {"train/g_loss", "generator", NULL, NULL, COH_CURVE_SMOOTHED}}},
    {.name = "values",
     .title = "The discriminator's values",
     .y_label = "D",
     .caption = "Mean value of real and of generated rows.",
     .curve = {{"train/d_real", "real", NULL, NULL, COH_CURVE_SMOOTHED},
               {"train/d_fake", "generated", NULL, NULL, COH_CURVE_SMOOTHED}}},
    {.name = "accuracy",
     .title = "The discriminator's accuracy",
     .y_label = "share",
     .caption =
         "Share of pairs in which the real row has the higher value, of real rows with a "
         "value above 0, of generated ones with one below.",
     .curve = {{"train/d_won", "pairs", NULL, NULL, COH_CURVE_SMOOTHED},
               {"train/d_accuracy_real", "real", NULL, NULL, COH_CURVE_SMOOTHED},
               {"train/d_accuracy_fake", "generated", NULL, NULL, COH_CURVE_SMOOTHED}}},
    {.name = "penalty",
     .title = "Penalties",
     .y_label = "penalty",
     .caption = "Mean penalty on the discriminator's slope.",
     .curve = {{"train/penalty", "penalty", NULL, NULL, COH_CURVE_SMOOTHED}}},
    {.name = "fid",
     .title = "Frechet distance",
     .y_label = "FID",
     .logarithmic = true,
     .caption =
         "Frechet distance of generated to training images, in the feature spaces of two "
         "classifiers.",
     .reference = "fid_test",
     .reference_label = "real test images",
     .curve = {{"eval/fid", "first classifier", NULL, NULL, COH_CURVE_MARKED},
               {"eval/fid_second", "second", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "coverage",
     .title = "Precision, recall, density, coverage",
     .y_label = "share",
     .caption = "Neighbourhoods in the first classifier's feature space.",
     .curve = {{"eval/precision", "precision", NULL, NULL, COH_CURVE_MARKED},
               {"eval/recall", "recall", NULL, NULL, COH_CURVE_MARKED},
               {"eval/density", "density", NULL, NULL, COH_CURVE_MARKED},
               {"eval/coverage", "coverage", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "modes",
     .title = "Modes found",
     .y_label = "modes",
     .caption = "Modes of the data that generated rows hit.",
     .curve = {{"eval/modes", "modes", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "quality",
     .title = "Rows of high quality",
     .y_label = "share",
     .caption = "Share of generated rows within three standard deviations of a mode.",
     .curve = {{"eval/high_quality", "high quality", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "restoration",
     .title = "Restoration",
     .y_label = "dB",
     .caption = "Mean peak signal-to-noise ratio on images never trained on.",
     .reference = "psnr_simple",
     .reference_label = "without a network",
     .curve = {{"eval/psnr", "PSNR", NULL, NULL, COH_CURVE_MARKED}}},
    {.name = "rate",
     .title = "Speed",
     .y_label = "a second",
     .from_timing = true,
     .caption = "Images a second on this machine.",
     .curve = {{"rate/images", "images", NULL, NULL, COH_CURVE_LINE}}},
    {0},
};

static const char *const progress[] = {"train/d_loss", "train/g_loss", "train/d_won",
                                       "rate/images", NULL};

const coh_task_type coh_task_gan = {
    .kind =
        {"gan",
         "Generative adversarial networks: generator against discriminator (Goodfellow et al. "
         "2014).",
         coh_gan_option_table, sizeof(coh_gan_options)},
    .unit = "updates",
    .create = coh_gan_create,
    .destroy = coh_gan_destroy,
    .step = coh_gan_step,
    .position = gan_position,
    .metrics = gan_metrics,
    .evaluate = coh_gan_evaluate,
    .yardsticks = coh_gan_yardsticks,
    .score = coh_gan_score_rows,
    .sample = coh_gan_sample,
    .save = coh_gan_save,
    .load = coh_gan_load,
    .results = coh_gan_results,
    .charts = charts,
    .progress = progress,
};
