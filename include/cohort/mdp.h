/* Finite Markov decision processes: the model, its makers, and exact answers.
 *
 * A model is plain, read-only data in sparse rows:
 *
 *     state s owns the rows    first_row[s] .. first_row[s + 1]        (its actions)
 *     row r owns the entries   first_entry[r] .. first_entry[r + 1]    (its transitions)
 *     entry e leads to next[e] with probability[e]
 *     row r pays reward[r], the expectation over its transitions
 *
 * Every state has at least one row; every row has at least one entry, sorted by next, and sums
 * to one. A state where nothing happens any more ("terminal") has one row that leads to itself
 * and pays 0. Discount 1 means undiscounted: total reward.
 *
 * Nothing here is collective; OpenMP takes fixed blocks of states, so that results do not
 * depend on n_threads. Arrays are borrowed unless said otherwise. */
#ifndef COHORT_MDP_H
#define COHORT_MDP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cohort/option.h"
#include "cohort/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------- the model -- */

/* A set of states with a name, e.g. "target". */
typedef struct coh_mdp_label {
  char *name;
  uint8_t *holds; /* n_states, 0 or 1 */
} coh_mdp_label;

/* How states lie in a picture: state k is cell k of n_rows x n_cols, row by row. */
typedef struct coh_mdp_picture {
  int64_t n_rows, n_cols; /* 0: states are no cells */
  uint8_t *wall;          /* n_states: 1 where the cell is no place to be */
  int8_t direction[4];    /* of actions 0 to 3: 0 up, 1 right, 2 down, 3 left */
} coh_mdp_picture;

typedef struct coh_mdp {
  int64_t n_states, n_rows, n_entries;
  int64_t row_length;   /* entries of every row where all have as many; 0: not so, or unknown */
  int64_t *first_row;   /* n_states + 1 */
  int64_t *first_entry; /* n_rows + 1 */
  uint32_t *next;       /* n_entries */
  double *probability;  /* n_entries */
  double *reward;       /* n_rows */
  int32_t *action;      /* n_rows: the caller's number of each action, rising in a state */
  int64_t n_actions;    /* largest action number + 1 */
  double discount;      /* in (0, 1] */
  double *start;        /* n_states: where it begins, sums to 1; NULL: not said */
  coh_mdp_label *label;
  int64_t n_labels;
  coh_mdp_picture picture;
  struct coh_mdp_compact *compact; /* the rows in another form, or NULL (coh_mdp_compress) */
} coh_mdp;

/* Destroy a model; accepts NULL, sets NULL. */
void coh_mdp_destroy(coh_mdp **mdp);

/* The label of that name, NULL if there is none. */
const uint8_t *coh_mdp_label_find(const coh_mdp *mdp, const char *name);

/* Name a set of states. name, holds (n_states): copied. Fails: COH_E_MEMORY. */
coh_status coh_mdp_label_add(coh_mdp *mdp, const char *name, const uint8_t *holds);

/* Bytes that a model occupies. */
size_t coh_mdp_bytes(const coh_mdp *mdp);

/* A state that leads to itself for ever and pays nothing. */
bool coh_mdp_is_terminal(const coh_mdp *mdp, int64_t state);

/* ------------------------------------------------------------------- built row by row -- */

typedef struct coh_mdp_builder coh_mdp_builder;

/* Start a model. n_states: 1 .. 2^32 - 1. Caller ends it with finish or discard.
 * Fails: COH_E_DATA for a discount outside (0, 1], COH_E_MEMORY. */
coh_status coh_mdp_build(int64_t n_states, double discount, coh_mdp_builder **builder);

/* Begin the next row. States come in rising order, and the actions of a state too. reward: paid
 * for the action (add the state's own reward to it). Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_mdp_add_row(coh_mdp_builder *builder, int64_t state, int32_t action,
                           double reward);

/* Add a transition to the row begun last. reward: paid for this transition on top. The same
 * `next` may come again; probabilities then add up. Zero probability is left out.
 * Fails: COH_E_DATA (not a probability, no such state), COH_E_MEMORY. */
coh_status coh_mdp_add_entry(coh_mdp_builder *builder, int64_t next, double probability,
                             double reward);

/* A row that makes the state terminal. */
coh_status coh_mdp_add_terminal(coh_mdp_builder *builder, int64_t state);

/* Check and hand over. Rows whose sum is off by at most 1e-6 are divided by it, others fail;
 * so does a state without a row. Releases the builder either way and sets it NULL. *mdp: caller
 * destroys. Fails: COH_E_DATA, COH_E_MEMORY. */
coh_status coh_mdp_finish(coh_mdp_builder **builder, coh_mdp **mdp);

/* Give up. Accepts NULL, sets NULL. */
void coh_mdp_discard(coh_mdp_builder **builder);

/* Set where it begins. start: n_states, copied, divided by its sum. Fails: COH_E_DATA. */
coh_status coh_mdp_set_start(coh_mdp *mdp, const double *start);

/* ------------------------------------------------------------------------- made by rule -- */

/* The exact model of a finite environment: gridworld, frozen_lake or cliff_walking (time limits
 * are left out). State = cell. An ending cell is terminal; where the environment moves the
 * agent back, so does the model. choice: over coh_env_kinds.
 * Fails: COH_E_CONFIG for an environment that has no model here. */
coh_status coh_mdp_from_env(const coh_choice *choice, double discount, coh_mdp **mdp);

/* Whether an environment has such a model. */
bool coh_mdp_env_is_finite(const coh_choice *choice);

/* A gridworld of any size. Actions 0 up, 1 right, 2 down, 3 left; a move goes astray with
 * probability `slip`, half to either side; walls and borders keep the agent where it is. */
typedef struct coh_mdp_grid {
  int64_t n_rows, n_cols;
  double slip;
  double step_reward; /* of every move */
  double goal_reward; /* on top, for entering the goal, the last free cell; terminal */
  double obstacles;   /* share of cells that are walls, drawn with the seed */
  bool maze;          /* walls form a perfect maze instead (odd sides look best) */
  uint64_t seed;      /* of walls and maze */
  double discount;
} coh_mdp_grid;
coh_status coh_mdp_make_grid(const coh_mdp_grid *options, coh_mdp **mdp);

/* Forest management: states are ages, actions 0 wait, 1 cut; p: chance of a fire; waiting in
 * the oldest state pays r1, cutting there r2. Source: pymdptoolbox's forest. */
coh_status coh_mdp_make_forest(int64_t n_states, double r1, double r2, double p,
                               double discount, coh_mdp **mdp);

/* The gambler who wants `goal` and wins a stake with probability p_win; states are capitals
 * 0 .. goal; 1 for reaching the goal; undiscounted. Source: Sutton and Barto, example 4.3. */
coh_status coh_mdp_make_gambler(int64_t goal, double p_win, coh_mdp **mdp);

/* Jack's car rental: two places of `capacity` cars, at most max_move moved in a night; state =
 * first * (capacity + 1) + second. Cars beyond the capacity vanish at the day's end. Source:
 * Sutton and Barto, example 4.2 (requests 3, 4; returns 3, 2; 10 a rental, 2 a move). */
coh_status coh_mdp_make_car_rental(int64_t capacity, int64_t max_move, double discount,
                                   coh_mdp **mdp);

/* A queue whose service is slow (0) or fast (1): uniformised M/M/1 with room for n - 1. A step
 * costs the length times hold_cost, and fast_cost more when fast. Rewards are costs, negated.
 */
typedef struct coh_mdp_queue {
  int64_t n_states;
  double arrival, slow, fast; /* probabilities a step; arrival + fast <= 1 */
  double hold_cost, fast_cost;
  double discount;
} coh_mdp_queue;
coh_status coh_mdp_make_queue(const coh_mdp_queue *options, coh_mdp **mdp);

/* Random rows: n_successors next states within a window of `band` columns around the state
 * (band 0 or >= n_states: anywhere), probabilities from normalised uniforms, rewards uniform in
 * [0, 1). Row (s, a) depends on the seed, s and a alone. */
typedef struct coh_mdp_random {
  int64_t n_states, n_actions, n_successors, band;
  uint64_t seed;
  double discount;
} coh_mdp_random;
coh_status coh_mdp_make_random(const coh_mdp_random *options, coh_mdp **mdp);

/* ------------------------------------------------------------------------------ in files -- */

typedef struct coh_mdp_file_options {
  double discount;    /* 0: the file's own, 1 where it says none (only NPZ does) */
  const char *reward; /* .drn: the reward model to take; NULL: the first */
} coh_mdp_file_options;

/* Whether a path ends like a model's file. */
bool coh_mdp_is_file(const char *path);

/* Read a model. The format follows from the name's end:
 *   .tra  PRISM's explicit files; NAME.lab, .srew, .rew, .trew beside it are read as well
 *   .drn  Storm's, MDP and DTMC
 *   .csv  state,action,next,probability[,reward]
 *   .npz  the arrays of coh_mdp, or a SciPy CSR matrix of (state, action) rows
 * The states of label "init" are where it begins. Rows are checked as by the builder.
 * options may be NULL. *mdp: caller destroys. Fails: COH_E_DATA with FILE:LINE and what was
 * found there, COH_E_MEMORY. */
coh_status coh_mdp_open(const char *path, const coh_mdp_file_options *options, coh_mdp **mdp);

/* Write a model in the format of the name's end, atomically (.tra: three files). What .tra,
 * .drn and .csv cannot hold is left out: the discount, the picture, a start that is no label;
 * a row's reward is written as that of each of its transitions. Probabilities read back as the
 * same bits, rewards through .tra and .csv to rounding. Fails: COH_E_IO, COH_E_DATA. */
coh_status coh_mdp_save(const coh_mdp *mdp, const char *path);

/* ------------------------------------------------------------------------------- sweeps -- */

/* How sweeps read the rows: as they are (12 bytes a transition and more), or in a compact form,
 * kept beside them, with columns as 16-bit distances from the state. */
typedef enum coh_mdp_form {
  COH_MDP_PLAIN,
  COH_MDP_PATTERNS, /* rows of probabilities by a dictionary: 2 bytes a transition, same bits */
  COH_MDP_SINGLE    /* probabilities in single precision: 6 bytes; bounds are widened by it */
} coh_mdp_form;
#define COH_MDP_FORM_CHOICES "plain|patterns|single"

/* Choose the form; coh_mdp_sweep reads it, and bounds that are made of its sweeps hold.
 * Fails: COH_E_DATA where the model does not fit (a column over 32767 states away; over 65536
 * different rows of probabilities), COH_E_MEMORY; then the form is plain. */
coh_status coh_mdp_compress(coh_mdp *mdp, coh_mdp_form form);

/* One Bellman sweep (Jacobi): next = max (min) over rows of reward + discount P values.
 * values: n_states; next: out, n_states, another array. choice: out, the row taken, counted
 * from the state's first (the lowest of equals); may be NULL. low, high: out, least and
 * greatest next - values. */
void coh_mdp_sweep(const coh_mdp *mdp, bool minimize, int n_threads, const double *values,
                   double *next, int32_t *choice, double *low, double *high);

/* q (n_rows) = reward + discount P values, row by row. */
void coh_mdp_action_values(const coh_mdp *mdp, int n_threads, const double *values, double *q);

/* A policy: a row of each state (`choice`, counted from its first), or a probability of each
 * row (`weight`, n_rows); with both NULL every action of a state is as likely. */
typedef struct coh_mdp_policy {
  const int32_t *choice;
  const double *weight;
} coh_mdp_policy;

/* y = P_pi x over states. y: out, n_states, another array than x. */
void coh_mdp_policy_product(const coh_mdp *mdp, coh_mdp_policy policy, int n_threads,
                            const double *x, double *y);

/* The entries by where they lead: what the transposed product gathers from. */
typedef struct coh_mdp_incoming coh_mdp_incoming;
coh_status coh_mdp_incoming_create(const coh_mdp *mdp, coh_mdp_incoming **incoming);
void coh_mdp_incoming_destroy(coh_mdp_incoming **incoming);

/* y = P_pi^T x: where the mass x goes. mdp: borrowed by incoming, the one it was made of. */
void coh_mdp_policy_transposed(const coh_mdp_incoming *incoming, coh_mdp_policy policy,
                               int n_threads, const double *x, double *y);

/* ------------------------------------------------------------------------ exact answers -- */

typedef enum coh_mdp_krylov { COH_MDP_BICGSTAB, COH_MDP_GMRES } coh_mdp_krylov;

/* Solve (I - discount P_pi) values = reward_pi, to a residual of at most `tolerance` (largest
 * component). values: in/out, n_states: the first guess, the answer.
 * Fails: COH_E_DIVERGED when the tolerance is not reached (undiscounted: the policy may never
 * end), COH_E_MEMORY. */
coh_status coh_mdp_evaluate(const coh_mdp *mdp, coh_mdp_policy policy, coh_mdp_krylov method,
                            double tolerance, int n_threads, double *values);

/* Solve (I - discount P_pi^T) visits = start: the discounted number of visits of each state
 * when it begins as `start` says (n_states). visits: in/out, the first guess, the answer.
 * Discount below 1, or a policy that ends with all start mass outside terminal states' loops.
 * Fails: as coh_mdp_evaluate. */
coh_status coh_mdp_visits(const coh_mdp_incoming *incoming, coh_mdp_policy policy,
                          const double *start, double tolerance, int n_threads, double *visits);

/* The optimum, certified. */
typedef struct coh_mdp_solution {
  double *values;  /* n_states, the middle of the bounds */
  int32_t *choice; /* n_states, an optimal row of each, counted from its first */
  double width;    /* largest upper - lower bound; |values - V*| <= width / 2 */
  int64_t n_improvements, n_products; /* sweeps over all rows; products with one policy */
} coh_mdp_solution;

typedef struct coh_mdp_solve_options {
  bool minimize;
  double tolerance; /* width of the bound to reach; 0: 1e-9 of the largest value */
  int n_threads;    /* 0: 1 */
} coh_mdp_solve_options;

/* Find V* and an optimal policy by the method `aggregation`, ended by MacQueen's bound.
 * Discount below 1. options may be NULL. solution: out, caller clears. Fails: COH_E_DATA
 * (discount 1), COH_E_DIVERGED (rounding keeps the bound above the tolerance), COH_E_MEMORY.
 * Sources: MacQueen 1966; Porteus 1971; Gargiani et al. 2024. */
coh_status coh_mdp_solve(const coh_mdp *mdp, const coh_mdp_solve_options *options,
                         coh_mdp_solution *solution);
void coh_mdp_solution_clear(coh_mdp_solution *solution);

/* Bounds on an undiscounted answer. */
typedef struct coh_mdp_bounds {
  double *lower, *upper; /* n_states: the answer lies between; both INFINITY: it is infinite */
  int32_t *choice;       /* n_states: a row of each, counted from its first, that reaches the
                            bound on the near side */
  double width;          /* largest upper - lower that is finite; of totals above 1, relative */
  int64_t n_sweeps;
} coh_mdp_bounds;

/* The greatest (minimize: least) probability of ever reaching the target (n_states, 0 or 1).
 * The discount and rewards do not count. Values 0 and 1 are found by graph and exact; end
 * components become single states, so that bounds meet. The choice really reaches: it does not
 * wait where waiting looks as good. options: tolerance 0 means 1e-6; n_threads does not count;
 * may be NULL. bounds: out, caller clears.
 * Fails: COH_E_DIVERGED when rounding keeps the bound wide, COH_E_MEMORY.
 * Source: Baier et al. 2017, interval iteration. */
coh_status coh_mdp_reach(const coh_mdp *mdp, const uint8_t *target,
                         const coh_mdp_solve_options *options, coh_mdp_bounds *bounds);

/* The greatest (minimize: least) expected reward until the target is reached, undiscounted;
 * infinite where some policy (minimize: every policy) may miss it; for rewards below 0 the
 * other way round. target NULL: the reward of all time; infinite where going on for ever pays
 * (minimize: costs, whatever one does). Rewards before the target are of one sign.
 * Fails: as coh_mdp_reach; COH_E_DATA for rewards of both signs.
 * Source: Hartmanns and Kaminski 2020, optimistic iteration. */
coh_status coh_mdp_total_until(const coh_mdp *mdp, const uint8_t *target,
                               const coh_mdp_solve_options *options, coh_mdp_bounds *bounds);
void coh_mdp_bounds_clear(coh_mdp_bounds *bounds);

/* Haddad and Monmege's chain, on which "stop when the change is small" fails: 2n + 1 states
 * begin in the middle; label "target" is reached with probability p_up, "end" is either end;
 * a step pays 1. Source: Haddad and Monmege 2018. */
coh_status coh_mdp_make_haddad_monmege(int64_t n, double p_up, coh_mdp **mdp);

#ifdef __cplusplus
}
#endif
#endif
