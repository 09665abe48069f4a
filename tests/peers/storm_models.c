/* The published models of tests/mdp as files for Storm, and Cohort's bounds on a file of
 * Storm's, for tests/peers/storm_agrees.py.
 * Usage: storm_models write FOLDER
 *        storm_models ask FILE.drn reach|total max|min */
#include <stdio.h>

#include "../mdp/published_jobs.h"
#include "../mdp/published_models.h"
#include "../mdp/published_wlan.h"
#include "../mdp/published_zeroconf.h"

/* as NAME.drn, where it begins in state 0 and `target` is asked for */
static void write_model(const char *folder, const char *name, coh_mdp *mdp, uint8_t *target) {
  char path[4096];
  uint8_t *init = calloc((size_t)mdp->n_states, 1);
  init[0] = 1;
  assert_ok(coh_mdp_label_add(mdp, "init", init));
  assert_ok(coh_mdp_label_add(mdp, "target", target));
  snprintf(path, sizeof path, "%s/%s.drn", folder, name);
  assert_ok(coh_mdp_save(mdp, path));
  coh_mdp_destroy(&mdp);
  free(init);
  free(target);
}

static void write_all(const char *folder) {
  static const char *const wlan_name[] = {"wlan-time", "wlan-cost", "wlan-collisions"};
  explored all;
  uint8_t *target, *spent, *one, *differ;
  coh_mdp *mdp = zeroconf(&all, &target);
  write_model(folder, "zeroconf", mdp, target);
  explored_clear(&all);
  for (int pays = WLAN_TIME; pays <= WLAN_COLLISIONS; pays++) {
    mdp = wlan((wlan_pays)pays, &all, &target);
    write_model(folder, wlan_name[pays], mdp, target);
    explored_clear(&all);
  }
  mdp = jobs(0, &all, &spent, &target);
  write_model(folder, "jobs", mdp, spent);
  free(target);
  explored_clear(&all);
  mdp = csma_bus(&all, &target);
  write_model(folder, "csma", mdp, target);
  explored_clear(&all);
  mdp = shared_coin(2, 2, &one, &differ, &target);
  write_model(folder, "coin", mdp, target);
  free(one);
  free(differ);
}

static coh_status ask(const char *path, bool pays, bool minimize) {
  coh_mdp *mdp;
  coh_mdp_bounds bounds;
  coh_mdp_solve_options options = {.minimize = minimize, .tolerance = 1e-11};
  COH_TRY(coh_mdp_open(path, NULL, &mdp));
  const uint8_t *target = coh_mdp_label_find(mdp, "target"),
                *init = coh_mdp_label_find(mdp, "init");
  COH_CHECK(target && init, COH_E_DATA, "%s: no label target, or init", path);
  COH_TRY((pays ? coh_mdp_total_until : coh_mdp_reach)(mdp, target, &options, &bounds));
  int64_t s = 0;
  while (!init[s])
    s++;
  printf("%lld %lld %lld %.17g %.17g\n", (long long)mdp->n_states, (long long)mdp->n_rows,
         (long long)mdp->first_entry[mdp->n_rows], bounds.lower[s], bounds.upper[s]);
  coh_mdp_bounds_clear(&bounds);
  coh_mdp_destroy(&mdp);
  return COH_OK;
}

int main(int argc, char **argv) {
  coh_status status = COH_OK;
  if (argc == 3 && strcmp(argv[1], "write") == 0)
    write_all(argv[2]);
  else if (argc == 5 && strcmp(argv[1], "ask") == 0)
    status = ask(argv[2], strcmp(argv[3], "total") == 0, strcmp(argv[4], "min") == 0);
  else
    status = coh_fail(COH_E_CONFIG, "usage: storm_models write FOLDER | ask FILE.drn "
                                    "reach|total max|min");
  if (status != COH_OK) fprintf(stderr, "storm_models: %s\n", coh_error_message());
  return status == COH_OK ? 0 : 1;
}
