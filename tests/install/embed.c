/* Train an agent from a program of one's own: embed CONFIG FOLDER [key=value ...]
 * Runs alone and under mpirun. */
#include <stdio.h>

#include <cohort/run.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  coh_world *world = NULL;
  coh_status status = coh_world_open(&world);
  if (status == COH_OK) {
    const coh_run_start_options options = {
        .overrides = (const char *const *)argv + 3,
        .n_overrides = argc - 3,
        .folder = argv[2],
        .quiet = true,
        .output = stdout,
    };
    status = coh_run_start(world, argv[1], &options);
  }
  // every rank has the same status and message; the first one speaks
  if (status != COH_OK && (!world || coh_world_rank(world) == 0))
    fprintf(stderr, "embed: %s\n", coh_error_message());
  coh_world_close(&world);
  return coh_status_exit_code(status);
}
