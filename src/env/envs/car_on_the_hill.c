/* Car on the hill: reach the top on the right with a force too weak for the slope; +1 there, -1
 * for leaving on the left or being faster than 3, 0 otherwise. The benchmark of batch
 * reinforcement learning.
 * Source: Ernst, Geurts, Wehenkel, "Tree-based batch mode reinforcement learning", JMLR 6,
 * 2005, section 5.2, after Moore, Atkeson 1995: m = 1, g = 9.81, u = -4 or 4, an action lasts
 * 0.1 s, Euler steps of 0.001 s. */
#include <math.h>

#include "base/alloc.h"
#include "env/env_type.h"

enum { EULER_STEPS = 100, GRID_SIDE = 17 };
static const double euler_seconds = 0.001, force = 4.0, gravity = 9.81;
static const double max_position = 1.0, max_speed = 3.0;

typedef enum start_choice { START_VALLEY, START_UNIFORM, START_GRID } start_choice;

typedef struct car_options {
  int start;
  int64_t max_steps;
} car_options;

static const coh_option options_table[] = {
    {.name = "start",
     .type = COH_CHOICE,
     .offset = offsetof(car_options, start),
     .initial = "valley",
     .choices = "valley|uniform|grid",
     .doc = "Where episodes begin: at rest at -0.5, anywhere, or environment i at point i of "
            "the 17 x 17 grid that results are published on (289 environments cover it)."},
    {.name = "max_steps",
     .type = COH_INT,
     .offset = offsetof(car_options, max_steps),
     .initial = "300",
     .min = 0.0,
     .max = 1e12,
     .unit = "steps",
     .doc = "Truncate an episode after this many steps (0: never)."},
    {.name = NULL}};

typedef struct hill_car {
  double position, speed;
} hill_car;

static const char *const action_names[] = {"left", "right"};
static const char *const value_names[] = {"position", "speed"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  car_options *kept;
  kept = coh_alloc_array(1, sizeof *kept);
  COH_CHECK(kept, COH_E_MEMORY, "out of memory for car_on_the_hill");
  *kept = *(const car_options *)options;
  *model = kept;
  *spec = (coh_env_spec){
      .observation = COH_OBSERVATION_REAL,
      .n_dims = 1,
      .shape = {2},
      .n_actions = 2,
      .reward_low = -1,
      .reward_high = 1,
      .action_names = action_names,
      .channel_names = value_names,
      .time_limit = kept->max_steps,
      .solved_at = NAN,
      .render_width = 480,
      .render_height = 320,
  };
  return COH_OK;
}

static void reset(const void *model, void *state, coh_env_random *random) {
  const car_options *options = model;
  hill_car *car = state;
  *car = (hill_car){-0.5, 0.0};
  if (options->start == START_UNIFORM) {
    car->position = coh_env_uniform_in(random, -max_position, max_position);
    car->speed = coh_env_uniform_in(random, -max_speed, max_speed);
  } else if (options->start == START_GRID) {
    // the entity of the stream is the environment's index in the run
    uint32_t point = random->stream.counter[3] % (GRID_SIDE * GRID_SIDE);
    car->position = -max_position + 0.125 * (point / GRID_SIDE);
    car->speed = -max_speed + 0.375 * (point % GRID_SIDE);
  }
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  const hill_car *car = state;
  float *values = (float *)(void *)row;
  values[0] = (float)car->position;
  values[1] = (float)car->speed;
}

// p' = s, s' = (u / m - g H' - s^2 H' H'') / (1 + H'^2), on the hill
// H(p) = p^2 + p left of 0, p / sqrt(1 + 5 p^2) right of it
static inline double acceleration(double position, double speed, double u) {
  double right = 1.0 / (1.0 + 5.0 * position * position), root = sqrt(right);
  double slope = position < 0.0 ? 2.0 * position + 1.0 : right * root;
  double bend = position < 0.0 ? 2.0 : -15.0 * position * right * right * root;
  return (u - gravity * slope - speed * speed * slope * bend) / (1.0 + slope * slope);
}

static void step(const coh_env_slice *slice) {
  hill_car *cars = slice->states;
  float *rows = (float *)(void *)slice->observations;
  for (int64_t i = 0; i < slice->n; i++) {
    double position = cars[i].position, speed = cars[i].speed;
    double u = slice->actions[i] == 1 ? force : -force;
    for (int k = 0; k < EULER_STEPS; k++) {
      speed += euler_seconds * acceleration(position, speed, u);
      position += euler_seconds * speed;
    }
    bool lost = position < -max_position || fabs(speed) > max_speed;
    bool won = !lost && position > max_position;
    // far outside the numbers mean nothing: an episode has ended there
    cars[i].position = fmax(fmin(position, 10.0), -10.0);
    cars[i].speed = fmax(fmin(speed, 100.0), -100.0);
    slice->rewards[i] = lost ? -1.0f : won ? 1.0f : 0.0f;
    slice->terminated[i] = lost | won;
    rows[2 * i] = (float)cars[i].position;
    rows[2 * i + 1] = (float)cars[i].speed;
  }
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const hill_car *car = state;
  return fabs(car->position) <= 10.0 && fabs(car->speed) <= 100.0;
}

static coh_point on_hill(double p) {
  double height = p < 0.0 ? p * p + p : p / sqrt(1.0 + 5.0 * p * p);
  return (coh_point){240.0 + 200.0 * p, 210.0 - 220.0 * height};
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  (void)model;
  const hill_car *car = state;
  enum { PIECES = 120 };
  coh_canvas_clear(canvas, coh_rgb(0x14181F));
  for (int k = 0; k < PIECES; k++) {
    coh_point a = on_hill(-1.2 + 2.4 * k / PIECES), b = on_hill(-1.2 + 2.4 * (k + 1) / PIECES);
    coh_canvas_rect(canvas, a.x, 0.5 * (a.y + b.y), b.x, 320.0, 0.0, coh_rgb(0x1F2833));
    coh_canvas_line(canvas, a, b, 4.0, coh_rgb(0x55617A));
  }
  coh_point top = on_hill(1.0), edge = on_hill(-1.0);
  coh_canvas_line(canvas, top, (coh_point){top.x, top.y - 60.0}, 3.5, coh_rgb(0x7BC67B));
  coh_canvas_line(canvas, edge, (coh_point){edge.x, edge.y - 60.0}, 3.5, coh_rgb(0xE05C5C));
  double shown = fmax(fmin(car->position, 1.15), -1.15);
  coh_point at = on_hill(shown);
  coh_canvas_disc(canvas, (coh_point){at.x, at.y - 10.0}, 11.0, coh_rgb(0x4FA8E0));
  coh_canvas_line(canvas, (coh_point){at.x, at.y - 10.0},
                  (coh_point){at.x + 14.0 * car->speed, at.y - 10.0}, 4.0, coh_rgb(0xE9C46A));
}

const coh_env_type coh_env_type_car_on_the_hill = {
    .kind = {.name = "car_on_the_hill",
             .doc = "Get a weak car up a hill without leaving or racing (Ernst et al. 2005).",
             .options = options_table,
             .options_size = sizeof(car_options)},
    .state_bytes = sizeof(hill_car),
    .step_draws = false,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
