/* Making the compact form of a model's rows. Patterns are found by a hash table. */
#include "mdp/mdp_compact.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"

enum { MOST_PATTERNS = 1 << 16, N_SLOTS = 1 << 17, MOST_IN_ROW = UINT16_MAX };

void coh_mdp_compact_destroy(struct coh_mdp_compact **compact) {
  if (!*compact) return;
  coh_free((*compact)->away);
  coh_free((*compact)->code);
  coh_free((*compact)->pattern);
  coh_free((*compact)->probability);
  coh_free((*compact)->single);
  COH_DELETE(*compact);
}

static coh_status fill_columns(const coh_mdp *mdp, struct coh_mdp_compact *compact) {
  COH_NEW(compact->away, mdp->n_entries);
  COH_NEW(compact->code, mdp->n_rows);
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t e = mdp->first_entry[mdp->first_row[s]];
         e < mdp->first_entry[mdp->first_row[s + 1]]; e++) {
      int64_t away = (int64_t)mdp->next[e] - s;
      COH_CHECK(away >= INT16_MIN && away <= INT16_MAX, COH_E_DATA,
                "state %lld leads to state %lld: compact rows reach %d states far",
                (long long)s, (long long)mdp->next[e], INT16_MAX);
      compact->away[e] = (int16_t)away;
    }
  return COH_OK;
}

/* ------------------------------------------------------------------------------ patterns -- */

/* Patterns while they are found. */
typedef struct book {
  struct coh_mdp_compact *compact;
  uint32_t *slot; /* N_SLOTS: pattern + 1, or 0 */
  int64_t capacity;
} book;

static uint64_t hash_of(const double *probability, int64_t n) {
  uint64_t hash = (uint64_t)n;
  for (int64_t k = 0; k < n; k++) {
    uint64_t bits;
    memcpy(&bits, &probability[k], sizeof bits);
    hash = (hash ^ bits) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 29;
  }
  return hash;
}

static coh_status add_pattern(book *found, const double *probability, int64_t n) {
  struct coh_mdp_compact *compact = found->compact;
  COH_CHECK(compact->n_patterns < MOST_PATTERNS, COH_E_DATA,
            "over %d different rows of probabilities are too many patterns", MOST_PATTERNS);
  int64_t at = compact->pattern[compact->n_patterns];
  if (at + n > found->capacity) {
    int64_t capacity = 2 * (at + n);
    COH_CHECK(capacity <= UINT32_MAX, COH_E_DATA, "patterns of over %u numbers", UINT32_MAX);
    double *grown = coh_alloc_resize(compact->probability, (size_t)found->capacity,
                                     (size_t)capacity, sizeof *grown);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for patterns of rows");
    compact->probability = grown;
    found->capacity = capacity;
  }
  memcpy(compact->probability + at, probability, (size_t)n * sizeof *probability);
  compact->pattern[++compact->n_patterns] = (uint32_t)(at + n);
  return COH_OK;
}

static coh_status find_pattern(book *found, const double *probability, int64_t n,
                               uint16_t *code) {
  const struct coh_mdp_compact *compact = found->compact;
  uint64_t at = hash_of(probability, n) % N_SLOTS;
  for (; found->slot[at]; at = (at + 1) % N_SLOTS) {
    uint32_t k = found->slot[at] - 1;
    if (compact->pattern[k + 1] - compact->pattern[k] == (uint64_t)n &&
        memcmp(compact->probability + compact->pattern[k], probability,
               (size_t)n * sizeof *probability) == 0) {
      *code = (uint16_t)k;
      return COH_OK;
    }
  }
  COH_TRY(add_pattern(found, probability, n));
  found->slot[at] = (uint32_t)compact->n_patterns;
  *code = (uint16_t)(compact->n_patterns - 1);
  return COH_OK;
}

static coh_status fill_patterns(const coh_mdp *mdp, struct coh_mdp_compact *compact) {
  book found = {.compact = compact};
  COH_NEW(compact->pattern, MOST_PATTERNS + 1);
  COH_NEW(found.slot, N_SLOTS);
  coh_status status = COH_OK;
  for (int64_t r = 0; r < mdp->n_rows && status == COH_OK; r++) {
    int64_t e = mdp->first_entry[r];
    status = find_pattern(&found, mdp->probability + e, mdp->first_entry[r + 1] - e,
                          &compact->code[r]);
  }
  coh_free(found.slot);
  return status;
}

/* -------------------------------------------------------------------------------- single -- */

static coh_status fill_single(const coh_mdp *mdp, struct coh_mdp_compact *compact) {
  COH_NEW(compact->single, mdp->n_entries);
  for (int64_t r = 0; r < mdp->n_rows; r++) {
    int64_t e = mdp->first_entry[r], end = mdp->first_entry[r + 1];
    COH_CHECK(end - e <= MOST_IN_ROW, COH_E_DATA, "a row of %lld transitions: at most %d fit",
              (long long)(end - e), MOST_IN_ROW);
    compact->code[r] = (uint16_t)(end - e);
    double error = 0.0;
    for (; e < end; e++) {
      compact->single[e] = (float)mdp->probability[e];
      error += fabs((double)compact->single[e] - mdp->probability[e]);
    }
    // the sum itself rounds
    error *= 1.0 + (double)(compact->code[r] + 1) * DBL_EPSILON;
    if (error > compact->error) compact->error = error;
  }
  return COH_OK;
}

coh_status coh_mdp_compress(coh_mdp *mdp, coh_mdp_form form) {
  coh_mdp_compact_destroy(&mdp->compact);
  if (form == COH_MDP_PLAIN) return COH_OK;
  struct coh_mdp_compact *compact;
  COH_NEW(compact, 1);
  compact->form = form;
  coh_status status = fill_columns(mdp, compact);
  if (status == COH_OK)
    status = form == COH_MDP_PATTERNS ? fill_patterns(mdp, compact) : fill_single(mdp, compact);
  if (status != COH_OK) {
    coh_mdp_compact_destroy(&compact);
    return status;
  }
  mdp->compact = compact;
  return COH_OK;
}
