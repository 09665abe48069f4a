/* How the game goes, in words: what a person would read out of its curves. */
#ifndef COHORT_TASK_GAN_DIAGNOSIS_H
#define COHORT_TASK_GAN_DIAGNOSIS_H

#include <stdint.h>

/* The last rows of metrics, oldest first; plain numbers, so that a checkpoint keeps them. */
enum { COH_GAN_HISTORY = 128 };
typedef struct coh_gan_history {
  double n;                    /* rows kept */
  double won[COH_GAN_HISTORY]; /* share of pairs that the discriminator tells apart */
  double d_loss[COH_GAN_HISTORY], g_loss[COH_GAN_HISTORY];
  double slope[COH_GAN_HISTORY]; /* norm of the generator's gradient */
  double steepest;               /* the largest that was ever seen */
} coh_gan_history;

/* Append a row; the oldest leaves when there is no room. A slope that is not known is as the
 * one before. */
void coh_gan_remember(coh_gan_history *history, double won, double d_loss, double g_loss,
                      double slope);

typedef enum coh_gan_state {
  COH_GAN_UNKNOWN,           /* no updates yet */
  COH_GAN_BALANCED,          /* the discriminator is better than chance, and can be fooled */
  COH_GAN_CANNOT_TELL,       /* it is no better than chance */
  COH_GAN_DISCRIMINATOR_WON, /* it tells nearly all pairs apart */
  COH_GAN_SATURATED,         /* and the generator's gradient has vanished */
  COH_GAN_COLLAPSED,         /* generated rows are all alike */
  COH_GAN_OSCILLATING,       /* the players chase each other round in circles */
} coh_gan_state;

/* Judge. diversity: variance of generated rows over that of the data; modes: share of known
 * modes that were found; NAN: not known. */
coh_gan_state coh_gan_diagnose(const coh_gan_history *history, double diversity, double modes);

/* A sentence for people: what it is and what helps. */
const char *coh_gan_state_text(coh_gan_state state);

#endif
