#include "run/compare_groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *base_name(const char *folder) {
  const char *slash = strrchr(folder, '/');
  return slash && slash[1] ? slash + 1 : folder;
}

// the line of a config that begins at text, and the next one's begin
static const char *line_end(const char *text) {
  const char *end = strchr(text, '\n');
  return end ? end : text + strlen(text);
}

static const char *line_after(const char *text) {
  const char *end = line_end(text);
  return *end ? end + 1 : end;
}

static bool is_seed(const char *line) {
  return strncmp(line, "seed:", 5) == 0;
}

static bool same_but_seed(const char *a, const char *b) {
  while (*a && *b) {
    size_t n = (size_t)(line_end(a) - a), m = (size_t)(line_end(b) - b);
    if (!(is_seed(a) && is_seed(b)) && (n != m || strncmp(a, b, n) != 0)) return false;
    a = line_after(a);
    b = line_after(b);
  }
  return *a == *b;
}

static bool has_line(const char *text, const char *line, size_t n) {
  for (; *text; text = line_after(text))
    if ((size_t)(line_end(text) - text) == n && strncmp(text, line, n) == 0) return true;
  return false;
}

static void add_difference(compared_group *g, const char *line, const char *end) {
  while (*line == ' ' || *line == '-')
    line++;
  size_t used = strlen(g->differs);
  snprintf(g->differs + used, sizeof g->differs - used, "%s%.*s", used ? ", " : "",
           (int)(end - line), line);
}

static void find_differences(compared_group *g, const char *text, const char *first) {
  for (; *text; text = line_after(text))
    if (!is_seed(text) && !has_line(first, text, (size_t)(line_end(text) - text)))
      add_difference(g, text, line_end(text));
}

// folder names without the numbers that tell seeds apart
static void label_group(compared_group *g, const char *folder) {
  snprintf(g->label, sizeof g->label, "%s", base_name(folder));
  if (g->n == 1) return;
  size_t end = strlen(g->label);
  while (end > 1 && strchr("0123456789-_.", g->label[end - 1]))
    end--;
  snprintf(g->label + end, sizeof g->label - end, " (%" PRId64 " seeds)", g->n);
}

coh_status compare_form_groups(comparison *c) {
  for (int64_t i = 0; i < c->n_runs; i++) {
    compared *run = &c->run[i];
    int64_t k = 0;
    while (k < c->n_groups &&
           !same_but_seed(run->config.text, c->run[c->group[k].first].config.text))
      k++;
    COH_CHECK(k < COMPARE_MAX_GROUPS, COH_E_CONFIG,
              "more than %d different configs do not fit into one figure", COMPARE_MAX_GROUPS);
    if (k == c->n_groups) c->group[c->n_groups++] = (compared_group){.first = i};
    compared_group *g = &c->group[k];
    size_t used = strlen(g->seeds);
    snprintf(g->seeds + used, sizeof g->seeds - used, "%s%" PRId64, used ? ", " : "",
             run->config.run->seed);
    g->n++;
    run->group = k;
  }
  for (int64_t k = 0; k < c->n_groups; k++) {
    compared_group *g = &c->group[k];
    label_group(g, c->run[g->first].folder);
    if (k > 0)
      find_differences(g, c->run[g->first].config.text, c->run[c->group[0].first].config.text);
  }
  return COH_OK;
}
