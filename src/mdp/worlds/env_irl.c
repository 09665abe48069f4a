/* A finite environment as a world: what agents and people play there (`cohort record`) are
 * demonstrations in its exact model. Entering a cell pays, as in the environment. Where an
 * episode ends the model goes on into a state without a cell, where it stays, so that a reward
 * of states can speak of the places that are worth ending in. */
#include "base/alloc.h"
#include "cohort/env.h"
#include "mdp/irl_world.h"
#include "mdp/make_from_env.h"

enum { N_ACTIONS = 4 };

typedef struct env_options {
  coh_choice env;
} env_options;

static const coh_option table[] = {
    {.name = "name",
     .type = COH_KIND,
     .offset = offsetof(env_options, env),
     .initial = "frozen_lake",
     .kinds = &coh_env_kinds,
     .doc = "gridworld, frozen_lake or cliff_walking, with its options; its time limit is left "
            "out."},
    {0},
};

static coh_status copy_state(const coh_mdp *from, int64_t state, coh_mdp_builder *to) {
  if (coh_mdp_is_terminal(from, state)) {
    for (int action = 0; action < N_ACTIONS; action++) {
      COH_TRY(coh_mdp_add_row(to, state, action, 0));
      COH_TRY(coh_mdp_add_entry(to, from->n_states, 1, 0));
    }
    return COH_OK;
  }
  for (int64_t row = from->first_row[state]; row < from->first_row[state + 1]; row++) {
    COH_TRY(coh_mdp_add_row(to, state, from->action[row], from->reward[row]));
    for (int64_t e = from->first_entry[row]; e < from->first_entry[row + 1]; e++)
      COH_TRY(coh_mdp_add_entry(to, from->next[e], from->probability[e], 0));
  }
  return COH_OK;
}

static coh_status lengthen(const coh_mdp *from, double discount, coh_mdp **mdp) {
  coh_mdp_builder *builder = NULL;
  COH_TRY(coh_mdp_build(from->n_states + 1, discount, &builder));
  coh_status status = COH_OK;
  for (int64_t s = 0; s < from->n_states && status == COH_OK; s++)
    status = copy_state(from, s, builder);
  if (status == COH_OK) status = coh_mdp_add_row(builder, from->n_states, 0, 0);
  if (status == COH_OK) status = coh_mdp_add_entry(builder, from->n_states, 1, 0);
  if (status == COH_OK) return coh_mdp_finish(&builder, mdp);
  coh_mdp_discard(&builder);
  return status;
}

static coh_status describe(const coh_choice *env, const coh_mdp *from, coh_irl_world *world) {
  int64_t n = from->n_states + 1;
  world->is_given = true;
  world->n_features = n;
  world->picture_rows = from->picture.n_rows;
  world->picture_columns = from->picture.n_cols;
  COH_NEW(world->feature, n);
  COH_NEW(world->reward, n);
  COH_NEW(world->cell, n);
  for (int64_t s = 0; s < n; s++) {
    world->feature[s] = (int32_t)s;
    world->cell[s] = s < from->n_states ? (int32_t)s : -1;
  }
  COH_TRY(coh_mdp_env_rewards(env, from->n_states, world->reward));
  double *start;
  COH_NEW(start, n);
  for (int64_t s = 0; s < from->n_states; s++)
    start[s] = from->start[s];
  coh_status status = coh_mdp_set_start(world->mdp, start);
  coh_free(start);
  return status;
}

static coh_status make(const void *pointer, double discount, uint64_t seed,
                       coh_irl_world *world) {
  const coh_choice *env = &((const env_options *)pointer)->env;
  (void)seed;
  coh_mdp *from = NULL;
  COH_TRY(coh_mdp_from_env(env, discount, &from));
  coh_status status = lengthen(from, discount, &world->mdp);
  if (status == COH_OK) status = describe(env, from, world);
  coh_mdp_destroy(&from);
  return status;
}

const coh_irl_world_type coh_irl_world_env_irl = {
    .kind = {"env", "A finite environment that agents and people also play in.", table,
             sizeof(env_options)},
    .make = make,
};
