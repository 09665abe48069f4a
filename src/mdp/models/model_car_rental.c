/* Jack's car rental. */
#include "mdp/model_kind.h"

typedef struct car_options {
  int64_t capacity, move;
} car_options;

#define FIELD(member) .offset = offsetof(car_options, member)
static const coh_option table[] = {
    {.name = "capacity",
     .type = COH_INT,
     FIELD(capacity),
     .initial = "20",
     .min = 1,
     .max = 100,
     .unit = "cars",
     .doc = "Room of each of the two places."},
    {.name = "move",
     .type = COH_INT,
     FIELD(move),
     .initial = "5",
     .max = 100,
     .unit = "cars",
     .doc = "Most cars that are moved in a night."},
    {0},
};

static coh_status make(const void *given, double discount, uint64_t seed, coh_mdp **mdp) {
  (void)seed;
  const car_options *options = given;
  return coh_mdp_make_car_rental(options->capacity, options->move, discount, mdp);
}

const coh_mdp_model_kind coh_mdp_model_car_rental = {
    .kind = {"car_rental",
             "Jack's car rental: cars moved overnight between two places (Sutton and Barto, "
             "example 4.2).",
             table, sizeof(car_options)},
    .make = make};
