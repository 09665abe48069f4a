/* The window of convolutions and poolings: defaults, bounds, how many places it has. */
#include "graph/sliding_window.h"

bool coh_window_complete(coh_graph *g, const char *op, coh_value x, coh_window *window) {
  if (window->groups == 0) window->groups = 1;
  bool sound = window->groups >= 1;
  for (int k = 0; k < 2; k++) {
    if (window->stride[k] == 0) window->stride[k] = 1;
    if (window->dilation[k] == 0) window->dilation[k] = 1;
    sound = sound && window->stride[k] >= 1 && window->dilation[k] >= 1 &&
            window->pad_before[k] >= 0 && window->pad_after[k] >= 0;
  }
  if (!sound)
    coh_graph_fail(g,
                   "%s of '%s': stride, dilation and groups must be at least 1, padding at "
                   "least 0",
                   op, coh_graph_name_of(g, x));
  return sound;
}

int64_t coh_window_places(const coh_window *window, int axis, int64_t size, int64_t kernel) {
  int64_t reach = window->dilation[axis] * (kernel - 1) + 1;
  int64_t room = size + window->pad_before[axis] + window->pad_after[axis] - reach;
  return kernel < 1 || room < 0 ? 0 : room / window->stride[axis] + 1;
}

coh_attributes coh_window_pack(const coh_window *window) {
  coh_attributes attributes = {.integer = {[8] = window->groups}};
  for (int k = 0; k < 2; k++) {
    attributes.integer[k] = window->stride[k];
    attributes.integer[2 + k] = window->pad_before[k];
    attributes.integer[4 + k] = window->pad_after[k];
    attributes.integer[6 + k] = window->dilation[k];
  }
  return attributes;
}

coh_window coh_window_unpack(const coh_attributes *attributes) {
  coh_window window = {.groups = attributes->integer[8]};
  for (int k = 0; k < 2; k++) {
    window.stride[k] = attributes->integer[k];
    window.pad_before[k] = attributes->integer[2 + k];
    window.pad_after[k] = attributes->integer[4 + k];
    window.dilation[k] = attributes->integer[6 + k];
  }
  return window;
}
