/* Text files of models, line by line and word by word, with the place of everything that is
 * wrong: FILE:LINE. The text is mapped, never copied; words are short. */
#ifndef COHORT_MDP_SCAN_H
#define COHORT_MDP_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "cohort/status.h"
#include "io/map.h"

enum { COH_SCAN_WORD = 256 };

typedef struct coh_scan {
  const char *path;
  coh_map map;
  char separator; /* between words; ' ': any blanks */
  int64_t line;   /* of the line being read, from 1 */
  const char *at, *line_end, *next_line, *end;
  char word[COH_SCAN_WORD];
} coh_scan;

/* Open; path: borrowed until close. Fails: COH_E_DATA (absent, empty, binary). */
coh_status coh_scan_open(const char *path, char separator, coh_scan *scan);
void coh_scan_close(coh_scan *scan);

/* Go to the next line that holds more than blanks; false at the end of the file. */
bool coh_scan_line(coh_scan *scan);

/* The line after this one, blank or not; false at the end of the file. */
bool coh_scan_any_line(coh_scan *scan);

/* Whether the line holds more. */
bool coh_scan_more(coh_scan *scan);

/* The next word of the line, into scan->word. what: stands in messages.
 * Fails: COH_E_DATA where the line ends before, or the word is too long. */
coh_status coh_scan_word(coh_scan *scan, const char *what);

/* The next word as a number from `least` to `most`; as a real number, or a fraction a/b. */
coh_status coh_scan_int(coh_scan *scan, const char *what, int64_t least, int64_t most,
                        int64_t *value);
coh_status coh_scan_real(coh_scan *scan, const char *what, double *value);

/* The word in scan->word as a real number. */
coh_status coh_scan_as_real(const coh_scan *scan, const char *what, double *value);

/* Nothing may follow in this line. */
coh_status coh_scan_done(coh_scan *scan);

/* Word a failure of the current line. */
#define COH_SCAN_CHECK(scan, condition, format, ...)                                          \
  COH_CHECK(condition, COH_E_DATA, "%s:%lld: " format, (scan)->path, (long long)(scan)->line, \
            __VA_ARGS__)

/* Put the current line before the message of a failed call, and return it. */
#define COH_SCAN_TRY(scan, call)                                                              \
  do {                                                                                        \
    coh_status scan_status_ = (call);                                                         \
    if (scan_status_ != COH_OK)                                                               \
      return coh_fail_within(scan_status_, "%s:%lld", (scan)->path, (long long)(scan)->line); \
  } while (0)

#endif
