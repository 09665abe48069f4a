/* Running a program: a table of addresses, one for each slot, and a loop over the steps. */
#include <string.h>

#include "base/alloc.h"
#include "base/float_mode.h"
#include "graph/program.h"

struct coh_workspace {
  const coh_program *program;
  float *memory; /* arena, then scratch */
  float *scratch;
  float **address; /* of each slot */
  void **state;    /* of each step */
  bool parameters_bound;
};

static float *own_address(const coh_workspace *w, int32_t slot) {
  return w->memory + w->program->slots[slot].offset;
}

static coh_status create_parts(coh_workspace *w) {
  const coh_program *p = w->program;
  COH_NEW(w->memory, p->arena_floats + p->scratch_floats);
  COH_NEW(w->address, p->n_slots);
  COH_NEW(w->state, p->n_steps);
  w->scratch = w->memory + p->arena_floats;
  for (int32_t i = 0; i < p->n_slots; i++) {
    if (p->slots[i].kind == COH_SLOT_ARENA) w->address[i] = own_address(w, i);
    if (p->slots[i].kind == COH_SLOT_CONSTANT)
      w->address[i] = p->constants + p->slots[i].offset;
  }
  for (int64_t s = 0; s < p->n_steps; s++) {
    const coh_step *step = &p->steps[s];
    if (step->op && step->op->create_state)
      COH_TRY(step->op->create_state(&step->plan, &w->state[s]));
  }
  return COH_OK;
}

coh_status coh_workspace_create(const coh_program *program, coh_workspace **out) {
  coh_workspace *w;
  COH_NEW(w, 1);
  w->program = program;
  coh_status status = create_parts(w);
  if (status != COH_OK) {
    coh_workspace_destroy(&w);
    return status;
  }
  *out = w;
  return COH_OK;
}

void coh_workspace_destroy(coh_workspace **workspace) {
  coh_workspace *w = *workspace;
  if (!w) return;
  for (int64_t s = 0; w->state && s < w->program->n_steps; s++)
    if (w->state[s]) w->program->steps[s].op->destroy_state(w->state[s]);
  coh_free(w->state);
  coh_free(w->address);
  coh_free(w->memory);
  coh_free(w);
  *workspace = NULL;
}

coh_status coh_workspace_bind_parameters(coh_workspace *workspace, const float *block) {
  const coh_program *p = workspace->program;
  // slots are one table for what is read and what is written; parameters are only read
  float *base = (float *)(uintptr_t)block;
  for (int64_t i = 0; i < p->n_slots; i++)
    if (p->slots[i].kind == COH_SLOT_PARAMETER)
      workspace->address[i] = base ? base + p->slots[i].offset : NULL;
  workspace->parameters_bound = block != NULL;
  return COH_OK;
}

// a value that is input and output at once has a port as each
static const coh_port *find_port(const coh_program *p, coh_value value, bool input) {
  for (int64_t k = 0; k < p->n_ports; k++)
    if (p->ports[k].value == value && p->ports[k].input == input) return &p->ports[k];
  return NULL;
}

static const coh_port *find_either(const coh_program *p, coh_value value) {
  const coh_port *port = find_port(p, value, true);
  return port ? port : find_port(p, value, false);
}

static coh_status bind_port(coh_workspace *w, const coh_port *port, float *data) {
  if (port->slot >= 0) w->address[port->slot] = data ? data : own_address(w, port->slot);
  return COH_OK;
}

coh_status coh_workspace_bind(coh_workspace *workspace, coh_value value, float *data) {
  const coh_port *port = find_either(workspace->program, value);
  COH_CHECK(port, COH_E_CONFIG,
            "bind: value %d is neither an input nor an output of the program", (int)value);
  return bind_port(workspace, port, data);
}

coh_status coh_workspace_bind_const(coh_workspace *workspace, coh_value input,
                                    const float *data) {
  const coh_port *port = find_port(workspace->program, input, true);
  COH_CHECK(port, COH_E_CONFIG, "bind: value %d is not an input of the program", (int)input);
  return bind_port(workspace, port, (float *)(uintptr_t)data);
}

coh_status coh_workspace_bind_flat(coh_workspace *workspace, const coh_value *outputs,
                                   int64_t n, float *block) {
  const coh_program *p = workspace->program;
  COH_CHECK(n == p->n_parameters, COH_E_CONFIG, "bind: %lld outputs for %lld parameters",
            (long long)n, (long long)p->n_parameters);
  for (int64_t k = 0; k < n; k++) {
    const coh_port *port = find_port(p, outputs[k], false);
    COH_CHECK(port && p->slots[port->slot].floats == p->parameter_counts[k], COH_E_CONFIG,
              "bind: value %d is no output with the %lld elements of parameter %lld",
              (int)outputs[k], (long long)p->parameter_counts[k], (long long)k);
    COH_TRY(bind_port(workspace, port, block ? block + p->parameter_offsets[k] : NULL));
  }
  return COH_OK;
}

float *coh_workspace_data(coh_workspace *workspace, coh_value value) {
  const coh_port *port = find_either(workspace->program, value);
  return port && port->slot >= 0 ? workspace->address[port->slot] : NULL;
}

void coh_workspace_cut(const coh_workspace *workspace, int64_t step, const float **part,
                       float **sum) {
  const coh_step *cut = &workspace->program->steps[step];
  *part = workspace->address[cut->in[0]];
  *sum = workspace->address[cut->out];
}

// the kernels of some steps; not inlined, so that nothing moves out of the float mode around it
__attribute__((noinline)) static coh_status
run_kernels(const coh_program *program, coh_workspace *workspace, int64_t first, int64_t last) {
  const float *in[COH_MAX_EXTERNALS];
  for (int64_t s = first; s < last; s++) {
    const coh_step *step = &program->steps[s];
    for (int k = 0; k < step->n_inputs; k++)
      in[k] = workspace->address[step->in[k]];
    float *out = workspace->address[step->out];
    if (step->fused) {
      coh_fused_run(step->fused, in, out, workspace->scratch);
      continue;
    }
    coh_kernel_call call = {.signature = &step->signature,
                            .plan = &step->plan,
                            .in = in,
                            .out = out,
                            .scratch = workspace->scratch,
                            .state = workspace->state[s]};
    COH_TRY(step->op->run(&call));
  }
  return COH_OK;
}

coh_status coh_program_run_steps(const coh_program *program, coh_workspace *workspace,
                                 int64_t first, int64_t last) {
  COH_CHECK(workspace->program == program, COH_E_CONFIG,
            "run: the workspace belongs to another program");
  COH_CHECK(workspace->parameters_bound || !program->uses_parameters, COH_E_CONFIG,
            "run: the parameter block is not bound");
  COH_CHECK(first >= 0 && first <= last && last <= program->n_steps, COH_E_CONFIG,
            "run: steps [%lld, %lld) of %lld", (long long)first, (long long)last,
            (long long)program->n_steps);
  // activations and gradients that fade out must not fall into slow subnormal arithmetic
  coh_float_mode mode = coh_float_mode_begin();
  coh_status status = run_kernels(program, workspace, first, last);
  coh_float_mode_end(mode);
  return status;
}

coh_status coh_program_run(const coh_program *program, coh_workspace *workspace) {
  return coh_program_run_steps(program, workspace, 0, program->n_steps);
}
