/* A map without a run around it. */
#ifndef COHORT_TESTS_TASK_TSNE_MAP_AT_HAND_H
#define COHORT_TESTS_TASK_TSNE_MAP_AT_HAND_H

#include <string.h>

#include "cohort_test.h"
#include "task/tsne/tsne.h"

typedef struct map {
  coh_run_context context;
  coh_tsne_options options;
  coh_tsne *t;
} map;

static inline void open_map(coh_world *world, const char *config, map *m) {
  coh_config *root = NULL;
  assert_ok(coh_config_parse("test", config, strlen(config), &root));
  assert_ok(coh_options_fill(coh_tsne_option_table, root, &m->options));
  coh_config_destroy(&root);
  m->context = (coh_run_context){
      .world = world, .n_threads = 2, .seed = 3, .steps = 1000, .config_name = "test"};
  assert_ok(coh_lanes_split(world, 4, &m->context.lanes));
  void *task = NULL;
  assert_ok(coh_tsne_create(&m->context, &m->options, &task));
  m->t = task;
}

static inline void close_map(map *m) {
  void *task = m->t;
  coh_tsne_destroy(&task);
  coh_options_clear(coh_tsne_option_table, &m->options);
}

#endif
