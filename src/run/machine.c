/* Describing the machine from /proc and the libraries' own words. */
#include "run/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cohort/version.h"
#include "io/file.h"
#include "la/libraries.h"

// the first "name : value" of a /proc file
static void proc_value(const char *path, const char *name, char value[256]) {
  snprintf(value, 256, "unknown");
  FILE *file = fopen(path, "r");
  if (!file) return;
  char line[512];
  size_t length = strlen(name);
  while (fgets(line, sizeof line, file)) {
    const char *colon = strchr(line, ':');
    if (strncmp(line, name, length) != 0 || !colon) continue;
    colon += 1 + strspn(colon + 1, " \t");
    snprintf(value, 256, "%.*s", (int)strcspn(colon, "\n"), colon);
    break;
  }
  fclose(file);
}

void coh_machine_describe(coh_text *text, const char *placement) {
  char value[256], when[64];
  time_t now = time(NULL);
  struct tm parts;
  gmtime_r(&now, &parts);
  strftime(when, sizeof when, "%Y-%m-%d %H:%M:%S UTC", &parts);
  struct utsname system;
  coh_text_add(text, "cohort: %s\n", coh_version());
  coh_text_add(text, "date: %s\n", when);
  if (uname(&system) == 0)
    coh_text_add(text, "system: %s %s %s\n", system.sysname, system.release, system.machine);
  proc_value("/proc/cpuinfo", "model name", value);
  coh_text_add(text, "processor: %s, %ld online\n", value, sysconf(_SC_NPROCESSORS_ONLN));
  proc_value("/proc/meminfo", "MemTotal", value);
  coh_text_add(text, "memory: %s\n", value);
  coh_text_add(text, "placement: %s\n", placement);
  coh_la_describe(text);
  coh_text_add(text, "compiler: %s\n", coh_version_compiler());
}

coh_status coh_machine_write(const char *folder, const char *placement) {
  coh_text text = {0};
  coh_machine_describe(&text, placement);
  char *description = NULL;
  COH_TRY(coh_text_take(&text, &description));
  char path[4096];
  snprintf(path, sizeof path, "%s/machine.txt", folder);
  coh_status status = coh_file_save(path, description, strlen(description));
  coh_free(description);
  return status;
}
