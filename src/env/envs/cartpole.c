/* CartPole-v1: push a cart left or right so that its pole stays up; 1 a step.
 * Source: Barto, Sutton, Anderson, "Neuronlike adaptive elements", 1983, with the constants,
 * the Euler step and the limits of Gymnasium. */
#include <math.h>

#include "env/env_type.h"
#include "env/trig.h"

static const double gravity = 9.8, pole_mass = 0.1, total_mass = 1.1, half_length = 0.5;
static const double pole_moment = 0.05; /* mass x half length */
static const double force = 10.0, time_step = 0.02;
static const double max_x = 2.4, max_angle = 12.0 * 2.0 * COH_PI / 360.0;

typedef struct cartpole_options {
  int64_t max_steps;
} cartpole_options;

static const coh_option options_table[] = {
    {.name = "max_steps",
     .type = COH_INT,
     .offset = offsetof(cartpole_options, max_steps),
     .initial = "500",
     .min = 0.0,
     .max = 1e12,
     .unit = "steps",
     .doc = "Truncate an episode after this many steps (0: never)."},
    {.name = NULL}};

typedef struct cartpole {
  double x, speed, angle, spin;
} cartpole;

static const char *const action_names[] = {"left", "right"};
static const char *const value_names[] = {"position", "velocity", "angle", "angular velocity"};

static coh_status prepare(const void *options, coh_env_spec *spec, void **model) {
  *model = NULL;
  *spec = (coh_env_spec){
      .observation = COH_OBSERVATION_REAL,
      .n_dims = 1,
      .shape = {4},
      .n_actions = 2,
      .reward_high = 1,
      .action_names = action_names,
      .channel_names = value_names,
      .time_limit = ((const cartpole_options *)options)->max_steps,
      .solved_at = 475.0,
      .render_width = 480,
      .render_height = 320,
  };
  return COH_OK;
}

static void reset(const void *model, void *state, coh_env_random *random) {
  (void)model;
  cartpole *cart = state;
  cart->x = coh_env_uniform_in(random, -0.05, 0.05);
  cart->speed = coh_env_uniform_in(random, -0.05, 0.05);
  cart->angle = coh_env_uniform_in(random, -0.05, 0.05);
  cart->spin = coh_env_uniform_in(random, -0.05, 0.05);
}

static inline void write_row(const cartpole *cart, float row[4]) {
  row[0] = (float)cart->x;
  row[1] = (float)cart->speed;
  row[2] = (float)cart->angle;
  row[3] = (float)cart->spin;
}

static void observe(const void *model, const void *state, uint8_t *row) {
  (void)model;
  write_row(state, (float *)(void *)row);
}

static void step(const coh_env_slice *slice) {
  cartpole *carts = slice->states;
  float *rows = (float *)(void *)slice->observations;
  for (int64_t i = 0; i < slice->n; i++) {
    cartpole cart = carts[i];
    coh_sincos_pair angle = coh_sincos(cart.angle);
    double push = slice->actions[i] == 1 ? force : -force;
    double pull = (push + pole_moment * (cart.spin * cart.spin) * angle.sine) / total_mass;
    double spin_rate =
        (gravity * angle.sine - angle.cosine * pull) /
        (half_length * (4.0 / 3.0 - pole_mass * (angle.cosine * angle.cosine) / total_mass));
    double speed_rate = pull - pole_moment * spin_rate * angle.cosine / total_mass;
    cart.x += time_step * cart.speed;
    cart.speed += time_step * speed_rate;
    cart.angle += time_step * cart.spin;
    cart.spin += time_step * spin_rate;
    carts[i] = cart;
    slice->rewards[i] = 1.0f;
    slice->terminated[i] = (fabs(cart.x) > max_x) | (fabs(cart.angle) > max_angle);
    write_row(&cart, rows + 4 * i);
  }
}

static bool valid(const void *model, const void *state) {
  (void)model;
  const cartpole *cart = state;
  return fabs(cart->x) < 100.0 && isfinite(cart->speed) && fabs(cart->angle) < 100.0 &&
         isfinite(cart->spin);
}

static void render(const void *model, const void *state, coh_canvas *canvas) {
  (void)model;
  const cartpole *cart = state;
  const double scale = 480.0 / (2.0 * max_x), ground = 236.0;
  double x = 240.0 + scale * cart->x;
  coh_sincos_pair angle = coh_sincos(cart->angle);
  coh_canvas_clear(canvas, coh_rgb(0x14181F));
  coh_canvas_rect(canvas, 0.0, ground + 26.0, 480.0, 320.0, 0.0, coh_rgb(0x1B212B));
  coh_canvas_rect(canvas, 0.0, ground + 25.0, 480.0, ground + 28.0, 0.0, coh_rgb(0x3A4454));
  coh_canvas_rect(canvas, 238.5, ground + 25.0, 241.5, ground + 36.0, 0.0, coh_rgb(0x3A4454));
  coh_canvas_disc(canvas, (coh_point){x - 22.0, ground + 16.0}, 9.0, coh_rgb(0x55617A));
  coh_canvas_disc(canvas, (coh_point){x + 22.0, ground + 16.0}, 9.0, coh_rgb(0x55617A));
  coh_canvas_rect(canvas, x - 38.0, ground - 16.0, x + 38.0, ground + 14.0, 6.0,
                  coh_rgb(0x4FA8E0));
  coh_point axle = {x, ground - 12.0};
  coh_point tip = {x + 180.0 * angle.sine, ground - 12.0 - 180.0 * angle.cosine};
  coh_canvas_line(canvas, axle, tip, 11.0, coh_rgb(0xE9C46A));
  coh_canvas_disc(canvas, axle, 6.5, coh_rgb(0xF4F1DE));
}

const coh_env_type coh_env_type_cartpole = {
    .kind = {.name = "cartpole",
             .doc = "Balance a pole on a cart: CartPole-v1 (Barto, Sutton, Anderson 1983; "
                    "Gymnasium).",
             .options = options_table,
             .options_size = sizeof(cartpole_options)},
    .state_bytes = sizeof(cartpole),
    .step_draws = false,
    .prepare = prepare,
    .reset = reset,
    .step = step,
    .observe = observe,
    .valid = valid,
    .render = render,
};
