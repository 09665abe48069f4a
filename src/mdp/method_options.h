/* Rows that the option tables of several methods share. holder: the method's options, with the
 * members `order`, `sweeps`, `omega`, `solver`. */
#ifndef COHORT_MDP_METHOD_OPTIONS_H
#define COHORT_MDP_METHOD_OPTIONS_H

#include <stddef.h>

#include "cohort/option.h"
#include "mdp/mdp_relax.h"
#include "mdp/policy_solver.h"

/* clang-format off */
#define COH_MDP_ORDER_ROW(holder, usual)                                                          \
  {.name = "sweep", .type = COH_CHOICE, .offset = offsetof(holder, order), .initial = (usual),    \
   .choices = COH_MDP_ORDER_CHOICES,                                                            \
   .doc = "Order of updates; gauss_seidel and sor work in place, by blocks."}

#define COH_MDP_SWEEPS_ROW(holder, usual, text)                                                   \
  {.name = "sweeps", .type = COH_INT, .offset = offsetof(holder, sweeps), .initial = (usual),     \
   .min = 1, .max = 1e6, .doc = text}

#define COH_MDP_OMEGA_ROW(holder)                                                                 \
  {.name = "omega", .type = COH_REAL, .offset = offsetof(holder, omega), .initial = "1.2",        \
   .min = 0.1, .max = 2,                                                                        \
   .doc = "sor: the relaxation; lowered towards 1 where it does not converge."}

#define COH_MDP_SOLVER_ROW(holder)                                                                \
  {.name = "solver", .type = COH_CHOICE, .offset = offsetof(holder, solver),                      \
   .initial = "bicgstab", .choices = COH_MDP_SOLVER_CHOICES,                                    \
   .doc = "What approaches a policy's value; aggregation: BiCGStab that coarser chains "        \
          "precondition."}
/* clang-format on */

#endif
