/* Building a model row by row, with every check on the way in. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_file.h"

struct coh_mdp_builder {
  coh_mdp *mdp;
  int64_t row_capacity, entry_capacity;
  int64_t state;   /* whose rows are being added; -1 before the first */
  double sum;      /* of the open row's probabilities, as given */
  double expected; /* reward over the open row's transitions */
  bool open;       /* a row takes entries */
};

coh_status coh_mdp_build(int64_t n_states, double discount, coh_mdp_builder **out) {
  COH_CHECK(n_states >= 1 && n_states <= UINT32_MAX, COH_E_DATA,
            "a model has 1 to 2^32 - 1 states, not %lld", (long long)n_states);
  COH_CHECK(discount > 0.0 && discount <= 1.0, COH_E_DATA,
            "a discount is above 0 and at most 1, not %g", discount);
  coh_mdp_builder *builder;
  COH_NEW(builder, 1);
  builder->state = -1;
  builder->mdp = coh_alloc_array(1, sizeof *builder->mdp);
  if (builder->mdp) {
    builder->mdp->n_states = n_states;
    builder->mdp->discount = discount;
    builder->mdp->first_row = coh_alloc_array((size_t)n_states + 1, sizeof(int64_t));
  }
  if (!builder->mdp || !builder->mdp->first_row) {
    coh_mdp_discard(&builder);
    return coh_fail(COH_E_MEMORY, "out of memory for %lld states", (long long)n_states);
  }
  *out = builder;
  return COH_OK;
}

void coh_mdp_discard(coh_mdp_builder **builder) {
  if (!*builder) return;
  coh_mdp_destroy(&(*builder)->mdp);
  COH_DELETE(*builder);
}

static coh_status resize(void **array, int64_t from, int64_t to, size_t size) {
  void *grown = coh_alloc_resize(*array, (size_t)from, (size_t)to, size);
  COH_CHECK(grown, COH_E_MEMORY, "out of memory: %lld x %zu bytes of a model", (long long)to,
            size);
  *array = grown;
  return COH_OK;
}

static coh_status size_rows(coh_mdp *mdp, int64_t from, int64_t to) {
  int64_t had = mdp->first_entry ? from + 1 : 0;
  COH_TRY(resize((void **)&mdp->first_entry, had, to + 1, sizeof *mdp->first_entry));
  COH_TRY(resize((void **)&mdp->reward, from, to, sizeof *mdp->reward));
  return resize((void **)&mdp->action, from, to, sizeof *mdp->action);
}

static coh_status size_entries(coh_mdp *mdp, int64_t from, int64_t to) {
  COH_TRY(resize((void **)&mdp->next, from, to, sizeof *mdp->next));
  return resize((void **)&mdp->probability, from, to, sizeof *mdp->probability);
}

/* Insertion sort: rows are short and mostly in order already. */
static void sort_row(uint32_t *next, double *probability, int64_t n) {
  for (int64_t i = 1; i < n; i++) {
    uint32_t column = next[i];
    double p = probability[i];
    int64_t k = i;
    for (; k > 0 && next[k - 1] > column; k--) {
      next[k] = next[k - 1];
      probability[k] = probability[k - 1];
    }
    next[k] = column;
    probability[k] = p;
  }
}

/* A long row: heap sort keeps the worst case n log n. */
static void sift(uint32_t *next, double *probability, int64_t at, int64_t n) {
  for (int64_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && next[child + 1] > next[child]) child++;
    if (next[at] >= next[child]) return;
    uint32_t column = next[at];
    double p = probability[at];
    next[at] = next[child];
    probability[at] = probability[child];
    next[child] = column;
    probability[child] = p;
  }
}

static void sort_long_row(uint32_t *next, double *probability, int64_t n) {
  for (int64_t k = n / 2 - 1; k >= 0; k--)
    sift(next, probability, k, n);
  for (int64_t end = n - 1; end > 0; end--) {
    uint32_t column = next[0];
    double p = probability[0];
    next[0] = next[end];
    probability[0] = probability[end];
    next[end] = column;
    probability[end] = p;
    sift(next, probability, 0, end);
  }
}

static bool is_sorted(const uint32_t *next, int64_t n) {
  for (int64_t k = 1; k < n; k++)
    if (next[k - 1] >= next[k]) return false;
  return true;
}

/* Sort the open row, join equal columns, make it sum to one. */
coh_status coh_mdp_close_row(coh_mdp_builder *builder) {
  coh_mdp *mdp = builder->mdp;
  if (!builder->open) return COH_OK;
  builder->open = false;
  int64_t row = mdp->n_rows - 1, first = mdp->first_entry[row], n = mdp->n_entries - first;
  COH_CHECK(fabs(builder->sum - 1.0) <= 1e-6, COH_E_DATA,
            "state %lld, action %d: probabilities sum to %.9g, not 1",
            (long long)builder->state, mdp->action[row], builder->sum);
  uint32_t *next = mdp->next + first;
  double *probability = mdp->probability + first;
  if (!is_sorted(next, n)) {
    if (n <= 32)
      sort_row(next, probability, n);
    else
      sort_long_row(next, probability, n);
    int64_t kept = 0;
    for (int64_t k = 1; k < n; k++) {
      if (next[k] == next[kept]) {
        probability[kept] += probability[k];
        continue;
      }
      next[++kept] = next[k];
      probability[kept] = probability[k];
    }
    n = kept + 1;
    mdp->n_entries = first + n;
  }
  // rounding alone is no reason to touch what was given
  double scale = fabs(builder->sum - 1.0) > 1e-12 ? 1.0 / builder->sum : 1.0;
  if (scale != 1.0)
    for (int64_t k = 0; k < n; k++)
      probability[k] *= scale;
  mdp->reward[row] += builder->expected * scale;
  COH_CHECK(isfinite(mdp->reward[row]), COH_E_DATA, "state %lld, action %d: reward is %g",
            (long long)builder->state, mdp->action[row], mdp->reward[row]);
  mdp->first_entry[row + 1] = mdp->n_entries;
  return COH_OK;
}

coh_status coh_mdp_add_row(coh_mdp_builder *builder, int64_t state, int32_t action,
                           double reward) {
  coh_mdp *mdp = builder->mdp;
  COH_CHECK(state >= 0 && state < mdp->n_states, COH_E_DATA, "state %lld: states are 0 to %lld",
            (long long)state, (long long)mdp->n_states - 1);
  COH_CHECK(state >= builder->state, COH_E_DATA, "state %lld comes after state %lld",
            (long long)state, (long long)builder->state);
  COH_CHECK(state <= builder->state + 1, COH_E_DATA, "state %lld has no action",
            (long long)builder->state + 1);
  COH_CHECK(action >= 0, COH_E_DATA, "state %lld: action %d is negative", (long long)state,
            action);
  COH_CHECK(state > builder->state || action > mdp->action[mdp->n_rows - 1], COH_E_DATA,
            "state %lld: action %d comes after action %d", (long long)state, action,
            mdp->action[mdp->n_rows - 1]);
  COH_CHECK(isfinite(reward), COH_E_DATA, "state %lld, action %d: reward is %g",
            (long long)state, action, reward);
  COH_TRY(coh_mdp_close_row(builder));
  if (mdp->n_rows == builder->row_capacity) {
    int64_t capacity = builder->row_capacity ? 2 * builder->row_capacity : 2 * mdp->n_states;
    COH_TRY(size_rows(mdp, builder->row_capacity, capacity));
    builder->row_capacity = capacity;
  }
  if (state > builder->state) mdp->first_row[state] = mdp->n_rows;
  builder->state = state;
  builder->sum = builder->expected = 0.0;
  mdp->first_entry[mdp->n_rows] = mdp->n_entries;
  mdp->reward[mdp->n_rows] = reward;
  mdp->action[mdp->n_rows] = action;
  if (mdp->n_actions <= action) mdp->n_actions = (int64_t)action + 1;
  mdp->n_rows++;
  builder->open = true;
  return COH_OK;
}

coh_status coh_mdp_add_entry(coh_mdp_builder *builder, int64_t next, double probability,
                             double reward) {
  coh_mdp *mdp = builder->mdp;
  COH_CHECK(builder->open, COH_E_INTERNAL, "a transition that belongs to no action");
  COH_CHECK(next >= 0 && next < mdp->n_states, COH_E_DATA,
            "state %lld, action %d: next state %lld; states are 0 to %lld",
            (long long)builder->state, mdp->action[mdp->n_rows - 1], (long long)next,
            (long long)mdp->n_states - 1);
  COH_CHECK(probability >= 0.0 && probability <= 1.0 + 1e-6, COH_E_DATA,
            "state %lld, action %d: %g is not a probability", (long long)builder->state,
            mdp->action[mdp->n_rows - 1], probability);
  COH_CHECK(isfinite(reward), COH_E_DATA, "state %lld, action %d: reward is %g",
            (long long)builder->state, mdp->action[mdp->n_rows - 1], reward);
  if (probability == 0.0) return COH_OK;
  if (mdp->n_entries == builder->entry_capacity) {
    int64_t capacity =
        builder->entry_capacity ? builder->entry_capacity * 3 / 2 : 4 * mdp->n_states + 16;
    COH_TRY(size_entries(mdp, builder->entry_capacity, capacity));
    builder->entry_capacity = capacity;
  }
  mdp->next[mdp->n_entries] = (uint32_t)next;
  mdp->probability[mdp->n_entries] = probability;
  mdp->n_entries++;
  builder->sum += probability;
  builder->expected += probability * reward;
  return COH_OK;
}

coh_status coh_mdp_add_terminal(coh_mdp_builder *builder, int64_t state) {
  COH_TRY(coh_mdp_add_row(builder, state, 0, 0.0));
  return coh_mdp_add_entry(builder, state, 1.0, 0.0);
}

static coh_status finish(coh_mdp_builder *builder) {
  coh_mdp *mdp = builder->mdp;
  COH_CHECK(builder->state == mdp->n_states - 1, COH_E_DATA, "state %lld has no action",
            (long long)builder->state + 1);
  COH_TRY(coh_mdp_close_row(builder));
  mdp->first_row[mdp->n_states] = mdp->n_rows;
  mdp->row_length = mdp->first_entry[1];
  for (int64_t r = 1; r < mdp->n_rows && mdp->row_length > 0; r++)
    if (mdp->first_entry[r + 1] - mdp->first_entry[r] != mdp->row_length) mdp->row_length = 0;
  COH_TRY(size_rows(mdp, builder->row_capacity, mdp->n_rows));
  return size_entries(mdp, builder->entry_capacity, mdp->n_entries);
}

coh_status coh_mdp_finish(coh_mdp_builder **builder, coh_mdp **mdp) {
  coh_status status = finish(*builder);
  if (status == COH_OK) {
    *mdp = (*builder)->mdp;
    (*builder)->mdp = NULL;
  }
  coh_mdp_discard(builder);
  return status;
}
