/* How the game goes, by a few rules on its curves. */
#include "task/gan/gan_diagnosis.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { FEWEST = 24 }; /* rows that show an oscillation */

static const double TELLS_ALL = 0.985, TELLS_NONE = 0.52;
static const double FLAT = 0.01;     /* of the steepest slope */
static const double ALIKE = 0.3;     /* of the data's variance */
static const double FEW_MODES = 0.5; /* of the known modes */
static const double SWING = 0.15;    /* of the loss */
static const double IN_STEP = 0.45;  /* autocorrelation a period later */

void coh_gan_remember(coh_gan_history *h, double won, double d_loss, double g_loss,
                      double slope) {
  int64_t n = (int64_t)h->n;
  if (n == COH_GAN_HISTORY) {
    double *rows[] = {h->won, h->d_loss, h->g_loss, h->slope};
    for (int k = 0; k < 4; k++)
      memmove(rows[k], rows[k] + 1, (COH_GAN_HISTORY - 1) * sizeof(double));
    n--;
  }
  if (!isfinite(slope)) slope = n > 0 ? h->slope[n - 1] : 0;
  h->won[n] = won;
  h->d_loss[n] = d_loss;
  h->g_loss[n] = g_loss;
  h->slope[n] = slope;
  h->steepest = fmax(h->steepest, slope);
  h->n = (double)(n + 1);
}

static double mean_of(const double *x, int64_t n) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += x[i];
  return sum / (double)n;
}

// what is left of x after its mean and its linear trend
static void detrend(const double *x, int64_t n, double *rest) {
  double mean = mean_of(x, n), middle = 0.5 * (double)(n - 1), along = 0, squares = 0;
  for (int64_t i = 0; i < n; i++) {
    double t = (double)i - middle;
    along += t * x[i];
    squares += t * t;
  }
  for (int64_t i = 0; i < n; i++)
    rest[i] = x[i] - mean - along / squares * ((double)i - middle);
}

// a swing that comes back: the autocorrelation falls well below zero and rises again
static bool swings(const double *x, int64_t n) {
  double rest[COH_GAN_HISTORY], variance = 0;
  detrend(x, n, rest);
  for (int64_t i = 0; i < n; i++)
    variance += rest[i] * rest[i] / (double)n;
  if (sqrt(variance) < SWING * fmax(fabs(mean_of(x, n)), 0.1)) return false;
  bool was_opposite = false;
  for (int64_t lag = 1; lag <= n / 2; lag++) {
    double sum = 0;
    for (int64_t i = lag; i < n; i++)
      sum += rest[i] * rest[i - lag] / (double)n;
    was_opposite = was_opposite || sum < -0.3 * variance;
    if (was_opposite && sum > IN_STEP * variance) return true;
  }
  return false;
}

coh_gan_state coh_gan_diagnose(const coh_gan_history *h, double diversity, double modes) {
  int64_t n = (int64_t)h->n;
  if (n == 0) return COH_GAN_UNKNOWN;
  if (diversity < ALIKE || modes < FEW_MODES) return COH_GAN_COLLAPSED; // false for NAN
  int64_t late = n < 8 ? 1 : n / 4;
  double won = mean_of(h->won + n - late, late);
  if (won > TELLS_ALL) {
    double slope = mean_of(h->slope + n - late, late);
    return slope < FLAT * h->steepest ? COH_GAN_SATURATED : COH_GAN_DISCRIMINATOR_WON;
  }
  int64_t half = n / 2 > FEWEST ? n / 2 : n < FEWEST ? 0 : FEWEST;
  if (half && swings(h->g_loss + n - half, half) && swings(h->d_loss + n - half, half))
    return COH_GAN_OSCILLATING;
  return won < TELLS_NONE ? COH_GAN_CANNOT_TELL : COH_GAN_BALANCED;
}

const char *coh_gan_state_text(coh_gan_state state) {
  switch (state) {
  case COH_GAN_UNKNOWN:
    return "No update was made.";
  case COH_GAN_BALANCED:
    return "The game is in balance: the discriminator prefers the real row more often than "
           "not, "
           "and the generator still has a slope to follow.";
  case COH_GAN_CANNOT_TELL:
    return "The discriminator cannot tell the pairs apart: either the game has ended in "
           "balance "
           "or the discriminator is too weak; the measurements decide which.";
  case COH_GAN_DISCRIMINATOR_WON:
    return "The discriminator has won: it tells nearly every pair apart, and the generator "
           "follows a slope that says little. A larger weight of r1 and r2, or a slower "
           "discriminator, helps.";
  case COH_GAN_SATURATED:
    return "The game is saturated: the discriminator tells nearly every pair apart and the "
           "generator's gradient has vanished, so that nothing more is learned. Another loss "
           "(relativistic, non_saturating), r1 and r2, or a slower discriminator from the "
           "start "
           "help.";
  case COH_GAN_COLLAPSED:
    return "The generator has collapsed: what it makes varies far less than the data. "
           "Relativistic pairing, r1 and r2, a larger batch or augments help.";
  case COH_GAN_OSCILLATING:
    return "The players chase each other in circles: both losses swing with a period. r1 and "
           "r2, smaller learning rates or a smaller beta1 help.";
  }
  return "";
}
