/* PRISM's explicit files: NAME.tra with the transitions and, beside it where they exist,
 * NAME.lab (labels), NAME.srew or NAME.rew (rewards of states), NAME.trew (of transitions).
 *
 *     .tra   "states choices transitions", then "state choice next probability [action]";
 *            a chain: "states transitions", then "state next probability"
 *     .lab   0="init" 1="goal", then "state: 0 1"
 *     .srew  ["states entries"], then "state reward"; .trew: as .tra, rewards for probabilities
 *
 * States count from 0, lines rise. An action that is a number is the action's number; others
 * are named by their choice. Source: the PRISM manual, "Explicit Model Files". */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_file.h"
#include "mdp/scan.h"

enum { MAX_LABELS = 4096 };

typedef struct counts {
  int64_t states, choices, transitions;
  bool chain; /* no choices: one row a state */
} counts;

/* The first line that is no comment. */
static bool first_line(coh_scan *scan) {
  while (coh_scan_line(scan))
    if (*scan->at != '#') return true;
  return false;
}

static coh_status read_counts(coh_scan *scan, counts *found) {
  COH_CHECK(first_line(scan), COH_E_DATA, "%s: holds nothing but comments", scan->path);
  int64_t number[3];
  int n = 0;
  while (coh_scan_more(scan)) {
    COH_SCAN_CHECK(scan, n < 3, "%s", "more than three counts in the first line");
    COH_TRY(coh_scan_int(scan, "a count", 0, INT64_MAX, &number[n++]));
  }
  COH_SCAN_CHECK(scan, n >= 2, "%d count in the first line: 'states [choices] transitions'", n);
  *found = (counts){number[0], n == 3 ? number[1] : number[0], number[n - 1], n == 2};
  COH_SCAN_CHECK(scan, found->states >= 1 && found->states <= UINT32_MAX,
                 "a model has 1 to 2^32 - 1 states, not %lld", (long long)found->states);
  return COH_OK;
}

/* ------------------------------------------------------------------------- transitions -- */

typedef struct place {
  int64_t state, choice, next;
  double number;
} place;

/* "state [choice] next number" of a .tra or .trew file. */
static coh_status read_place(coh_scan *scan, const counts *size, const char *what, place *at) {
  *at = (place){0};
  COH_TRY(coh_scan_int(scan, "the state", 0, size->states - 1, &at->state));
  if (!size->chain) COH_TRY(coh_scan_int(scan, "the choice", 0, INT32_MAX, &at->choice));
  COH_TRY(coh_scan_int(scan, "the next state", 0, size->states - 1, &at->next));
  return coh_scan_real(scan, what, &at->number);
}

static coh_status read_rows(coh_scan *scan, const counts *size, coh_mdp_builder *builder) {
  place before = {.state = -1};
  int64_t n_rows = 0, n_entries = 0;
  while (coh_scan_line(scan)) {
    place at;
    COH_TRY(read_place(scan, size, "the probability", &at));
    bool same = at.state == before.state && at.choice == before.choice;
    if (!same) {
      // what ended is checked before, and its last line named
      scan->line--;
      COH_SCAN_TRY(scan, coh_mdp_close_row(builder));
      scan->line++;
    }
    int64_t action = at.choice, number;
    if (coh_scan_more(scan)) {
      COH_TRY(coh_scan_word(scan, "an action"));
      if (coh_text_to_int(scan->word, &number) && number >= 0 && number <= INT32_MAX)
        action = number;
    }
    COH_TRY(coh_scan_done(scan));
    if (!same) {
      COH_SCAN_TRY(scan, coh_mdp_add_row(builder, at.state, (int32_t)action, 0.0));
      n_rows++;
    }
    COH_SCAN_TRY(scan, coh_mdp_add_entry(builder, at.next, at.number, 0.0));
    n_entries++;
    before = at;
  }
  COH_SCAN_TRY(scan, coh_mdp_close_row(builder));
  COH_CHECK(n_rows == size->choices && n_entries == size->transitions, COH_E_DATA,
            "%s:%lld: ends after %lld choices and %lld transitions; the first line promises "
            "%lld and %lld",
            scan->path, (long long)scan->line, (long long)n_rows, (long long)n_entries,
            (long long)size->choices, (long long)size->transitions);
  return COH_OK;
}

static coh_status read_transitions(coh_scan *scan, double discount, coh_mdp **mdp) {
  counts size;
  COH_TRY(read_counts(scan, &size));
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(size.states, discount > 0.0 ? discount : 1.0, &builder));
  coh_status status = read_rows(scan, &size, builder);
  if (status != COH_OK) {
    coh_mdp_discard(&builder);
    return status;
  }
  status = coh_mdp_finish(&builder, mdp);
  return status == COH_OK ? COH_OK : coh_fail_within(status, "%s", scan->path);
}

/* ------------------------------------------------------------------------------ rewards -- */

static coh_status read_state_rewards(coh_scan *scan, coh_mdp *mdp) {
  int64_t before = -1;
  bool first = true;
  for (bool more = first_line(scan); more; more = coh_scan_line(scan), first = false) {
    int64_t state;
    double reward;
    COH_TRY(coh_scan_int(scan, "the state", 0, mdp->n_states - !first, &state));
    COH_TRY(coh_scan_real(scan, "the reward", &reward));
    COH_TRY(coh_scan_done(scan));
    if (first && state == mdp->n_states) continue; // counts: no state has that number
    COH_SCAN_CHECK(scan, state > before, "state %lld comes after state %lld", (long long)state,
                   (long long)before);
    before = state;
    for (int64_t r = mdp->first_row[state]; r < mdp->first_row[state + 1]; r++) {
      mdp->reward[r] += reward;
      COH_SCAN_CHECK(scan, isfinite(mdp->reward[r]), "the reward of state %lld is not finite",
                     (long long)state);
    }
  }
  return COH_OK;
}

static coh_status read_transition_rewards(coh_scan *scan, coh_mdp *mdp) {
  counts size;
  COH_TRY(read_counts(scan, &size));
  COH_SCAN_CHECK(scan, size.states == mdp->n_states, "%lld states; the model has %lld",
                 (long long)size.states, (long long)mdp->n_states);
  while (coh_scan_line(scan)) {
    place at;
    COH_TRY(read_place(scan, &size, "the reward", &at));
    COH_TRY(coh_scan_done(scan));
    int64_t row = mdp->first_row[at.state] + at.choice;
    COH_SCAN_CHECK(scan, row < mdp->first_row[at.state + 1], "state %lld has no choice %lld",
                   (long long)at.state, (long long)at.choice);
    int64_t e = mdp->first_entry[row];
    while (e < mdp->first_entry[row + 1] && mdp->next[e] != (uint64_t)at.next)
      e++;
    COH_SCAN_CHECK(scan, e < mdp->first_entry[row + 1],
                   "state %lld, choice %lld does not lead to state %lld", (long long)at.state,
                   (long long)at.choice, (long long)at.next);
    mdp->reward[row] += mdp->probability[e] * at.number;
    COH_SCAN_CHECK(scan, isfinite(mdp->reward[row]), "the reward of state %lld is not finite",
                   (long long)at.state);
  }
  return COH_OK;
}

/* ------------------------------------------------------------------------------- labels -- */

/* The names of the first line: 0="init" 1="goal". */
static coh_status read_names(coh_scan *scan, coh_mdp *mdp, uint8_t *empty) {
  COH_CHECK(coh_scan_line(scan), COH_E_DATA, "%s: holds no line", scan->path);
  int64_t known = mdp->n_labels;
  while (coh_scan_more(scan)) {
    COH_TRY(coh_scan_word(scan, "a label"));
    char *mark = strchr(scan->word, '='), *name = mark ? mark + 1 : NULL;
    int64_t number;
    if (mark) *mark = '\0';
    COH_SCAN_CHECK(scan,
                   mark && coh_text_to_int(scan->word, &number) &&
                       number == mdp->n_labels - known && number < MAX_LABELS,
                   "label %lld is expected as %lld=\"name\"",
                   (long long)(mdp->n_labels - known), (long long)(mdp->n_labels - known));
    size_t n = strlen(name);
    COH_SCAN_CHECK(scan, n > 2 && name[0] == '"' && name[n - 1] == '"',
                   "the name of label %lld is not in quotes", (long long)number);
    name[n - 1] = '\0';
    COH_SCAN_CHECK(scan, !coh_mdp_label_find(mdp, name + 1), "label '%s' comes twice",
                   name + 1);
    COH_TRY(coh_mdp_label_add(mdp, name + 1, empty));
  }
  return COH_OK;
}

static coh_status read_label_lines(coh_scan *scan, coh_mdp *mdp) {
  while (coh_scan_line(scan)) {
    COH_TRY(coh_scan_word(scan, "the state"));
    size_t n = strlen(scan->word);
    int64_t state, number;
    COH_SCAN_CHECK(scan, n > 1 && scan->word[n - 1] == ':', "'%.40s' is not 'state:'",
                   scan->word);
    scan->word[n - 1] = '\0';
    COH_SCAN_CHECK(scan,
                   coh_text_to_int(scan->word, &state) && state >= 0 && state < mdp->n_states,
                   "'%.40s': states are 0 to %lld", scan->word, (long long)mdp->n_states - 1);
    while (coh_scan_more(scan)) {
      COH_TRY(coh_scan_int(scan, "the label's number", 0, mdp->n_labels - 1, &number));
      mdp->label[number].holds[state] = 1;
    }
  }
  return COH_OK;
}

static coh_status read_labels(coh_scan *scan, coh_mdp *mdp) {
  uint8_t *empty;
  COH_NEW(empty, mdp->n_states);
  coh_status status = read_names(scan, mdp, empty);
  coh_free(empty);
  if (status == COH_OK) status = read_label_lines(scan, mdp);
  return status == COH_OK ? coh_mdp_start_in(mdp, "init") : status;
}

/* ------------------------------------------------------------------------------ together -- */

/* Read the file beside the model with that ending, if there is one. */
static coh_status read_beside(const char *path, const char *ending,
                              coh_status (*read)(coh_scan *, coh_mdp *), coh_mdp *mdp) {
  char *name;
  coh_scan scan;
  COH_TRY(coh_mdp_file_beside(path, ending, &name));
  coh_status status = COH_OK;
  if (coh_file_exists(name)) {
    status = coh_scan_open(name, ' ', &scan);
    if (status == COH_OK) {
      status = read(&scan, mdp);
      coh_scan_close(&scan);
    }
  }
  coh_free(name);
  return status;
}

coh_status coh_mdp_read_prism(const char *path, const coh_mdp_file_options *options,
                              coh_mdp **out) {
  coh_scan scan;
  coh_mdp *mdp = NULL;
  COH_TRY(coh_scan_open(path, ' ', &scan));
  coh_status status = read_transitions(&scan, options->discount, &mdp);
  coh_scan_close(&scan);
  if (status == COH_OK) status = read_beside(path, ".lab", read_labels, mdp);
  if (status == COH_OK) status = read_beside(path, ".srew", read_state_rewards, mdp);
  if (status == COH_OK) status = read_beside(path, ".rew", read_state_rewards, mdp);
  if (status == COH_OK) status = read_beside(path, ".trew", read_transition_rewards, mdp);
  if (status != COH_OK) {
    coh_mdp_destroy(&mdp);
    return status;
  }
  *out = mdp;
  return COH_OK;
}

/* One file of the set: .tra, or .trew with the row's reward on each of its transitions. */
static coh_status write_entries(const coh_mdp *mdp, bool rewards, coh_mdp_sink *sink) {
  int64_t n = 0;
  for (int64_t r = 0; r < mdp->n_rows; r++)
    if (!rewards || mdp->reward[r] != 0.0) n += mdp->first_entry[r + 1] - mdp->first_entry[r];
  coh_text_add(&sink->text, "%lld %lld %lld\n", (long long)mdp->n_states,
               (long long)mdp->n_rows, (long long)n);
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++) {
      if (rewards && mdp->reward[r] == 0.0) continue;
      int64_t choice = r - mdp->first_row[s];
      for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++) {
        coh_text_add(&sink->text, "%lld %lld %u ", (long long)s, (long long)choice,
                     mdp->next[e]);
        coh_mdp_sink_real(sink, rewards ? mdp->reward[r] : mdp->probability[e]);
        if (!rewards && mdp->action[r] != choice)
          coh_text_add(&sink->text, " %d", mdp->action[r]);
        coh_text_add_bytes(&sink->text, "\n", 1);
        COH_TRY(coh_mdp_sink_flush(sink, 1 << 20));
      }
    }
  return COH_OK;
}

static coh_status write_labels(const coh_mdp *mdp, coh_mdp_sink *sink) {
  for (int64_t k = 0; k < mdp->n_labels; k++)
    coh_text_add(&sink->text, "%s%lld=\"%s\"", k ? " " : "", (long long)k, mdp->label[k].name);
  coh_text_add_bytes(&sink->text, "\n", 1);
  for (int64_t s = 0; s < mdp->n_states; s++) {
    bool any = false;
    for (int64_t k = 0; k < mdp->n_labels; k++) {
      if (!mdp->label[k].holds[s]) continue;
      if (!any) coh_text_add(&sink->text, "%lld:", (long long)s);
      any = true;
      coh_text_add(&sink->text, " %lld", (long long)k);
    }
    if (any) coh_text_add_bytes(&sink->text, "\n", 1);
    COH_TRY(coh_mdp_sink_flush(sink, 1 << 20));
  }
  return COH_OK;
}

typedef enum part { TRANSITIONS, LABELS, REWARDS } part;

static coh_status write_part(const coh_mdp *mdp, const char *path, const char *ending,
                             part which) {
  char *name;
  coh_mdp_sink sink;
  COH_TRY(coh_mdp_file_beside(path, ending, &name));
  coh_status status = coh_mdp_sink_open(name, &sink);
  if (status == COH_OK) {
    status = which == LABELS ? write_labels(mdp, &sink)
                             : write_entries(mdp, which == REWARDS, &sink);
    status = coh_mdp_sink_close(&sink, status);
  }
  coh_free(name);
  return status;
}

coh_status coh_mdp_write_prism(const coh_mdp *mdp, const char *path) {
  COH_TRY(write_part(mdp, path, ".tra", TRANSITIONS));
  if (mdp->n_labels > 0) COH_TRY(write_part(mdp, path, ".lab", LABELS));
  return write_part(mdp, path, ".trew", REWARDS);
}
