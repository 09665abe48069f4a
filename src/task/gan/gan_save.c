/* Everything that the rest of the run depends on. The model's generator is the averaged one. */
#include "task/gan/gan.h"
#include "task/network_save.h"

enum { HISTORY = sizeof(coh_gan_history) / sizeof(double) };

static coh_array vector_of(coh_dtype dtype, int64_t n, void *data) {
  return (coh_array){.dtype = dtype, .n_dims = 1, .shape = {n}, .data = data};
}

coh_status coh_gan_save(void *task, coh_saver *saver) {
  coh_gan *gan = task;
  COH_TRY(coh_gan_settle(gan));
  coh_network_facts maker = {.role = "samples"};
  coh_network_facts critic = {.role = "critic", .affine = coh_loader_affine(gan->loader)};
  COH_TRY(coh_network_save(saver, gan->generator, gan->maker_layout, gan->average, &maker));
  COH_TRY(coh_network_save(saver, gan->discriminator, gan->critic_layout,
                           gan->params + gan->maker_floats, &critic));
  COH_TRY(coh_learner_save(&gan->maker_learner, saver));
  COH_TRY(coh_learner_save(&gan->critic_learner, saver));
  coh_array params =
      vector_of(COH_DTYPE_F32, gan->maker_floats + gan->critic_floats, gan->params);
  coh_array average = vector_of(COH_DTYPE_F32, gan->maker_floats, gan->average);
  coh_array history = vector_of(COH_DTYPE_F64, HISTORY, &gan->history);
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "history", &history));
  COH_TRY(coh_save_tensor(saver, COH_STORE_STATE, "params", &params));
  return coh_save_tensor(saver, COH_STORE_STATE, "average", &average);
}

coh_status coh_gan_load(void *task, coh_loader *loader) {
  coh_gan *gan = task;
  COH_TRY(coh_learner_load(&gan->maker_learner, loader));
  COH_TRY(coh_learner_load(&gan->critic_learner, loader));
  COH_CHECK(gan->options->adversarial == 0 ||
                gan->maker_learner.n_updates == gan->critic_learner.n_updates,
            COH_E_CHECKPOINT,
            "state.safetensors: the players have made different numbers of updates");
  coh_array params =
      vector_of(COH_DTYPE_F32, gan->maker_floats + gan->critic_floats, gan->params);
  coh_array average = vector_of(COH_DTYPE_F32, gan->maker_floats, gan->average);
  coh_array history = vector_of(COH_DTYPE_F64, HISTORY, &gan->history);
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "history", &history));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "params", &params));
  COH_TRY(coh_load_tensor(loader, COH_STORE_STATE, "average", &average));
  gan->settler.settled_at = -1;
  gan->updates_at_window = gan->maker_learner.n_updates;
  return COH_OK;
}
