/* The option table of the layers that resample images. */
#include "nn/resample.h"

const coh_option coh_resample_table[] = {
    {.name = "factor",
     .type = COH_INT,
     .offset = offsetof(coh_resample_options, factor),
     .initial = "2",
     .min = 2,
     .max = 64,
     .doc = "How many times larger or smaller height and width become."},
    {.name = "method",
     .type = COH_CHOICE,
     .offset = offsetof(coh_resample_options, method),
     .initial = "bilinear",
     .choices = "nearest|bilinear|binomial|bicubic",
     .doc = "The filter; binomial is [1,2,1] and takes factor 2 only."},
    {0},
};
