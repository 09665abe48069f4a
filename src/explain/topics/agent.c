/* An agent at play, with what speaks for its action laid over every frame. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "draw/figure.h"
#include "explain/topic.h"

typedef struct film {
  const coh_explain_site *site;
  coh_explainer *explainer;
  coh_env *env;
  const coh_env_spec *spec;
  coh_animation *animation;
  uint8_t *observation, *rgb;
  float *input, *map;
  int64_t size[3];
  double reward;
} film;

static coh_status shoot(film *f) {
  double pause = f->spec->n_dims == 3 ? 0.1 : 0.04;
  coh_env_reset(f->env, f->observation);
  for (int64_t frame = 0; frame < f->site->options->frames; frame++) {
    int32_t action;
    coh_env_expand(f->spec, 1, f->observation, f->input);
    COH_TRY(coh_explainer_answers(f->explainer, f->input, 1, &action));
    COH_TRY(coh_explain(f->explainer, &f->site->options->method, f->input, &action, 1, f->map));
    coh_env_render(f->env, 0, f->rgb);
    coh_image_overlay(f->map, f->size[1], f->size[0], 0, f->rgb, f->spec->render_width,
                      f->spec->render_height);
    coh_image image = {f->spec->render_width, f->spec->render_height, 3, f->rgb};
    static const uint8_t ink[3] = {255, 255, 255};
    coh_font_draw(&image, 4, 4, image.width >= 240 ? 2 : 1, ink, f->spec->action_names[action]);
    COH_TRY(coh_animation_add(f->animation, f->rgb, pause));
    float reward;
    uint8_t terminated, truncated;
    COH_TRY(coh_env_step(f->env, &action, f->observation, &reward, &terminated, &truncated));
    f->reward += (double)reward;
    coh_env_reset_ended(f->env, f->observation);
  }
  return COH_OK;
}

static coh_status open_film(film *f) {
  const char *layer = *f->site->options->layer ? f->site->options->layer : NULL;
  COH_TRY(coh_explainer_create(f->site->file, layer, &f->explainer));
  coh_explainer_input(f->explainer, f->size);
  COH_TRY(coh_env_create(f->site->env, 1, 0, (uint64_t)f->site->options->seed, &f->env));
  f->spec = coh_env_spec_of(f->env);
  COH_CHECK(f->spec->n_values == f->size[0] * f->size[1] * f->size[2], COH_E_CONFIG,
            "the network does not take the observations of the run's environment");
  COH_NEW(f->observation, f->spec->observation_bytes);
  COH_NEW(f->rgb, f->spec->render_width * f->spec->render_height * 3);
  COH_NEW(f->input, f->spec->n_values);
  COH_NEW(f->map, f->spec->n_values);
  return coh_animation_create(f->spec->render_width, f->spec->render_height, &f->animation);
}

static coh_status show(const coh_explain_site *site) {
  if (!site->env) {
    coh_explain_say(site, "The run has no environment, so there is no agent to watch.");
    return COH_OK;
  }
  film f = {.site = site};
  coh_status status = open_film(&f);
  char path[4096], caption[320];
  if (status == COH_OK && f.size[0] == 1) {
    coh_explain_say(site, "Observations are vectors: there is no frame to lay a map over; the "
                          "topic saliency shows which components speak for the action.");
  } else if (status == COH_OK) {
    status = shoot(&f);
    if (status == COH_OK) status = coh_explain_path(site, "agent", "png", path);
    if (status == COH_OK) status = coh_animation_write(f.animation, path);
    snprintf(caption, sizeof caption,
             "The agent at play (reward %g in %lld frames); what speaks for the action it is "
             "about to take glows (%s).",
             f.reward, (long long)site->options->frames, site->options->method.kind->name);
    if (status == COH_OK) coh_explain_picture(site, "agent", "png", caption, true);
  }
  coh_animation_destroy(&f.animation);
  coh_free(f.observation), coh_free(f.rgb), coh_free(f.input), coh_free(f.map);
  coh_env_destroy(&f.env);
  coh_explainer_destroy(&f.explainer);
  return status;
}

const coh_explain_topic coh_explain_topic_agent = {
    .kind = {.name = "agent",
             .doc = "An agent at play, with what speaks for each action laid over the frames."},
    .needs_network = true,
    .show = show,
};
