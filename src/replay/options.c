/* What a config file can say about a replay. */
#include "cohort/replay.h"

#define ROW(field, kind) \
  .name = #field, .type = (kind), .offset = offsetof(coh_replay_options, field)

const coh_option coh_replay_option_table[] = {
    {ROW(capacity, COH_INT), .initial = "100000", .min = 1, .max = 2147483647.0,
     .unit = "transitions", .doc = "Transitions kept, over all lanes."},
    {ROW(memory, COH_BYTES), .initial = "1GiB", .min = 1, .max = 0x1p52, .unit = "bytes",
     .doc = "Bound of the memory for experience, over all lanes and ranks."},
    {ROW(tier, COH_CHOICE), .initial = "auto", .choices = "auto|hot|cold",
     .doc = "Keep frames as they are, compressed, or as the memory bound allows."},
    {ROW(chunk, COH_INT), .initial = "64", .min = 2, .max = 65536, .unit = "frames",
     .doc = "Frames that the cold tier compresses together."},
    {ROW(cache, COH_INT), .initial = "8", .min = 2, .max = 65536, .unit = "chunks",
     .doc = "Decompressed chunks that a lane of the cold tier keeps."},
    {ROW(episode, COH_INT), .initial = "32", .min = 1, .max = 2147483647.0, .unit = "steps",
     .doc = "Steps from one truncation to the next that room for final frames is made for; "
            "truncations that come sooner evict before the capacity is reached."},
    {ROW(prioritized, COH_BOOL), .initial = "false",
     .doc = "Sample in proportion to priorities (Schaul et al. 2016) instead of uniformly."},
    {ROW(alpha, COH_REAL), .initial = "0.6", .min = 0, .max = 4, .unit = "",
     .doc = "Exponent of priorities: p = (|error| + epsilon)^alpha."},
    {ROW(epsilon, COH_REAL), .initial = "1e-6", .min = 0, .max = 1e6, .unit = "",
     .doc = "Added to the absolute error, so that every transition keeps a chance."},
    {0},
};
