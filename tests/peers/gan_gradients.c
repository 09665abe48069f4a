/* One update of a GAN on one lane, for tests/peers/gan_gradients.py: the parameters before it,
 * the rows and the noise that it drew, and the gradients of both players. Usage: gan_gradients
 * CONFIG OUT.npz [key=value ...] */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "io/npz.h"
#include "run/run_config.h"
#include "task/gan/gan.h"

enum { MAX_MEMBERS = 256, NAME_BYTES = 160 };

typedef struct dump {
  coh_npz_member member[MAX_MEMBERS];
  char name[MAX_MEMBERS][NAME_BYTES];
  int64_t n;
} dump;

static void add(dump *d, const char *kind, const char *name, coh_shape shape, float *data) {
  coh_npz_member *m = &d->member[d->n];
  snprintf(d->name[d->n], NAME_BYTES, "%s%s", kind, name);
  m->name = d->name[d->n++];
  m->array = (coh_array){.dtype = COH_DTYPE_F32, .n_dims = shape.rank, .data = data};
  memcpy(m->array.shape, shape.size, (size_t)shape.rank * sizeof *shape.size);
}

static void add_network(dump *d, const coh_graph *layout, float *params, float *gradient) {
  for (int64_t k = 0; k < coh_graph_n_parameters(layout); k++) {
    coh_parameter_view view = coh_graph_parameter_at(layout, k);
    add(d, "p.", view.name, view.shape, params + view.offset);
    add(d, "g.", view.name, view.shape, gradient + view.offset);
  }
}

static coh_status write_update(coh_gan *gan, const char *path) {
  static dump d;
  int64_t n = gan->maker_floats + gan->critic_floats;
  float *before;
  COH_NEW(before, n);
  memcpy(before, gan->params, (size_t)n * sizeof *before);
  coh_status status = coh_gan_step(gan);
  if (status == COH_OK) {
    coh_workspace *w = gan->lane[0].update;
    add(&d, "", "real", coh_gan_batch(gan->lane_rows, gan->sample),
        coh_workspace_data(w, gan->update.real));
    add(&d, "", "noise", coh_gan_batch(gan->lane_rows, gan->noise),
        coh_workspace_data(w, gan->update.noise));
    add_network(&d, gan->maker_layout, before, coh_learner_gradient(&gan->maker_learner, 0));
    add_network(&d, gan->critic_layout, before + gan->maker_floats,
                coh_learner_gradient(&gan->critic_learner, 0));
    status = coh_npz_write(path, d.member, d.n, false);
  }
  coh_free(before);
  return status;
}

static coh_status run(coh_world *world, int n, char **argument) {
  COH_CHECK(n >= 3, COH_E_CONFIG, "usage: gan_gradients CONFIG OUT.npz [key=value ...]");
  coh_run_config config = {0};
  coh_run_context context = {.world = world, .n_threads = 1, .config_name = argument[1]};
  void *task = NULL;
  coh_status status =
      coh_run_config_read(argument[1], (const char *const *)argument + 3, n - 3, &config);
  if (status == COH_OK) status = coh_lanes_split(world, 1, &context.lanes);
  if (status == COH_OK) {
    context.seed = (uint64_t)config.run->seed;
    context.steps = config.run->steps;
    status = coh_gan_create(&context, config.task_options, &task);
  }
  if (status == COH_OK) status = write_update(task, argument[2]);
  if (task) coh_gan_destroy(&task);
  coh_run_config_clear(&config);
  return status;
}

int main(int n, char **argument) {
  coh_world *world = NULL;
  coh_status status = coh_world_open(&world);
  if (status == COH_OK) status = run(world, n, argument);
  if (status != COH_OK) fprintf(stderr, "gan_gradients: %s\n", coh_error_message());
  coh_world_close(&world);
  return coh_status_exit_code(status);
}
