/* Making the task: the model, the target, the policy, and who solves. */
#include <string.h>

#include "base/alloc.h"
#include "base/choice.h"
#include "base/clock.h"
#include "base/text.h"
#include "mdp/mdp_chain.h"
#include "mdp/model_kind.h"
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
                  state < solve->mdp->n_states,
              COH_E_CONFIG,
              "target: '%s' is neither a label of the model nor numbers of its %lld states",
              solve->options->target, (long long)solve->mdp->n_states);
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
  COH_NEW(solve->target, solve->mdp->n_states);
  const uint8_t *holds = coh_mdp_label_find(solve->mdp, name);
  if (!holds) return target_numbers(solve, name);
  memcpy(solve->target, holds, (size_t)solve->mdp->n_states);
  return COH_OK;
}

static coh_status make_chain(coh_solve *solve) {
  int32_t *choice = NULL;
  double *weight = NULL;
  coh_status status = coh_solve_read_policy(solve, &choice, &weight);
  if (status == COH_OK)
    status = coh_mdp_chain_make(
        solve->mdp, (coh_mdp_policy){.choice = choice, .weight = weight}, &solve->chain);
  // improve says how many actions changed
  if (status == COH_OK && choice)
    memcpy(solve->choice, choice, (size_t)solve->mdp->n_states * sizeof *choice);
  coh_free(choice);
  coh_free(weight);
  solve->subject = solve->chain;
  return status;
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
                                   .tolerance = solve->options->tolerance,
                                   .n_threads = solve->context->n_threads};
  solve->line[solve->turn].stride = 1;
  return coh_mdp_plan_create(solve->subject, &solve->contestant[solve->turn], &options,
                             &solve->plan);
}

static coh_status create(coh_solve *solve) {
  const coh_solve_options *options = solve->options;
  bool is_discounted = options->objective == COH_SOLVE_DISCOUNTED;
  COH_CHECK(!is_discounted || options->discount < 1.0, COH_E_CONFIG,
            "discount: 1 is for objective reach or total; discounted needs less");
  COH_CHECK(is_discounted || options->find != COH_SOLVE_IMPROVE, COH_E_CONFIG,
            "find: improve is for objective discounted");
  COH_CHECK(is_discounted || !options->compare, COH_E_CONFIG,
            "compare: reach and total have one method");
  COH_TRY(coh_mdp_model_make(&options->model, is_discounted ? options->discount : 1.0,
                             solve->context->seed, &solve->mdp));
  int64_t n = solve->mdp->n_states;
  COH_NEW(solve->values, n);
  COH_NEW(solve->lower, n);
  COH_NEW(solve->upper, n);
  COH_NEW(solve->choice, n);
  solve->subject = solve->mdp;
  COH_TRY(find_target(solve));
  if (options->find != COH_SOLVE_OPTIMUM) COH_TRY(make_chain(solve));
  COH_CHECK(is_discounted || options->form == COH_MDP_PLAIN, COH_E_CONFIG,
            "form: for objective discounted");
  COH_TRY(coh_mdp_compress(solve->chain ? solve->chain : solve->mdp,
                           (coh_mdp_form)options->form));
  COH_TRY(list_contestants(solve));
  return is_discounted ? coh_solve_begin_turn(solve) : COH_OK;
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
  coh_mdp_destroy(&solve->mdp);
  coh_mdp_destroy(&solve->chain);
  coh_free(solve->target);
  coh_free(solve->line);
  coh_free(solve->values);
  coh_free(solve->lower);
  coh_free(solve->upper);
  coh_free(solve->choice);
  COH_DELETE(*task);
}
