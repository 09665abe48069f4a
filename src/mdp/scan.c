/* Words of mapped text. */
#include "mdp/scan.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

coh_status coh_scan_open(const char *path, char separator, coh_scan *scan) {
  *scan = (coh_scan){.path = path, .separator = separator};
  COH_TRY(coh_map_open(path, &scan->map));
  const char *start = scan->map.start;
  scan->end = start + scan->map.n_bytes;
  scan->next_line = scan->at = scan->line_end = start;
  if (memchr(start, 0, scan->map.n_bytes)) {
    coh_scan_close(scan);
    return coh_fail(COH_E_DATA, "%s: holds a NUL byte: not text", path);
  }
  return COH_OK;
}

void coh_scan_close(coh_scan *scan) {
  coh_map_close(&scan->map);
}

static bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool coh_scan_any_line(coh_scan *scan) {
  if (scan->next_line == scan->end) return false;
  scan->at = scan->next_line;
  const char *newline = memchr(scan->at, '\n', (size_t)(scan->end - scan->at));
  scan->line_end = newline ? newline : scan->end;
  scan->next_line = newline ? newline + 1 : scan->end;
  scan->line++;
  return true;
}

bool coh_scan_more(coh_scan *scan) {
  while (scan->at < scan->line_end && is_blank(*scan->at))
    scan->at++;
  return scan->at < scan->line_end;
}

bool coh_scan_line(coh_scan *scan) {
  while (coh_scan_any_line(scan))
    if (coh_scan_more(scan)) return true;
  return false;
}

coh_status coh_scan_word(coh_scan *scan, const char *what) {
  COH_SCAN_CHECK(scan, coh_scan_more(scan), "the line ends where %s is expected", what);
  const char *from = scan->at;
  bool blanks = scan->separator == ' ';
  while (scan->at < scan->line_end &&
         (blanks ? !is_blank(*scan->at) : *scan->at != scan->separator))
    scan->at++;
  const char *to = scan->at;
  if (!blanks && scan->at < scan->line_end) {
    scan->at++; // the separator promises another word
    COH_SCAN_CHECK(scan, coh_scan_more(scan), "nothing follows the last '%c'", scan->separator);
  }
  while (to > from && is_blank(to[-1]))
    to--;
  COH_SCAN_CHECK(scan, to > from, "an empty field where %s is expected", what);
  COH_SCAN_CHECK(scan, to - from < COH_SCAN_WORD, "a word of %lld bytes where %s is expected",
                 (long long)(to - from), what);
  memcpy(scan->word, from, (size_t)(to - from));
  scan->word[to - from] = '\0';
  return COH_OK;
}

coh_status coh_scan_int(coh_scan *scan, const char *what, int64_t least, int64_t most,
                        int64_t *value) {
  COH_TRY(coh_scan_word(scan, what));
  COH_SCAN_CHECK(scan, coh_text_to_int(scan->word, value), "'%.40s' is not %s", scan->word,
                 what);
  COH_SCAN_CHECK(scan, *value >= least && *value <= most,
                 "%s is %lld, not within %lld and %lld", what, (long long)*value,
                 (long long)least, (long long)most);
  return COH_OK;
}

coh_status coh_scan_as_real(const coh_scan *scan, const char *what, double *value) {
  char above[COH_SCAN_WORD];
  double below = 1.0;
  memcpy(above, scan->word, sizeof above);
  char *slash = strchr(above, '/');
  if (slash) *slash = '\0';
  bool good = coh_text_to_real(above, value) && (!slash || coh_text_to_real(slash + 1, &below));
  if (good) *value /= below;
  COH_SCAN_CHECK(scan, good && isfinite(*value),
                 "'%.40s' is not %s: a finite number is expected", scan->word, what);
  return COH_OK;
}

coh_status coh_scan_real(coh_scan *scan, const char *what, double *value) {
  COH_TRY(coh_scan_word(scan, what));
  return coh_scan_as_real(scan, what, value);
}

coh_status coh_scan_done(coh_scan *scan) {
  bool more = coh_scan_more(scan);
  COH_SCAN_CHECK(scan, !more, "'%.*s' follows where the line should end",
                 (int)(scan->line_end - scan->at < 40 ? scan->line_end - scan->at : 40),
                 scan->at);
  return COH_OK;
}
