/* The window of convolutions and poolings as a node keeps it. */
#ifndef COHORT_GRAPH_SLIDING_WINDOW_H
#define COHORT_GRAPH_SLIDING_WINDOW_H

#include "graph/operator.h"

/* Zero fields to their defaults; words the failure when one is out of range. */
bool coh_window_complete(coh_graph *g, const char *op, coh_value x, coh_window *window);

/* Places out along an axis (0 height, 1 width): how many windows fit; below 1 if none does. */
int64_t coh_window_places(const coh_window *window, int axis, int64_t size, int64_t kernel);

coh_attributes coh_window_pack(const coh_window *window);
coh_window coh_window_unpack(const coh_attributes *attributes);

/* First integer attribute that packing leaves to the operator. */
enum { COH_WINDOW_INTEGERS = 9 };

#endif
