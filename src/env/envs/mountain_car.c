/* MountainCar-v0: a car too weak for its hill must swing up to the flag; -1 a step.
 * Source: Moore, "Efficient memory-based learning for robot control", 1990, with the constants
 * of Gymnasium. */
#include <math.h>

#include "env/env_type.h"
#include "env/trig.h"

static const double min_x = -1.2, max_x = 0.6, max_speed = 0.07, goal_x = 0.5;
static const double power = 0.001, gravity = 0.0025;

typedef struct mountain_car_options {
  int64_t max_steps;
} mountain_car_options;

static const coh_option options_table[] = {
    {.name = "max_steps",
     .type = COH_INT,
     .offset = offsetof(mountain_car_options, max_steps),
     .initial = "200",
     .min = 0.0,
     .max = 1e12,
     .unit = "steps",
     .doc = "Truncate an episode after this many steps (0: never)."},
    {.name = NULL}};

typedef struct mountain_car {
  double x, speed;
} mountain_car;

static const char *const action_names[] = {"left", "none", "right"};
static const char *const value_names[] = {"position", "velocity"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  *model = NULL;
  *spec = (coh_env_spec){
      .observation = COH_OBSERVATION_REAL,
      .n_dims = 1,
      .shape = {2},
      .n_actions = 3,
      .reward_low = -1,
      .action_names = action_names,
      .channel_names = value_names,
      .time_limit = ((const mountain_car_options *)options)->max_steps,
      .solved_at = -110.0,
      .render_width = 480,
      .render_height = 320,
  };
  return COH_OK;
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model;
  *(mountain_car *)state = (mountain_car){coh_env_uniform_in(random, -0.6, -0.4), 0.0};
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  const mountain_car *car = state;
  float *values = (float *)(void *)row;
  values[0] = (float)car->x;
  values[1] = (float)car->speed;
}

static inline double clip(double x, double low, double high) {
  return x < low ? low : x > high ? high : x;
}

static void step(const coh_env_slice *slice) {
  mountain_car *cars = slice->states;
  float *rows = (float *)(void *)slice->observations;
  for (int64_t i = 0; i < slice->n; i++) {
    double x = cars[i].x, speed = cars[i].speed;
    speed += (slice->actions[i] - 1) * power + coh_sincos(3.0 * x).cosine * -gravity;
    speed = clip(speed, -max_speed, max_speed);
    x = clip(x + speed, min_x, max_x);
    if ((x == min_x) & (speed < 0.0)) speed = 0.0; // the left end is a wall
    cars[i].x = x;
    cars[i].speed = speed;
    slice->rewards[i] = -1.0f;
    slice->terminated[i] = (x >= goal_x) & (speed >= 0.0);
    rows[2 * i] = (float)x;
    rows[2 * i + 1] = (float)speed;
  }
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const mountain_car *car = state;
  return car->x >= min_x && car->x <= max_x && fabs(car->speed) <= max_speed;
}

static coh_point on_hill(double x) {
  double height = 0.45 * coh_sincos(3.0 * x).sine + 0.55;
  return (coh_point){480.0 * (x - min_x) / (max_x - min_x), 290.0 - 200.0 * height};
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  (void)model;
  const mountain_car *car = state;
  coh_canvas_clear(canvas, coh_rgb(0x14181F));
  enum { PIECES = 120 };
  for (int k = 0; k < PIECES; k++) {
    coh_point a = on_hill(min_x + (max_x - min_x) * k / PIECES);
    coh_point b = on_hill(min_x + (max_x - min_x) * (k + 1) / PIECES);
    coh_canvas_rect(canvas, a.x, 0.5 * (a.y + b.y), b.x, 320.0, 0.0, coh_rgb(0x1F2833));
  }
  for (int k = 0; k < PIECES; k++)
    coh_canvas_line(canvas, on_hill(min_x + (max_x - min_x) * k / PIECES),
                    on_hill(min_x + (max_x - min_x) * (k + 1) / PIECES), 4.0,
                    coh_rgb(0x55617A));
  coh_point foot = on_hill(goal_x);
  coh_canvas_line(canvas, foot, (coh_point){foot.x, foot.y - 54.0}, 3.5, coh_rgb(0xF4F1DE));
  const coh_point flag[] = {{foot.x + 1.0, foot.y - 55.0},
                            {foot.x + 26.0, foot.y - 45.0},
                            {foot.x + 1.0, foot.y - 35.0}};
  coh_canvas_polygon(canvas, flag, 3, coh_rgb(0x7BC67B));
  // the car stands on the slope
  coh_point at = on_hill(car->x), ahead = on_hill(car->x + 1e-3);
  double length =
      sqrt((ahead.x - at.x) * (ahead.x - at.x) + (ahead.y - at.y) * (ahead.y - at.y));
  double along_x = (ahead.x - at.x) / length, along_y = (ahead.y - at.y) / length;
  double up_x = along_y, up_y = -along_x;
#define PLACE(forward, up) \
  ((coh_point){at.x + (forward)*along_x + (up)*up_x, at.y + (forward)*along_y + (up)*up_y})
  const coh_point body[] = {PLACE(-21, 9), PLACE(21, 9),   PLACE(20, 19), PLACE(9, 21),
                            PLACE(4, 29),  PLACE(-13, 29), PLACE(-19, 20)};
  coh_canvas_polygon(canvas, body, 7, coh_rgb(0x4FA8E0));
  coh_canvas_disc(canvas, PLACE(-12, 8), 7.0, coh_rgb(0xE9C46A));
  coh_canvas_disc(canvas, PLACE(12, 8), 7.0, coh_rgb(0xE9C46A));
#undef PLACE
}

const coh_env_type coh_env_type_mountain_car = {
    .kind = {.name = "mountain_car",
             .doc = "Swing a weak car up a hill: MountainCar-v0 (Moore 1990; Gymnasium).",
             .options = options_table,
             .options_size = sizeof(mountain_car_options)},
    .state_bytes = sizeof(mountain_car),
    .step_draws = false,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
