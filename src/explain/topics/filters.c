/* The filters of the first convolution. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "explain/topic.h"
#include "nn/network.h"

enum { MAX_FILTERS = 128 };

static const coh_network_parameter *first_filters(const coh_network *network) {
  for (int64_t k = 0; k < network->n_parameters; k++)
    if (network->parameter[k].plan.shape.rank == 4) return &network->parameter[k];
  return NULL;
}

// filter o: the sum over its input channels
static void fold(const float *w, const coh_shape *shape, int64_t o, float *out) {
  int64_t area = shape->size[0] * shape->size[1], inputs = shape->size[2];
  for (int64_t i = 0; i < area; i++) {
    out[i] = 0;
    for (int64_t c = 0; c < inputs; c++)
      out[i] += w[(i * inputs + c) * shape->size[3] + o];
  }
}

static coh_status draw(const coh_explain_site *site, const coh_network_parameter *p) {
  const coh_shape *shape = &p->plan.shape;
  int64_t area = shape->size[0] * shape->size[1];
  int64_t n = shape->size[3] < MAX_FILTERS ? shape->size[3] : MAX_FILTERS;
  const float *w = coh_network_file_params(site->file) + p->offset;
  uint8_t *pixels = coh_alloc_array((size_t)(n * area), 3);
  float *one = coh_alloc_array((size_t)area, sizeof *one);
  const uint8_t *cell[MAX_FILTERS];
  const char *label[MAX_FILTERS];
  char text[MAX_FILTERS][16], path[4096], caption[256];
  coh_status status = pixels && one ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  for (int64_t o = 0; status == COH_OK && o < n; o++) {
    fold(w, shape, o, one);
    coh_image_from_signed(one, area, 0, pixels + o * area * 3);
    cell[o] = pixels + o * area * 3;
    snprintf(text[o], sizeof text[o], "%lld", (long long)o);
    label[o] = text[o];
  }
  const char *layer = coh_network_file_layer(site->file, p->layer);
  snprintf(caption, sizeof caption,
           "The %lld filters of %.80s, %lld x %lld%s; red is positive, blue negative, each to "
           "its own largest weight.",
           (long long)shape->size[3], layer, (long long)shape->size[0],
           (long long)shape->size[1], shape->size[2] > 1 ? ", summed over input channels" : "");
  if (status == COH_OK) status = coh_explain_path(site, "filters", "png", path);
  coh_grid grid = {.title = layer,
                   .cell = cell,
                   .n_cells = n,
                   .width = shape->size[1],
                   .height = shape->size[0],
                   .n_channels = 3,
                   .columns = n > 16 ? 16 : (int)n,
                   .scale = shape->size[1] < 56 ? (int)(56 / shape->size[1]) : 1,
                   .label = label};
  if (status == COH_OK) status = coh_grid_write(&grid, path);
  if (status == COH_OK) coh_explain_picture(site, "filters", "png", caption, true);
  coh_free(pixels), coh_free(one);
  return status;
}

static coh_status show(const coh_explain_site *site) {
  const coh_network_parameter *p = first_filters(coh_network_file_network(site->file));
  if (p) return draw(site, p);
  coh_explain_say(site, "The network has no convolution whose filters could be shown.");
  return COH_OK;
}

const coh_explain_topic coh_explain_topic_filters = {
    .kind = {.name = "filters", .doc = "Filters of the first convolution."},
    .needs_network = true,
    .show = show,
};
