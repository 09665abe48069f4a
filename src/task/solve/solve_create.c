/* Making the task: the model, the target, the policy, and who solves. */
#include <string.h>

#include "base/alloc.h"
#include "base/choice.h"
#include "base/clock.h"
#include "base/text.h"
#include "mdp/mdp_chain.h"
#include "task/solve/solve.h"

static coh_status target_numbers(coh_solve *solve, const char *text) {
  while (*text) {
    size_t length = strcspn(text, ",");
    char word[32];
    int64_t state = -1;
    if (length < sizeof word) {
      memcpy(word, text, length);
      word[length] = '\0';
    }
    COH_CHECK(length < sizeof word && coh_text_to_int(word, &state) && state >= 0 &&
                  state < solve->n_states,
              COH_E_CONFIG,
              "target: '%s' is neither a label of the model nor numbers of its %lld states",
              solve->options->target, (long long)solve->n_states);
    solve->target[state] = 1;
    text += length + (text[length] == ',');
  }
  return COH_OK;
}

static coh_status find_target(coh_solve *solve) {
  const char *name = solve->options->target;
  COH_CHECK(*name || solve->options->objective != COH_SOLVE_REACH, COH_E_CONFIG,
            "objective reach needs a target");
  if (!*name || solve->options->objective == COH_SOLVE_DISCOUNTED) return COH_OK;
  COH_NEW(solve->target, solve->n_states);
  const uint8_t *holds = coh_mdp_label_find(solve->supply.whole, name);
  if (!holds) return target_numbers(solve, name);
  memcpy(solve->target, holds, (size_t)solve->n_states);
  return COH_OK;
}

/* the model under the policy, whole; choice: out, of all states, or NULL; caller frees */
static coh_status make_chain(const coh_solve *solve, coh_mdp **chain, int32_t **choice) {
  double *weight = NULL;
  const coh_mdp *mdp = solve->supply.whole;
  coh_status status = coh_solve_read_policy(solve, mdp, choice, &weight);
  if (status == COH_OK)
    status =
        coh_mdp_chain_make(mdp, (coh_mdp_policy){.choice = *choice, .weight = weight}, chain);
  coh_free(weight);
  return status;
}

/* the whole model on every rank */
static coh_status hold_whole(coh_solve *solve, int32_t **choice) {
  int n_threads = solve->context->n_threads;
  bool has_chain = solve->options->find != COH_SOLVE_OPTIMUM;
  if (has_chain) COH_TRY(make_chain(solve, &solve->chain_whole, choice));
  COH_TRY(coh_mdp_compress(has_chain ? solve->chain_whole : solve->supply.whole,
                           (coh_mdp_form)solve->options->form));
  COH_TRY(coh_mdp_shard_of(solve->supply.whole, n_threads, &solve->model));
  if (!has_chain) return COH_OK;
  return coh_mdp_shard_of(solve->chain_whole, n_threads, &solve->chain);
}

/* this rank's rows only; what was made whole to be cut is let go */
static coh_status hold_share(coh_solve *solve, int32_t **choice) {
  const coh_run_context *context = solve->context;
  COH_TRY(coh_mdp_shard_create(context->world, &solve->supply.source, context->lanes.n_lanes,
                               context->n_threads, &solve->model));
  coh_mdp *chain = NULL;
  coh_mdp_source source;
  coh_status status = COH_OK;
  if (solve->options->find != COH_SOLVE_OPTIMUM) {
    status = coh_comm_agree(solve->context->world, make_chain(solve, &chain, choice));
    if (status == COH_OK) coh_mdp_source_of(chain, &source);
    if (status == COH_OK) status = coh_mdp_shard_alike(solve->model, &source, &solve->chain);
    coh_mdp_destroy(&chain);
  }
  coh_mdp_supply_shed(&solve->supply);
  return status;
}

/* what a rank keeps by state */
static coh_status allocate(coh_solve *solve, const int32_t *choice) {
  const coh_mdp_shard *model = solve->model;
  int64_t n = model->n_own, room = coh_mdp_shard_room(model);
  COH_NEW(solve->values, room);
  COH_NEW(solve->lower, n);
  COH_NEW(solve->upper, n);
  COH_NEW(solve->choice, n);
  if (solve->options->find == COH_SOLVE_IMPROVE) COH_NEW(solve->scratch, room);
  // improve says how many actions changed
  if (choice) memcpy(solve->choice, choice + model->first, (size_t)n * sizeof *choice);
  if (!solve->supply.start) return COH_OK;
  COH_NEW(solve->start, n);
  memcpy(solve->start, solve->supply.start + model->first, (size_t)n * sizeof(double));
  COH_DELETE(solve->supply.start);
  return COH_OK;
}

static coh_status hold_model(coh_solve *solve) {
  int32_t *choice = NULL;
  coh_status status = solve->is_whole ? hold_whole(solve, &choice) : hold_share(solve, &choice);
  if (status == COH_OK) status = allocate(solve, choice);
  coh_free(choice);
  COH_TRY(status);
  solve->subject = solve->chain ? solve->chain : solve->model;
  solve->n_actions = solve->model->mdp->n_actions;
  return solve->is_whole || coh_world_size(solve->context->world) == 1
             ? COH_OK
             : coh_comm_reduce_int(solve->context->world, COH_REDUCE_MAX, &solve->n_actions, 1);
}

static coh_status list_contestants(coh_solve *solve) {
  solve->contestant[solve->n_contestants++] = solve->options->method;
  for (const char *const *text = coh_solve_contestants; solve->options->compare && *text;
       text++) {
    COH_TRY(coh_choice_parse("compare", &coh_mdp_method_kinds, *text,
                             &solve->contestant[solve->n_contestants]));
    solve->n_contestants++;
  }
  COH_NEW(solve->line, solve->n_contestants);
  return COH_OK;
}

coh_status coh_solve_begin_turn(coh_solve *solve) {
  coh_mdp_plan_destroy(&solve->plan);
  solve->window_transitions = 0;
  coh_mdp_solve_options options = {.minimize = solve->options->sense == 1,
                                   .tolerance = solve->options->tolerance};
  solve->line[solve->turn].stride = 1;
  return coh_mdp_plan_create_on(solve->subject, &solve->contestant[solve->turn], &options,
                                &solve->plan);
}

static coh_status check(const coh_solve_options *options) {
  bool is_discounted = options->objective == COH_SOLVE_DISCOUNTED;
  COH_CHECK(!is_discounted || options->discount < 1.0, COH_E_CONFIG,
            "discount: 1 is for objective reach or total; discounted needs less");
  COH_CHECK(is_discounted || options->find != COH_SOLVE_IMPROVE, COH_E_CONFIG,
            "find: improve is for objective discounted");
  COH_CHECK(is_discounted || !options->compare, COH_E_CONFIG,
            "compare: reach and total have one method");
  COH_CHECK(is_discounted || options->form == COH_MDP_PLAIN, COH_E_CONFIG,
            "form: for objective discounted");
  return COH_OK;
}

/* all that ranks can do for themselves */
static coh_status supply(coh_solve *solve) {
  const coh_solve_options *options = solve->options;
  COH_TRY(check(options));
  bool is_discounted = options->objective == COH_SOLVE_DISCOUNTED;
  const coh_mdp_method *method = (const coh_mdp_method *)options->method.kind;
  solve->is_whole =
      !is_discounted || options->compare || method->whole || options->form != COH_MDP_PLAIN;
  COH_TRY(coh_mdp_model_supply(
      &options->model, is_discounted ? options->discount : 1.0, solve->context->seed,
      solve->is_whole || options->find != COH_SOLVE_OPTIMUM, &solve->supply));
  solve->n_states = solve->supply.source.n_states;
  COH_TRY(find_target(solve));
  return list_contestants(solve);
}

static coh_status create(coh_solve *solve) {
  COH_TRY(coh_comm_agree(solve->context->world, supply(solve)));
  COH_TRY(hold_model(solve));
  return solve->options->objective == COH_SOLVE_DISCOUNTED ? coh_solve_begin_turn(solve)
                                                           : COH_OK;
}

coh_status coh_solve_create(const coh_run_context *context, const void *options, void **task) {
  coh_solve *solve;
  COH_NEW(solve, 1);
  solve->context = context;
  solve->options = options;
  solve->window_begun = coh_clock_now();
  coh_status status = create(solve);
  void *self = solve;
  if (status != COH_OK) coh_solve_destroy(&self);
  *task = self;
  return status;
}

void coh_solve_destroy(void **task) {
  coh_solve *solve = *task;
  if (!solve) return;
  coh_mdp_plan_destroy(&solve->plan);
  for (int64_t k = 1; k < solve->n_contestants; k++) // the first is the config's
    coh_choice_clear(&solve->contestant[k]);
  coh_mdp_shard_destroy(&solve->model);
  coh_mdp_shard_destroy(&solve->chain);
  coh_mdp_destroy(&solve->chain_whole);
  coh_mdp_supply_clear(&solve->supply);
  for (int k = 0; k < 3; k++)
    coh_free(solve->saved_values[k]);
  coh_free(solve->saved_choice);
  coh_free(solve->start);
  coh_free(solve->scratch);
  coh_free(solve->target);
  coh_free(solve->line);
  coh_free(solve->values);
  coh_free(solve->lower);
  coh_free(solve->upper);
  coh_free(solve->choice);
  COH_DELETE(*task);
}
