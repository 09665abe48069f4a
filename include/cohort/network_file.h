/* Networks in files: a model.safetensors that says what it holds.
 *
 * Every checkpoint's model carries, beside its tensors, a card of each network: its layers as a
 * config would write them, the shape of a sample, how stored values become its input, what its
 * outputs are called. So any network of any run can be opened from the file alone:
 *
 *     coh_network_file_open("runs/NAME/checkpoints/step-.../model.safetensors", NULL, &file);
 *     coh_network_file_activations(file, "penultimate", dataset, 2, &features);
 *
 * Nothing here is collective. */
#ifndef COHORT_NETWORK_FILE_H
#define COHORT_NETWORK_FILE_H

#include "cohort/data.h"
#include "cohort/io.h"
#include "cohort/nn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Writing ----------------------------------------------------------------------------- */

/* What is known of a network beyond its description. Zero-initialised: nothing is known, values
 * are used as stored. Borrowed. */
typedef struct coh_network_facts {
  const char *role;  /* what its outputs are: "classes", "action values", "critic", "samples" */
  coh_affine affine; /* stored value -> input; scale 0 means 1 */
  const char *const *class_names; /* of the outputs, or NULL */
  int64_t n_classes;
} coh_network_facts;

/* The card of a network: key ("network", or "network.NAME") and value for the metadata of a
 * safetensors file. Both: caller frees with coh_free. Fails: COH_E_MEMORY. */
coh_status coh_network_card(const coh_network *network, const coh_network_facts *facts,
                            char **key, char **value);

/* ---- Reading ----------------------------------------------------------------------------- */

typedef struct coh_network_file coh_network_file;

/* Open a network of a safetensors file. name: of the network; NULL: the one without a name, or
 * the only one. Caller closes.
 * Fails: COH_E_DATA (no card, another producer, a tensor that is missing or of another shape;
 * the names that there are for an unknown one), COH_E_MEMORY. */
coh_status coh_network_file_open(const char *path, const char *name, coh_network_file **out);

/* Close; accepts NULL, sets NULL. */
void coh_network_file_close(coh_network_file **file);

/* What it holds. All borrowed, valid until closed. */
const coh_network *coh_network_file_network(const coh_network_file *file);
const char *coh_network_file_name(const coh_network_file *file); /* "" when it has none */
const coh_network_facts *coh_network_file_facts(const coh_network_file *file);
coh_shape coh_network_file_input(const coh_network_file *file); /* of one sample */

/* The parameters as one flat block of coh_network_floats floats. The caller may write to it,
 * e.g. to see what random weights would show. Borrowed. */
float *coh_network_file_params(coh_network_file *file);

/* The layers in order: "0.conv", "1.relu", ..., the output last. */
int64_t coh_network_file_n_layers(const coh_network_file *file);
const char *coh_network_file_layer(const coh_network_file *file, int64_t i);
coh_shape coh_network_file_layer_shape(const coh_network_file *file, int64_t i);

/* Find a layer by its name, by its kind where only one has it ("dense"), or "output" or
 * "penultimate" (what the output layer sees). Fails: COH_E_CONFIG with the closest match. */
coh_status coh_network_file_find(const coh_network_file *file, const char *layer, int64_t *i);

/* ---- Running ----------------------------------------------------------------------------- */

/* What a layer gives for every row of a dataset, whose stored values are turned to input by the
 * file's affine; a conditional network is told their labels. layer: as in
 * coh_network_file_find. n_threads: that take blocks of rows; the bits do not depend on it.
 * out: (n_rows, shape of the layer), caller clears. Fails: COH_E_CONFIG (the layer; rows of
 * another shape), COH_E_MEMORY. */
coh_status coh_network_file_activations(const coh_network_file *file, const char *layer,
                                        const coh_dataset *dataset, int n_threads,
                                        coh_array *out);

/* The same for n rows of input at hand, e.g. generated ones. rows: n x input shape, borrowed.
 */
coh_status coh_network_file_run(const coh_network_file *file, const char *layer,
                                const float *rows, int64_t n, int n_threads, coh_array *out);

#ifdef __cplusplus
}
#endif
#endif
