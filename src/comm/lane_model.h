/* What a lane sum costs: a LogGP-like model, for choosing its method and for predicting layouts
 * that are not at hand. Knows no MPI. Sources: Alexandrov, Ionescu, Schauser, Scheiman,
 * "LogGP", SPAA 1995; Thakur, Rabenseifner, Gropp, IJHPCA 2005. */
#ifndef COHORT_COMM_LANE_MODEL_H
#define COHORT_COMM_LANE_MODEL_H

/* The way a sum takes; all give the same bits. Doubling and halving need aligned ranks: a power
 * of two of them, each with a power of two of lanes, so that a rank is one node of the tree. */
typedef enum lane_method {
  LANE_AUTO,          /* choose by size */
  LANE_DOUBLING,      /* recursive doubling of the whole vector; few messages */
  LANE_HALVING,       /* reduce-scatter with distance doubling, then allgather; few bytes */
  LANE_DIRECT_WHOLE,  /* all ranks' nodes to all ranks, which add the same tree; one round */
  LANE_DIRECT_SLICES, /* slices of the nodes to the ranks that own them; two rounds; few bytes
                       */
  LANE_WINDOW_WHOLE,  /* in nodes all read all through shared memory; then doubling */
  LANE_WINDOW_SLICES, /* in nodes slices through shared memory; halving among nodes */
} lane_method;

/* The time that a message of n bytes takes: latency + n * byte, in seconds. */
typedef struct lane_link {
  double latency, byte;
} lane_link;

typedef struct lane_model {
  lane_link mates;   /* messages between ranks of a node */
  lane_link network; /* messages between nodes; the ranks of a node share it */
  double add;        /* seconds to read and add one byte of one addend */
  double copy;       /* seconds to copy one byte to a mate, in lines that it has read before */
  double pass;       /* the same in lines that it has written and that come back */
  double follow;     /* seconds until a counter that a mate has written is seen */
} lane_model;

/* Estimated from measurements on one machine (bench/README.md); right in their ratios on
 * others, which is what choosing needs. */
extern const lane_model lane_model_default;

/* Seconds for n_bytes a rank over n_ranks, n_mates of them on each node. */
double lane_model_seconds(const lane_model *model, lane_method method, int n_ranks, int n_mates,
                          double n_bytes);

#endif
