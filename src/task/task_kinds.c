/* The registry of tasks: one line each in task.def. */
#include "cohort/task.h"

#define X(name) extern const coh_task_type coh_task_##name;
#include "task/task.def"
#undef X

static const coh_kind *const kinds[] = {
#define X(name) &coh_task_##name.kind,
#include "task/task.def"
#undef X
};

const coh_kind_set coh_task_kinds = {"task", kinds, sizeof kinds / sizeof *kinds};
