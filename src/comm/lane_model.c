/* Seconds of each method, term by term as the method's rounds are in lane_rounds.c and
 * lane_window.c. */
#include "comm/lane_model.h"

const lane_model lane_model_default = {
    .mates = {.latency = 0.9e-6, .byte = 0.14e-9},
    .network = {.latency = 20e-6, .byte = 0.8e-9},
    .add = 0.03e-9,
    .copy = 0.12e-9,
    .pass = 0.02e-9,
    .follow = 0.2e-6,
};

enum { WINDOW_STEP_BYTES = 256 << 10 };

// one message between partners at a distance; a node's ranks all send at once
static double message(const lane_model *model, int distance, int n_mates, double n_bytes) {
  if (distance < n_mates) return model->mates.latency + n_bytes * model->mates.byte;
  return model->network.latency + n_bytes * n_mates * model->network.byte;
}

static double doubling(const lane_model *model, int from, int n_ranks, int n_mates,
                       double n_bytes) {
  double seconds = 0;
  for (int bit = from; bit < n_ranks; bit *= 2)
    seconds += message(model, bit, n_mates, n_bytes) + 2 * n_bytes * model->add;
  return seconds;
}

// halving and its way back; `from` ranks have already shared the vector out among them
static double halving(const lane_model *model, int from, int n_ranks, int n_mates,
                      double n_bytes) {
  double seconds = 0;
  for (int bit = from; bit < n_ranks; bit *= 2) {
    double half = n_bytes / (2.0 * bit);
    seconds += 2 * message(model, bit, n_mates, half) + 2 * half * model->add;
  }
  return seconds;
}

// one message to every other rank, all posted at once: the latencies overlap, the bytes do not
static double to_all(const lane_model *model, int n_ranks, int n_mates, double n_bytes) {
  double in_node = (n_mates - 1) * n_bytes * model->mates.byte;
  double outside = (double)(n_ranks - n_mates) * n_mates * n_bytes * model->network.byte;
  return (n_ranks > n_mates ? model->network.latency : model->mates.latency) + in_node +
         outside;
}

// slices through the window of the only node: put, added, handed back, taken
static double in_one_node(const lane_model *model, double mates, double n_bytes) {
  return 2 * model->follow * (1 + n_bytes / WINDOW_STEP_BYTES) + n_bytes * model->add +
         n_bytes * model->pass * 3 * (mates - 1) / mates;
}

// the same with sums among the nodes in between, so that slices are gathered through lines anew
static double around_nodes(const lane_model *model, double mates, double n_bytes) {
  return 2 * model->follow * (1 + n_bytes / WINDOW_STEP_BYTES) + n_bytes * model->add +
         n_bytes * model->copy * 2 * (mates - 1) / mates;
}

double lane_model_seconds(const lane_model *model, lane_method method, int n_ranks, int n_mates,
                          double n_bytes) {
  double add_all = n_bytes * model->add, n = n_ranks, mates = n_mates;
  switch (method) {
  case LANE_DOUBLING:
    return doubling(model, 1, n_ranks, n_mates, n_bytes);
  case LANE_HALVING:
    return halving(model, 1, n_ranks, n_mates, n_bytes);
  case LANE_DIRECT_WHOLE:
    return to_all(model, n_ranks, n_mates, n_bytes) + n * add_all;
  case LANE_WINDOW_WHOLE:
    return model->follow + n_bytes * model->copy + mates * add_all +
           doubling(model, n_mates, n_ranks, n_mates, n_bytes);
  case LANE_WINDOW_SLICES:
    if (n_mates == n_ranks) return in_one_node(model, mates, n_bytes);
    return around_nodes(model, mates, n_bytes) +
           halving(model, n_mates, n_ranks, n_mates, n_bytes);
  default:
    return 2 * to_all(model, n_ranks, n_mates, n_bytes / n) + add_all;
  }
}
