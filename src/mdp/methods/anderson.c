/* Anderson-accelerated value iteration: the next values combine the last few so that their
 * residuals, taken as linear, would cancel. Where that widens the bound it is forgotten, and
 * plain sweeps follow for a while. Sources: Anderson 1965; Walker and Ni 2011; Geist and
 * Scherrer 2018. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "la/lapack.h"
#include "mdp/plan.h"

enum { MOST = 16 };

typedef struct anderson_options {
  int64_t memory;
} anderson_options;

static const coh_option table[] = {
    {.name = "memory",
     .type = COH_INT,
     .offset = offsetof(anderson_options, memory),
     .initial = "5",
     .min = 1,
     .max = MOST,
     .doc = "Earlier rounds that are combined."},
    {0},
};

typedef struct anderson_state {
  double *vectors;                        /* all of the below, one behind the other */
  double *value[MOST], *residual[MOST];   /* differences between rounds, a ring */
  double *last_value, *last_residual, *f; /* of the round before; this round's residual */
  double gram[MOST * MOST], right[MOST];
  int64_t n_kept, n_rounds; /* differences that hold; rounds since the memory was emptied */
  int64_t n_plain, pause;   /* plain sweeps still to do; how many the next failure costs */
  double last_width;
  double numbers[5]; /* that a checkpoint borrows */
} anderson_state;

static coh_status create(coh_mdp_plan *plan) {
  const anderson_options *options = plan->options;
  int64_t m = options->memory, n = plan->mdp->n_states;
  anderson_state *own;
  COH_NEW(own, 1);
  plan->own = own;
  own->pause = 1;
  own->last_width = INFINITY;
  COH_NEW(own->vectors, (2 * m + 3) * n);
  for (int64_t k = 0; k < m; k++) {
    own->value[k] = own->vectors + 2 * k * n;
    own->residual[k] = own->value[k] + n;
  }
  own->last_value = own->vectors + 2 * m * n;
  own->last_residual = own->last_value + n;
  own->f = own->last_residual + n;
  return COH_OK;
}

static void destroy(coh_mdp_plan *plan) {
  anderson_state *own = plan->own;
  if (!own) return;
  coh_free(own->vectors);
  coh_free(own);
}

/* keep the differences to the round before, and their products with all others */
static coh_status remember(coh_mdp_plan *plan, anderson_state *own, int64_t m) {
  int64_t n = plan->mdp->n_states, slot = (own->n_rounds - 1) % m;
  double *dx = own->value[slot], *df = own->residual[slot], sum[MOST];
  for (int64_t s = 0; s < n; s++) {
    dx[s] = plan->values[s] - own->last_value[s];
    df[s] = own->f[s] - own->last_residual[s];
  }
  if (own->n_kept < m) own->n_kept++;
  const double *x[MOST] = {NULL}, *y[MOST] = {NULL};
  for (int64_t k = 0; k < own->n_kept; k++) {
    x[k] = df;
    y[k] = own->residual[k];
  }
  COH_TRY(coh_mdp_shard_dots(plan->shard, (int)own->n_kept, x, y, sum));
  for (int64_t k = 0; k < own->n_kept; k++)
    own->gram[slot * MOST + k] = own->gram[k * MOST + slot] = sum[k];
  return COH_OK;
}

/* weights of the differences that make the residual least; not found: too ill-conditioned */
static coh_status find_weights(coh_mdp_plan *plan, anderson_state *own, bool *found) {
  int64_t k = own->n_kept;
  const double *x[MOST] = {NULL}, *y[MOST] = {NULL};
  double factor[MOST * MOST], trace = 0.0;
  for (int64_t i = 0; i < k; i++) {
    x[i] = own->residual[i];
    y[i] = own->f;
    trace += own->gram[i * MOST + i];
  }
  COH_TRY(coh_mdp_shard_dots(plan->shard, (int)k, x, y, own->right));
  for (int64_t i = 0; i < k; i++)
    for (int64_t j = 0; j < k; j++)
      factor[i * k + j] = own->gram[i * MOST + j] + (i == j ? 1e-13 * trace : 0.0);
  *found = trace > 0.0 && coh_la_cholesky(k, factor) == COH_OK;
  if (!*found) return COH_OK;
  coh_la_cholesky_solve(k, 1, factor, own->right);
  for (int64_t i = 0; i < k; i++)
    *found = *found && fabs(own->right[i]) < 1e8;
  return COH_OK;
}

static void combine(coh_mdp_plan *plan, const anderson_state *own) {
  for (int64_t s = 0; s < plan->mdp->n_states; s++) {
    double sum = plan->next[s];
    for (int64_t k = 0; k < own->n_kept; k++)
      sum -= own->right[k] * (own->value[k][s] + own->residual[k][s]);
    plan->values[s] = sum;
  }
}

static coh_status advance(coh_mdp_plan *plan) {
  anderson_state *own = plan->own;
  int64_t n = plan->mdp->n_states, m = ((const anderson_options *)plan->options)->memory;
  if (plan->width > 1.5 * own->last_width && own->n_plain == 0) { // it did harm
    own->n_kept = own->n_rounds = 0;
    own->n_plain = own->pause;
    if (own->pause < 1024) own->pause *= 2;
  }
  own->last_width = plan->width;
  for (int64_t s = 0; s < n; s++)
    own->f[s] = plan->next[s] - plan->values[s];
  if (own->n_rounds > 0) COH_TRY(remember(plan, own, m));
  own->n_rounds++;
  memcpy(own->last_value, plan->values, (size_t)n * sizeof(double));
  memcpy(own->last_residual, own->f, (size_t)n * sizeof(double));
  if (own->n_plain > 0) own->n_plain--;
  bool found = false;
  if (own->n_kept > 0 && own->n_plain == 0) COH_TRY(find_weights(plan, own, &found));
  if (found)
    combine(plan, own);
  else
    memcpy(plan->values, plan->next, (size_t)n * sizeof(double));
  return COH_OK;
}

static coh_status visit(coh_mdp_plan *plan, coh_mdp_visit *visitor, void *context) {
  enum { N = 5 };
  anderson_state *own = plan->own;
  int64_t m = ((const anderson_options *)plan->options)->memory, n = plan->mdp->n_states;
  double *numbers = own->numbers;
  numbers[0] = (double)own->n_kept;
  numbers[1] = (double)own->n_rounds;
  numbers[2] = (double)own->n_plain;
  numbers[3] = (double)own->pause;
  numbers[4] = own->last_width;
  COH_TRY(visitor(context, "anderson.numbers", false,
                  &(coh_array){COH_DTYPE_F64, 1, {N}, numbers}));
  COH_TRY(visitor(context, "anderson.vectors", true,
                  &(coh_array){COH_DTYPE_F64, 2, {2 * m + 2, n}, own->vectors}));
  COH_TRY(visitor(context, "anderson.gram", false,
                  &(coh_array){COH_DTYPE_F64, 1, {MOST * MOST}, own->gram}));
  own->n_kept = (int64_t)numbers[0];
  own->n_rounds = (int64_t)numbers[1];
  own->n_plain = (int64_t)numbers[2];
  own->pause = (int64_t)numbers[3];
  own->last_width = numbers[4];
  COH_CHECK(own->n_kept >= 0 && own->n_kept <= m && own->n_rounds >= 0, COH_E_CHECKPOINT,
            "anderson.numbers make no sense");
  return COH_OK;
}

const coh_mdp_method coh_mdp_anderson = {
    .kind = {"anderson", "Value iteration with Anderson's acceleration, safeguarded.", table,
             sizeof(anderson_options)},
    .create = create,
    .destroy = destroy,
    .advance = advance,
    .visit = visit};
