/* Whole .zst files: one frame with zstd's checksum, streamed through fixed buffers. */
#include <stdbool.h>
#include <unistd.h>
#include <zstd.h>

#include "base/alloc.h"
#include "io/file.h"
#include "io/file_name.h"
#include "io/pack.h"

enum { MAX_WINDOW_LOG = 27 };

struct coh_zst_writer {
  coh_file *file;
  char *path;
  ZSTD_CCtx *context;
  uint8_t *buffer;
  size_t capacity;
};

struct coh_zst_reader {
  int descriptor;
  int64_t size, at; // of the compressed file
  char *path;
  ZSTD_DCtx *context;
  uint8_t *buffer;
  size_t capacity;
  ZSTD_inBuffer in;
  bool ended; // the frame is complete and its checksum was right
};

static coh_status writer_start(coh_zst_writer *writer, const char *path, int level) {
  writer->path = coh_alloc_string(path);
  writer->context = ZSTD_createCCtx();
  writer->capacity = ZSTD_CStreamOutSize();
  COH_CHECK(writer->path && writer->context, COH_E_MEMORY, "%s: out of memory for zstd", path);
  COH_NEW(writer->buffer, writer->capacity);
  bool set =
      !ZSTD_isError(ZSTD_CCtx_setParameter(writer->context, ZSTD_c_compressionLevel, level)) &&
      !ZSTD_isError(ZSTD_CCtx_setParameter(writer->context, ZSTD_c_checksumFlag, 1));
  COH_CHECK(set, COH_E_INTERNAL, "%s: zstd refuses level %d", path, level);
  return coh_file_create(path, &writer->file);
}

coh_status coh_zst_begin(const char *path, int level, coh_zst_writer **writer) {
  coh_zst_writer *made;
  COH_NEW(made, 1);
  coh_status status = writer_start(made, path, level);
  if (status == COH_OK)
    *writer = made;
  else
    coh_zst_discard(&made);
  return status;
}

static coh_status push(coh_zst_writer *writer, ZSTD_inBuffer *in, ZSTD_EndDirective directive) {
  size_t left;
  do {
    ZSTD_outBuffer out = {writer->buffer, writer->capacity, 0};
    left = ZSTD_compressStream2(writer->context, &out, in, directive);
    COH_CHECK(!ZSTD_isError(left), COH_E_INTERNAL, "%s: zstd: %s", writer->path,
              ZSTD_getErrorName(left));
    COH_TRY(coh_file_write(writer->file, writer->buffer, out.pos));
  } while (directive == ZSTD_e_end ? left > 0 : in->pos < in->size);
  return COH_OK;
}

coh_status coh_zst_write(coh_zst_writer *writer, const void *data, size_t n_bytes) {
  ZSTD_inBuffer in = {data, n_bytes, 0};
  return n_bytes > 0 ? push(writer, &in, ZSTD_e_continue) : COH_OK;
}

coh_status coh_zst_end(coh_zst_writer **writer, uint64_t *checksum, int64_t *n_bytes) {
  ZSTD_inBuffer nothing = {NULL, 0, 0};
  coh_status status = push(*writer, &nothing, ZSTD_e_end);
  if (status == COH_OK) status = coh_file_commit(&(*writer)->file, checksum, n_bytes);
  coh_zst_discard(writer);
  return status;
}

void coh_zst_discard(coh_zst_writer **writer) {
  if (!*writer) return;
  coh_file_discard(&(*writer)->file);
  ZSTD_freeCCtx((*writer)->context);
  coh_free((*writer)->buffer);
  coh_free((*writer)->path);
  COH_DELETE(*writer);
}

static coh_status reader_start(coh_zst_reader *reader, const char *path) {
  reader->path = coh_alloc_string(path);
  reader->context = ZSTD_createDCtx();
  reader->capacity = ZSTD_DStreamInSize();
  COH_CHECK(reader->path && reader->context, COH_E_MEMORY, "%s: out of memory for zstd", path);
  COH_NEW(reader->buffer, reader->capacity);
  COH_CHECK(!ZSTD_isError(
                ZSTD_DCtx_setParameter(reader->context, ZSTD_d_windowLogMax, MAX_WINDOW_LOG)),
            COH_E_INTERNAL, "%s: zstd refuses the window", path);
  return coh_name_open(path, &reader->descriptor, &reader->size);
}

coh_status coh_zst_open(const char *path, coh_zst_reader **reader) {
  coh_zst_reader *made;
  COH_NEW(made, 1);
  made->descriptor = -1;
  coh_status status = reader_start(made, path);
  if (status == COH_OK)
    *reader = made;
  else
    coh_zst_close(&made);
  return status;
}

static coh_status refill(coh_zst_reader *reader) {
  COH_CHECK(reader->in.pos == reader->in.size, COH_E_DATA, "%s: is damaged", reader->path);
  int64_t left = reader->size - reader->at;
  COH_CHECK(left > 0, COH_E_DATA, "%s: ends too early", reader->path);
  size_t n = (uint64_t)left < reader->capacity ? (size_t)left : reader->capacity;
  COH_TRY(coh_name_read(reader->path, reader->descriptor, reader->at, reader->buffer, n));
  reader->at += (int64_t)n;
  reader->in = (ZSTD_inBuffer){reader->buffer, n, 0};
  return COH_OK;
}

coh_status coh_zst_read(coh_zst_reader *reader, void *data, size_t n_bytes) {
  ZSTD_outBuffer out = {data, n_bytes, 0};
  bool stuck = false;
  while (out.pos < n_bytes) {
    COH_CHECK(!reader->ended, COH_E_DATA, "%s: ends %zu bytes too early", reader->path,
              n_bytes - out.pos);
    // zstd may hold output back, so more input is fetched only once it is stuck
    if (stuck) COH_TRY(refill(reader));
    size_t in_before = reader->in.pos, out_before = out.pos;
    size_t left = ZSTD_decompressStream(reader->context, &out, &reader->in);
    COH_CHECK(!ZSTD_isError(left), COH_E_DATA, "%s: is damaged: %s", reader->path,
              ZSTD_getErrorName(left));
    if (left == 0) reader->ended = true;
    stuck = reader->in.pos == in_before && out.pos == out_before;
  }
  return COH_OK;
}

coh_status coh_zst_finish(coh_zst_reader *reader) {
  uint8_t extra;
  while (!reader->ended) {
    ZSTD_outBuffer out = {&extra, 1, 0};
    if (reader->in.pos == reader->in.size) COH_TRY(refill(reader));
    size_t left = ZSTD_decompressStream(reader->context, &out, &reader->in);
    COH_CHECK(!ZSTD_isError(left), COH_E_DATA, "%s: is damaged: %s", reader->path,
              ZSTD_getErrorName(left));
    COH_CHECK(out.pos == 0, COH_E_DATA, "%s: holds more than is expected", reader->path);
    if (left == 0) reader->ended = true;
  }
  COH_CHECK(reader->in.pos == reader->in.size && reader->at == reader->size, COH_E_DATA,
            "%s: something follows the zstd frame", reader->path);
  return COH_OK;
}

void coh_zst_close(coh_zst_reader **reader) {
  if (!*reader) return;
  if ((*reader)->descriptor >= 0) close((*reader)->descriptor);
  ZSTD_freeDCtx((*reader)->context);
  coh_free((*reader)->buffer);
  coh_free((*reader)->path);
  COH_DELETE(*reader);
}
