/* Windows of convolutions and pooling, from options to a coh_window. Padding "same" keeps
 * ceil(size / stride) positions, with the odd row or column of zeros at the end. */
#include "nn/layer_type.h"

// one number stands for both axes
static coh_status pair(const char *what, const coh_int_list *list, int64_t out[2]) {
  COH_CHECK(list->n_items == 1 || list->n_items == 2, COH_E_CONFIG,
            "%s takes one number or two (height, width), not %lld", what,
            (long long)list->n_items);
  out[0] = list->item[0];
  out[1] = list->item[list->n_items - 1];
  return COH_OK;
}

coh_status coh_layer_window(const coh_layer_site *site, coh_value in,
                            const coh_int_list *kernel, const coh_int_list *stride, int padding,
                            int64_t kernel_size[2], coh_window *window) {
  coh_shape shape = coh_graph_shape(site->graph, in);
  char text[96];
  COH_CHECK(shape.rank == 4, COH_E_CONFIG,
            "needs an image (height x width x channels) but its input is %s; put it before "
            "dense and flatten",
            coh_shape_text(shape, true, text));
  COH_TRY(pair("kernel", kernel, kernel_size));
  *window = (coh_window){0};
  COH_TRY(pair("stride", stride->n_items ? stride : kernel, window->stride));
  for (int axis = 0; axis < 2; axis++) {
    int64_t size = shape.size[1 + axis], step = window->stride[axis];
    if (padding == COH_PADDING_SAME) {
      int64_t covered = ((size + step - 1) / step - 1) * step + kernel_size[axis];
      int64_t total = covered > size ? covered - size : 0;
      window->pad_before[axis] = total / 2;
      window->pad_after[axis] = total - total / 2;
    }
    COH_CHECK(padding == COH_PADDING_SAME || kernel_size[axis] <= size, COH_E_CONFIG,
              "a kernel of %lld x %lld does not fit its input of %lld x %lld; take a smaller "
              "kernel or padding: same",
              (long long)kernel_size[0], (long long)kernel_size[1], (long long)shape.size[1],
              (long long)shape.size[2]);
  }
  return COH_OK;
}
