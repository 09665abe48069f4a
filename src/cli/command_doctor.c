/* cohort doctor: is this machine set up to run fast and safely? Each finding with its fix. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/command.h"
#include "cohort/alloc.h"
#include "run/machine.h"

static void say(bool good, const char *what, const char *fix) {
  printf("%-4s %s\n", good ? "ok" : "LOOK", what);
  if (!good) printf("       fix: %s\n", fix);
}

// ranks that this machine has room for
static void check_cores(void) {
  long cores = sysconf(_SC_NPROCESSORS_ONLN);
  char what[160];
  snprintf(what, sizeof what, "%ld core%s: up to %ld ranks x threads run side by side", cores,
           cores == 1 ? "" : "s", cores);
  say(true, what, "");
}

// which build of OpenBLAS the process has mapped; two thread runtimes would fight for cores
static void check_blas(void) {
  FILE *maps = fopen("/proc/self/maps", "r");
  if (!maps) return;
  char line[1024], found[1024] = "";
  while (fgets(line, sizeof line, maps)) {
    char *path = strchr(line, '/');
    if (path && strstr(path, "blas"))
      snprintf(found, sizeof found, "%.*s", (int)strcspn(path, "\n"), path);
  }
  fclose(maps);
  bool pthreads = strstr(found, "openblas-pthread") != NULL;
  char what[1200];
  snprintf(what, sizeof what, "BLAS: %s", *found ? found : "not found in this process");
  say(*found && !pthreads, what,
      "install libopenblas0-openmp and select it: update-alternatives --config "
      "libopenblas.so.0-x86_64-linux-gnu");
}

static void check_shared_memory(void) {
  struct statvfs fs;
  if (statvfs("/dev/shm", &fs) != 0) {
    say(false, "/dev/shm is missing", "mount -t tmpfs tmpfs /dev/shm");
    return;
  }
  double mib = (double)fs.f_bavail * (double)fs.f_frsize / (1 << 20);
  char what[160];
  snprintf(what, sizeof what, "/dev/shm has %.0f MiB free; ranks of a node talk through it",
           mib);
  say(mib >= 256, what,
      "enlarge it: mount -o remount,size=2G /dev/shm (containers: --shm-size=2g)");
}

static void check_mpi(void) {
  bool as_root = geteuid() == 0;
  bool allowed = getenv("OMPI_ALLOW_RUN_AS_ROOT") && getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM");
  say(!as_root || allowed, as_root ? "mpirun as root" : "mpirun as an ordinary user",
      "start runs with launch/local or launch/mpirun, which set OMPI_ALLOW_RUN_AS_ROOT=1 and "
      "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1");
  const char *yield = getenv("OMPI_MCA_mpi_yield_when_idle");
  say(yield && strcmp(yield, "1") == 0, "ranks beyond the cores wait politely",
      "launch/local and launch/mpirun set it; with plain mpirun: --mca mpi_yield_when_idle 1");
}

static void check_threads(void) {
  const char *threads = getenv("OMP_NUM_THREADS");
  char what[160];
  snprintf(what, sizeof what, "OMP_NUM_THREADS is %s",
           threads ? threads
                   : "not set: cores are "
                     "divided among ranks");
  int64_t n = 1;
  say(!threads || (coh_text_to_int(threads, &n) && n >= 1), what, "unset it or give a number");
}

static void check_gnuplot(void) {
  bool found = system("command -v gnuplot >/dev/null 2>&1") == 0;
  say(found, found ? "gnuplot draws the charts" : "gnuplot is missing: reports have no charts",
      "install gnuplot-nox");
}

static void check_limits(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  char what[160];
  snprintf(what, sizeof what, "%llu open files allowed", (unsigned long long)limit.rlim_cur);
  say(limit.rlim_cur >= 1024, what, "ulimit -n 4096");
}

static coh_status run(coh_world *world, const coh_arguments *arguments) {
  (void)world;
  (void)arguments;
  coh_text text = {0};
  coh_machine_describe(&text, "this process");
  char *description = NULL;
  COH_TRY(coh_text_take(&text, &description));
  printf("%s\n", description);
  coh_free(description);
  check_cores();
  check_blas();
  check_threads();
  check_shared_memory();
  check_mpi();
  check_gnuplot();
  check_limits();
  return COH_OK;
}

const coh_command coh_command_doctor = {
    .name = "doctor",
    .usage = "doctor",
    .doc = "Look for what makes runs slow or fail here; each finding with its fix.",
    .run = run,
};
