/* Models as CSV: state,action,next,probability[,reward], a line a transition, in any order,
 * with or without a line of names. The reward is the transition's. Every state that occurs
 * needs an action; what ends leads to itself and pays 0. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mdp/mdp_file.h"
#include "mdp/scan.h"

typedef struct record {
  int64_t state, next, line;
  double probability, reward;
  int32_t action;
} record;

typedef struct records {
  record *of;
  int64_t n, capacity, n_states;
} records;

static coh_status add_record(records *all, record next) {
  if (all->n == all->capacity) {
    int64_t capacity = all->capacity ? 2 * all->capacity : 1024;
    record *grown = coh_alloc_resize(all->of, (size_t)all->n, (size_t)capacity, sizeof *grown);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for %lld transitions", (long long)capacity);
    all->of = grown;
    all->capacity = capacity;
  }
  all->of[all->n++] = next;
  if (next.state >= all->n_states) all->n_states = next.state + 1;
  if (next.next >= all->n_states) all->n_states = next.next + 1;
  return COH_OK;
}

static coh_status read_record(coh_scan *scan, record *next) {
  int64_t action;
  *next = (record){.line = scan->line};
  COH_TRY(coh_scan_int(scan, "the state", 0, UINT32_MAX - 1, &next->state));
  COH_TRY(coh_scan_int(scan, "the action", 0, INT32_MAX, &action));
  COH_TRY(coh_scan_int(scan, "the next state", 0, UINT32_MAX - 1, &next->next));
  COH_TRY(coh_scan_real(scan, "the probability", &next->probability));
  if (coh_scan_more(scan)) COH_TRY(coh_scan_real(scan, "the reward", &next->reward));
  next->action = (int32_t)action;
  return coh_scan_done(scan);
}

static coh_status read_records(coh_scan *scan, records *all) {
  bool first = true;
  while (coh_scan_line(scan)) {
    record next;
    bool names = first && (isalpha((unsigned char)*scan->at) || *scan->at == '"');
    first = false;
    if (names) continue;
    COH_TRY(read_record(scan, &next));
    COH_TRY(add_record(all, next));
  }
  COH_CHECK(all->n > 0, COH_E_DATA, "%s: holds no transition", scan->path);
  return COH_OK;
}

static int in_order(const void *a, const void *b) {
  const record *x = a, *y = b;
  if (x->state != y->state) return x->state < y->state ? -1 : 1;
  if (x->action != y->action) return x->action < y->action ? -1 : 1;
  return x->line < y->line ? -1 : x->line > y->line;
}

/* A state without a row is named by the line that leads to it. */
static coh_status check_states(coh_scan *scan, const records *all) {
  uint8_t *acts;
  // a handful of lines must not ask for gigabytes
  COH_CHECK(all->n_states <= 64 * (all->n + 1024), COH_E_DATA,
            "%s: %lld states, but only %lld transitions: states count from 0 without gaps",
            scan->path, (long long)all->n_states, (long long)all->n);
  COH_NEW(acts, all->n_states);
  for (int64_t k = 0; k < all->n; k++)
    acts[all->of[k].state] = 1;
  coh_status status = COH_OK;
  for (int64_t k = 0; k < all->n && status == COH_OK; k++)
    if (!acts[all->of[k].next])
      status = coh_fail(COH_E_DATA, "%s:%lld: leads to state %lld, which has no action",
                        scan->path, (long long)all->of[k].line, (long long)all->of[k].next);
  coh_free(acts);
  return status;
}

static coh_status add_records(coh_scan *scan, const records *all, coh_mdp_builder *builder) {
  for (int64_t k = 0; k < all->n; k++) {
    const record *next = &all->of[k], *before = k > 0 ? next - 1 : NULL;
    if (!before || next->state != before->state || next->action != before->action) {
      if (before) {
        scan->line = before->line;
        COH_SCAN_TRY(scan, coh_mdp_close_row(builder));
      }
      scan->line = next->line;
      COH_SCAN_TRY(scan, coh_mdp_add_row(builder, next->state, next->action, 0.0));
    }
    scan->line = next->line;
    COH_SCAN_TRY(scan, coh_mdp_add_entry(builder, next->next, next->probability, next->reward));
  }
  COH_SCAN_TRY(scan, coh_mdp_close_row(builder));
  return COH_OK;
}

static coh_status build(coh_scan *scan, records *all, double discount, coh_mdp **mdp) {
  COH_TRY(read_records(scan, all));
  COH_TRY(check_states(scan, all));
  bool sorted = true;
  for (int64_t k = 1; k < all->n && sorted; k++)
    sorted = in_order(&all->of[k - 1], &all->of[k]) < 0;
  if (!sorted) qsort(all->of, (size_t)all->n, sizeof *all->of, in_order);
  coh_mdp_builder *builder;
  COH_TRY(coh_mdp_build(all->n_states, discount > 0.0 ? discount : 1.0, &builder));
  coh_status status = add_records(scan, all, builder);
  if (status != COH_OK) {
    coh_mdp_discard(&builder);
    return status;
  }
  status = coh_mdp_finish(&builder, mdp);
  return status == COH_OK ? COH_OK : coh_fail_within(status, "%s", scan->path);
}

coh_status coh_mdp_read_csv(const char *path, const coh_mdp_file_options *options,
                            coh_mdp **mdp) {
  coh_scan scan;
  records all = {0};
  COH_TRY(coh_scan_open(path, ',', &scan));
  coh_status status = build(&scan, &all, options->discount, mdp);
  coh_free(all.of);
  coh_scan_close(&scan);
  return status;
}

static coh_status write_lines(const coh_mdp *mdp, coh_mdp_sink *sink) {
  coh_text_add(&sink->text, "state,action,next,probability,reward\n");
  for (int64_t s = 0; s < mdp->n_states; s++)
    for (int64_t r = mdp->first_row[s]; r < mdp->first_row[s + 1]; r++)
      for (int64_t e = mdp->first_entry[r]; e < mdp->first_entry[r + 1]; e++) {
        coh_text_add(&sink->text, "%lld,%d,%u,", (long long)s, mdp->action[r], mdp->next[e]);
        coh_mdp_sink_real(sink, mdp->probability[e]);
        coh_text_add_bytes(&sink->text, ",", 1);
        coh_mdp_sink_real(sink, mdp->reward[r]);
        coh_text_add_bytes(&sink->text, "\n", 1);
        COH_TRY(coh_mdp_sink_flush(sink, 1 << 20));
      }
  return COH_OK;
}

coh_status coh_mdp_write_csv(const coh_mdp *mdp, const char *path) {
  coh_mdp_sink sink;
  COH_TRY(coh_mdp_sink_open(path, &sink));
  return coh_mdp_sink_close(&sink, write_lines(mdp, &sink));
}
