/* Shift an image by whole pixels, up to a bound in both directions; what comes from outside is
 * what a stored 0 becomes. The same as padding and cropping at random. */
#include <inttypes.h>
#include <string.h>

#include "data/augmentation_type.h"

typedef struct shift_options {
  int64_t pixels;
} shift_options;

static const coh_option options_table[] = {{.name = "pixels",
                                            .type = COH_INT,
                                            .offset = offsetof(shift_options, pixels),
                                            .initial = "2",
                                            .min = 1,
                                            .max = 4096,
                                            .unit = "pixels",
                                            .doc = "Farthest shift to each side."},
                                           {.name = NULL}};

static coh_status check(const void *options, const coh_augment_site *site) {
  const shift_options *o = options;
  COH_CHECK(o->pixels < site->height && o->pixels < site->width, COH_E_CONFIG,
            "augment: shift: %" PRId64 " pixels would move images of %" PRId64 " x %" PRId64
            " out of sight",
            o->pixels, site->height, site->width);
  return COH_OK;
}

static void blank(const coh_augment_site *site, int64_t n, float *pixels) {
  for (int64_t i = 0; i < n * site->channels; i++)
    pixels[i] = site->fill;
}

// one line of the result from the line dy above; source and target may be the same
static void shift_line(const coh_augment_site *site, int64_t dx, const float *from, float *to) {
  const int64_t c = site->channels, kept = site->width - (dx < 0 ? -dx : dx);
  if (dx >= 0) {
    memmove(to + dx * c, from, (size_t)(kept * c) * sizeof *to);
    blank(site, dx, to);
  } else {
    memmove(to, from - dx * c, (size_t)(kept * c) * sizeof *to);
    blank(site, -dx, to + kept * c);
  }
}

static void apply(const void *options, const coh_augment_site *site, coh_stream *stream,
                  float *pixels) {
  const shift_options *o = options;
  const int64_t line = site->width * site->channels;
  int64_t dy = coh_stream_below(stream, 2 * o->pixels + 1) - o->pixels;
  int64_t dx = coh_stream_below(stream, 2 * o->pixels + 1) - o->pixels;
  // in place: lines are moved in the order that reads each before it is overwritten
  for (int64_t i = 0; i < site->height; i++) {
    int64_t y = dy > 0 ? site->height - 1 - i : i;
    if (y - dy >= 0 && y - dy < site->height)
      shift_line(site, dx, pixels + (y - dy) * line, pixels + y * line);
    else
      blank(site, site->width, pixels + y * line);
  }
}

const coh_augmentation_type coh_augmentation_type_shift = {
    .kind = {.name = "shift",
             .doc = "Shift every image by up to some pixels in both directions.",
             .options = options_table,
             .options_size = sizeof(shift_options)},
    .check = check,
    .apply = apply,
};
