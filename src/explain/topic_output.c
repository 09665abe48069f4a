/* Topics: the registry, their options, and how they say what they found. */
#include <stdarg.h>
#include <stdio.h>

#include "explain/topic.h"
#include "io/file.h"

#define X(name) extern const coh_explain_topic coh_explain_topic_##name;
#include "explain/topics/topic.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_explain_topic_##name.kind,
#include "explain/topics/topic.def"
#undef X
};

const coh_kind_set coh_explain_topic_kinds = {
    .noun = "topic", .kinds = kinds, .n_kinds = (int64_t)(sizeof kinds / sizeof *kinds)};

#define FIELD(member) .offset = offsetof(coh_explain_options, member)

const coh_option coh_explain_option_table[] = {
    {.name = "network",
     .type = COH_STRING,
     FIELD(network),
     .initial = "\"\"",
     .doc = "Which network of the run, e.g. discriminator; empty: the only one."},
    {.name = "layer",
     .type = COH_STRING,
     FIELD(layer),
     .initial = "\"\"",
     .doc = "A layer by its name, e.g. 1.relu; empty: the topic's choice."},
    {.name = "method",
     .type = COH_KIND,
     FIELD(method),
     .initial = "grad_cam",
     .kinds = &coh_explain_kinds,
     .doc = "Explanation that topic agent lays over the frames."},
    {.name = "images",
     .type = COH_INT,
     FIELD(images),
     .initial = "8",
     .min = 1,
     .max = 1000,
     .doc = "Inputs that are looked at."},
    {.name = "first",
     .type = COH_INT,
     FIELD(first),
     .initial = "0",
     .min = 0,
     .max = 1e12,
     .doc = "Row of the dataset to begin with."},
    {.name = "target",
     .type = COH_INT,
     FIELD(target),
     .initial = "-1",
     .min = -1,
     .max = 1 << 20,
     .doc = "Output asked about; -1: the network's own answer."},
    {.name = "units",
     .type = COH_INT,
     FIELD(units),
     .initial = "12",
     .min = 1,
     .max = 256,
     .doc = "Units of a layer that are shown."},
    {.name = "frames",
     .type = COH_INT,
     FIELD(frames),
     .initial = "200",
     .min = 1,
     .max = 100000,
     .doc = "Frames of an animation."},
    {.name = "seed",
     .type = COH_INT,
     FIELD(seed),
     .initial = "1",
     .max = 0x1p62,
     .doc = "Seed of random masks, noise and weights."},
    {0},
};

coh_status coh_explain_path(const coh_explain_site *site, const char *name,
                            const char *extension, char path[4096]) {
  snprintf(path, 4096, "%s/figures", site->folder);
  COH_TRY(coh_folder_make(path));
  snprintf(path, 4096, "%s/figures/explain-%s.%s", site->folder, name, extension);
  return COH_OK;
}

void coh_explain_picture(const coh_explain_site *site, const char *name, const char *extension,
                         const char *caption, bool pixelated) {
  char path[4096];
  snprintf(path, sizeof path, "figures/explain-%s.%s", name, extension);
  if (site->output->picture)
    site->output->picture(site->output->context, path, caption, pixelated);
}

void coh_explain_say(const coh_explain_site *site, const char *format, ...) {
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (site->output->text) site->output->text(site->output->context, text);
}

void coh_explain_warn(const coh_explain_site *site, const char *format, ...) {
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  if (site->output->warning) site->output->warning(site->output->context, text);
}

const char *coh_explain_output_name(const coh_network_file *file, int64_t k, char buffer[48]) {
  const coh_network_facts *facts = coh_network_file_facts(file);
  if (facts->class_names && k < facts->n_classes)
    snprintf(buffer, 48, "%.47s", facts->class_names[k]);
  else
    snprintf(buffer, 48, "output %lld", (long long)k);
  return buffer;
}
