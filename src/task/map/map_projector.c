/* A folder that TensorBoard's projector opens (`tensorboard --logdir FOLDER`), and of which the
 * tables load in the projector's page: places without a header, a header and a line a row
 * beside them, a square sheet of images of at most 8192 pixels a side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/file.h"
#include "task/map/map_view.h"
#include "task/row_images.h"

enum { PATH_BYTES = 4096, SPRITE_SIDE = 8192, LEAST_IMAGE = 8 };

static coh_status save(const coh_map_view *view, const char *name, coh_text *text) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results/projector/%s", view->folder, name);
  coh_status status = text->failed ? coh_fail(COH_E_MEMORY, "%s: out of memory", path)
                                   : coh_file_save(path, text->data, text->n_bytes);
  coh_text_clear(text);
  return status;
}

static coh_status write_tensors(const coh_map_view *view) {
  int64_t n = coh_dataset_spec_of(view->rows)->n_rows, d = view->dims;
  coh_text text = {0};
  for (int64_t i = 0; i < n * d; i++)
    coh_text_add(&text, "%.9g%s", (double)view->y[i], (i + 1) % d ? "\t" : "\n");
  return save(view, "tensors.tsv", &text);
}

static coh_status write_metadata(const coh_map_view *view) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(view->rows);
  const int32_t *label = coh_dataset_labels(view->rows);
  coh_text text = {0};
  coh_text_add(&text, label ? "label\trow\n" : "name\trow\n");
  for (int64_t i = 0; i < spec->n_rows; i++) {
    if (!label)
      coh_text_add(&text, "row %lld", (long long)i);
    else
      for (const char *c = spec->class_names[label[i]]; *c; c++)
        coh_text_add_bytes(&text, *c == '\t' || *c == '\n' || *c == '\r' ? " " : c, 1);
    coh_text_add(&text, "\t%lld\n", (long long)i);
  }
  return save(view, "metadata.tsv", &text);
}

// all rows or none, in a square; width, height: out, of an image in it, 0: there is none
static coh_status write_sprite(const coh_map_view *view, int64_t *width, int64_t *height) {
  const coh_dataset_spec *spec = coh_dataset_spec_of(view->images);
  int64_t columns = (int64_t)ceil(sqrt((double)spec->n_rows)), shrink = 1;
  int64_t side = spec->shape[0] > spec->shape[1] ? spec->shape[0] : spec->shape[1];
  while (columns * (side / shrink) > SPRITE_SIDE)
    shrink++;
  *width = *height = 0;
  if (side / shrink < LEAST_IMAGE && shrink > 1) return COH_OK;
  coh_image_sheet sheet = {.step = 1, .n_images = spec->n_rows, .columns = columns};
  COH_TRY(coh_image_sheet_fill(view->images, shrink, columns, &sheet));
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results/projector/sprite.png", view->folder);
  coh_status status = coh_png_write(path, &sheet.image);
  coh_image_clear(&sheet.image);
  *width = sheet.width;
  *height = sheet.height;
  return status;
}

coh_status coh_map_projector_write(const coh_map_view *view, coh_results *results) {
  char path[PATH_BYTES];
  snprintf(path, sizeof path, "%s/results/projector", view->folder);
  COH_TRY(coh_folder_make(path));
  COH_TRY(write_tensors(view));
  COH_TRY(write_metadata(view));
  int64_t w = 0, h = 0;
  if (coh_rows_are_images(view->images)) COH_TRY(write_sprite(view, &w, &h));
  coh_text text = {0};
  coh_text_add(&text, "embeddings {\n  tensor_name: \"map\"\n  tensor_path: \"tensors.tsv\"\n"
                      "  metadata_path: \"metadata.tsv\"\n");
  if (w)
    coh_text_add(&text,
                 "  sprite {\n    image_path: \"sprite.png\"\n    single_image_dim: %lld\n"
                 "    single_image_dim: %lld\n  }\n",
                 (long long)w, (long long)h);
  coh_text_add(&text, "}\n");
  COH_TRY(save(view, "projector_config.pbtxt", &text));
  coh_results_text(results, "results/projector opens in TensorBoard's projector: tensorboard "
                            "--logdir results/projector.");
  return COH_OK;
}
