/* What a program says about itself. */
#include "base/alloc.h"
#include "base/text.h"
#include "graph/program.h"

int64_t coh_program_n_steps(const coh_program *program) {
  return program->n_steps;
}

int64_t coh_program_ready(const coh_program *program, coh_value output) {
  for (int64_t k = 0; k < program->n_ports; k++)
    if (program->ports[k].value == output && !program->ports[k].input)
      return program->ports[k].ready;
  return 0;
}

int64_t coh_program_bytes(const coh_program *program) {
  return (program->arena_floats + program->scratch_floats) * (int64_t)sizeof(float);
}

int64_t coh_program_flops(const coh_program *program) {
  int64_t flops = 0;
  for (int64_t s = 0; s < program->n_steps; s++)
    flops += program->steps[s].plan.flops;
  return flops;
}

const char *coh_step_kernel(const coh_step *step) {
  if (step->op) return step->op->name;
  return step->fused->n_instructions == 1 ? "elementwise" : "fused";
}

static void describe_slot(const coh_program *p, int32_t slot, coh_text *text) {
  static const char *const kinds[] = {"arena", "parameter", "constant"};
  coh_text_add(text, "%s+%lld", kinds[p->slots[slot].kind], (long long)p->slots[slot].offset);
}

static void describe_step(const coh_program *p, int64_t s, coh_text *text) {
  const coh_step *step = &p->steps[s];
  coh_text_add(text, "%4lld  %-14s %-22s <-", (long long)s, coh_step_kernel(step),
               coh_shape_print(step->signature.out).text);
  for (int k = 0; k < step->n_inputs; k++) {
    coh_text_add(text, " ");
    if (step->op) coh_text_add(text, "%s ", coh_shape_print(step->signature.in[k]).text);
    describe_slot(p, step->in[k], text);
  }
  coh_text_add(text, "  -> ");
  describe_slot(p, step->out, text);
  coh_text_add(text, "  %lld bytes", (long long)p->slots[step->out].floats * 4);
  if (step->plan.flops) coh_text_add(text, ", %lld flops", (long long)step->plan.flops);
  if (step->op && step->op->kernel) coh_text_add(text, "  [%s]", step->op->kernel(&step->plan));
  for (int i = 0; step->fused && i < step->fused->n_instructions; i++) {
    const coh_operator *op = step->fused->code[i].op;
    coh_text_add(text, "%s%s", i ? " " : "  [", op ? op->name : "copy");
  }
  if (step->fused) coh_text_add(text, "]");
  if (step->name) coh_text_add(text, "  %s", step->name);
  coh_text_add(text, "\n");
}

coh_status coh_program_describe(const coh_program *program, char **out) {
  coh_text text = {0};
  coh_text_add(&text, "%lld steps, %lld bytes a workspace, %lld flops in products\n",
               (long long)program->n_steps, (long long)coh_program_bytes(program),
               (long long)coh_program_flops(program));
  for (int64_t s = 0; s < program->n_steps; s++)
    describe_step(program, s, &text);
  return coh_text_take(&text, out);
}
