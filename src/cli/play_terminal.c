/* Playing in the terminal: pictures as half blocks in 24-bit colour, two pixels a cell; one key
 * a step. */
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "cli/play.h"
#include "cohort/env.h"

struct coh_play {
  struct termios before;
  int64_t columns, rows; // of the terminal
  uint8_t *rgb;
};

coh_status coh_play_begin(coh_play **out) {
  COH_CHECK(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO), COH_E_CONFIG,
            "--play needs a terminal for its picture and your keys");
  coh_play *play;
  COH_NEW(play, 1);
  tcgetattr(STDIN_FILENO, &play->before);
  struct termios raw = play->before;
  raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  struct winsize size = {0};
  bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
  play->columns = known ? size.ws_col : 80;
  play->rows = known ? size.ws_row : 24;
  *out = play;
  return COH_OK;
}

void coh_play_end(coh_play **play) {
  if (!*play) return;
  tcsetattr(STDIN_FILENO, TCSANOW, &(*play)->before);
  coh_free((*play)->rgb);
  COH_DELETE(*play);
}

// ---- the picture --------------------------------------------------------------------------

// the mean colour of the pixels under cell (x, y) of a columns x rows raster
static void mean_color(const coh_env_spec *spec, const uint8_t *rgb, int64_t columns,
                       int64_t rows, int64_t x, int64_t y, int mean[3]) {
  int64_t x0 = x * spec->render_width / columns, x1 = (x + 1) * spec->render_width / columns;
  int64_t y0 = y * spec->render_height / rows, y1 = (y + 1) * spec->render_height / rows;
  if (x1 == x0) x1++;
  if (y1 == y0) y1++;
  int64_t sum[3] = {0}, n = (x1 - x0) * (y1 - y0);
  for (int64_t i = y0; i < y1; i++)
    for (int64_t j = x0; j < x1; j++)
      for (int c = 0; c < 3; c++)
        sum[c] += rgb[(i * spec->render_width + j) * 3 + c];
  for (int c = 0; c < 3; c++)
    mean[c] = (int)(sum[c] / n);
}

static void add_picture(const coh_play *play, const coh_env_spec *spec, coh_text *text) {
  // as large as fits, with square pixels: a cell holds one over the other
  int64_t columns = play->columns, rows = 2 * (play->rows - 4);
  if (columns * spec->render_height > rows * spec->render_width)
    columns = rows * spec->render_width / spec->render_height;
  else
    rows = columns * spec->render_height / spec->render_width;
  rows -= rows % 2;
  for (int64_t y = 0; y + 1 < rows; y += 2) {
    for (int64_t x = 0; x < columns; x++) {
      int over[3], under[3];
      mean_color(spec, play->rgb, columns, rows, x, y, over);
      mean_color(spec, play->rgb, columns, rows, x, y + 1, under);
      coh_text_add(text, "\033[38;2;%d;%d;%dm\033[48;2;%d;%d;%dm\xE2\x96\x80", over[0], over[1],
                   over[2], under[0], under[1], under[2]);
    }
    coh_text_add(text, "\033[0m\033[K\n");
  }
}

static coh_status show(coh_play *play, const coh_record_moment *moment) {
  const coh_env_spec *spec = coh_env_spec_of(moment->env);
  if (!play->rgb) COH_NEW(play->rgb, spec->render_width * spec->render_height * 3);
  coh_env_render(moment->env, 0, play->rgb);
  coh_text text = {0};
  coh_text_add(&text, moment->n_steps ? "\033[H" : "\033[2J\033[H");
  add_picture(play, spec, &text);
  coh_text_add(&text, "step %lld, episode %lld, reward %g, in this episode %g\033[K\n",
               (long long)moment->n_steps, (long long)moment->n_episodes, moment->reward,
               moment->total);
  for (int64_t a = 0; a < spec->n_actions; a++)
    coh_text_add(&text, "%lld %s  ", (long long)a, spec->action_names[a]);
  coh_text_add(&text, "(or arrows; q saves and stops)\033[K\n");
  char *frame = NULL;
  COH_TRY(coh_text_take(&text, &frame));
  size_t n = strlen(frame);
  ssize_t written = write(STDOUT_FILENO, frame, n);
  coh_free(frame);
  COH_CHECK(written == (ssize_t)n, COH_E_IO, "the terminal takes no more");
  return COH_OK;
}

// ---- keys ---------------------------------------------------------------------------------

static int32_t find_action(const char *const *wanted, const char *const *names,
                           int64_t n_actions) {
  for (; *wanted; wanted++)
    for (int64_t a = 0; a < n_actions; a++)
      if (strcmp(names[a], *wanted) == 0) return (int32_t)a;
  return -1;
}

int32_t coh_play_action_of(char key, bool arrow, const char *const *names, int64_t n_actions) {
  static const char *const up[] = {"up", "north", "forward", NULL};
  static const char *const down[] = {"down", "south", "back", NULL};
  static const char *const right[] = {"right", "east", NULL};
  static const char *const left[] = {"left", "west", NULL};
  static const char *const none[] = {"none", "noop", "stay", "fire", NULL};
  if (!arrow && key >= '0' && key <= '9' && key - '0' < n_actions) return key - '0';
  if (arrow ? key == 'A' : key == 'w') return find_action(up, names, n_actions);
  if (arrow ? key == 'B' : key == 's') return find_action(down, names, n_actions);
  if (arrow ? key == 'C' : key == 'd') return find_action(right, names, n_actions);
  if (arrow ? key == 'D' : key == 'a') return find_action(left, names, n_actions);
  return !arrow && key == ' ' ? find_action(none, names, n_actions) : -1;
}

coh_status coh_play_choose(void *context, const coh_record_moment *moment, int32_t *action) {
  coh_play *play = context;
  const coh_env_spec *spec = coh_env_spec_of(moment->env);
  COH_TRY(show(play, moment));
  char key, rest[2];
  while (read(STDIN_FILENO, &key, 1) == 1) {
    bool arrow = false;
    if (key == 'q' || key == 4) break;
    if (key == 27) { // an arrow is ESC [ A
      if (read(STDIN_FILENO, rest, 1) != 1 || *rest != '[') continue;
      if (read(STDIN_FILENO, rest + 1, 1) != 1) continue;
      key = rest[1];
      arrow = true;
    }
    *action = coh_play_action_of(key, arrow, spec->action_names, spec->n_actions);
    if (*action >= 0) return COH_OK;
  }
  *action = -1;
  return COH_OK;
}
