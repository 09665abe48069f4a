/* Places are 16-bit numbers of the square that the points span, finer than any screen. */
#include "draw/map_page.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "draw/map_page_script.h"
#include "draw/scatter.h"
#include "io/file.h"

static void add(coh_text *text, const char *plain) {
  coh_text_add_bytes(text, plain, strlen(plain));
}

// a string of JSON inside a script of HTML
static void add_string(coh_text *text, const char *plain) {
  add(text, "\"");
  for (const char *c = plain; *c; c++) {
    unsigned char byte = (unsigned char)*c;
    if (byte < 32 || strchr("\"\\<>&'", byte))
      coh_text_add(text, "\\u%04x", byte);
    else
      coh_text_add_bytes(text, c, 1);
  }
  add(text, "\"");
}

// 16-bit numbers, low byte first
static void put(uint8_t *to, uint32_t value) {
  to[0] = (uint8_t)(value & 255);
  to[1] = (uint8_t)(value >> 8 & 255);
}

// the middle and half the width of the cube that holds all points
static double span_of(const coh_map_page *p, const float *const *axis, int n_axes,
                      double *middle) {
  double half = 0;
  for (int a = 0; a < n_axes; a++) {
    double low = (double)axis[a][0], high = low;
    for (int64_t i = 1; i < p->n; i++) {
      low = fmin(low, (double)axis[a][i * p->stride]);
      high = fmax(high, (double)axis[a][i * p->stride]);
    }
    middle[a] = 0.5 * (low + high);
    half = fmax(half, 0.5 * (high - low));
  }
  return half > 0 ? half : 1;
}

static coh_status add_points(const coh_map_page *p, coh_text *text) {
  const float *axis[3] = {p->x, p->y, p->z};
  int n_axes = p->z ? 3 : 2;
  double middle[3], half = span_of(p, axis, n_axes, middle);
  uint8_t *packed;
  COH_NEW(packed, 2 * n_axes * p->n);
  for (int64_t i = 0; i < p->n; i++)
    for (int a = 0; a < n_axes; a++) {
      double share = ((double)axis[a][i * p->stride] - middle[a]) / half;
      put(packed + 2 * (n_axes * i + a), (uint32_t)lrint(32767.5 + 32767.4 * share));
    }
  coh_text_add(text, "n:%lld,axes:%d,place:\"", (long long)p->n, n_axes);
  coh_text_add_base64(text, packed, (size_t)(2 * n_axes * p->n));
  add(text, "\"");
  for (int64_t i = 0; p->label && i < p->n; i++)
    put(packed + 2 * i, (uint32_t)p->label[i]);
  if (p->label) {
    add(text, ",label:\"");
    coh_text_add_base64(text, packed, (size_t)(2 * p->n));
    add(text, "\"");
  }
  coh_free(packed);
  return COH_OK;
}

static void add_classes(const coh_map_page *p, coh_text *text) {
  int64_t n = p->label ? p->n_classes : 0;
  add(text, ",classes:[");
  for (int64_t c = 0; c < n; c++) {
    if (c) add(text, ",");
    add_string(text, p->class_name[c]);
  }
  add(text, "],colors:[");
  for (int64_t c = 0; c < n; c++) {
    uint8_t rgb[3];
    coh_class_color(c, rgb);
    coh_text_add(text, "%s\"#%02x%02x%02x\"", c ? "," : "", rgb[0], rgb[1], rgb[2]);
  }
  add(text, "]");
}

static coh_status add_sheet(const coh_map_page *p, coh_text *text) {
  if (!p->sheet) return COH_OK;
  uint8_t *png;
  size_t n_bytes;
  COH_TRY(coh_png_encode(p->sheet, &png, &n_bytes));
  coh_text_add(text, ",step:%lld,images:%lld,columns:%lld,width:%lld,height:%lld,sheet:\"",
               (long long)p->image_step, (long long)p->n_images, (long long)p->columns,
               (long long)p->image_width, (long long)p->image_height);
  coh_text_add_base64(text, png, n_bytes);
  add(text, "\"");
  coh_free(png);
  return COH_OK;
}

static coh_status compose(const coh_map_page *p, coh_text *text) {
  add(text, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n<title>");
  coh_text_add_html(text, p->title);
  add(text, "</title>\n<style>");
  add(text, coh_map_page_style);
  add(text, "</style></head>\n<body><canvas id=\"map\"></canvas><header><h1>");
  coh_text_add_html(text, p->title);
  coh_text_add(text, "</h1><p>%lld rows. Drag to %s, wheel to zoom", (long long)p->n,
               p->z ? "turn, with shift to move" : "move");
  if (p->sheet && p->image_step > 1)
    coh_text_add(text, "; row 0 and every %lldth after it has its image",
                 (long long)p->image_step);
  add(text, ".</p></header>\n<nav><div><button id=\"home\">whole map</button> "
            "<button id=\"theme\">light or dark</button></div><div id=\"legend\"></div></nav>\n"
            "<div id=\"tip\"></div>\n<script>\nconst D={");
  COH_TRY(add_points(p, text));
  add_classes(p, text);
  COH_TRY(add_sheet(p, text));
  add(text, "};\n");
  for (const char *const *part = coh_map_page_script; *part; part++)
    add(text, *part);
  add(text, "</script></body></html>\n");
  COH_CHECK(!text->failed, COH_E_MEMORY, "out of memory for the page of a map");
  return COH_OK;
}

coh_status coh_map_page_write(const coh_map_page *page, const char *path) {
  coh_text text = {0};
  coh_status status = compose(page, &text);
  if (status == COH_OK) status = coh_file_save(path, text.data, text.n_bytes);
  coh_text_clear(&text);
  return status;
}
