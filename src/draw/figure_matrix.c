/* A table of counts as a gnuplot picture: coloured by the share of the row, so that a frequent
 * class does not outshine a rare one; white on dark cells, dark on light ones. */
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "draw/figure.h"
#include "draw/figure_gnuplot.h"

enum { TEXT_UP_TO = 25, NAMES_UP_TO = 60 };

static void add_names(coh_text *script, const coh_matrix *m, char axis) {
  coh_text_add(script, "  set %ctics noenhanced (", axis);
  for (int64_t k = 0; k < m->n && m->n <= NAMES_UP_TO; k++) {
    coh_text_add(script, k ? ", " : "");
    coh_gnuplot_quote(script, m->name[k]);
    coh_text_add(script, " %" PRId64, k);
  }
  coh_text_add(script, ")\n");
}

// columns: column, row, share, count
static void compose_data(const coh_matrix *m, coh_text *data) {
  coh_text_add(data, "# column, row, share of the row, count\n");
  for (int64_t i = 0; i < m->n; i++) {
    const int64_t *count = m->count + i * m->n;
    int64_t sum = 0;
    for (int64_t j = 0; j < m->n; j++)
      sum += count[j];
    for (int64_t j = 0; j < m->n; j++)
      coh_text_add(data, "%" PRId64 " %" PRId64 " %.6f %" PRId64 "\n", j, i,
                   sum > 0 ? (double)count[j] / (double)sum : 0, count[j]);
    coh_text_add(data, "\n");
  }
}

static void add_cells(coh_text *script, const coh_matrix *m) {
  coh_text_add(script, "  plot data using 1:2:3 with image notitle");
  if (m->n <= TEXT_UP_TO)
    coh_text_add(script,
                 ", \\\n    data using 1:2:($4>0 ? gprintf($3<0.0995 ? '%%.1f' : '%%.0f', "
                 "100*$3) : ''):($3>0.5 ? 0xFFFFFF : 0x1F2933) with labels offset 0,0.35 "
                 "font ',%d' tc rgb variable notitle, \\\n    data using 1:2:($4>0 ? "
                 "gprintf('%%.0f', $4) : ''):($3>0.5 ? 0xDCE7F0 : 0x7B8794) with labels offset "
                 "0,-0.55 font ',%d' tc rgb variable notitle",
                 m->n <= 12 ? 14 : 10, m->n <= 12 ? 10 : 7);
  coh_text_add(script, "\n");
}

static void compose_script(const coh_matrix *m, const char *name, coh_text *script) {
  int side = m->n <= 12 ? 720 : 960;
  coh_text_add(script,
               "# A table of Cohort. Edit it and run: gnuplot %s.gp\ndata = '%s.dat'\n"
               "do for [format in 'svg png'] {\n  if (format eq 'svg') {\n"
               "    set terminal svg size %d,%d font 'sans-serif,15' enhanced\n  } else {\n"
               "    set terminal pngcairo size %d,%d fontscale 1.5 linewidth 2 font "
               "'sans-serif,15' enhanced\n  }\n  set output '%s.'.format\n"
               "  set encoding utf8\n  unset key; unset colorbox\n"
               "  set border 0; set tics nomirror scale 0 tc rgb '#4A5560' font ',13.5'\n"
               "  set palette defined (0 '#FFFFFF', 0.02 '#E8F1F8', 0.2 '#A9CCE3', 0.5 "
               "'#4A90C2', 1 '#0B3C5D')\n  set cbrange [0:1]\n"
               "  set xrange [-0.5:%.1f]; set yrange [%.1f:-0.5]\n  set size square\n"
               "  set xtics rotate by -40 offset 0,0.2\n",
               name, name, side, side, 2 * side, 2 * side, name, (double)m->n - 0.5,
               (double)m->n - 0.5);
  add_names(script, m, 'x');
  add_names(script, m, 'y');
  coh_text_add(script, "  set xlabel ");
  coh_gnuplot_quote(script, m->columns ? m->columns : "");
  coh_text_add(script, " tc rgb '#323F4B' noenhanced\n  set ylabel ");
  coh_gnuplot_quote(script, m->rows ? m->rows : "");
  coh_text_add(script, " tc rgb '#323F4B' noenhanced\n");
  if (m->title) {
    coh_text_add(script, "  set title ");
    coh_gnuplot_quote(script, m->title);
    coh_text_add(script, " noenhanced font ',16' tc rgb '#1F2933'\n");
  }
  add_cells(script, m);
  coh_text_add(script, "  unset output\n}\n");
}

coh_status coh_matrix_write(const coh_matrix *matrix, const char *folder, const char *name,
                            bool *drawn) {
  COH_CHECK(matrix->n > 0, COH_E_INTERNAL, "%s: a table of nothing", name);
  coh_text script = {0}, data = {0};
  compose_data(matrix, &data);
  compose_script(matrix, name, &script);
  return coh_gnuplot_write(&script, &data, folder, name, drawn);
}
