/* The data-parallel gradient step that every learner shares: each lane fills a block of its
 * own, one lane sum adds them, the optimiser steps.
 *
 *     coh_learner_create     memory, optimiser (not collective)
 *     coh_learner_connect    the lane sum (collective, when every rank has come so far)
 *     each update:  lanes fill coh_learner_gradient(learner, local), gradient and tail
 *                   (lane_pass.h);
 *                   coh_learner_step
 *
 * With coh_learner_overlap the sum begins before the lanes are done: the gradient is cut into
 * buckets, from the last layer to the first as backpropagation finishes them, and a bucket
 * travels while the program goes on. The same bits: a bucket is summed by the same tree.
 *
 * With coh_learner_delay a gradient is applied one update late, so that its sum has a whole
 * update to travel in. Another run, but just as much a function of config and seed.
 * Source: Li et al., "Pipe-SGD", NeurIPS 2018.
 *
 * The tail are numbers that ride along at the end of the gradient, e.g. sums of losses. */
#ifndef COHORT_TASK_LEARNER_H
#define COHORT_TASK_LEARNER_H

#include <pthread.h>
#include <stdatomic.h>

#include "cohort/comm.h"
#include "cohort/graph.h"
#include "cohort/nn.h"
#include "cohort/task.h"

/* Floats of the tail; its first is a loss: a sum that is not finite means divergence. */
enum { COH_LEARNER_TAIL = 16 };

/* Every so many updates the gradient's norm is taken for the metrics. */
enum { COH_LEARNER_NORM_EVERY = 64 };

/* A stretch of the gradient that is summed by itself. */
typedef struct coh_bucket {
  int64_t first, n_floats;
  int64_t ready; /* steps of the program after which it is final */
  coh_lane_sum *sum;
  const void **sources; /* n_local, each lane's stretch */
  atomic_int n_lanes;   /* that have come so far in this update */
  double begun;         /* for the timeline */
} coh_bucket;

enum { COH_MAX_BUCKETS = 16 };

typedef struct coh_learner {
  const coh_run_context *context;
  const char *name; /* in messages and in the names of saved moments: "" or "generator." */
  coh_optimizer *optimizer;
  int64_t n_floats, n_updates;
  float **gradient;  /* n_local blocks of n_floats + COH_LEARNER_TAIL */
  coh_lane_sum *sum; /* of the whole, or of the tail where there are buckets */
  double *norm_partials;
  /* overlap; no buckets: the whole is summed when the lanes are done */
  const coh_program *program; /* borrowed */
  coh_bucket bucket[COH_MAX_BUCKETS];
  const void **tail_sources; /* n_local */
  int n_buckets;
  int n_begun, n_done; /* buckets of this update */
  bool is_summing;     /* all sums of this update have begun */
  float *late;         /* delayed: where the sums go, gradient and tail; NULL: lane 0's block */
  bool is_late;        /* a sum lies there that is to be applied */
  pthread_t owner;     /* the thread that communicates */
  /* over the updates since the last coh_learner_restart */
  double tail[COH_LEARNER_TAIL]; /* sums of the tails */
  double norm_sum;               /* of gradient norms, n_norms of them */
  int64_t n_window, n_norms;
  double reduce_seconds;
  /* what a checkpoint being written borrows */
  int64_t saved_counts[3];
  double saved_sums[COH_LEARNER_TAIL + 1];
} coh_learner;

/* Make a learner of a block of n_floats. Not collective. name, optimizer: borrowed; several
 * learners of a task have different names. Fails: COH_E_CONFIG, COH_E_MEMORY. */
coh_status coh_learner_create(coh_learner *learner, const coh_run_context *context,
                              const char *name, const coh_choice *optimizer, int64_t n_floats);

/* Sum while computing: `program` makes the gradient of every parameter of `layout`, as outputs
 * gradient[k] bound to coh_learner_gradient. Before coh_learner_connect; not collective, but
 * all ranks call it with the same program. program: borrowed for the learner's life. */
coh_status coh_learner_overlap(coh_learner *learner, const coh_program *program,
                               const coh_graph *layout, const coh_value *gradient);

/* Apply every gradient one update late: the first update applies none, and the sum of one
 * travels while the next is computed. Before coh_learner_overlap; not collective.
 * Fails: COH_E_MEMORY. */
coh_status coh_learner_delay(coh_learner *learner);

/* Run steps of that program for a lane (first <= step < last, in order to the end), in any
 * thread; the thread that called coh_learner_connect moves the messages of finished buckets on
 * between two operators. Fails: as coh_program_run; COH_E_COMM. */
coh_status coh_learner_run(coh_learner *learner, coh_workspace *workspace, int64_t first,
                           int64_t last);

/* The same for n <= COH_MAX_JOINED learners whose gradients one program makes, named in the
 * order in which it finishes them. */
enum { COH_MAX_JOINED = 2 };
coh_status coh_learners_run(coh_learner *const learner[], int n, coh_workspace *workspace,
                            int64_t first, int64_t last);

/* Make the lane sum. Collective. */
coh_status coh_learner_connect(coh_learner *learner);
void coh_learner_destroy(coh_learner *learner);

/* Lane `local`'s block: gradient, then tail; 64-byte aligned. */
float *coh_learner_gradient(const coh_learner *learner, int64_t local);

/* Run another program beside, e.g. that of a target network, in any thread; the learner's own
 * moves sums that travel on between two operators. Fails: as coh_program_run; COH_E_COMM. */
coh_status coh_learner_run_beside(coh_learner *learner, const coh_program *program,
                                  coh_workspace *workspace);

/* Begin the sum when all lanes are done, to compute something else before coh_learner_step ends
 * it, with a call of coh_learner_poll about every 10 us. Collective. Fails: COH_E_COMM. */
coh_status coh_learner_begin(coh_learner *learner);
coh_status coh_learner_poll(coh_learner *learner);

/* Sum the lanes, step the optimiser, count the update. Collective. The sum is then in lane 0's
 * block; delayed, it still travels. scale: of the gradient. Fails: COH_E_DIVERGED on all ranks.
 */
coh_status coh_learner_step(coh_learner *learner, float *params, double scale);

/* The sum of the last update, gradient and tail, brought to its end if it travels. Collective.
 * *sum: borrowed until the next update. */
coh_status coh_learner_settle(coh_learner *learner, const float **sum);

/* Mean of the norms taken in the window, NAN without any; begin a new window. */
double coh_learner_norm(const coh_learner *learner);
void coh_learner_restart(coh_learner *learner);

/* Save and load moments, counters and the window: state tensors "<name>optimizer.<moment>",
 * "<name>learner.counts", "<name>learner.window", and delayed "<name>learner.late". Saving is
 * collective then. */
coh_status coh_learner_save(coh_learner *learner, coh_saver *saver);
coh_status coh_learner_load(coh_learner *learner, coh_loader *loader);

#endif
