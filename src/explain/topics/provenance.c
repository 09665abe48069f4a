/* Where files come from: the note that every generated image, array and animation carries. */
#include <string.h>

#include "base/alloc.h"
#include "explain/topic.h"
#include "io/image.h"
#include "io/npz.h"

enum { MOST_BYTES = 1 << 30 };

static bool ends_with(const char *text, const char *ending) {
  size_t n = strlen(text), m = strlen(ending);
  return n >= m && strcmp(text + n - m, ending) == 0;
}

static coh_status say(const coh_explain_site *site, const char *path, const char *note) {
  COH_CHECK(note, COH_E_DATA, "%s: says nothing of where it comes from", path);
  coh_explain_say(site, "%s: %s", path, note);
  return COH_OK;
}

static coh_status show_safetensors(const coh_explain_site *site, const char *path) {
  coh_safetensors *file = NULL;
  COH_TRY(coh_safetensors_open(path, &file));
  coh_status status = say(site, path, coh_safetensors_metadata(file, "synthetic"));
  coh_safetensors_close(&file);
  return status;
}

static coh_status show_npz(const coh_explain_site *site, const char *path) {
  coh_npz npz;
  COH_TRY(coh_npz_read(path, MOST_BYTES, &npz));
  const coh_array *array = coh_npz_find(&npz, "synthetic");
  char note[1024] = "";
  if (array && array->dtype == COH_DTYPE_U8) {
    size_t n = (size_t)coh_array_count(array);
    memcpy(note, array->data, n < sizeof note ? n : sizeof note - 1);
  }
  coh_status status = say(site, path, *note ? note : NULL);
  coh_npz_clear(&npz);
  return status;
}

static coh_status show_png(const coh_explain_site *site, const char *path) {
  char *note = NULL;
  COH_TRY(coh_png_noted(path, "Provenance", &note));
  coh_status status = say(site, path, note);
  coh_free(note);
  return status;
}

static coh_status show(const coh_explain_site *site) {
  COH_CHECK(site->n_paths >= 1, COH_E_CONFIG,
            "topic 'provenance' is about files: cohort explain provenance FILE ...");
  for (int64_t i = 0; i < site->n_paths; i++) {
    const char *path = site->paths[i];
    if (ends_with(path, ".safetensors"))
      COH_TRY(show_safetensors(site, path));
    else if (ends_with(path, ".npz"))
      COH_TRY(show_npz(site, path));
    else
      COH_TRY(show_png(site, path));
  }
  return COH_OK;
}

const coh_explain_topic coh_explain_topic_provenance = {
    .kind = {.name = "provenance",
             .doc = "Whether PNG, safetensors and NPZ files say that they are synthetic, and "
                    "which run made them."},
    .needs_files = true,
    .show = show};
