/* Acrobot-v1: a two-link arm, driven at the elbow only, must swing its tip above the bar;
 * -1 a step, 0 for the last.
 * Source: Sutton, "Generalization in reinforcement learning: successful examples using sparse
 * coarse coding", 1996 (the equations of Sutton and Barto's book), with Gymnasium's constants
 * and its single Runge-Kutta step of 0.2 s. */
#include <math.h>
#include <string.h>

#include "env/env_type.h"
#include "env/trig.h"

/* Both links: mass 1, length 1, centre of mass at 0.5, moment of inertia 1. */
static const double center = 0.5, gravity = 9.8, time_step = 0.2;
static const double max_spin_1 = 4.0 * COH_PI, max_spin_2 = 9.0 * COH_PI;

typedef struct acrobot_options {
  int64_t max_steps;
} acrobot_options;

static const coh_option options_table[] = {
    {.name = "max_steps",
     .type = COH_INT,
     .offset = offsetof(acrobot_options, max_steps),
     .initial = "500",
     .min = 0.0,
     .max = 1e12,
     .unit = "steps",
     .doc = "Truncate an episode after this many steps (0: never)."},
    {.name = NULL}};

/* Angles of the first link from hanging and of the second from the first; their rates. */
typedef struct acrobot {
  double angle_1, angle_2, spin_1, spin_2;
} acrobot;

static const char *const action_names[] = {"torque -1", "torque 0", "torque +1"};
static const char *const value_names[] = {"cos angle 1", "sin angle 1", "cos angle 2",
                                          "sin angle 2", "spin 1",      "spin 2"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  *model = NULL;
  *spec = (coh_env_spec){
      .observation = COH_OBSERVATION_REAL,
      .n_dims = 1,
      .shape = {6},
      .n_actions = 3,
      .reward_low = -1,
      .action_names = action_names,
      .channel_names = value_names,
      .time_limit = ((const acrobot_options *)options)->max_steps,
      .solved_at = -100.0,
      .render_width = 400,
      .render_height = 400,
  };
  return COH_OK;
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model;
  acrobot *arm = state;
  arm->angle_1 = coh_env_uniform_in(random, -0.1, 0.1);
  arm->angle_2 = coh_env_uniform_in(random, -0.1, 0.1);
  arm->spin_1 = coh_env_uniform_in(random, -0.1, 0.1);
  arm->spin_2 = coh_env_uniform_in(random, -0.1, 0.1);
}

/* The rates of change under a torque at the elbow. */
static inline acrobot rates(acrobot s, double torque) {
  coh_sincos_pair first = coh_sincos(s.angle_1), second = coh_sincos(s.angle_2);
  double sum_sine = coh_sincos(s.angle_1 + s.angle_2).sine;
  double d1 = center * center + (1.0 + center * center + 2.0 * center * second.cosine) + 2.0;
  double d2 = center * center + center * second.cosine + 1.0;
  double phi2 = center * gravity * sum_sine;
  double phi1 = -center * (s.spin_2 * s.spin_2) * second.sine -
                2.0 * center * s.spin_2 * s.spin_1 * second.sine +
                (center + 1.0) * gravity * first.sine + phi2;
  double accel_2 =
      (torque + d2 / d1 * phi1 - center * (s.spin_1 * s.spin_1) * second.sine - phi2) /
      (center * center + 1.0 - d2 * d2 / d1);
  double accel_1 = -(d2 * accel_2 + phi1) / d1;
  return (acrobot){s.spin_1, s.spin_2, accel_1, accel_2};
}

static inline acrobot add(acrobot s, double share, acrobot rate) {
  return (acrobot){s.angle_1 + share * rate.angle_1, s.angle_2 + share * rate.angle_2,
                   s.spin_1 + share * rate.spin_1, s.spin_2 + share * rate.spin_2};
}

static inline double wrap(double angle) {
  return angle - 2.0 * COH_PI * rint(angle * (0.5 / COH_PI));
}

static inline double bound(double x, double limit) {
  return x < -limit ? -limit : x > limit ? limit : x;
}

static inline acrobot swing(acrobot s, double torque) {
  acrobot k1 = rates(s, torque);
  acrobot k2 = rates(add(s, 0.5 * time_step, k1), torque);
  acrobot k3 = rates(add(s, 0.5 * time_step, k2), torque);
  acrobot k4 = rates(add(s, time_step, k3), torque);
  const double sixth = time_step / 6.0;
#define NEXT(field) (s.field + sixth * (k1.field + 2.0 * k2.field + 2.0 * k3.field + k4.field))
  return (acrobot){wrap(NEXT(angle_1)), wrap(NEXT(angle_2)), bound(NEXT(spin_1), max_spin_1),
                   bound(NEXT(spin_2), max_spin_2)};
#undef NEXT
}

/* The row of a state; its last entry is how high the tip is above the bar, in link lengths. */
typedef struct outcome {
  float row[6];
  double height;
} outcome;

static inline outcome look(acrobot arm) {
  coh_sincos_pair first = coh_sincos(arm.angle_1), second = coh_sincos(arm.angle_2);
  return (outcome){
      .row = {(float)first.cosine, (float)first.sine, (float)second.cosine, (float)second.sine,
              (float)arm.spin_1, (float)arm.spin_2},
      .height = -first.cosine - coh_sincos(arm.angle_2 + arm.angle_1).cosine,
  };
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  outcome seen = look(*(const acrobot *)state);
  memcpy(row, seen.row, sizeof seen.row);
}

/* The tile's arms side by side, so that the long formulas vectorise. */
typedef struct tile {
  double angle_1[COH_ENV_TILE], angle_2[COH_ENV_TILE], spin_1[COH_ENV_TILE],
      spin_2[COH_ENV_TILE], torque[COH_ENV_TILE], height[COH_ENV_TILE];
  float row[6][COH_ENV_TILE];
} tile;

static void swing_tile(tile *t, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    acrobot arm = {t->angle_1[i], t->angle_2[i], t->spin_1[i], t->spin_2[i]};
    arm = swing(arm, t->torque[i]);
    t->angle_1[i] = arm.angle_1, t->angle_2[i] = arm.angle_2;
    t->spin_1[i] = arm.spin_1, t->spin_2[i] = arm.spin_2;
  }
}

static void look_tile(tile *t, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    outcome seen = look((acrobot){t->angle_1[i], t->angle_2[i], t->spin_1[i], t->spin_2[i]});
    for (int k = 0; k < 6; k++)
      t->row[k][i] = seen.row[k];
    t->height[i] = seen.height;
  }
}

static void step(const coh_env_slice *slice) {
  acrobot *arms = slice->states;
  float *rows = (float *)(void *)slice->observations;
  tile t; // only the first n of each are used
  for (int64_t i = 0; i < slice->n; i++) {
    t.angle_1[i] = arms[i].angle_1, t.angle_2[i] = arms[i].angle_2;
    t.spin_1[i] = arms[i].spin_1, t.spin_2[i] = arms[i].spin_2;
    t.torque[i] = (double)slice->actions[i] - 1.0;
  }
  swing_tile(&t, slice->n);
  look_tile(&t, slice->n);
  for (int64_t i = 0; i < slice->n; i++) {
    arms[i] = (acrobot){t.angle_1[i], t.angle_2[i], t.spin_1[i], t.spin_2[i]};
    for (int k = 0; k < 6; k++)
      rows[6 * i + k] = t.row[k][i];
    bool reached = t.height[i] > 1.0;
    slice->terminated[i] = reached;
    slice->rewards[i] = reached ? 0.0f : -1.0f;
  }
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const acrobot *arm = state;
  return fabs(arm->angle_1) < 4.0 && fabs(arm->angle_2) < 4.0 &&
         fabs(arm->spin_1) <= max_spin_1 && fabs(arm->spin_2) <= max_spin_2;
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  (void)model;
  const acrobot *arm = state;
  const double length = 82.0;
  coh_sincos_pair first = coh_sincos(arm->angle_1);
  coh_sincos_pair both = coh_sincos(arm->angle_1 + arm->angle_2);
  coh_point shoulder = {200.0, 200.0};
  coh_point elbow = {200.0 + length * first.sine, 200.0 + length * first.cosine};
  coh_point tip = {elbow.x + length * both.sine, elbow.y + length * both.cosine};
  coh_canvas_clear(canvas, coh_rgb(0x14181F));
  for (int k = 0; k < 20; k++) // the line to reach
    coh_canvas_rect(canvas, 20.0 * k + 4.0, 200.0 - length - 1.0, 20.0 * k + 16.0,
                    200.0 - length + 1.0, 0.0, coh_rgb(0x7BC67B));
  coh_canvas_line(canvas, shoulder, elbow, 17.0, coh_rgb(0x4FA8E0));
  coh_canvas_line(canvas, elbow, tip, 14.0, coh_rgb(0xE9C46A));
  coh_canvas_disc(canvas, shoulder, 6.0, coh_rgb(0xF4F1DE));
  coh_canvas_disc(canvas, elbow, 5.0, coh_rgb(0xF4F1DE));
}

const coh_env_type coh_env_type_acrobot = {
    .kind = {.name = "acrobot",
             .doc = "Swing a two-link arm above its bar: Acrobot-v1 (Sutton 1996; Gymnasium).",
             .options = options_table,
             .options_size = sizeof(acrobot_options)},
    .state_bytes = sizeof(acrobot),
    .step_draws = false,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
