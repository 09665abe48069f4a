/* The options of task gan. */
#ifndef COHORT_TASK_GAN_OPTIONS_H
#define COHORT_TASK_GAN_OPTIONS_H

#include "cohort/data.h"
#include "cohort/nn.h"
#include "cohort/option.h"

typedef struct coh_gan_content {
  double weight; /* 0: none */
  int norm;      /* 0: |difference|, 1: its square */
} coh_gan_content;

typedef struct coh_gan_evaluation {
  int64_t samples;           /* of an evaluation */
  char *classifier, *second; /* model.safetensors of classifiers, "" for none */
  int64_t neighbors;
  bool thorough;
} coh_gan_evaluation;

typedef struct coh_gan_options {
  coh_choice dataset, test;
  coh_loader_options loader;
  coh_choice source;
  bool conditional;
  coh_choice_list generator, discriminator;
  coh_choice initializer;
  coh_choice loss;
  coh_choice_list regularizers, augments;
  double adversarial; /* weight of the game in the generator's loss */
  coh_gan_content content;
  bool see_source; /* the discriminator sees the source beside the image */
  bool patches;    /* the discriminator gives a map of values, each of a patch */
  coh_choice generator_optimizer, discriminator_optimizer;
  double average; /* decay of the averaged generator */
  coh_gan_evaluation evaluation;
} coh_gan_options;

extern const coh_option coh_gan_option_table[];

#endif
