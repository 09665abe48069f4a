/* A strict parser of text maps, line by line. */
#include "env/grid_map.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

enum { MAX_LEGEND = 3 + 64, MAX_WORD = 32 };

typedef struct parser {
  const char *name, *at, *end; /* at: start of the current line */
  int64_t line;
  size_t length; /* of the current line, without its end */
  coh_grid_legend legend[MAX_LEGEND];
  int64_t n_legend;
  int64_t goal_line[MAX_LEGEND];
} parser;

#define FAIL(in, column, ...) return fail_at((in), (int64_t)(column), __VA_ARGS__)

__attribute__((format(printf, 3, 4))) static coh_status
fail_at(const parser *in, int64_t column, const char *format, ...) {
  char message[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  return coh_fail(COH_E_DATA, "%s:%lld:%lld: %s", in->name, (long long)in->line,
                  (long long)column + 1, message);
}

/* Step to the next line; false at the end of the text. */
static bool next_line(parser *in) {
  if (in->line > 0) in->at += in->length + (in->at + in->length < in->end);
  in->line++;
  if (in->at >= in->end) return false;
  const char *stop = memchr(in->at, '\n', (size_t)(in->end - in->at));
  in->length = (size_t)((stop ? stop : in->end) - in->at);
  return true;
}

static coh_status check_letters(const parser *in) {
  for (size_t k = 0; k < in->length; k++)
    if ((unsigned char)in->at[k] < ' ' || (unsigned char)in->at[k] > '~')
      FAIL(in, k, "byte 0x%02x: a map is printable ASCII with lines that end in \\n",
           (unsigned)(unsigned char)in->at[k]);
  return COH_OK;
}

static int64_t find_letter(const parser *in, char letter) {
  for (int64_t k = 0; k < in->n_legend; k++)
    if (in->legend[k].letter == letter) return k;
  return -1;
}

/* goal LETTER REWARD */
static coh_status parse_goal(parser *in) {
  size_t at = strlen("goal ");
  if (in->length < at + 3 || in->at[at + 1] != ' ')
    FAIL(in, at, "a goal is written 'goal LETTER REWARD'");
  char letter = in->at[at];
  if (letter == ' ' || letter == ';') FAIL(in, at, "'%c' cannot name a goal", letter);
  if (find_letter(in, letter) >= 0) FAIL(in, at, "'%c' has a meaning already", letter);
  if (in->n_legend == MAX_LEGEND) FAIL(in, at, "more than %d goals", MAX_LEGEND - 3);
  char word[MAX_WORD];
  size_t n_word = in->length - at - 2;
  double reward;
  if (n_word >= sizeof word) FAIL(in, at + 2, "a reward of more than %d letters", MAX_WORD - 1);
  memcpy(word, in->at + at + 2, n_word);
  word[n_word] = '\0';
  if (!coh_text_to_real(word, &reward) || fabs(reward) > 1e30)
    FAIL(in, at + 2, "'%s' is not a reward (a finite number)", word);
  in->goal_line[in->n_legend] = in->line;
  in->legend[in->n_legend++] =
      (coh_grid_legend){letter,
                        {.reward = (float)reward,
                         .look = reward < 0.0 ? COH_GRID_BAD : COH_GRID_GOOD,
                         .ends = true}};
  return COH_OK;
}

/* All lines up to and including `map`. */
static coh_status parse_head(parser *in) {
  while (next_line(in)) {
    COH_TRY(check_letters(in));
    if (in->length == 0 || in->at[0] == ';') continue;
    if (in->length == 3 && memcmp(in->at, "map", 3) == 0) return COH_OK;
    if (in->length >= 5 && memcmp(in->at, "goal ", 5) == 0)
      COH_TRY(parse_goal(in));
    else
      FAIL(in, 0, "expected 'goal LETTER REWARD', 'map' or a comment after ';'");
  }
  FAIL(in, 0, "the file ends before its 'map' line");
}

static coh_status check_row(const parser *in, int64_t n_cols, int64_t n_rows) {
  if (in->length == 0) FAIL(in, 0, "an empty line in the map");
  if (in->length > COH_GRID_MAX_SIDE)
    FAIL(in, COH_GRID_MAX_SIDE, "a row of more than %d cells", COH_GRID_MAX_SIDE);
  if (n_rows == COH_GRID_MAX_SIDE) FAIL(in, 0, "more than %d rows", COH_GRID_MAX_SIDE);
  if (n_rows > 0 && (int64_t)in->length != n_cols)
    FAIL(in, in->length, "a row of %zu cells below rows of %lld", in->length,
         (long long)n_cols);
  for (size_t k = 0; k < in->length; k++)
    if (find_letter(in, in->at[k]) < 0)
      FAIL(in, k, "'%c' is neither '#', '.', 'S' nor a goal declared above", in->at[k]);
  return COH_OK;
}

/* Rows to the end of the text, joined. */
static coh_status parse_rows(parser *in, char *letters, int64_t *n_rows, int64_t *n_cols) {
  *n_rows = *n_cols = 0;
  while (next_line(in)) {
    COH_TRY(check_letters(in));
    COH_TRY(check_row(in, *n_cols, *n_rows));
    *n_cols = (int64_t)in->length;
    memcpy(letters + *n_rows * *n_cols, in->at, in->length);
    ++*n_rows;
  }
  if (*n_rows == 0) FAIL(in, 0, "the map has no rows");
  size_t n_cells = (size_t)(*n_rows * *n_cols);
  if (!memchr(letters, 'S', n_cells)) FAIL(in, 0, "the map has no start 'S'");
  bool any_goal = false;
  for (int64_t k = 3; k < in->n_legend; k++) {
    bool used = memchr(letters, in->legend[k].letter, n_cells) != NULL;
    if (!used) {
      in->line = in->goal_line[k];
      FAIL(in, 5, "goal '%c' is not on the map", in->legend[k].letter);
    }
    any_goal = true;
  }
  if (!any_goal) FAIL(in, 0, "the map has no goal, so no episode would end");
  return COH_OK;
}

static coh_status parse_into(parser *in, char *letters, coh_grid **grid) {
  int64_t n_rows, n_cols;
  COH_TRY(parse_head(in));
  COH_TRY(parse_rows(in, letters, &n_rows, &n_cols));
  return coh_grid_create(letters, n_rows, n_cols, in->legend, in->n_legend, grid);
}

coh_status coh_grid_parse(const char *name, const char *text, size_t n_bytes, float step_reward,
                          coh_grid **grid) {
  parser in = {
      .name = name,
      .at = text,
      .end = text + n_bytes,
      .legend = {{'#', {.look = COH_GRID_WALL, .blocks = true}},
                 {'.', {.look = COH_GRID_FLOOR, .reward = step_reward}},
                 {'S', {.look = COH_GRID_START, .reward = step_reward, .starts = true}}},
      .n_legend = 3,
  };
  char *letters;
  COH_NEW(letters, COH_GRID_MAX_SIDE * COH_GRID_MAX_SIDE);
  coh_status status = parse_into(&in, letters, grid);
  coh_free(letters);
  return status;
}
