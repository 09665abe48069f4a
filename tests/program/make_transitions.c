/* A batch that may be larger than memory: make_transitions FOLDER ROWS writes a folder of
 * arrays of a chain of states whose reward is linear in them, row after row, holding none of
 * them. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cohort/io.h"
#include "data/transitions.h"
#include "io/array.h"

enum { VALUES = 16, ACTIONS = 2, LONG = 50 };

// what a state's k-th value is: waves of their own lengths
static float value_at(int64_t i, int k) {
  return (float)sin(0.37 * (double)(k + 1) * (double)(i % 100003) + k);
}

typedef void fill_function(int64_t i, void *out);

static void fill_state(int64_t i, void *out) {
  for (int k = 0; k < VALUES; k++)
    ((float *)out)[k] = value_at(i, k);
}

static void fill_next(int64_t i, void *out) {
  fill_state(i + 1, out);
}

static int32_t action_of(int64_t i) {
  return (int32_t)((uint64_t)i * 2654435761u >> 16 & 1);
}

static void fill_action(int64_t i, void *out) {
  *(int32_t *)out = action_of(i);
}

static void fill_reward(int64_t i, void *out) {
  *(float *)out = value_at(i, 0) + (action_of(i) ? 0.5f : -0.5f) * value_at(i, 1);
}

static void fill_terminated(int64_t i, void *out) {
  *(uint8_t *)out = i % LONG == LONG - 1;
}

static void fill_truncated(int64_t i, void *out) {
  (void)i;
  *(uint8_t *)out = 0;
}

static void fill_episode(int64_t i, void *out) {
  *(int64_t *)out = i / LONG;
}

// arrays of any length, a row at a time
static int write_column(const char *folder, const char *name, coh_dtype dtype, int64_t n,
                        int width, fill_function *fill) {
  char path[512];
  uint8_t row[VALUES * 8];
  snprintf(path, sizeof path, "%s/%s.npy", folder, name);
  coh_array shape = {.dtype = dtype, .n_dims = width > 1 ? 2 : 1, .shape = {n, width}};
  coh_text header = {0};
  if (coh_npy_compose_header(path, &shape, &header) != COH_OK) return 1;
  FILE *file = fopen(path, "wb");
  int failed = !file || fwrite(header.data, header.n_bytes, 1, file) != 1;
  size_t n_bytes = (size_t)width * coh_dtype_bytes(dtype);
  for (int64_t i = 0; i < n && !failed; i++) {
    fill(i, row);
    failed = fwrite(row, n_bytes, 1, file) != 1;
  }
  coh_text_clear(&header);
  return (file && fclose(file) != 0) || failed;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  const char *to = argv[1];
  int64_t n = atoll(argv[2]);
  return write_column(to, "states", COH_DTYPE_F32, n, VALUES, fill_state) ||
         write_column(to, "next_states", COH_DTYPE_F32, n, VALUES, fill_next) ||
         write_column(to, "actions", COH_DTYPE_I32, n, 1, fill_action) ||
         write_column(to, "rewards", COH_DTYPE_F32, n, 1, fill_reward) ||
         write_column(to, "terminated", COH_DTYPE_BOOL, n, 1, fill_terminated) ||
         write_column(to, "truncated", COH_DTYPE_BOOL, n, 1, fill_truncated) ||
         write_column(to, "episodes", COH_DTYPE_I64, n, 1, fill_episode);
}
