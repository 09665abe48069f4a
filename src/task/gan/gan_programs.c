/* The compiled programs of a GAN: the update of both players, and the maker of rows. The
 * generator's parameters come first in the block, the discriminator's behind them. */
#include "base/alloc.h"
#include "task/gan/gan.h"

coh_shape coh_gan_batch(int64_t n, coh_shape sample) {
  coh_shape shape = {.rank = sample.rank + 1, .size = {n}};
  for (int k = 0; k < sample.rank; k++)
    shape.size[k + 1] = sample.size[k];
  return shape;
}

/* An update while it is being built. */
typedef struct plan {
  coh_gan *gan;
  coh_graph *g;
  coh_gan_update *u;
  int64_t n;
  coh_value source, fake, shown; /* shown: the generated rows as the discriminator sees them */
  coh_value both, both_class;    /* (2n, ...): what it sees; its classes */
  coh_value real_value, fake_value;
  coh_value slopes; /* (2n, ...): of D, row by row */
  coh_value *total; /* gradient so far, n_maker then n_critic */
  const coh_value *maker, *critic;
  int64_t n_maker, n_critic;
  coh_network_refresh maker_refresh; /* the generator's part */
} plan;

static const coh_gan_loss_type *loss_type(const coh_gan *gan) {
  return (const coh_gan_loss_type *)(const void *)gan->options->loss.kind;
}

static const coh_gan_augment_type *augment_type(const coh_gan *gan, int64_t k) {
  return (const coh_gan_augment_type *)(const void *)gan->options->augments.item[k].kind;
}

static const coh_gan_regularizer_type *regularizer_type(const coh_gan *gan, int64_t k) {
  return (const coh_gan_regularizer_type *)(const void *)gan->options->regularizers.item[k]
      .kind;
}

static coh_status build_inputs(plan *p) {
  coh_gan *gan = p->gan;
  coh_gan_update *u = p->u;
  u->real = coh_graph_input(p->g, "real", coh_gan_batch(p->n, gan->sample));
  u->noise = u->mix = u->real_class = u->fake_class = COH_NO_VALUE;
  if (gan->noise.rank)
    u->noise = coh_graph_input(p->g, "noise", coh_gan_batch(p->n, gan->noise));
  if (gan->options->conditional) {
    u->real_class = coh_graph_input(p->g, "real_class", COH_SHAPE(p->n, gan->n_classes));
    u->fake_class = coh_graph_input(p->g, "fake_class", COH_SHAPE(p->n, gan->n_classes));
  }
  return gan->source->build(gan->options->source.options, p->g, u->real, u->noise, &p->source);
}

// the source as large as the image, as further channels of what the discriminator sees
static coh_value beside_source(const plan *p, coh_value x) {
  if (!p->gan->options->see_source) return x;
  coh_shape image = coh_graph_shape(p->g, x), from = coh_graph_shape(p->g, p->source);
  coh_value source = p->source;
  if (from.size[1] < image.size[1])
    source = coh_op_enlarge(p->g, source, image.size[1] / from.size[1], COH_RESAMPLE_NEAREST);
  return coh_op_concat(p->g, (coh_value[]){x, source}, 2, 3);
}

static coh_value concat_rows(const plan *p, coh_value a, coh_value b) {
  return coh_op_concat(p->g, (coh_value[]){a, b}, 2, 0);
}

// generate, and change real and generated rows alike
static coh_status build_rows(plan *p) {
  coh_gan *gan = p->gan;
  coh_gan_update *u = p->u;
  const coh_network_use use = {.n_lanes = gan->context->lanes.n_lanes,
                               .is_conditional = gan->options->conditional,
                               .condition = u->fake_class};
  COH_TRY(coh_network_build_for(gan->generator, p->g, p->source, &use, &u->refresh, &p->fake));
  p->maker_refresh = u->refresh;
  coh_value real = u->real, fake = p->fake;
  for (int64_t k = 0; k < gan->options->augments.n_items; k++) {
    const coh_gan_augment_type *type = augment_type(gan, k);
    const void *options = gan->options->augments.item[k].options;
    u->augment[k] = coh_graph_input(p->g, "augment",
                                    coh_gan_batch(2 * p->n, type->input(options, gan->sample)));
    real = type->build(options, p->g, real, coh_op_slice(p->g, u->augment[k], 0, 0, p->n));
    fake =
        type->build(options, p->g, fake, coh_op_slice(p->g, u->augment[k], 0, p->n, 2 * p->n));
  }
  // the discriminator's own gradients end here, the generator's go on
  p->shown = beside_source(p, fake);
  p->both = concat_rows(p, beside_source(p, real), p->shown);
  p->both_class = COH_NO_VALUE;
  if (gan->options->conditional) p->both_class = concat_rows(p, u->real_class, u->fake_class);
  return coh_graph_status(p->g);
}

static coh_status judge(const plan *p, coh_value rows, coh_value class, coh_value *values) {
  const coh_network_use use = {.n_lanes = p->gan->context->lanes.n_lanes,
                               .is_conditional = p->gan->options->conditional,
                               .condition = class};
  COH_TRY(
      coh_network_build_for(p->gan->discriminator, p->g, rows, &use, &p->u->refresh, values));
  // one value a row, or one a patch of each row
  int64_t n = coh_shape_count(coh_graph_shape(p->g, *values));
  *values = coh_op_reshape(p->g, *values, COH_SHAPE(n));
  return coh_graph_status(p->g);
}

// what each row has, of values that each patch of it has
static coh_value mean_of_patches(const plan *p, coh_value values, int64_t n) {
  int64_t n_patches = coh_shape_count(coh_graph_shape(p->g, values)) / n;
  if (n_patches == 1) return values;
  return coh_op_mean(p->g, coh_op_reshape(p->g, values, COH_SHAPE(n, n_patches)), (int[]){1}, 1,
                     false);
}

static coh_status slopes_of(const plan *p, coh_value values, coh_value *rows,
                            coh_value *slopes) {
  coh_value of_rows = mean_of_patches(p, values, p->n);
  return coh_gradient(p->g, coh_op_sum_all(p->g, of_rows), rows, 1, slopes);
}

// real and generated rows in one pass, or each on its own where rows of a pass mix
static coh_status build_values(plan *p) {
  coh_gan_update *u = p->u;
  int64_t n = p->n;
  if (!p->gan->is_coupled) {
    COH_TRY(judge(p, p->both, p->both_class, &u->values));
    p->real_value = coh_op_slice(p->g, u->values, 0, 0, n);
    p->fake_value = coh_op_slice(p->g, u->values, 0, n, 2 * n);
    return coh_gradient(p->g, coh_op_sum_all(p->g, u->values), &p->both, 1, &p->slopes);
  }
  coh_value real = coh_op_slice(p->g, p->both, 0, 0, n);
  COH_TRY(judge(p, real, u->real_class, &p->real_value));
  COH_TRY(judge(p, p->shown, u->fake_class, &p->fake_value));
  u->values = concat_rows(p, mean_of_patches(p, p->real_value, n),
                          mean_of_patches(p, p->fake_value, n));
  coh_value slopes[2];
  COH_TRY(slopes_of(p, p->real_value, &real, &slopes[0]));
  COH_TRY(slopes_of(p, p->fake_value, &p->shown, &slopes[1]));
  p->slopes = concat_rows(p, slopes[0], slopes[1]);
  return coh_graph_status(p->g);
}

static coh_value mean_over_batch(const plan *p, coh_value rows) {
  return coh_op_scale(p->g, coh_op_sum_all(p->g, rows),
                      1 / (double)p->gan->options->loader.batch);
}

static void accumulate(const plan *p, int64_t first, int64_t n, const coh_value *more) {
  for (int64_t k = 0; k < n; k++) {
    coh_value *sum = &p->total[first + k];
    *sum = *sum == COH_NO_VALUE ? more[k] : coh_op_add(p->g, *sum, more[k]);
  }
}

// of the discriminator's loss
static coh_status build_critic(plan *p, coh_value *more) {
  coh_value loss = mean_over_batch(p, p->u->critic_loss);
  if (p->gan->is_coupled) {
    COH_TRY(coh_gradient(p->g, loss, p->critic, p->n_critic, more));
  } else {
    coh_value slope[2] = {p->real_value, p->fake_value};
    COH_TRY(coh_gradient(p->g, loss, slope, 2, slope));
    COH_TRY(coh_gradient_weighted(p->g, p->u->values, concat_rows(p, slope[0], slope[1]),
                                  p->both, p->critic, p->n_critic, more));
  }
  accumulate(p, p->n_maker, p->n_critic, more);
  return COH_OK;
}

static coh_value squares_of(const plan *p, coh_value slopes) {
  coh_shape shape = coh_graph_shape(p->g, slopes);
  int axes[COH_MAX_RANK];
  for (int k = 1; k < shape.rank; k++)
    axes[k - 1] = k;
  return coh_op_sum(p->g, coh_op_square(p->g, slopes), axes, shape.rank - 1, false);
}

// |dD/dx|^2 at random mixtures of real and generated rows
static coh_status squares_between(plan *p, coh_value *squares) {
  coh_gan_update *u = p->u;
  coh_shape shape = coh_graph_shape(p->g, p->shown),
            column = {.rank = shape.rank, .size = {p->n, 1, 1, 1}};
  u->mix = coh_graph_input(p->g, "mix", COH_SHAPE(p->n));
  coh_value way = coh_op_reshape(p->g, u->mix, column);
  coh_value real = coh_op_slice(p->g, p->both, 0, 0, p->n), values, slopes;
  coh_value mixed =
      coh_op_add(p->g, p->shown, coh_op_mul(p->g, way, coh_op_sub(p->g, real, p->shown)));
  COH_TRY(judge(p, mixed, u->real_class, &values));
  COH_TRY(slopes_of(p, values, &mixed, &slopes));
  *squares = squares_of(p, slopes);
  return coh_graph_status(p->g);
}

static coh_status build_penalties(plan *p, coh_value *more) {
  const coh_choice_list *list = &p->gan->options->regularizers;
  p->u->penalty = coh_graph_constant(p->g, 0);
  if (list->n_items == 0) {
    p->u->penalty = coh_op_scale(p->g, p->u->critic_loss, 0);
    return COH_OK;
  }
  coh_value at_rows = squares_of(p, p->slopes), between = COH_NO_VALUE;
  for (int64_t k = 0; k < list->n_items; k++) {
    const coh_gan_regularizer_type *type = regularizer_type(p->gan, k);
    coh_value squares;
    if (type->where == COH_GAN_BETWEEN) {
      if (between == COH_NO_VALUE) COH_TRY(squares_between(p, &between));
      squares = between;
    } else {
      int64_t first = type->where == COH_GAN_AT_REAL ? 0 : p->n;
      squares = coh_op_slice(p->g, at_rows, 0, first, first + p->n);
    }
    p->u->penalty =
        coh_op_add(p->g, p->u->penalty, type->build(list->item[k].options, p->g, squares));
  }
  COH_TRY(coh_gradient(p->g, mean_over_batch(p, p->u->penalty), p->critic, p->n_critic, more));
  accumulate(p, p->n_maker, p->n_critic, more);
  return COH_OK;
}

// the generator follows the discriminator's slope at its rows
static coh_status build_game(plan *p, coh_value *more) {
  coh_gan_update *u = p->u;
  coh_value loss =
      coh_op_scale(p->g, mean_over_batch(p, u->maker_loss), p->gan->options->adversarial);
  if (p->gan->is_coupled) {
    COH_TRY(coh_gradient(p->g, loss, p->maker, p->n_maker, more));
  } else {
    coh_value slope, weight = p->fake_value;
    COH_TRY(coh_gradient(p->g, loss, &weight, 1, &weight));
    coh_shape shape = coh_graph_shape(p->g, p->shown), column = {.rank = shape.rank};
    for (int k = 0; k < shape.rank; k++)
      column.size[k] = k ? 1 : p->n;
    slope = coh_op_mul(p->g, coh_op_slice(p->g, p->slopes, 0, p->n, 2 * p->n),
                       coh_op_reshape(p->g, weight, column));
    COH_TRY(coh_gradient_seeded(p->g, p->shown, slope, p->maker, p->n_maker, more));
  }
  accumulate(p, 0, p->n_maker, more);
  return COH_OK;
}

// ... and the real image
static coh_status build_maker(plan *p, coh_value *more) {
  const coh_gan_options *o = p->gan->options;
  coh_gan_update *u = p->u;
  if (o->adversarial > 0) COH_TRY(build_game(p, more));
  u->content = coh_op_scale(p->g, u->maker_loss, 0);
  if (o->content.weight == 0) return COH_OK;
  coh_shape shape = coh_graph_shape(p->g, p->fake);
  coh_value difference = coh_op_sub(p->g, p->fake, u->real);
  coh_value distance =
      o->content.norm == 0 ? coh_op_abs(p->g, difference) : coh_op_square(p->g, difference);
  distance = coh_op_reshape(p->g, distance, COH_SHAPE(p->n, coh_shape_count(shape) / p->n));
  u->content = coh_op_mean(p->g, distance, (int[]){1}, 1, false);
  coh_value total = coh_op_scale(p->g, mean_over_batch(p, u->content), o->content.weight);
  COH_TRY(coh_gradient(p->g, total, p->maker, p->n_maker, more));
  accumulate(p, 0, p->n_maker, more);
  return COH_OK;
}

// content alone: the discriminator is neither asked nor trained
static void leave_critic_out(plan *p) {
  coh_gan_update *u = p->u;
  coh_value zero = coh_graph_constant(p->g, 0);
  u->values = coh_op_broadcast(p->g, zero, COH_SHAPE(2 * p->n));
  u->critic_loss = u->maker_loss = u->penalty = coh_op_broadcast(p->g, zero, COH_SHAPE(p->n));
  for (int64_t k = 0; k < p->n_critic; k++)
    p->total[p->n_maker + k] =
        coh_op_broadcast(p->g, zero, coh_graph_shape(p->g, p->critic[k]));
  u->refresh = p->maker_refresh;
}

static coh_status build_gradients(plan *p, coh_value *parameters, coh_value *more) {
  int64_t n_all = coh_graph_n_parameters(p->g);
  p->n_maker = coh_graph_n_parameters(p->gan->maker_layout);
  p->n_critic = n_all - p->n_maker;
  for (int64_t k = 0; k < n_all; k++) {
    parameters[k] = coh_graph_parameter_at(p->g, k).value;
    p->total[k] = COH_NO_VALUE;
  }
  p->maker = parameters;
  p->critic = parameters + p->n_maker;
  loss_type(p->gan)->build(p->gan->options->loss.options, p->g, p->real_value, p->fake_value,
                           &p->u->critic_loss, &p->u->maker_loss);
  p->u->critic_loss = mean_of_patches(p, p->u->critic_loss, p->n);
  p->u->maker_loss = mean_of_patches(p, p->u->maker_loss, p->n);
  COH_TRY(coh_graph_status(p->g));
  if (p->gan->options->adversarial == 0) {
    leave_critic_out(p);
    return build_maker(p, more);
  }
  COH_TRY(build_critic(p, more));
  COH_TRY(build_penalties(p, more));
  return build_maker(p, more);
}

static coh_status compile(plan *p) {
  coh_gan_update *u = p->u;
  int64_t n = coh_graph_n_parameters(p->g), n_out = 0;
  coh_value *outputs;
  COH_NEW(outputs, n + 8 + u->refresh.n);
  for (int64_t k = 0; k < n; k++)
    outputs[n_out++] = u->gradient[k];
  const coh_value rows[] = {u->values, u->critic_loss, u->maker_loss, u->penalty, u->content};
  for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
    outputs[n_out++] = rows[k];
  for (int64_t k = 0; k < u->refresh.n; k++)
    outputs[n_out++] = u->refresh.value[k];
  coh_status status = coh_program_compile(
      p->g, outputs, n_out,
      &(coh_compile_options){.precision = (coh_precision)p->gan->context->precision},
      &u->program);
  coh_free(outputs);
  return status;
}

static coh_status build_update(coh_gan *gan) {
  coh_gan_update *u = &gan->update;
  COH_TRY(coh_graph_create(&gan->graph));
  plan p = {.gan = gan, .g = gan->graph, .u = u, .n = gan->lane_rows};
  COH_TRY(build_inputs(&p));
  COH_TRY(build_rows(&p));
  COH_TRY(build_values(&p));
  int64_t n = coh_graph_n_parameters(gan->graph);
  COH_NEW(u->gradient, n);
  p.total = u->gradient;
  coh_value *memory = coh_alloc_array((size_t)(2 * n), sizeof *memory);
  COH_CHECK(memory, COH_E_MEMORY, "out of memory for the update's program");
  coh_status status = build_gradients(&p, memory, memory + n);
  if (status == COH_OK) status = compile(&p);
  coh_free(memory);
  return status;
}

static coh_status build_maker_program(coh_gan *gan) {
  coh_gan_maker *m = &gan->maker;
  coh_graph *g = NULL;
  COH_TRY(coh_graph_create(&g));
  m->real = coh_graph_input(g, "real", coh_gan_batch(COH_GAN_BLOCK, gan->sample));
  m->noise = m->condition = COH_NO_VALUE;
  if (gan->noise.rank)
    m->noise = coh_graph_input(g, "noise", coh_gan_batch(COH_GAN_BLOCK, gan->noise));
  if (gan->options->conditional)
    m->condition = coh_graph_input(g, "class", COH_SHAPE(COH_GAN_BLOCK, gan->n_classes));
  const coh_network_use use = {.inference = true,
                               .is_conditional = gan->options->conditional,
                               .condition = m->condition};
  coh_status status =
      gan->source->build(gan->options->source.options, g, m->real, m->noise, &m->source);
  if (status == COH_OK)
    status = coh_network_build_for(gan->generator, g, m->source, &use, NULL, &m->out);
  if (status == COH_OK)
    status = coh_program_compile(g, (coh_value[]){m->out, m->source}, 2, NULL, &m->program);
  coh_graph_destroy(&g);
  return status;
}

// names and places of a network's parameters
static coh_status layout_of(const coh_gan *gan, const coh_network *network, coh_shape input,
                            coh_graph **layout) {
  COH_TRY(coh_graph_create(layout));
  coh_network_use use = {.inference = true, .is_conditional = gan->options->conditional};
  coh_value in = coh_graph_input(*layout, "input", coh_gan_batch(1, input)), out;
  if (use.is_conditional)
    use.condition = coh_graph_input(*layout, "class", COH_SHAPE(1, gan->n_classes));
  return coh_network_build_for(network, *layout, in, &use, NULL, &out);
}

// what the generator is given, and what the discriminator sees, for one row
static coh_status shapes_of(const coh_gan *gan, coh_shape *source, coh_shape *seen) {
  coh_graph *g = NULL;
  COH_TRY(coh_graph_create(&g));
  coh_value real = coh_graph_input(g, "real", coh_gan_batch(1, gan->sample)), noise = real, out;
  if (gan->noise.rank) noise = coh_graph_input(g, "noise", coh_gan_batch(1, gan->noise));
  coh_status status = gan->source->build(gan->options->source.options, g, real, noise, &out);
  if (status == COH_OK) status = coh_graph_status(g);
  if (status == COH_OK) {
    coh_shape shape = coh_graph_shape(g, out);
    *source = (coh_shape){.rank = shape.rank - 1};
    for (int k = 0; k < source->rank; k++)
      source->size[k] = shape.size[k + 1];
    *seen = gan->sample;
    if (gan->options->see_source) seen->size[2] += source->size[2];
  }
  coh_graph_destroy(&g);
  return status;
}

static coh_status create_networks(coh_gan *gan) {
  const coh_gan_options *o = gan->options;
  coh_shape source = COH_SCALAR, seen = COH_SCALAR;
  COH_TRY(shapes_of(gan, &source, &seen));
  int64_t n_classes = o->conditional ? gan->n_classes : 0;
  const coh_network_config maker = {.name = "generator",
                                    .layers = o->generator,
                                    .initializer = o->initializer,
                                    .input = source,
                                    .n_classes = n_classes};
  COH_TRY(coh_network_create(&maker, &gan->generator));
  coh_shape made = coh_network_output_shape(gan->generator);
  COH_CHECK(coh_shape_equal(made, gan->sample), COH_E_CONFIG,
            "generator: it makes rows of %lld values in %d dimensions, the dataset's have "
            "%lld in %d; end it with a layer of that shape",
            (long long)coh_shape_count(made), made.rank,
            (long long)coh_shape_count(gan->sample), gan->sample.rank);
  const coh_network_config critic = {.name = "discriminator",
                                     .layers = o->discriminator,
                                     .initializer = o->initializer,
                                     .input = seen,
                                     .n_outputs = o->patches ? 0 : 1,
                                     .n_classes = n_classes};
  COH_TRY(coh_network_create(&critic, &gan->discriminator));
  gan->maker_floats = coh_network_floats(gan->generator);
  gan->critic_floats = coh_network_floats(gan->discriminator);
  coh_shape map = coh_network_output_shape(gan->discriminator);
  COH_CHECK(!o->patches || (map.rank == 3 && map.size[2] == 1), COH_E_CONFIG,
            "patches: the discriminator's last layer must give a map of one channel, such as "
            "conv: {channels: 1, kernel: 3}");
  // patches of a row are weighted apart, so that rows do not have a slope of their own
  gan->is_coupled = coh_network_mixes_rows(gan->discriminator) || o->patches;
  COH_TRY(layout_of(gan, gan->generator, source, &gan->maker_layout));
  return layout_of(gan, gan->discriminator, seen, &gan->critic_layout);
}

coh_status coh_gan_programs_create(coh_gan *gan) {
  COH_TRY(create_networks(gan));
  COH_TRY(build_update(gan));
  return build_maker_program(gan);
}

void coh_gan_programs_destroy(coh_gan *gan) {
  coh_program_destroy(&gan->update.program);
  coh_program_destroy(&gan->maker.program);
  coh_free(gan->update.gradient);
  coh_graph_destroy(&gan->graph);
  coh_graph_destroy(&gan->maker_layout);
  coh_graph_destroy(&gan->critic_layout);
  coh_network_destroy(&gan->generator);
  coh_network_destroy(&gan->discriminator);
}
