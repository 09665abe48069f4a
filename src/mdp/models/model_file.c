/* A model in a file. */
#include "mdp/model_kind.h"

typedef struct file_options {
  char *path;
} file_options;

static const coh_option table[] = {
    {.name = "path",
     .type = COH_STRING,
     .offset = offsetof(file_options, path),
     .doc = "Storm's .drn, PRISM's explicit .tra (with .lab, .srew, .rew, .trew beside it), .csv "
            "or .npz."},
    {0},
};

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  (void)seed;
  coh_mdp_file_options options = {.discount = discount};
  return coh_mdp_open(((const file_options *)given)->path, &options, mdp);
}

const coh_mdp_model_kind coh_mdp_model_file = {
    .kind = {"file", "A model that was written by Storm, PRISM or NumPy, or by hand as CSV.",
             table, sizeof(file_options)},
    .make = make};
