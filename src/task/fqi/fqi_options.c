/* The option table of task fqi, and the checks across rows. */
#include "task/fqi/fqi_options.h"

#include "cohort/env.h"
#include "task/fqi/regressor.h"

#define RECORD(member) .offset = offsetof(coh_fqi_record, member)
static const coh_option record_table[] = {
    {.name = "transitions",
     .type = COH_INT,
     RECORD(transitions),
     .initial = "10000",
     .min = 1,
     .max = 4e9,
     .doc = "Transitions of random behaviour; the last episode is cut there."},
    {.name = "episodes",
     .type = COH_INT,
     RECORD(episodes),
     .initial = "0",
     .max = 4e9,
     .doc = "Episodes; 0: as many as the transitions make."},
    {0},
};

#define GROW(member) .offset = offsetof(coh_fqi_grow, member)
static const coh_option grow_table[] = {
    {.name = "every",
     .type = COH_INT,
     GROW(every),
     .initial = "0",
     .max = 1e9,
     .unit = "iterations",
     .doc = "Iterations between additions to the batch; 0: it stays as it is."},
    {.name = "transitions",
     .type = COH_INT,
     GROW(transitions),
     .initial = "1000",
     .min = 1,
     .max = 4e9,
     .doc = "Transitions of an addition, by the policy of the moment."},
    {.name = "epsilon",
     .type = COH_REAL,
     GROW(epsilon),
     .initial = "0.1",
     .max = 1,
     .doc = "Chance of a random action while the batch grows."},
    {0},
};

#define EVALUATION(member) .offset = offsetof(coh_fqi_evaluation, member)
static const coh_option evaluation_table[] = {
    {.name = "env",
     .type = COH_KINDS,
     EVALUATION(env),
     .initial = "",
     .kinds = &coh_env_kinds,
     .doc = "Environment to play in, such as the same one with other starts; none: env."},
    {.name = "episodes",
     .type = COH_INT,
     EVALUATION(episodes),
     .initial = "100",
     .min = 1,
     .max = 1e6,
     .doc = "Episodes played, each in an environment of its own."},
    {.name = "max_steps",
     .type = COH_INT,
     EVALUATION(max_steps),
     .initial = "1000",
     .min = 1,
     .max = 1e9,
     .doc = "Steps after which an episode counts as it is."},
    {.name = "seed",
     .type = COH_INT,
     EVALUATION(seed),
     .initial = "1",
     .max = 0x1p32,
     .doc = "Seed of the evaluation's environments, together with the run's."},
    {.name = "fitted",
     .type = COH_INT,
     EVALUATION(fitted),
     .initial = "0",
     .max = 1e6,
     .unit = "iterations",
     .doc = "Iterations of fitted Q evaluation (Le et al. 2019), which judges the policy from "
            "the batch alone; 0: none where there is an environment, else as many as were "
            "learned."},
    {0},
};

#define CLONING(member) .offset = offsetof(coh_fqi_cloning, member)
static const coh_option cloning_table[] = {
    {.name = "epochs",
     .type = COH_INT,
     CLONING(epochs),
     .initial = "100",
     .max = 1e6,
     .doc =
         "Passes over the batch that fit the behaviour's policy; 0: no clone, and nothing is "
         "said about support."},
    {.name = "network",
     .type = COH_KINDS,
     CLONING(network),
     .initial = "[dense: 16, tanh]",
     .kinds = &coh_layer_kinds,
     .doc = "Layers of the clone."},
    {.name = "initializer",
     .type = COH_KIND,
     CLONING(initializer),
     .initial = "pytorch",
     .kinds = &coh_initializer_kinds,
     .doc = "How its parameters begin."},
    {.name = "optimizer",
     .type = COH_KIND,
     CLONING(optimizer),
     .initial = "rprop",
     .kinds = &coh_optimizer_kinds,
     .doc = "Its optimiser, of full batches."},
    {.name = "support",
     .type = COH_REAL,
     CLONING(support),
     .initial = "0.3",
     .max = 1,
     .doc =
         "An action has support where the behaviour takes it at least this often, as a share "
         "of its likeliest action's probability (Fujimoto et al. 2019)."},
    {.name = "tolerance",
     .type = COH_REAL,
     CLONING(tolerance),
     .initial = "0.05",
     .max = 1,
     .doc = "Share of greedy actions without support above which there is a warning."},
    {0},
};

#define FIELD(member) .offset = offsetof(coh_fqi_options, member)
const coh_option coh_fqi_option_table[] = {
    {.name = "env",
     .type = COH_KINDS,
     FIELD(env),
     .initial = "",
     .kinds = &coh_env_kinds,
     .doc = "Environment that behaviour is recorded from and policies are played in; none: the "
            "batch is all there is."},
    {.name = "batch",
     .type = COH_STRING,
     FIELD(batch),
     .initial = "\"\"",
     .doc = "Recorded behaviour: .npz, .csv, .hdf5 or a folder of .npy (cohort record writes "
            "them); none: random behaviour in env. A folder is mapped and may be larger than "
            "memory for ridge and nfq; trees need its rows in memory."},
    {.name = "record",
     .type = COH_GROUP,
     FIELD(record),
     .group = record_table,
     .doc = "How much is recorded where there is no batch."},
    {.name = "grow",
     .type = COH_GROUP,
     FIELD(grow),
     .group = grow_table,
     .doc = "Batches that grow by acting greedily in env."},
    {.name = "gamma",
     .type = COH_REAL,
     FIELD(gamma),
     .initial = "0.95",
     .max = 1,
     .doc = "Discount."},
    {.name = "regressor",
     .type = COH_KIND,
     FIELD(regressor),
     .initial = "extra_trees",
     .kinds = &coh_regressor_kinds,
     .doc = "What action values are fitted with in every iteration."},
    {.name = "stop",
     .type = COH_REAL,
     FIELD(stop),
     .initial = "0",
     .max = 1e9,
     .doc = "The run ends when no value changes more in an iteration; 0: at its length."},
    {.name = "evaluation",
     .type = COH_GROUP,
     FIELD(evaluation),
     .group = evaluation_table,
     .doc = "How the policy is judged."},
    {.name = "cloning",
     .type = COH_GROUP,
     FIELD(cloning),
     .group = cloning_table,
     .doc = "The behaviour's policy by cloning: a baseline, and what measures support."},
    {0},
};

coh_status coh_fqi_options_check(const coh_fqi_options *o, const char *name) {
  COH_CHECK(o->env.n_items <= 1 && o->evaluation.env.n_items <= 1, COH_E_CONFIG,
            "%s: env takes one environment", name);
  COH_CHECK(o->env.n_items == 1 || *o->batch, COH_E_CONFIG,
            "%s: there is nothing to learn from: give a batch, or an env to record from", name);
  COH_CHECK(o->env.n_items == 1 || o->grow.every == 0, COH_E_CONFIG,
            "%s: grow: a batch grows by acting in an env; there is none", name);
  COH_CHECK(o->env.n_items == 1 || o->evaluation.env.n_items == 0, COH_E_CONFIG,
            "%s: evaluation: an env for evaluation goes with an env", name);
  return COH_OK;
}
