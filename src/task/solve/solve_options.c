/* The option table of task solve. */
#include "task/solve/solve_options.h"

#include "mdp/model_kind.h"
#include "mdp/plan.h"

#define FIELD(member) .offset = offsetof(coh_solve_options, member)

const coh_option coh_solve_option_table[] = {
    {.name = "model",
     .type = COH_KIND,
     FIELD(model),
     .kinds = &coh_mdp_model_kinds,
     .doc = "The decision process."},
    {.name = "objective",
     .type = COH_CHOICE,
     FIELD(objective),
     .initial = "discounted",
     .choices = "discounted|reach|total",
     .doc =
         "The discounted reward, whose rows ranks divide among them; the probability of ever "
         "reaching the target, or the undiscounted reward (until the target, where one is "
         "named): every rank holds the whole model."},
    {.name = "discount",
     .type = COH_REAL,
     FIELD(discount),
     .initial = "0.99",
     .min = 1e-9,
     .max = 1,
     .doc = "discounted: the factor of a step, below 1."},
    {.name = "sense",
     .type = COH_CHOICE,
     FIELD(sense),
     .initial = "max",
     .choices = "max|min",
     .doc = "The greatest value, or the least."},
    {.name = "target",
     .type = COH_STRING,
     FIELD(target),
     .initial = "\"\"",
     .doc = "reach, total: a label of the model, or numbers of states with commas."},
    {.name = "find",
     .type = COH_CHOICE,
     FIELD(find),
     .initial = "optimum",
     .choices = "optimum|evaluate|improve",
     .doc =
         "The optimum; the value of the policy; or (discounted) its value and the policy that "
         "is greedy for it."},
    {.name = "policy",
     .type = COH_STRING,
     FIELD(policy),
     .initial = "uniform",
     .doc = "evaluate, improve: uniform (every action is as likely), or a file: .npy of action "
            "numbers by state or of probabilities by row, .csv of state,action."},
    {.name = "method",
     .type = COH_KIND,
     FIELD(method),
     .initial = COH_MDP_METHOD_DEFAULT,
     .kinds = &coh_mdp_method_kinds,
     .doc =
         "discounted: what iterates. The default begins with plain sweeps, goes on with them "
         "while they narrow the bound well, and otherwise solves the greedy policy's "
         "equations over coarser chains. Reach and total have one method: bounds by interval "
         "and optimistic iteration."},
    {.name = "tolerance",
     .type = COH_REAL,
     FIELD(tolerance),
     .initial = "0",
     .max = 1e100,
     .doc =
         "Width of the bound that ends it; 0: 1e-9 of the largest value (reach, total: 1e-6, "
         "of totals above 1 relative)."},
    {.name = "form",
     .type = COH_CHOICE,
     FIELD(form),
     .initial = "plain",
     .choices = COH_MDP_FORM_CHOICES,
     .doc = "discounted: what sweeps read. plain: 12 bytes a transition; patterns: 2, the same "
            "bits, for models of few different rows of probabilities; single: 6, in single "
            "precision until the bound needs more. Columns of the last two lie near the state; "
            "with "
            "them every rank holds the whole model."},
    {.name = "q",
     .type = COH_BOOL,
     FIELD(q),
     .initial = "false",
     .doc = "Write the values of actions too, results/q.npy."},
    {.name = "compare",
     .type = COH_BOOL,
     FIELD(compare),
     .initial = "false",
     .doc = "discounted: then solve with every other method too, for a table and curves; every "
            "rank holds the whole model."},
    {0},
};
