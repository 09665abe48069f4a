/* Plays a MinAtar game with actions from standard input and writes what it sees to standard
 * output: the half of minatar_exact.py that runs in C.
 *     minatar_trace GAME SEED STICKY RAMPING < actions > records
 * actions: one byte each; with 0x80 added, an episode that ends goes on all the same, so that
 * play gets to where it rarely lives to see. A record is an observation row (packed bits,
 * little bit order), the reward as a float and the terminal flag as a byte; one for the first
 * reset, one a step, and one for each reset that follows a terminal step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "env/env_type.h"
#include "env/minatar.h"

static void put(const uint8_t *row, size_t n_bytes, float reward, uint8_t terminal) {
  fwrite(row, 1, n_bytes, stdout);
  fwrite(&reward, sizeof reward, 1, stdout);
  fwrite(&terminal, 1, 1, stdout);
}

/* Make as if the episode had not ended. */
static coh_status revive(coh_env *env) {
  _Alignas(64) static uint8_t state[COH_ENV_MAX_STATE_BYTES + 4096];
  coh_env_save(env, 0, state);
  coh_env_head head;
  memcpy(&head, state, sizeof head);
  head.idle = 0;
  memcpy(state, &head, sizeof head);
  return coh_env_load(env, 0, state);
}

int main(int argc, char **argv) {
  if (argc != 5) {
    fprintf(stderr, "usage: minatar_trace GAME SEED STICKY RAMPING\n");
    return 2;
  }
  char name[64];
  snprintf(name, sizeof name, "minatar_%s", argv[1]);
  coh_minatar_options options = {.sticky = strtod(argv[3], NULL),
                                 .ramping = strcmp(argv[4], "1") == 0};
  coh_choice choice = {.kind = coh_kind_find(&coh_env_kinds, name), .options = &options};
  coh_env *env = NULL;
  if (!choice.kind ||
      coh_env_create_legacy(&choice, 1, strtoull(argv[2], NULL, 10), &env) != COH_OK) {
    fprintf(stderr, "minatar_trace: %s: %s\n", name, coh_error_message());
    return 1;
  }
  size_t n_bytes = coh_env_spec_of(env)->observation_bytes;
  uint8_t row[COH_MINATAR_MAX_ROW_BYTES], terminated, truncated;
  float reward;
  coh_env_reset(env, row);
  put(row, n_bytes, 0.0f, 0);
  for (int letter = getchar(); letter != EOF; letter = getchar()) {
    int32_t action = letter & 0x7F;
    coh_status status = coh_env_step(env, &action, row, &reward, &terminated, &truncated);
    if (status == COH_OK && terminated && letter & 0x80) status = revive(env);
    if (status != COH_OK) {
      fprintf(stderr, "minatar_trace: %s\n", coh_error_message());
      return 1;
    }
    put(row, n_bytes, reward, terminated);
    if (coh_env_reset_ended(env, row)) put(row, n_bytes, 0.0f, 0);
  }
  coh_env_destroy(&env);
  return 0;
}
