/* Random sparse rows, each from a stream of its own. */
#include "mdp/make_random.h"
#include "base/alloc.h"
#include "cohort/mdp.h"
#include "cohort/random.h"

/* Distinct columns: successor k comes from the k-th of n_successors equal parts of the window,
 * so that the row is sorted and no search for doubles is needed. */
void coh_mdp_random_row(const coh_mdp_random *options, coh_key key, int64_t state,
                        int64_t action, uint32_t *next, double *probability, double *reward) {
  int64_t n = options->n_states, k = options->n_successors;
  int64_t band = options->band <= 0 || options->band > n ? n : options->band;
  int64_t first = state - band / 2;
  if (first > n - band) first = n - band;
  if (first < 0) first = 0;
  coh_stream stream = coh_stream_begin(key, (uint32_t)state, (uint64_t)action);
  *reward = coh_stream_uniform(&stream);
  double sum = 0.0;
  for (int64_t i = 0; i < k; i++) {
    int64_t low = band * i / k, high = band * (i + 1) / k;
    double place = coh_stream_uniform(&stream);
    next[i] = (uint32_t)(first + low + (int64_t)(place * (double)(high - low)));
    probability[i] = coh_stream_uniform(&stream) + 0x1p-53;
    sum += probability[i];
  }
  for (int64_t i = 0; i < k; i++)
    probability[i] /= sum;
}

static coh_status fill(coh_mdp_builder *builder, const coh_mdp_random *options, uint32_t *next,
                       double *probability) {
  coh_key key = coh_key_make(options->seed, "random model");
  for (int64_t s = 0; s < options->n_states; s++)
    for (int64_t a = 0; a < options->n_actions; a++) {
      double reward;
      coh_mdp_random_row(options, key, s, a, next, probability, &reward);
      COH_TRY(coh_mdp_add_row(builder, s, (int32_t)a, reward));
      for (int64_t k = 0; k < options->n_successors; k++)
        COH_TRY(coh_mdp_add_entry(builder, next[k], probability[k], 0.0));
    }
  return COH_OK;
}

coh_status coh_mdp_random_check(const coh_mdp_random *options) {
  int64_t band = options->band <= 0 || options->band > options->n_states ? options->n_states
                                                                         : options->band;
  COH_CHECK(options->n_successors >= 1 && options->n_successors <= band, COH_E_DATA,
            "%lld successors do not fit into a window of %lld states",
            (long long)options->n_successors, (long long)band);
  COH_CHECK(options->n_actions >= 1 && options->n_actions <= INT32_MAX, COH_E_DATA,
            "a random model with %lld actions", (long long)options->n_actions);
  return COH_OK;
}

coh_status coh_mdp_make_random(const coh_mdp_random *options, coh_mdp **mdp) {
  COH_TRY(coh_mdp_random_check(options));
  coh_mdp_builder *builder = NULL;
  uint32_t *next = coh_alloc_array((size_t)options->n_successors, sizeof *next);
  double *probability = coh_alloc_array((size_t)options->n_successors, sizeof *probability);
  coh_status status = next && probability ? COH_OK : coh_fail(COH_E_MEMORY, "out of memory");
  if (status == COH_OK) status = coh_mdp_build(options->n_states, options->discount, &builder);
  if (status == COH_OK) status = fill(builder, options, next, probability);
  coh_free(next);
  coh_free(probability);
  if (status != COH_OK) {
    coh_mdp_discard(&builder);
    return status;
  }
  return coh_mdp_finish(&builder, mdp);
}
