/* Rows of observations, kept as they are or in compressed chunks.
 * Consecutive frames differ little, so XOR with the row before leaves mostly zeros, which zstd
 * packs 10 to 25 times smaller on bit-packed games. */
#include "replay/frames.h"

#include <string.h>

#include "base/alloc.h"

static const uint32_t no_block = UINT32_MAX;

static size_t chunk_bytes(const coh_frame_layout *layout) {
  return (size_t)layout->chunk * layout->row_bytes;
}

static int64_t table_size(const coh_frame_layout *layout) {
  return layout->n_slots / layout->chunk + 3;
}

int64_t coh_frames_chunk_blocks(const coh_frame_layout *layout) {
  return (int64_t)((chunk_bytes(layout) + COH_FRAME_BLOCK - 1) / COH_FRAME_BLOCK);
}

size_t coh_frames_bytes(const coh_frame_layout *layout) {
  size_t n_envs = (size_t)layout->n_envs;
  size_t n_bytes = n_envs * 2 * sizeof(int64_t);
  if (!layout->cold) return n_bytes + n_envs * (size_t)layout->n_slots * layout->row_bytes;
  n_bytes += n_envs * chunk_bytes(layout);
  n_bytes += n_envs * (size_t)table_size(layout) * sizeof(coh_frame_chunk);
  n_bytes += n_envs * sizeof(int64_t);
  n_bytes += (size_t)layout->n_blocks * (COH_FRAME_BLOCK + sizeof(uint32_t));
  n_bytes += coh_pack_bound(chunk_bytes(layout)) + chunk_bytes(layout);
  return n_bytes + (size_t)layout->cache * (sizeof(coh_frame_decoded) + chunk_bytes(layout));
}

static coh_status init_cold(coh_frames *frames) {
  const coh_frame_layout *layout = &frames->layout;
  frames->n_table = table_size(layout);
  COH_NEW(frames->table, layout->n_envs * frames->n_table);
  COH_NEW(frames->first_chunk, layout->n_envs);
  COH_NEW(frames->block, layout->n_blocks * COH_FRAME_BLOCK);
  COH_NEW(frames->link, layout->n_blocks);
  COH_NEW(frames->packed, coh_pack_bound(chunk_bytes(layout)));
  COH_NEW(frames->mixed, chunk_bytes(layout));
  COH_NEW(frames->known, layout->cache);
  COH_NEW(frames->decoded, (size_t)layout->cache * chunk_bytes(layout));
  return COH_OK;
}

coh_status coh_frames_init(coh_frames *frames, const coh_frame_layout *layout,
                           coh_packers *packers) {
  *frames = (coh_frames){.layout = *layout, .packers = packers};
  int64_t n_rows = layout->n_envs * (layout->cold ? layout->chunk : layout->n_slots);
  COH_NEW(frames->hot, (size_t)n_rows * layout->row_bytes);
  COH_NEW(frames->next, layout->n_envs);
  COH_NEW(frames->first, layout->n_envs);
  if (layout->cold) COH_TRY(init_cold(frames));
  coh_frames_clear(frames);
  return COH_OK;
}

void coh_frames_fini(coh_frames *frames) {
  coh_free(frames->hot);
  coh_free(frames->next);
  coh_free(frames->first);
  coh_free(frames->table);
  coh_free(frames->first_chunk);
  coh_free(frames->block);
  coh_free(frames->link);
  coh_free(frames->packed);
  coh_free(frames->mixed);
  coh_free(frames->known);
  coh_free(frames->decoded);
  *frames = (coh_frames){0};
}

void coh_frames_clear(coh_frames *frames) {
  const coh_frame_layout *layout = &frames->layout;
  memset(frames->next, 0, (size_t)layout->n_envs * sizeof *frames->next);
  memset(frames->first, 0, (size_t)layout->n_envs * sizeof *frames->first);
  frames->waiting = -1;
  frames->age = 0;
  if (!layout->cold) return;
  memset(frames->first_chunk, 0, (size_t)layout->n_envs * sizeof *frames->first_chunk);
  for (int64_t i = 0; i < layout->n_blocks; i++)
    frames->link[i] = i + 1 < layout->n_blocks ? (uint32_t)(i + 1) : no_block;
  frames->free_block = layout->n_blocks ? 0 : no_block;
  frames->n_free = layout->n_blocks;
  for (int64_t i = 0; i < layout->cache; i++)
    frames->known[i] = (coh_frame_decoded){.env = -1};
}

void coh_frames_begin(coh_frames *frames, int64_t env, int64_t first) {
  frames->next[env] = first;
  frames->first[env] = first;
  if (frames->layout.cold) frames->first_chunk[env] = first / frames->layout.chunk;
}

void coh_frames_mix(size_t n, const uint8_t *a, const uint8_t *b, uint8_t *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = (uint8_t)(a[i] ^ b[i]);
}

// pack the open chunk of an environment into frames->packed, where it waits for room
static coh_status pack_chunk(coh_frames *frames, int64_t env) {
  const coh_frame_layout *layout = &frames->layout;
  size_t row_bytes = layout->row_bytes, n_bytes = chunk_bytes(layout);
  const uint8_t *open = frames->hot + (size_t)env * n_bytes;
  memcpy(frames->mixed, open, row_bytes);
  coh_frames_mix(n_bytes - row_bytes, open, open + row_bytes, frames->mixed + row_bytes);
  int which = coh_packers_take(frames->packers);
  coh_status status = coh_pack(frames->packers->packer[which], frames->mixed, n_bytes,
                               frames->packed, coh_pack_bound(n_bytes), &frames->n_packed);
  coh_packers_give(frames->packers, which);
  COH_TRY(status);
  if (frames->n_packed >= n_bytes) {
    memcpy(frames->packed, frames->mixed, n_bytes);
    frames->n_packed = n_bytes;
  }
  frames->waiting = env;
  return COH_OK;
}

coh_status coh_frames_put(coh_frames *frames, int64_t env, const void *row) {
  const coh_frame_layout *layout = &frames->layout;
  int64_t n_rows = layout->cold ? layout->chunk : layout->n_slots;
  int64_t place = frames->next[env]++ % n_rows;
  memcpy(frames->hot + (size_t)(env * n_rows + place) * layout->row_bytes, row,
         layout->row_bytes);
  return layout->cold && place == n_rows - 1 ? pack_chunk(frames, env) : COH_OK;
}

static coh_frame_chunk *chunk_at(const coh_frames *frames, int64_t env, int64_t chunk) {
  return frames->table + env * frames->n_table + chunk % frames->n_table;
}

// chunks [first_chunk, stored_end) of an environment lie in the pool
static int64_t stored_end(const coh_frames *frames, int64_t env) {
  return frames->next[env] / frames->layout.chunk - (frames->waiting == env ? 1 : 0);
}

bool coh_frames_settle(coh_frames *frames, int64_t *env, int64_t *row) {
  if (frames->waiting < 0) return true;
  int64_t n_blocks = (int64_t)((frames->n_packed + COH_FRAME_BLOCK - 1) / COH_FRAME_BLOCK);
  if (n_blocks > frames->n_free) {
    // the oldest chunk of the lane gives way
    int64_t oldest = INT64_MAX;
    for (int64_t i = 0; i < frames->layout.n_envs; i++) {
      int64_t chunk = frames->first_chunk[i];
      if (chunk == stored_end(frames, i) || chunk_at(frames, i, chunk)->age >= oldest) continue;
      oldest = chunk_at(frames, i, chunk)->age;
      *env = i, *row = (chunk + 1) * frames->layout.chunk;
    }
    return false;
  }
  int64_t owner = frames->waiting;
  coh_frame_chunk *stored = chunk_at(frames, owner, stored_end(frames, owner));
  int64_t age = frames->loading ? stored->age : frames->age++;
  *stored = (coh_frame_chunk){frames->free_block, (uint32_t)frames->n_packed, age};
  size_t done = 0;
  uint32_t last = no_block;
  for (; done < frames->n_packed; done += COH_FRAME_BLOCK) {
    size_t n = frames->n_packed - done;
    if (n > COH_FRAME_BLOCK) n = COH_FRAME_BLOCK;
    last = frames->free_block;
    memcpy(frames->block + (size_t)last * COH_FRAME_BLOCK, frames->packed + done, n);
    frames->free_block = frames->link[last];
  }
  frames->link[last] = no_block;
  frames->n_free -= n_blocks;
  frames->waiting = -1;
  // its rows may have been let go already, to make room
  coh_frames_release(frames, owner, frames->first[owner]);
  return true;
}

static void free_chunk(coh_frames *frames, const coh_frame_chunk *chunk) {
  uint32_t last = chunk->first_block;
  frames->n_free++;
  for (; frames->link[last] != no_block; last = frames->link[last])
    frames->n_free++;
  frames->link[last] = frames->free_block;
  frames->free_block = chunk->first_block;
}

void coh_frames_release(coh_frames *frames, int64_t env, int64_t first) {
  if (first > frames->first[env]) frames->first[env] = first;
  if (!frames->layout.cold) return;
  int64_t end = stored_end(frames, env);
  while (frames->first_chunk[env] < end &&
         (frames->first_chunk[env] + 1) * frames->layout.chunk <= first)
    free_chunk(frames, chunk_at(frames, env, frames->first_chunk[env]++));
}

int64_t coh_frames_oldest(const coh_frames *frames, int64_t env) {
  if (!frames->layout.cold) return frames->first[env];
  return frames->first_chunk[env] * frames->layout.chunk;
}

/* Undo the XOR with the row before, one column of eight bytes at a time, so that the running
 * row stays in a register. */
static void unmix(uint8_t *rows, size_t row_bytes, size_t n_bytes) {
  size_t column = 0;
  for (; column + 8 <= row_bytes; column += 8) {
    uint64_t running = 0, word;
    for (size_t at = column; at < n_bytes; at += row_bytes) {
      memcpy(&word, rows + at, sizeof word);
      running ^= word;
      memcpy(rows + at, &running, sizeof running);
    }
  }
  for (; column < row_bytes; column++)
    for (size_t at = column + row_bytes; at < n_bytes; at += row_bytes)
      rows[at] = (uint8_t)(rows[at] ^ rows[at - row_bytes]);
}

// unpack a stored chunk to `rows`
static coh_status decode(coh_frames *frames, const coh_frame_chunk *chunk, uint8_t *rows) {
  size_t row_bytes = frames->layout.row_bytes, n_bytes = chunk_bytes(&frames->layout);
  uint32_t from = chunk->first_block;
  for (size_t done = 0; done < chunk->n_bytes; done += COH_FRAME_BLOCK) {
    size_t n = chunk->n_bytes - done;
    memcpy(frames->packed + done, frames->block + (size_t)from * COH_FRAME_BLOCK,
           n < COH_FRAME_BLOCK ? n : COH_FRAME_BLOCK);
    from = frames->link[from];
  }
  coh_status status = COH_OK;
  if (chunk->n_bytes == n_bytes) {
    memcpy(rows, frames->packed, n_bytes);
  } else {
    int which = coh_packers_take(frames->packers);
    coh_packer *packer = frames->packers->packer[which];
    status = coh_unpack(packer, frames->packed, chunk->n_bytes, rows, n_bytes);
    coh_packers_give(frames->packers, which);
  }
  COH_TRY(status);
  unmix(rows, row_bytes, n_bytes);
  return COH_OK;
}

static coh_status get_cold(coh_frames *frames, int64_t env, int64_t chunk,
                           const uint8_t **rows) {
  size_t n_bytes = chunk_bytes(&frames->layout);
  int64_t oldest = 0;
  for (int64_t i = 0; i < frames->layout.cache; i++) {
    coh_frame_decoded *known = frames->known + i;
    if (known->env == env && known->chunk == chunk) {
      known->used = ++frames->clock;
      frames->n_cached++;
      *rows = frames->decoded + (size_t)i * n_bytes;
      return COH_OK;
    }
    if (known->used < frames->known[oldest].used) oldest = i;
  }
  uint8_t *place = frames->decoded + (size_t)oldest * n_bytes;
  frames->known[oldest] = (coh_frame_decoded){.env = -1};
  COH_TRY(decode(frames, chunk_at(frames, env, chunk), place));
  frames->known[oldest] = (coh_frame_decoded){env, chunk, ++frames->clock};
  frames->n_decoded++;
  *rows = place;
  return COH_OK;
}

coh_status coh_frames_get(coh_frames *frames, int64_t env, int64_t row, const uint8_t **bytes) {
  const coh_frame_layout *layout = &frames->layout;
  int64_t n_rows = layout->cold ? layout->chunk : layout->n_slots;
  const uint8_t *rows = frames->hot + (size_t)(env * n_rows) * layout->row_bytes;
  if (layout->cold && row / n_rows < stored_end(frames, env))
    COH_TRY(get_cold(frames, env, row / n_rows, &rows));
  *bytes = rows + (size_t)(row % n_rows) * layout->row_bytes;
  return COH_OK;
}

int64_t coh_frames_age(const coh_frames *frames, int64_t env, int64_t chunk) {
  return chunk_at(frames, env, chunk)->age;
}

void coh_frames_expect_age(coh_frames *frames, int64_t env, int64_t chunk, int64_t age) {
  chunk_at(frames, env, chunk)->age = age;
}

size_t coh_frames_used(const coh_frames *frames) {
  const coh_frame_layout *layout = &frames->layout;
  size_t n_bytes = 0;
  for (int64_t env = 0; env < layout->n_envs; env++) {
    int64_t first =
        layout->cold ? frames->next[env] / layout->chunk * layout->chunk : frames->first[env];
    n_bytes += (size_t)(frames->next[env] - first) * layout->row_bytes;
  }
  if (layout->cold)
    n_bytes +=
        (size_t)(layout->n_blocks - frames->n_free) * (COH_FRAME_BLOCK + sizeof(uint32_t));
  return n_bytes;
}
