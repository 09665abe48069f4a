/* The progress bar: one line, composed in place, drawn with a single write.
 * The rate is smoothed over about ten seconds, so the time left is calm but not stale. */
#include "run/progress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"

static const double REDRAW_SECONDS = 0.1, LOG_SECONDS = 10, RATE_SECONDS = 10;

// a line under construction: bytes for the terminal, columns for the eye
typedef struct line {
  char *text;
  size_t n_bytes;
  int columns;
} line;

static void put(line *l, const char *text) {
  size_t n = strlen(text);
  if (l->n_bytes + n >= COH_PROGRESS_BYTES) return;
  memcpy(l->text + l->n_bytes, text, n + 1);
  l->n_bytes += n;
  for (size_t i = 0; i < n; i++)
    l->columns += ((unsigned char)text[i] & 0xC0) != 0x80; // UTF-8 continues the column
}

// escape sequences take no columns
static void put_style(line *l, const char *escape) {
  int columns = l->columns;
  put(l, escape);
  l->columns = columns;
}

void coh_progress_count(double value, char text[16]) {
  static const char *const units[] = {"", "k", "M", "G", "T"};
  int unit = 0;
  double scaled = value;
  while (fabs(scaled) >= 999.5 && unit < 4) {
    scaled /= 1000;
    unit++;
  }
  int decimals = unit == 0 ? (fabs(scaled) < 9.95 && scaled != floor(scaled) ? 1 : 0)
                           : (fabs(scaled) < 9.995   ? 2
                              : fabs(scaled) < 99.95 ? 1
                                                     : 0);
  snprintf(text, 16, "%.*f%s", decimals, scaled, units[unit]);
}

void coh_progress_time(double seconds, char text[16]) {
  double bounded = fmin(fmax(seconds, 0), 999.0 * 86400);
  unsigned s = (unsigned)(bounded + 0.5);
  unsigned h = s / 3600, m = s / 60 % 60;
  if (h >= 100)
    snprintf(text, 16, "%ud %02uh", h / 24 % 1000, h % 24);
  else if (h > 0)
    snprintf(text, 16, "%u:%02u:%02u", h, m, s % 60);
  else
    snprintf(text, 16, "%u:%02u", m, s % 60);
}

// false when there is no room
static bool put_metric(line *l, const coh_metric *metric, int columns) {
  char item[96], value[32];
  const char *slash = strrchr(metric->name, '/');
  double v = metric->value;
  if (v == floor(v) && fabs(v) < 1e6)
    snprintf(value, sizeof value, "%.0f", v);
  else
    snprintf(value, sizeof value, "%.3g", v);
  int n = snprintf(item, sizeof item, "  %.40s %s", slash ? slash + 1 : metric->name, value);
  if (columns > 0 && l->columns + n > columns) return false;
  put(l, item);
  return true;
}

static void put_bar(line *l, double fraction, int cells) {
  static const char *const eighths[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  int filled = (int)(fraction * 8 * cells);
  put_style(l, "\033[36m");
  for (int i = 0; i < cells; i++) {
    int rest = filled - 8 * i;
    put(l, rest >= 8 ? "█" : rest > 0 ? eighths[rest] : " ");
  }
  put_style(l, "\033[0m\033[2m");
  put(l, "▏");
  put_style(l, "\033[0m");
}

int coh_progress_line(const coh_progress *p, double now, int columns, const coh_metric *metrics,
                      int64_t n_metrics, char text[COH_PROGRESS_BYTES]) {
  line l = {text, 0, 0};
  char a[16], b[16], item[64];
  text[0] = '\0';
  bool bounded = p->total > 0, terminal = columns > 0, roomy = !terminal || columns >= 60;
  double elapsed = now - p->begun;
  double fraction = bounded ? fmin(fmax((double)p->done / (double)p->total, 0), 1) : 0;

  // what is always there, then what there is room for
  if (terminal && columns >= 80) put_style(&l, "\033[1m");
  if (roomy) put(&l, p->label);
  if (terminal && columns >= 80) put_style(&l, "\033[0m");
  if (bounded) {
    snprintf(item, sizeof item, roomy ? "  %3.0f%%" : "%3.0f%%", floor(100 * fraction));
    put(&l, item);
    if (terminal && columns >= 40) {
      put(&l, " ");
      put_bar(&l, fraction, columns >= 120 ? 30 : columns >= 80 ? 20 : 10);
    }
  }
  coh_progress_count((double)p->done, a);
  if (roomy) {
    coh_progress_count((double)p->total, b);
    if (bounded)
      snprintf(item, sizeof item, "  %s/%s %s", a, b, p->unit);
    else
      snprintf(item, sizeof item, "  %s %s", a, p->unit);
    put(&l, item);
  }
  coh_progress_count(p->rate, a);
  snprintf(item, sizeof item, "  %s %s/s", a, p->unit);
  if (p->rate > 0 && (!terminal || l.columns + (int)strlen(item) < columns)) put(&l, item);
  if (bounded && p->rate > 0 && p->done < p->total) {
    coh_progress_time((double)(p->total - p->done) / p->rate, b);
    snprintf(item, sizeof item, "  %s left", b);
  } else {
    coh_progress_time(elapsed, b);
    snprintf(item, sizeof item, "  in %s", b);
  }
  if (!terminal || l.columns + (int)strlen(item) < columns) put(&l, item);
  for (int64_t i = 0; i < n_metrics && roomy; i++)
    if (!put_metric(&l, &metrics[i], terminal ? columns - 1 : 0)) break;
  return l.columns;
}

void coh_progress_begin(coh_progress *p, int descriptor, const char *label, const char *unit,
                        int64_t start, int64_t total) {
  *p = (coh_progress){.descriptor = descriptor, .start = start, .total = total, .done = start};
  const char *kind = getenv("TERM");
  p->terminal = isatty(descriptor) && kind && strcmp(kind, "dumb") != 0;
  snprintf(p->label, sizeof p->label, "%s", label);
  snprintf(p->unit, sizeof p->unit, "%s", unit);
  p->begun = p->rate_at = coh_clock_now();
  p->drawn_at = p->terminal ? 0 : p->begun; // a log says nothing in the first seconds
  p->rate_done = start;
}

static int terminal_columns(int descriptor) {
  struct winsize size;
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// what cannot be written to a terminal is lost; there is nothing to do about it
static void send(const coh_progress *p, size_t n_bytes) {
  ssize_t ignored = write(p->descriptor, p->text, n_bytes);
  (void)ignored;
}

// an exponential mean whose memory is RATE_SECONDS, exact for the time before that
static void measure_rate(coh_progress *p, double now) {
  double passed = now - p->rate_at, elapsed = now - p->begun;
  if (passed < 0.05) return;
  double current = (double)(p->done - p->rate_done) / passed;
  double weight = fmax(1 - exp(-passed / RATE_SECONDS), fmin(passed / elapsed, 1));
  p->rate += weight * (current - p->rate);
  p->rate_at = now;
  p->rate_done = p->done;
}

static void draw(coh_progress *p, double now, const coh_metric *metrics, int64_t n_metrics,
                 bool last) {
  static const char start[] = "\r", erase[] = "\033[K", newline[] = "\n";
  char composed[COH_PROGRESS_BYTES];
  int columns = p->terminal ? terminal_columns(p->descriptor) : 0;
  coh_progress_line(p, now, columns, metrics, n_metrics, composed);
  int n = snprintf(p->text, sizeof p->text, "%s%.*s%s%s", p->terminal ? start : "",
                   COH_PROGRESS_BYTES - 16, composed, p->terminal ? erase : "",
                   p->terminal && !last ? "" : newline);
  send(p, (size_t)n);
  p->visible = p->terminal && !last;
  p->drawn_at = now;
}

void coh_progress_update(coh_progress *p, int64_t done, const coh_metric *metrics,
                         int64_t n_metrics) {
  double now = coh_clock_now();
  p->done = done;
  if (now - p->drawn_at < (p->terminal ? REDRAW_SECONDS : LOG_SECONDS)) return;
  measure_rate(p, now);
  draw(p, now, metrics, n_metrics, false);
}

void coh_progress_clear(coh_progress *p) {
  if (!p->visible) return;
  static const char erase[] = "\r\033[K";
  memcpy(p->text, erase, sizeof erase);
  send(p, sizeof erase - 1);
  p->visible = false;
  p->drawn_at = 0;
}

void coh_progress_end(coh_progress *p, const coh_metric *metrics, int64_t n_metrics) {
  double now = coh_clock_now(), elapsed = now - p->begun;
  // the last line tells the mean over the whole run, and how long it took
  if (elapsed > 0) p->rate = (double)(p->done - p->start) / elapsed;
  bool whole = p->total <= 0 || p->done >= p->total;
  int64_t total = p->total;
  if (!whole) p->total = 0;
  draw(p, now, metrics, n_metrics, true);
  p->total = total;
}
