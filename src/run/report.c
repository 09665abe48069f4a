/* The report builder: texts that grow as the caller adds to them, joined into one page at the
 * end. Lack of memory is remembered by the texts and told at the end. */
#include "run/report.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "io/file.h"
#include "run/report_style.h"

enum { MAX_PICTURE_BYTES = 1 << 28, PIXELATED_WIDTH = 320 };

struct coh_report {
  coh_text head, numbers, contents, body;
  int n_sections;
  bool within_figures;
  size_t lonely; // where the body says that a half figure is one, while it stands alone; or 0
};

// ---- text ---------------------------------------------------------------------------------

static void add(coh_text *text, const char *html) {
  coh_text_add_bytes(text, html, strlen(html));
}

static void add_element(coh_text *text, const char *open, const char *plain,
                        const char *close) {
  add(text, open);
  coh_text_add_html(text, plain);
  add(text, close);
}

// a half figure that got no neighbour takes the whole width
static void widen_lonely(coh_report *report) {
  if (report->lonely && !report->body.failed)
    memcpy(report->body.data + report->lonely, "wide", 4);
  report->lonely = 0;
}

// where the next element goes, with the row of figures closed
static coh_text *body_of(coh_report *report) {
  widen_lonely(report);
  if (report->within_figures) add(&report->body, "</div>\n");
  report->within_figures = false;
  return &report->body;
}

// ---- the page -----------------------------------------------------------------------------

coh_status coh_report_begin(const coh_report_head *head, coh_report **report) {
  coh_report *made;
  COH_NEW(made, 1);
  coh_text *text = &made->head;
  add(text, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n");
  add_element(text, "<title>", head->title, "</title>\n<style>");
  add(text, coh_report_style);
  add(text, "</style></head>\n<body><main>\n<header><div class=\"badges\">");
  if (head->status) {
    add_element(text, "<span class=\"badge dot ", head->status, "\"><b>");
    add_element(text, "", head->status, "</b></span>");
  }
  if (head->task)
    add_element(text, "<span class=\"badge\">task <b>", head->task, "</b></span>");
  if (head->written) add_element(text, "<span class=\"badge\">", head->written, "</span>");
  add_element(text, "</div>\n<h1>", head->title, "</h1>\n");
  if (head->subtitle) add_element(text, "<p>", head->subtitle, "</p>\n");
  add(text, "</header>\n");
  *report = made;
  return COH_OK;
}

void coh_report_number(coh_report *report, const char *value, const char *label,
                       const char *note) {
  coh_text *text = &report->numbers;
  add_element(text, "<div class=\"number\"><div class=\"label\">", label, "</div>");
  add_element(text, "<div class=\"value\">", value, "</div>");
  if (note) add_element(text, "<div class=\"note\">", note, "</div>");
  add(text, "</div>\n");
}

void coh_report_section(coh_report *report, const char *title) {
  coh_text *body = body_of(report);
  report->n_sections++;
  coh_text_add(body, "<h2 id=\"s%d\">", report->n_sections);
  add_element(body, "", title, "</h2>\n");
  coh_text_add(&report->contents, "<a href=\"#s%d\">", report->n_sections);
  add_element(&report->contents, "", title, "</a>\n");
}

void coh_report_text(coh_report *report, const char *text) {
  add_element(body_of(report), "<p>", text, "</p>\n");
}

void coh_report_warning(coh_report *report, const char *text) {
  add_element(body_of(report), "<div class=\"warning\">", text, "</div>\n");
}

void coh_report_listing(coh_report *report, const char *title, const char *text, int open) {
  coh_text *body = body_of(report);
  add_element(body, open ? "<details open><summary>" : "<details><summary>", title,
              "</summary><pre>");
  add_element(body, "", text, "</pre></details>\n");
}

// ---- tables -------------------------------------------------------------------------------

// numbers, perhaps with a unit or a sign, stand flush right
static bool is_numeric(const char *const *cells, int64_t n_rows, int64_t n_columns,
                       int64_t column) {
  bool any = false;
  for (int64_t r = 0; r < n_rows; r++) {
    const char *cell = cells[r * n_columns + column];
    if (!cell || !*cell) continue;
    any = true;
    const char *digit = cell + strspn(cell, "+-.");
    if (*digit < '0' || *digit > '9') return false;
  }
  return any;
}

static void add_cell(coh_text *body, const char *tag, bool right, const char *cell) {
  coh_text_add(body, right ? "<%s class=\"right\">" : "<%s>", tag);
  coh_text_add_html(body, cell ? cell : "");
  coh_text_add(body, "</%s>", tag);
}

void coh_report_table(coh_report *report, const char *caption, const char *const *header,
                      const char *const *cells, int64_t n_rows, int64_t n_columns) {
  coh_text *body = body_of(report);
  add(body, "<div class=\"table\"><table>");
  if (caption) add_element(body, "<caption>", caption, "</caption>");
  if (header) {
    add(body, "<thead><tr>");
    for (int64_t c = 0; c < n_columns; c++)
      add_cell(body, "th", is_numeric(cells, n_rows, n_columns, c), header[c]);
    add(body, "</tr></thead>");
  }
  add(body, "<tbody>\n");
  for (int64_t r = 0; r < n_rows; r++) {
    add(body, "<tr>");
    for (int64_t c = 0; c < n_columns; c++)
      add_cell(body, "td", is_numeric(cells, n_rows, n_columns, c), cells[r * n_columns + c]);
    add(body, "</tr>\n");
  }
  add(body, "</tbody></table></div>\n");
}

// ---- figures ------------------------------------------------------------------------------

// pixels of a game are shown large enough to be seen: a whole multiple of their number
static int shown_width(const coh_report_picture *picture, const uint8_t *data, size_t n_bytes) {
  if (picture->width > 0 || !picture->pixelated || n_bytes < 24) return picture->width;
  uint32_t width = (uint32_t)data[16] << 24 | (uint32_t)data[17] << 16 |
                   (uint32_t)data[18] << 8 | data[19]; // of a PNG's first chunk
  if (width == 0 || width >= PIXELATED_WIDTH) return 0;
  return (int)((PIXELATED_WIDTH + width - 1) / width * width);
}

coh_status coh_report_figure(coh_report *report, const coh_report_picture *picture) {
  char *data;
  size_t n_bytes;
  coh_status status = coh_file_load(picture->path, MAX_PICTURE_BYTES, &data, &n_bytes);
  if (status == COH_E_DATA) {
    coh_text note = {0};
    coh_text_add(&note, "This figure could not be read: %s", coh_error_message());
    if (note.data) coh_report_warning(report, note.data);
    coh_text_clear(&note);
    return COH_OK;
  }
  COH_TRY(status);
  bool chart = coh_text_ends_with(picture->path, ".svg");
  coh_text *body = &report->body;
  if (!report->within_figures) add(body, "<div class=\"figures\">\n");
  report->within_figures = true;
  if (!picture->half) widen_lonely(report);
  add(body, "<figure class=\"");
  if (picture->half) {
    report->lonely = report->lonely ? 0 : body->n_bytes;
    add(body, "half ");
  }
  coh_text_add(body, "%s%s\"><img src=\"data:image/%s;base64,", chart ? "chart" : "picture",
               picture->pixelated ? " pixelated" : "", chart ? "svg+xml" : "png");
  coh_text_add_base64(body, data, n_bytes);
  int width = shown_width(picture, (const uint8_t *)data, n_bytes);
  coh_free(data);
  add(body, "\" alt=\"");
  if (picture->caption) coh_text_add_html(body, picture->caption);
  add(body, "\"");
  if (width > 0) coh_text_add(body, " width=\"%d\"", width);
  add(body, ">");
  if (picture->caption) add_element(body, "<figcaption>", picture->caption, "</figcaption>");
  add(body, "</figure>\n");
  return COH_OK;
}

void coh_report_link(coh_report *report, const char *path, const char *text) {
  coh_text *body = body_of(report);
  add(body, "<p class=\"page\"><a href=\"");
  coh_text_add_html(body, path);
  add_element(body, "\">", path, "</a>: ");
  add_element(body, "", text, "</p>\n");
}

// ---- the end ------------------------------------------------------------------------------

static coh_status write_text(coh_file *file, const coh_text *text) {
  return text->n_bytes > 0 ? coh_file_write(file, text->data, text->n_bytes) : COH_OK;
}

static coh_status write_string(coh_file *file, const char *string) {
  return coh_file_write(file, string, strlen(string));
}

static coh_status write_page(const coh_report *report, coh_file *file) {
  COH_TRY(write_text(file, &report->head));
  if (report->numbers.n_bytes > 0) {
    COH_TRY(write_string(file, "<div class=\"numbers\">\n"));
    COH_TRY(write_text(file, &report->numbers));
    COH_TRY(write_string(file, "</div>\n"));
  }
  if (report->n_sections > 1) {
    COH_TRY(write_string(file, "<nav>"));
    COH_TRY(write_text(file, &report->contents));
    COH_TRY(write_string(file, "</nav>\n"));
  }
  COH_TRY(write_text(file, &report->body));
  return write_string(file, "<footer>Written by Cohort. This file is complete: it needs no "
                            "network.</footer>\n</main></body></html>\n");
}

static coh_status finish(coh_report *report, const char *path) {
  body_of(report);
  COH_CHECK(!report->head.failed && !report->numbers.failed && !report->contents.failed &&
                !report->body.failed,
            COH_E_MEMORY, "%s: out of memory for the report", path);
  coh_file *file;
  COH_TRY(coh_file_create(path, &file));
  coh_status status = write_page(report, file);
  if (status == COH_OK) return coh_file_commit(&file, NULL, NULL);
  coh_file_discard(&file);
  return status;
}

coh_status coh_report_end(coh_report **report, const char *path) {
  coh_status status = finish(*report, path);
  coh_report_discard(report);
  return status;
}

void coh_report_discard(coh_report **report) {
  if (!*report) return;
  coh_text_clear(&(*report)->head);
  coh_text_clear(&(*report)->numbers);
  coh_text_clear(&(*report)->contents);
  coh_text_clear(&(*report)->body);
  COH_DELETE(*report);
}
