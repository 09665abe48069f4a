/* Blocks packed by zstd in contexts of a fixed size, so that packing never allocates. */
#define ZSTD_STATIC_LINKING_ONLY // contexts in our memory: sizes are estimated, then kept
#include <zstd.h>

#include "base/alloc.h"
#include "io/pack.h"

struct coh_packer {
  int level;
  size_t max_bytes;
  ZSTD_CCtx *compressor;   // within compressor_memory
  ZSTD_DCtx *decompressor; // within decompressor_memory
  uint8_t *compressor_memory, *decompressor_memory;
};

static coh_status packer_start(coh_packer *packer) {
  // the most that any block up to max_bytes can need, whatever parameters its size leads to
  size_t most = 0;
  for (size_t size = 256; size < 2 * packer->max_bytes; size *= 2) {
    size_t bound = size < packer->max_bytes ? size : packer->max_bytes;
    ZSTD_compressionParameters parameters = ZSTD_getCParams(packer->level, bound, 0);
    size_t needed = ZSTD_estimateCCtxSize_usingCParams(parameters);
    if (needed > most) most = needed;
  }
  size_t needed = ZSTD_estimateCCtxSize(packer->level);
  if (needed > most) most = needed;
  COH_NEW(packer->compressor_memory, most);
  size_t inverse = ZSTD_estimateDCtxSize();
  COH_NEW(packer->decompressor_memory, inverse);
  packer->compressor = ZSTD_initStaticCCtx(packer->compressor_memory, most);
  packer->decompressor = ZSTD_initStaticDCtx(packer->decompressor_memory, inverse);
  COH_CHECK(packer->compressor && packer->decompressor, COH_E_INTERNAL,
            "zstd refuses a context of %zu bytes", most);
  return COH_OK;
}

coh_status coh_packer_create(int level, size_t max_bytes, coh_packer **packer) {
  COH_CHECK(level >= 1 && level <= 19, COH_E_INTERNAL, "zstd level %d is not in 1..19", level);
  COH_CHECK(max_bytes > 0 && max_bytes <= (size_t)1 << 40, COH_E_INTERNAL,
            "blocks of %zu bytes cannot be packed", max_bytes);
  coh_packer *made;
  COH_NEW(made, 1);
  made->level = level;
  made->max_bytes = max_bytes;
  coh_status status = packer_start(made);
  if (status == COH_OK)
    *packer = made;
  else
    coh_packer_destroy(&made);
  return status;
}

void coh_packer_destroy(coh_packer **packer) {
  if (!*packer) return;
  coh_free((*packer)->compressor_memory);
  coh_free((*packer)->decompressor_memory);
  COH_DELETE(*packer);
}

size_t coh_pack_bound(size_t n_bytes) {
  return ZSTD_compressBound(n_bytes);
}

coh_status coh_pack(coh_packer *packer, const void *data, size_t n_bytes, void *packed,
                    size_t capacity, size_t *n_packed) {
  COH_CHECK(n_bytes <= packer->max_bytes, COH_E_INTERNAL,
            "a block of %zu bytes is given to a packer for %zu", n_bytes, packer->max_bytes);
  size_t n =
      ZSTD_compressCCtx(packer->compressor, packed, capacity, data, n_bytes, packer->level);
  COH_CHECK(!ZSTD_isError(n), COH_E_INTERNAL, "zstd: %s", ZSTD_getErrorName(n));
  *n_packed = n;
  return COH_OK;
}

coh_status coh_unpack(coh_packer *packer, const void *packed, size_t n_packed, void *data,
                      size_t n_bytes) {
  COH_CHECK(ZSTD_getFrameContentSize(packed, n_packed) == n_bytes, COH_E_DATA,
            "a packed block is damaged or not of %zu bytes", n_bytes);
  size_t n = ZSTD_decompressDCtx(packer->decompressor, data, n_bytes, packed, n_packed);
  COH_CHECK(!ZSTD_isError(n), COH_E_DATA, "a packed block is damaged: %s",
            ZSTD_getErrorName(n));
  COH_CHECK(n == n_bytes, COH_E_DATA, "a packed block has %zu bytes, not %zu", n, n_bytes);
  return COH_OK;
}
