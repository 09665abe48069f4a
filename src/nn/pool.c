/* The option table of the pooling layers. */
#include "nn/pool.h"

const coh_option coh_pool_table[] = {
    {.name = "kernel",
     .type = COH_INTS,
     .offset = offsetof(coh_pool_options, kernel),
     .initial = "2",
     .min = 1,
     .max = 1024,
     .unit = "pixels",
     .doc = "Size of the window: one number, or height and width."},
    {.name = "stride",
     .type = COH_INTS,
     .offset = offsetof(coh_pool_options, stride),
     .initial = "[]",
     .min = 1,
     .max = 1024,
     .unit = "pixels",
     .doc = "Distance between windows: one number, or height and width; empty: the kernel."},
    {.name = "padding",
     .type = COH_CHOICE,
     .offset = offsetof(coh_pool_options, padding),
     .initial = "valid",
     .choices = COH_PADDING_CHOICES,
     .doc = "Stay within the image (valid), or reach beyond its edge (same)."},
    {0},
};
