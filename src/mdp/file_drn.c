/* Storm's DRN files: a head of @sections, then states, their actions and transitions.
 *
 *     @type: MDP            or DTMC
 *     @reward_models        names in the next line
 *     @nr_states            a number in the next line; @nr_choices too
 *     @model
 *     state 0 [REWARDS] init LABEL ...
 *       action NAME [REWARDS]
 *         NEXT : PROBABILITY
 *
 * Source: Storm's documentation, "Explicit input in the DRN format". */
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_file.h"
#include "mdp/scan.h"

enum { MAX_REWARDS = 64, MAX_LABELS = 4096 };

typedef struct drn_reader {
  coh_scan scan;
  const coh_mdp_file_options *options;
  bool typed;
  int64_t n_states, n_choices;  /* -1: not said */
  int64_t n_rewards, reward_at; /* models; which one is taken */
  coh_mdp_builder *builder;
  int64_t state, n_rows;
  int32_t action;
  double state_reward;
  bool open; /* an action of the state takes transitions */
  char **label;
  uint8_t **holds;
  int64_t n_labels;
} drn_reader;

/* The next line that is no comment. */
static bool next_line(coh_scan *scan) {
  while (coh_scan_line(scan))
    if (strncmp(scan->at, "//", 2) != 0 || scan->line_end - scan->at < 2) return true;
  return false;
}

/* ----------------------------------------------------------------------------- the head -- */

static coh_status read_reward_models(drn_reader *reader) {
  coh_scan *scan = &reader->scan;
  const char *wanted = reader->options->reward;
  COH_SCAN_CHECK(scan, coh_scan_any_line(scan), "%s", "the file ends after @reward_models");
  while (coh_scan_more(scan)) {
    COH_TRY(coh_scan_word(scan, "a reward model"));
    COH_SCAN_CHECK(scan, reader->n_rewards < MAX_REWARDS, "more than %d reward models",
                   MAX_REWARDS);
    if (wanted && strcmp(wanted, scan->word) == 0) reader->reward_at = reader->n_rewards;
    reader->n_rewards++;
  }
  if (!wanted && reader->n_rewards > 0) reader->reward_at = 0;
  COH_SCAN_CHECK(scan, !wanted || reader->reward_at >= 0, "no reward model is called '%s'",
                 wanted);
  return COH_OK;
}

static coh_status read_count(coh_scan *scan, const char *what, int64_t *count) {
  COH_SCAN_CHECK(scan, *count < 0, "%s comes twice", what);
  COH_CHECK(next_line(scan), COH_E_DATA, "%s:%lld: the file ends where %s is expected",
            scan->path, (long long)scan->line, what);
  COH_TRY(coh_scan_int(scan, what, 1, UINT32_MAX * (int64_t)1024, count));
  return coh_scan_done(scan);
}

static coh_status read_type(drn_reader *reader) {
  coh_scan *scan = &reader->scan;
  COH_TRY(coh_scan_word(scan, "the type"));
  COH_SCAN_CHECK(scan, strcmp(scan->word, "MDP") == 0 || strcmp(scan->word, "DTMC") == 0,
                 "type '%.40s': this program reads MDP and DTMC", scan->word);
  reader->typed = true;
  return COH_OK;
}

static coh_status read_section(drn_reader *reader) {
  coh_scan *scan = &reader->scan;
  COH_TRY(coh_scan_word(scan, "a section"));
  if (strcmp(scan->word, "@type:") == 0) return read_type(reader);
  if (strcmp(scan->word, "@nr_states") == 0)
    return read_count(scan, "the number of states", &reader->n_states);
  if (strcmp(scan->word, "@nr_choices") == 0)
    return read_count(scan, "the number of choices", &reader->n_choices);
  if (strcmp(scan->word, "@reward_models") == 0) return read_reward_models(reader);
  if (strcmp(scan->word, "@parameters") == 0) {
    COH_SCAN_CHECK(scan, coh_scan_any_line(scan) && !coh_scan_more(scan), "%s",
                   "parametric models are not read");
    return COH_OK;
  }
  if (strcmp(scan->word, "@value_type:") == 0) {
    COH_TRY(coh_scan_word(scan, "the type of values"));
    COH_SCAN_CHECK(
        scan, strcmp(scan->word, "double") == 0 || strcmp(scan->word, "rational") == 0,
        "values of type '%.40s': this program reads double and rational", scan->word);
    return COH_OK;
  }
  if (strcmp(scan->word, "@version:") == 0 || strcmp(scan->word, "@version") == 0)
    return COH_OK;
  COH_SCAN_CHECK(scan, false, "section '%.40s' is unknown", scan->word);
  return COH_OK;
}

static coh_status read_head(drn_reader *reader) {
  coh_scan *scan = &reader->scan;
  for (;;) {
    COH_CHECK(next_line(scan), COH_E_DATA, "%s:%lld: the file ends before @model", scan->path,
              (long long)scan->line);
    size_t n = (size_t)(scan->line_end - scan->at);
    if (n >= 6 && strncmp(scan->at, "@model", 6) == 0) break;
    COH_TRY(read_section(reader));
  }
  COH_SCAN_CHECK(scan, reader->typed, "%s", "@type is missing");
  COH_SCAN_CHECK(scan, reader->n_states > 0, "%s", "@nr_states is missing");
  return COH_OK;
}

/* ---------------------------------------------------------------------------- the model -- */

/* "[a, b]", with or without blanks, from the word just taken; found: it is such a list. */
static coh_status read_rewards(drn_reader *reader, bool *found, double *reward) {
  coh_scan *scan = &reader->scan;
  *found = scan->word[0] == '[';
  if (!*found) return COH_OK;
  char text[COH_SCAN_WORD], *from = text + 1;
  memcpy(text, scan->word, sizeof text);
  for (int64_t k = 0;; k++) {
    if (!*from) {
      COH_TRY(coh_scan_word(scan, "a reward"));
      memcpy(text, scan->word, sizeof text);
      from = text;
    }
    size_t n = strcspn(from, ",]");
    char end = from[n];
    from[n] = '\0';
    memcpy(scan->word, from, n + 1);
    double value;
    COH_TRY(coh_scan_as_real(scan, "a reward", &value));
    if (k == reader->reward_at) *reward = value;
    from += n + 1;
    if (end == ']') {
      COH_SCAN_CHECK(scan, k + 1 == reader->n_rewards, "%lld rewards; there are %lld models",
                     (long long)k + 1, (long long)reader->n_rewards);
      COH_SCAN_CHECK(scan, !*from, "'%.40s' follows the rewards", from);
      return COH_OK;
    }
    COH_SCAN_CHECK(scan, end == ',', "%s", "rewards are not closed by ']'");
  }
}

static coh_status add_label(drn_reader *reader, const char *name) {
  int64_t k = 0;
  while (k < reader->n_labels && strcmp(reader->label[k], name) != 0)
    k++;
  if (k == reader->n_labels) {
    COH_SCAN_CHECK(&reader->scan, k < MAX_LABELS, "more than %d labels", MAX_LABELS);
    reader->label[k] = coh_alloc_string(name);
    reader->holds[k] = coh_alloc_array((size_t)reader->n_states, 1);
    reader->n_labels++;
    COH_CHECK(reader->label[k] && reader->holds[k], COH_E_MEMORY,
              "out of memory for a label of %lld states", (long long)reader->n_states);
  }
  reader->holds[k][reader->state] = 1;
  return COH_OK;
}

static coh_status read_state(drn_reader *reader) {
  coh_scan *scan = &reader->scan;
  COH_SCAN_CHECK(scan, reader->state < 0 || reader->action >= 0, "state %lld has no action",
                 (long long)reader->state);
  int64_t state;
  COH_TRY(coh_scan_int(scan, "the state", 0, reader->n_states - 1, &state));
  COH_SCAN_CHECK(scan, state == reader->state + 1, "state %lld comes after state %lld",
                 (long long)state, (long long)reader->state);
  reader->state = state;
  reader->action = -1;
  reader->open = false;
  reader->state_reward = 0.0;
  while (coh_scan_more(scan)) {
    bool rewards;
    COH_TRY(coh_scan_word(scan, "a label"));
    COH_SCAN_CHECK(scan, scan->word[0] != '!', "%s", "a rate: this program reads MDP and DTMC");
    COH_TRY(read_rewards(reader, &rewards, &reader->state_reward));
    if (!rewards) COH_TRY(add_label(reader, scan->word));
  }
  return COH_OK;
}

static coh_status begin_row(drn_reader *reader, int32_t action, double reward) {
  reader->action = action;
  reader->open = true;
  reader->n_rows++;
  COH_SCAN_TRY(&reader->scan, coh_mdp_add_row(reader->builder, reader->state, action,
                                              reader->state_reward + reward));
  return COH_OK;
}

static coh_status read_action(drn_reader *reader) {
  coh_scan *scan = &reader->scan;
  COH_SCAN_CHECK(scan, reader->state >= 0, "%s", "an action before the first state");
  COH_TRY(coh_scan_word(scan, "the action"));
  int64_t number;
  double reward = 0.0;
  bool rewards;
  bool numbered =
      coh_text_to_int(scan->word, &number) && number > reader->action && number <= INT32_MAX;
  while (coh_scan_more(scan)) {
    COH_TRY(coh_scan_word(scan, "rewards"));
    COH_TRY(read_rewards(reader, &rewards, &reward));
    COH_SCAN_CHECK(scan, rewards, "'%.40s' where rewards in [] are expected", scan->word);
  }
  return begin_row(reader, numbered ? (int32_t)number : reader->action + 1, reward);
}

static coh_status read_transition(drn_reader *reader) {
  coh_scan *scan = &reader->scan;
  COH_SCAN_CHECK(scan, reader->state >= 0, "%s", "a transition before the first state");
  if (!reader->open) COH_TRY(begin_row(reader, 0, 0.0));
  int64_t next;
  double probability;
  COH_TRY(coh_scan_int(scan, "the next state", 0, reader->n_states - 1, &next));
  COH_TRY(coh_scan_word(scan, "':'"));
  COH_SCAN_CHECK(scan, strcmp(scan->word, ":") == 0, "'%.40s' where ':' is expected",
                 scan->word);
  COH_TRY(coh_scan_real(scan, "the probability", &probability));
  COH_TRY(coh_scan_done(scan));
  COH_SCAN_TRY(scan, coh_mdp_add_entry(reader->builder, next, probability, 0.0));
  return COH_OK;
}

static coh_status read_model(drn_reader *reader) {
  coh_scan *scan = &reader->scan;
  COH_NEW(reader->label, MAX_LABELS);
  COH_NEW(reader->holds, MAX_LABELS);
  COH_TRY(coh_mdp_build(reader->n_states,
                        reader->options->discount > 0.0 ? reader->options->discount : 1.0,
                        &reader->builder));
  int64_t before = scan->line;
  while (next_line(scan)) {
    const char *line = scan->at;
    bool is_state = strncmp(line, "state", 5) == 0, is_action = strncmp(line, "action", 6) == 0;
    if (is_state || is_action) {
      int64_t here = scan->line;
      scan->line = before; // where the row that ends here was said last
      COH_SCAN_TRY(scan, coh_mdp_close_row(reader->builder));
      scan->line = here;
      COH_TRY(coh_scan_word(scan, "'state' or 'action'"));
      COH_TRY(is_state ? read_state(reader) : read_action(reader));
    } else {
      COH_TRY(read_transition(reader));
    }
    before = scan->line;
  }
  COH_SCAN_TRY(scan, coh_mdp_close_row(reader->builder));
  COH_SCAN_CHECK(scan, reader->state == reader->n_states - 1 && reader->action >= 0,
                 "the file ends in state %lld of %lld", (long long)reader->state,
                 (long long)reader->n_states);
  COH_SCAN_CHECK(scan, reader->n_choices < 0 || reader->n_choices == reader->n_rows,
                 "the file ends after %lld choices; @nr_choices promises %lld",
                 (long long)reader->n_rows, (long long)reader->n_choices);
  return COH_OK;
}

static coh_status finish(drn_reader *reader, coh_mdp **out) {
  coh_mdp *mdp;
  COH_SCAN_TRY(&reader->scan, coh_mdp_finish(&reader->builder, &mdp));
  coh_status status = COH_OK;
  for (int64_t k = 0; k < reader->n_labels && status == COH_OK; k++)
    status = coh_mdp_label_add(mdp, reader->label[k], reader->holds[k]);
  if (status == COH_OK) status = coh_mdp_start_in(mdp, "init");
  if (status != COH_OK) {
    coh_mdp_destroy(&mdp);
    return status;
  }
  *out = mdp;
  return COH_OK;
}

coh_status coh_mdp_read_drn(const char *path, const coh_mdp_file_options *options,
                            coh_mdp **mdp) {
  drn_reader reader = {.options = options,
                       .n_states = -1,
                       .n_choices = -1,
                       .reward_at = -1,
                       .state = -1,
                       .action = -1};
  COH_TRY(coh_scan_open(path, ' ', &reader.scan));
  coh_status status = read_head(&reader);
  if (status == COH_OK) status = read_model(&reader);
  if (status == COH_OK) status = finish(&reader, mdp);
  coh_mdp_discard(&reader.builder);
  for (int64_t k = 0; k < reader.n_labels; k++) {
    coh_free(reader.label[k]);
    coh_free(reader.holds[k]);
  }
  coh_free(reader.label);
  coh_free(reader.holds);
  coh_scan_close(&reader.scan);
  return status;
}

/* ------------------------------------------------------------------------------ writing -- */

static coh_status write_row(const coh_mdp *mdp, int64_t row, coh_mdp_sink *sink) {
  coh_text_add(&sink->text, "\taction %d [", mdp->action[row]);
  coh_mdp_sink_real(sink, mdp->reward[row]);
  coh_text_add(&sink->text, "]\n");
  for (int64_t e = mdp->first_entry[row]; e < mdp->first_entry[row + 1]; e++) {
    coh_text_add(&sink->text, "\t\t%u : ", mdp->next[e]);
    coh_mdp_sink_real(sink, mdp->probability[e]);
    coh_text_add_bytes(&sink->text, "\n", 1);
    COH_TRY(coh_mdp_sink_flush(sink, 1 << 20));
  }
  return COH_OK;
}

static coh_status write_model(const coh_mdp *mdp, coh_mdp_sink *sink) {
  coh_text_add(&sink->text,
               "@type: MDP\n@parameters\n\n@reward_models\nreward\n@nr_states\n%lld\n"
               "@nr_choices\n%lld\n@model\n",
               (long long)mdp->n_states, (long long)mdp->n_rows);
  for (int64_t s = 0; s < mdp->n_states; s++) {
    coh_text_add(&sink->text, "state %lld [0]", (long long)s);
    for (int64_t k = 0; k < mdp->n_labels; k++)
      if (mdp->label[k].holds[s]) coh_text_add(&sink->text, " %s", mdp->label[k].name);
    coh_text_add_bytes(&sink->text, "\n", 1);
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      COH_TRY(write_row(mdp, r, sink));
  }
  return COH_OK;
}

coh_status coh_mdp_write_drn(const coh_mdp *mdp, const char *path) {
  coh_mdp_sink sink;
  COH_TRY(coh_mdp_sink_open(path, &sink));
  return coh_mdp_sink_close(&sink, write_model(mdp, &sink));
}
