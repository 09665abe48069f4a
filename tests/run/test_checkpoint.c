/* Checkpoints, and whole runs within one process: every damage is found, an older one is used,
 * a resumed run has the bits of the untouched one, and no allocation outlives a run. */
#include "world_at_hand.h"

#include "base/log.h"
#include "cohort/run.h"
#include "run/checkpoint.h"

static uint64_t hash; // of the config of run/

static const char config_text[] = "task: dqn\nlanes: 4\nsteps: 608\nenv: cartpole\n"
                                  "network: [dense: 8, relu]\nenvs: 4\nrollout: 4\n"
                                  "train_every: 8\nlearning_starts: 100\nbatch: 16\n"
                                  "replay: {capacity: 200, prioritized: true}\n"
                                  "evaluation: {episodes: 4, max_steps: 50}\nlog_every: 60\n"
                                  "checkpoint_every: 208\ncheckpoint_keep: 3\nanimation: 4\n";

static void start(const char *folder, const char *const *overrides, int64_t n_overrides) {
  coh_run_start_options options = {
      .overrides = overrides, .n_overrides = n_overrides, .folder = folder, .quiet = true};
  assert_ok(coh_run_start(world, "c.yaml", &options));
}

// the name of the k-th newest checkpoint of run/
static const char *const steps[] = {"step-000000000608", "step-000000000416",
                                    "step-000000000208"};

static coh_status find(int64_t *step) {
  char *path = NULL;
  coh_checkpoint_info info;
  coh_status status = coh_checkpoint_find(world, "run", hash, &path, &info);
  if (status == COH_OK) *step = info.step;
  coh_free(path);
  return status;
}

static void assert_finds(int64_t expected) {
  int64_t step = -1;
  assert_ok(find(&step));
  assert_int_equal(step, expected);
}

static void same_files(const char *a, const char *b) {
  size_t n_a, n_b;
  char *from = scratch_read(a, &n_a), *to = scratch_read(b, &n_b);
  assert_int_equal(n_a, n_b);
  assert_memory_equal(from, to, n_a);
  coh_free(from);
  coh_free(to);
}

static void checkpoint_newest_is_found_and_older_ones_are_kept(void **state) {
  (void)state;
  int64_t n = 0, found = 0;
  assert_finds(608);
  DIR *folder = opendir("run/checkpoints");
  for (struct dirent *entry; (entry = readdir(folder));) {
    if (entry->d_name[0] == '.') continue;
    n++;
    for (int k = 0; k < 3; k++)
      found += strcmp(entry->d_name, steps[k]) == 0;
  }
  closedir(folder);
  assert_int_equal(n, 3);
  assert_int_equal(found, 3);
}

// flip one bit, expect the older one, and flip it back
static void flip(const char *path, size_t at, int bit) {
  FILE *file = fopen(path, "r+b");
  assert_non_null(file);
  fseek(file, (long)at, SEEK_SET);
  int byte = fgetc(file);
  fseek(file, (long)at, SEEK_SET);
  fputc(byte ^ (1 << bit), file);
  assert_int_equal(fclose(file), 0);
}

static void checkpoint_every_flipped_bit_is_seen(void **state) {
  (void)state;
  static const char *const files[] = {
      "manifest.json",
      "model.safetensors",
      "state.safetensors",
      "experience/lane-00000.zst",
      "experience/lane-00003.zst",
  };
  coh_log_set_stderr_level(COH_LOG_ERROR); // each damage is warned of
  for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
    char path[256];
    size_t n;
    snprintf(path, sizeof path, "run/checkpoints/%s/%s", steps[0], files[k]);
    coh_free(scratch_read(path, &n));
    // every byte of the manifest, and fifty or so of each other file
    size_t stride = k == 0 ? 1 : 1 + n / 50;
    for (size_t at = 0; at < n; at += stride) {
      flip(path, at, (int)(at % 8));
      assert_finds(416);
      flip(path, at, (int)(at % 8));
    }
    assert_finds(608);
  }
  coh_log_set_stderr_level(COH_LOG_WARNING);
}

static void checkpoint_cut_or_missing_files_are_seen(void **state) {
  (void)state;
  static const char *const files[] = {"manifest.json", "model.safetensors", "state.safetensors",
                                      "experience/lane-00001.zst"};
  coh_log_set_stderr_level(COH_LOG_ERROR);
  for (size_t k = 0; k < sizeof files / sizeof *files; k++) {
    char path[256];
    size_t n;
    snprintf(path, sizeof path, "run/checkpoints/%s/%s", steps[0], files[k]);
    char *whole = scratch_read(path, &n);
    for (size_t cut = 0; cut < n; cut += 1 + n / 9) {
      scratch_write(path, whole, cut);
      assert_finds(416);
    }
    assert_int_equal(remove(path), 0);
    assert_finds(416);
    scratch_write(path, "garbage", 7);
    assert_finds(416);
    scratch_write(path, whole, n);
    assert_finds(608);
    // longer than it was
    FILE *file = fopen(path, "ab");
    fputc('\n', file);
    fclose(file);
    assert_finds(416);
    scratch_write(path, whole, n);
    coh_free(whole);
  }
  coh_log_set_stderr_level(COH_LOG_WARNING);
}

static void checkpoint_of_another_config_is_refused(void **state) {
  (void)state;
  char *path = NULL;
  coh_checkpoint_info info;
  assert_fails(coh_checkpoint_find(world, "run", hash + 1, &path, &info), COH_E_CHECKPOINT,
               "was saved under another config than run/config.yaml");
  assert_fails(coh_checkpoint_find(world, "nowhere", hash, &path, &info), COH_E_CHECKPOINT,
               "nowhere/checkpoints");
  assert_null(path);
}

// untouched, against stopped at two thirds and resumed: metrics and state, byte for byte
static void run_resumed_from_an_older_checkpoint_has_the_same_bits(void **state) {
  (void)state;
  start("again", NULL, 0);
  assert_ok(coh_folder_remove("again/checkpoints/step-000000000608"));
  coh_run_start_options quiet = {.quiet = true};
  assert_ok(coh_run_resume(world, "again", &quiet));
  same_files("run/metrics.jsonl", "again/metrics.jsonl");
  same_files("run/checkpoints/step-000000000608/state.safetensors",
             "again/checkpoints/step-000000000608/state.safetensors");
  same_files("run/checkpoints/step-000000000608/model.safetensors",
             "again/checkpoints/step-000000000608/model.safetensors");
  same_files("run/checkpoints/step-000000000608/experience/lane-00002.zst",
             "again/checkpoints/step-000000000608/experience/lane-00002.zst");
}

static void run_evaluates_and_exports_without_a_trace(void **state) {
  (void)state;
  char text[2048] = "";
  FILE *output = fmemopen(text, sizeof text, "w");
  coh_run_start_options options = {.quiet = true, .output = output};
  assert_ok(coh_run_evaluate(world, "run", &options));
  fclose(output);
  assert_non_null(strstr(text, "\"eval/return\": "));
  assert_ok(coh_run_export(world, "run", "model.npz"));
  assert_fails(coh_run_export(world, "run", "model.onnx"), COH_E_CONFIG, "model.onnx");
  assert_fails(coh_run_start(world, "c.yaml", &(coh_run_start_options){.folder = "run"}),
               COH_E_CONFIG, "holds a run already");
}

// what fails halfway releases all the same
static void run_that_cannot_start_leaves_nothing(void **state) {
  (void)state;
  int64_t live = coh_alloc_live();
  static const char *const overrides[] = {"env=cartpoel", "envs=6", "replay.memory=2KiB",
                                          "batch=3",
                                          "network=[conv: {channels: 2, kernel: 3}]"};
  for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++) {
    coh_run_start_options options = {
        .overrides = &overrides[i], .n_overrides = 1, .folder = "deep/er", .quiet = true};
    assert_int_equal(coh_run_start(world, "c.yaml", &options), COH_E_CONFIG);
    assert_false(coh_file_exists("deep"));
    assert_int_equal(coh_alloc_live(), live);
  }
}

static int enter(void **state) {
  if (scratch_world_enter(state) != 0) return -1;
  scratch_write("c.yaml", config_text, sizeof config_text - 1);
  start("run", NULL, 0);
  coh_run_config config;
  if (coh_run_config_read("c.yaml", NULL, 0, &config) != COH_OK) return -1;
  hash = config.hash;
  coh_run_config_clear(&config);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(checkpoint_newest_is_found_and_older_ones_are_kept),
      cmocka_unit_test(checkpoint_every_flipped_bit_is_seen),
      cmocka_unit_test(checkpoint_cut_or_missing_files_are_seen),
      cmocka_unit_test(checkpoint_of_another_config_is_refused),
      cmocka_unit_test(run_resumed_from_an_older_checkpoint_has_the_same_bits),
      cmocka_unit_test(run_evaluates_and_exports_without_a_trace),
      cmocka_unit_test(run_that_cannot_start_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, enter, scratch_world_leave);
}
