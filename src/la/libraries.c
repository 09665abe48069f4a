/* What OpenBLAS and oneDNN say of themselves. */
#include "la/libraries.h"

#include <cblas.h>
#include <dnnl.h>

static const char *isa_name(dnnl_cpu_isa_t isa) {
  switch (isa) {
  case dnnl_cpu_isa_sse41:
    return "SSE4.1";
  case dnnl_cpu_isa_avx:
    return "AVX";
  case dnnl_cpu_isa_avx2:
    return "AVX2";
  case dnnl_cpu_isa_avx512_core:
    return "AVX-512";
  case dnnl_cpu_isa_avx512_core_vnni:
    return "AVX-512 VNNI";
  case dnnl_cpu_isa_avx512_core_bf16:
    return "AVX-512 BF16";
  case dnnl_cpu_isa_avx512_core_amx:
    return "AMX";
  default:
    return "another instruction set";
  }
}

void coh_la_describe(coh_text *text) {
  const dnnl_version_t *version = dnnl_version();
  coh_text_add(text, "blas: %s, kernels for %s\n", openblas_get_config(),
               openblas_get_corename());
  coh_text_add(text, "onednn: %d.%d.%d, kernels for %s\n", version->major, version->minor,
               version->patch, isa_name(dnnl_get_effective_cpu_isa()));
}

const char *coh_la_processor(void) {
  return isa_name(dnnl_get_effective_cpu_isa());
}

bool coh_la_has_bf16(void) {
  dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa();
  return isa == dnnl_cpu_isa_avx512_core_bf16 || isa == dnnl_cpu_isa_avx512_core_amx;
}
