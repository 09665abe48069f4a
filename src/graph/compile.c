/* From the node list to a program: one step for each elementwise tree and each kernel node,
 * slots for what they touch, ports for what callers may name. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "graph/program.h"
#include "la/libraries.h"

enum { LINE = 16 };

typedef struct builder {
  const coh_graph *graph;
  coh_ir ir;
  coh_program *program;
  int32_t *slot_of;  /* node -> slot, -1 */
  int8_t *place_of;  /* node -> register within the tree being written */
  bool *spread_only; /* broadcast that only trees read */
} builder;

static coh_status add_slot(coh_program *p, coh_slot slot, int32_t *out) {
  if (p->n_slots == p->slot_capacity) {
    int64_t capacity = p->slot_capacity ? 2 * p->slot_capacity : 64;
    coh_slot *grown =
        coh_alloc_resize(p->slots, (size_t)p->n_slots, (size_t)capacity, sizeof *grown);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for %lld buffers", (long long)capacity);
    p->slots = grown;
    p->slot_capacity = capacity;
  }
  slot.shares = -1;
  p->slots[p->n_slots] = slot;
  *out = (int32_t)p->n_slots++;
  return COH_OK;
}

static coh_status add_step(coh_program *p, coh_step **out) {
  if (p->n_steps == p->step_capacity) {
    int64_t capacity = p->step_capacity ? 2 * p->step_capacity : 32;
    coh_step *grown =
        coh_alloc_resize(p->steps, (size_t)p->n_steps, (size_t)capacity, sizeof *grown);
    COH_CHECK(grown, COH_E_MEMORY, "out of memory for %lld steps", (long long)capacity);
    p->steps = grown;
    p->step_capacity = capacity;
  }
  *out = &p->steps[p->n_steps++];
  return COH_OK;
}

static void touch(coh_program *p, int32_t slot, int64_t step) {
  if (step > p->slots[slot].dies) p->slots[slot].dies = step;
}

static coh_status add_result_slot(coh_program *p, int64_t floats, int32_t *out) {
  int64_t now = p->n_steps - 1;
  return add_slot(p, (coh_slot){.floats = floats, .born = now, .dies = now}, out);
}

// leaves live in the parameter block, in the program's constants, or in pinned arena memory
static coh_status place_leaf(builder *b, int32_t i) {
  coh_program *p = b->program;
  const coh_node *node = &b->ir.nodes[i];
  coh_slot slot = {.floats = coh_shape_count(node->shape), .born = -1, .dies = -1};
  if (node->op == &coh_operator_parameter) {
    slot.kind = COH_SLOT_PARAMETER;
    slot.offset = node->attributes.integer[1];
    p->uses_parameters = true;
  } else if (node->op == &coh_operator_constant) {
    slot.kind = COH_SLOT_CONSTANT;
    slot.offset = p->constant_floats;
    p->constant_floats += (slot.floats + LINE - 1) / LINE * LINE;
  } else {
    slot.pinned = true;
  }
  return add_slot(p, slot, &b->slot_of[i]);
}

static coh_status copy_constants(builder *b) {
  coh_program *p = b->program;
  COH_NEW(p->constants, p->constant_floats);
  for (int64_t i = 0; i < b->ir.n; i++) {
    const coh_node *node = &b->ir.nodes[i];
    if (node->op != &coh_operator_constant || b->slot_of[i] < 0) continue;
    const coh_slot *slot = &p->slots[b->slot_of[i]];
    memcpy(p->constants + slot->offset, node->data, (size_t)slot->floats * sizeof(float));
  }
  return COH_OK;
}

// the number of an external operand, added if the tree has not read it yet
static int8_t external(coh_step *step, int32_t slot, coh_spread spread) {
  coh_fused *fused = step->fused;
  for (int k = 0; k < fused->n_externals; k++)
    if (step->in[k] == slot && memcmp(&fused->spread[k], &spread, sizeof spread) == 0)
      return (int8_t)k;
  step->in[fused->n_externals] = slot;
  fused->spread[fused->n_externals] = spread;
  return (int8_t)fused->n_externals++;
}

// where a tree finds an operand: a register, or memory
static int8_t operand_place(builder *b, coh_step *step, int32_t tree, int32_t operand) {
  const coh_ir *ir = &b->ir;
  if (b->spread_only[operand]) {
    const coh_node *wide = &ir->nodes[operand];
    int32_t narrow = wide->input[0];
    return external(step, b->slot_of[coh_ir_root(ir, narrow)],
                    coh_spread_make(ir->nodes[narrow].shape, wide->shape));
  }
  int32_t root = coh_ir_root(ir, operand);
  if (ir->group[root] == tree) return b->place_of[root];
  return external(step, b->slot_of[root], (coh_spread){.whole = true});
}

// the last member of a tree that reads each member: its register is free afterwards
static void free_registers(const builder *b, int32_t tree, int32_t member, bool *used) {
  const coh_ir *ir = &b->ir;
  const coh_node *node = &ir->nodes[member];
  for (int k = 0; k < node->n_inputs; k++) {
    int32_t root = coh_ir_root(ir, node->input[k]);
    if (ir->group[root] != tree) continue;
    bool later = false;
    for (int32_t j = member + 1; j <= tree && !later; j++)
      for (int q = 0; ir->group[j] == tree && q < ir->nodes[j].n_inputs; q++)
        later = later || coh_ir_root(ir, ir->nodes[j].input[q]) == root;
    if (!later) used[b->place_of[root] - COH_MAX_EXTERNALS] = false;
  }
}

static coh_status write_tree(builder *b, int32_t tree) {
  const coh_ir *ir = &b->ir;
  coh_step *step = NULL;
  COH_TRY(add_step(b->program, &step));
  COH_NEW(step->fused, 1);
  coh_fused *fused = step->fused;
  fused->count = coh_shape_count(ir->nodes[tree].shape);
  bool used[COH_MAX_INSTRUCTIONS] = {false};
  for (int32_t i = 0; i <= tree; i++) {
    if (ir->group[i] != tree) continue;
    const coh_node *node = &ir->nodes[i];
    coh_instruction *code = &fused->code[fused->n_instructions++];
    code->op = node->op;
    code->kernel = node->op->block;
    for (int k = 0; k < 2; k++)
      code->real[k] = (float)node->attributes.real[k];
    for (int k = 0; k < node->n_inputs; k++)
      code->in[k] = operand_place(b, step, tree, node->input[k]);
    for (int k = node->n_inputs; k < COH_MAX_FUSED_OPERANDS; k++)
      code->in[k] = code->in[0];
    free_registers(b, tree, i, used);
    code->out = -1;
    if (i == tree) break;
    int r = 0;
    while (used[r])
      r++;
    used[r] = true;
    if (r >= fused->n_registers) fused->n_registers = r + 1;
    b->place_of[i] = code->out = (int8_t)(COH_MAX_EXTERNALS + r);
  }
  step->n_inputs = fused->n_externals;
  coh_fused_finish(fused);
  step->plan.scratch_floats = coh_fused_scratch(fused);
  step->signature.out = ir->nodes[tree].shape;
  COH_TRY(add_result_slot(b->program, fused->count, &b->slot_of[tree]));
  step->out = b->slot_of[tree];
  return COH_OK;
}

// out = the operand stretched (or, of equal count, as it is)
static coh_status write_copy(builder *b, int32_t from_slot, coh_shape narrow, coh_shape wide,
                             int32_t *out) {
  coh_step *step = NULL;
  COH_TRY(add_step(b->program, &step));
  COH_NEW(step->fused, 1);
  coh_fused *fused = step->fused;
  fused->count = coh_shape_count(wide);
  fused->n_externals = fused->n_instructions = 1;
  fused->spread[0] = coh_spread_make(narrow, wide);
  fused->code[0] = (coh_instruction){.kernel = coh_copy_block, .out = -1};
  coh_fused_finish(fused);
  step->plan.scratch_floats = coh_fused_scratch(fused);
  step->n_inputs = 1;
  step->in[0] = from_slot;
  step->signature.out = wide;
  COH_TRY(add_result_slot(b->program, fused->count, out));
  step->out = *out;
  return COH_OK;
}

static coh_status write_kernel(builder *b, int32_t i) {
  const coh_ir *ir = &b->ir;
  const coh_node *node = &ir->nodes[i];
  coh_step *step = NULL;
  COH_TRY(add_step(b->program, &step));
  step->op = node->op;
  step->n_inputs = step->signature.n_inputs = node->n_inputs;
  step->signature.out = node->shape;
  step->signature.attributes = node->attributes;
  step->signature.precision = b->program->precision;
  for (int k = 0; k < node->n_inputs; k++) {
    step->signature.in[k] = ir->nodes[node->input[k]].shape;
    step->in[k] = b->slot_of[coh_ir_root(ir, node->input[k])];
  }
  if (node->op->plan) COH_TRY(node->op->plan(&step->signature, &step->plan));
  COH_TRY(add_result_slot(b->program, coh_shape_count(node->shape), &b->slot_of[i]));
  step->out = b->slot_of[i];
  return COH_OK;
}

// broadcasts that something other than a tree reads need a copy
static void find_spread_only(builder *b) {
  const coh_ir *ir = &b->ir;
  for (int64_t i = 0; i < ir->n; i++)
    b->spread_only[i] = ir->nodes[i].op->kind == COH_KIND_BROADCAST && !ir->wanted[i];
  for (int64_t i = 0; i < ir->n; i++)
    for (int k = 0; k < ir->nodes[i].n_inputs; k++)
      if (ir->nodes[i].op->kind != COH_KIND_ELEMENTWISE)
        b->spread_only[ir->nodes[i].input[k]] = false;
}

static coh_status write_steps(builder *b) {
  const coh_ir *ir = &b->ir;
  int32_t *readers;
  COH_TRY(coh_ir_count_readers(ir, &readers));
  coh_status status = COH_OK;
  for (int32_t i = 0; i < ir->n && status == COH_OK; i++) {
    const coh_node *node = &ir->nodes[i];
    int64_t before = b->program->n_steps;
    if (readers[i] == 0) continue;
    switch (node->op->kind) {
    case COH_KIND_LEAF:
      status = place_leaf(b, i);
      break;
    case COH_KIND_ALIAS:
      break;
    case COH_KIND_BROADCAST:
      if (!b->spread_only[i])
        status = write_copy(b, b->slot_of[coh_ir_root(ir, node->input[0])],
                            ir->nodes[node->input[0]].shape, node->shape, &b->slot_of[i]);
      break;
    case COH_KIND_ELEMENTWISE:
      if (ir->group[i] == i) status = write_tree(b, i);
      break;
    case COH_KIND_KERNEL:
      status = write_kernel(b, i);
      break;
    }
    if (status == COH_OK && node->name && b->program->n_steps > before) {
      coh_step *step = &b->program->steps[before];
      step->name = coh_alloc_string(node->name);
      if (!step->name) status = coh_fail(COH_E_MEMORY, "out of memory for a name");
    }
  }
  coh_free(readers);
  return status;
}

static bool slot_is_output(const coh_program *p, int32_t slot) {
  for (int64_t k = 0; k < p->n_ports; k++)
    if (!p->ports[k].input && p->ports[k].slot == slot) return true;
  return false;
}

static bool has_port(const coh_program *p, coh_value value) {
  for (int64_t k = 0; k < p->n_ports; k++)
    if (p->ports[k].value == value && !p->ports[k].input) return true;
  return false;
}

// every output gets memory of its own, so that each can be bound
static coh_status add_ports(builder *b, const coh_value *outputs, int64_t n) {
  coh_program *p = b->program;
  int64_t n_inputs = 0;
  for (int64_t i = 0; i < b->graph->n_nodes; i++)
    n_inputs += b->graph->nodes[i].op == &coh_operator_input;
  COH_NEW(p->ports, n + n_inputs);
  for (int64_t i = 0; i < b->graph->n_nodes; i++) {
    if (b->graph->nodes[i].op != &coh_operator_input) continue;
    int32_t node = b->ir.of_value[i];
    p->ports[p->n_ports++] = (coh_port){
        .value = (coh_value)i, .slot = node < 0 ? -1 : b->slot_of[node], .input = true};
  }
  for (int64_t k = 0; k < n; k++) {
    if (has_port(p, outputs[k])) continue;
    int32_t root = coh_ir_root(&b->ir, b->ir.of_value[outputs[k]]);
    int32_t slot = b->slot_of[root];
    coh_shape shape = b->ir.nodes[root].shape;
    if (p->slots[slot].kind != COH_SLOT_ARENA || p->slots[slot].pinned ||
        slot_is_output(p, slot))
      COH_TRY(write_copy(b, slot, shape, shape, &slot));
    p->ports[p->n_ports++] =
        (coh_port){.value = outputs[k], .slot = slot, .ready = p->slots[slot].born + 1};
  }
  return COH_OK;
}

// spans of steps, and the largest scratch
static void find_lives(coh_program *p) {
  for (int64_t s = 0; s < p->n_steps; s++) {
    const coh_step *step = &p->steps[s];
    for (int k = 0; k < step->n_inputs; k++)
      touch(p, step->in[k], s);
    if (step->plan.scratch_floats > p->scratch_floats)
      p->scratch_floats = step->plan.scratch_floats;
  }
  for (int64_t k = 0; k < p->n_ports; k++) {
    if (p->ports[k].slot < 0) continue;
    p->slots[p->ports[k].slot].pinned = true;
    touch(p, p->ports[k].slot, p->n_steps);
  }
}

static coh_status copy_parameter_table(const coh_graph *graph, coh_program *p) {
  COH_NEW(p->parameter_offsets, graph->n_parameters);
  COH_NEW(p->parameter_counts, graph->n_parameters);
  p->n_parameters = graph->n_parameters;
  for (int64_t k = 0; k < graph->n_parameters; k++) {
    coh_parameter_view view = coh_graph_parameter_at(graph, k);
    p->parameter_offsets[k] = view.offset;
    p->parameter_counts[k] = view.count;
  }
  return COH_OK;
}

static coh_status build(builder *b, const coh_value *outputs, int64_t n,
                        const coh_compile_options *options) {
  COH_TRY(coh_ir_prune(b->graph, outputs, n, !options->no_merge, &b->ir));

  COH_TRY(coh_ir_fuse(&b->ir, !options->no_fusion));
  COH_NEW(b->slot_of, b->ir.n);
  COH_NEW(b->place_of, b->ir.n);
  COH_NEW(b->spread_only, b->ir.n);
  for (int64_t i = 0; i < b->ir.n; i++)
    b->slot_of[i] = -1;
  find_spread_only(b);
  COH_TRY(write_steps(b));
  COH_TRY(add_ports(b, outputs, n));
  COH_TRY(copy_constants(b));
  COH_TRY(copy_parameter_table(b->graph, b->program));
  find_lives(b->program);
  return coh_program_plan_memory(b->program, !options->no_reuse);
}

coh_status coh_program_compile(const coh_graph *graph, const coh_value *outputs, int64_t n,
                               const coh_compile_options *options, coh_program **out) {
  static const coh_compile_options defaults = {0};
  if (!options) options = &defaults;
  COH_TRY(coh_graph_status(graph));
  COH_CHECK(options->precision == COH_PRECISION_F32 || coh_la_has_bf16(), COH_E_CONFIG,
            "precision: bf16 needs a processor with AMX or AVX-512 BF16, this one has %s",
            coh_la_processor());
  COH_CHECK(n >= 1, COH_E_CONFIG, "compile: a program needs at least one output");
  for (int64_t k = 0; k < n; k++)
    COH_CHECK(outputs[k] >= 0 && outputs[k] < graph->n_nodes, COH_E_CONFIG,
              "compile: output %lld is value %d, which does not exist", (long long)k,
              (int)outputs[k]);
  builder b = {.graph = graph};
  COH_NEW(b.program, 1);
  b.program->precision = options->precision;
  coh_status status = build(&b, outputs, n, options);
  coh_ir_fini(&b.ir);
  coh_free(b.slot_of);
  coh_free(b.place_of);
  coh_free(b.spread_only);
  if (status != COH_OK) {
    coh_program_destroy(&b.program);
    return status;
  }
  *out = b.program;
  return COH_OK;
}

void coh_program_destroy(coh_program **program) {
  coh_program *p = *program;
  if (!p) return;
  for (int64_t s = 0; s < p->n_steps; s++) {
    coh_step *step = &p->steps[s];
    if (step->op && step->op->destroy_plan) step->op->destroy_plan(&step->plan);
    coh_free(step->fused);
    coh_free(step->name);
  }
  coh_free(p->steps);
  coh_free(p->slots);
  coh_free(p->ports);
  coh_free(p->constants);
  coh_free(p->parameter_offsets);
  coh_free(p->parameter_counts);
  coh_free(p);
  *program = NULL;
}
