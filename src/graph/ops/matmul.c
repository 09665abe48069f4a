/* Matrix products, plain or batched, with either operand read transposed. */
#include "graph/operator.h"
#include "la/product.h"

enum { TRANSPOSE_A, TRANSPOSE_B }; /* places in the integer attributes */

/* C = A B: dA = dC B^T, dB = A^T dC, and the same with the operands' own transpositions */
static void derive_matmul(coh_graph *g, coh_value y, coh_value dy, const bool *needed,
                          coh_value *dx) {
  coh_value a = g->nodes[y].input[0], b = g->nodes[y].input[1];
  bool ta = g->nodes[y].attributes.integer[TRANSPOSE_A] != 0;
  bool tb = g->nodes[y].attributes.integer[TRANSPOSE_B] != 0;
  if (needed[0])
    dx[0] = ta ? coh_op_matmul_t(g, b, tb, dy, true) : coh_op_matmul_t(g, dy, false, b, !tb);
  if (needed[1])
    dx[1] = tb ? coh_op_matmul_t(g, dy, true, a, ta) : coh_op_matmul_t(g, a, !ta, dy, false);
}

typedef struct product_shape {
  int64_t batch, m, n, k;
} product_shape;

static product_shape product_of(const coh_signature *s) {
  int r = s->out.rank;
  bool ta = s->attributes.integer[TRANSPOSE_A] != 0;
  return (product_shape){.batch = r == 3 ? s->out.size[0] : 1,
                         .m = s->out.size[r - 2],
                         .n = s->out.size[r - 1],
                         .k = s->in[0].size[ta ? r - 2 : r - 1]};
}

static coh_status plan_matmul(const coh_signature *s, coh_kernel_plan *plan) {
  product_shape p = product_of(s);
  COH_CHECK(p.m <= INT32_MAX && p.n <= INT32_MAX && p.k <= INT32_MAX, COH_E_CONFIG,
            "matmul: %lld x %lld x %lld does not fit in 31 bits", (long long)p.m,
            (long long)p.n, (long long)p.k);
  plan->flops = 2 * p.batch * p.m * p.n * p.k;
  return COH_OK;
}

static coh_status run_matmul(const coh_kernel_call *call) {
  const coh_signature *s = call->signature;
  product_shape p = product_of(s);
  bool ta = s->attributes.integer[TRANSPOSE_A] != 0,
       tb = s->attributes.integer[TRANSPOSE_B] != 0;
  for (int64_t i = 0; i < p.batch; i++)
    coh_la_matmul(ta, tb, p.m, p.n, p.k, call->in[0] + i * p.m * p.k,
                  call->in[1] + i * p.k * p.n, call->out + i * p.m * p.n);
  return COH_OK;
}

const coh_operator coh_operator_matmul = {.name = "matmul",
                                          .kind = COH_KIND_KERNEL,
                                          .n_inputs = 2,
                                          .derive = derive_matmul,
                                          .plan = plan_matmul,
                                          .run = run_matmul};

coh_value coh_op_matmul_t(coh_graph *g, coh_value a, bool transpose_a, coh_value b,
                          bool transpose_b) {
  if (!coh_graph_valid(g, a) || !coh_graph_valid(g, b)) return COH_NO_VALUE;
  coh_shape sa = g->nodes[a].shape, sb = g->nodes[b].shape, shape = sa;
  int r = sa.rank;
  bool fits = r == sb.rank && (r == 2 || (r == 3 && sa.size[0] == sb.size[0]));
  if (fits) {
    int64_t ka = sa.size[transpose_a ? r - 2 : r - 1],
            kb = sb.size[transpose_b ? r - 1 : r - 2];
    fits = ka == kb;
    shape.size[r - 2] = sa.size[transpose_a ? r - 1 : r - 2];
    shape.size[r - 1] = sb.size[transpose_b ? r - 2 : r - 1];
  }
  if (!fits)
    return coh_graph_fail(g, "matmul: '%s' %s%s times '%s' %s%s does not fit",
                          coh_graph_name_of(g, a), coh_shape_print(sa).text,
                          transpose_a ? " transposed" : "", coh_graph_name_of(g, b),
                          coh_shape_print(sb).text, transpose_b ? " transposed" : "");
  coh_value inputs[2] = {a, b};
  return coh_graph_append(g, &coh_operator_matmul, shape, inputs, 2,
                          &(coh_attributes){.integer = {transpose_a, transpose_b}});
}

coh_value coh_op_matmul(coh_graph *g, coh_value a, coh_value b) {
  return coh_op_matmul_t(g, a, false, b, false);
}
