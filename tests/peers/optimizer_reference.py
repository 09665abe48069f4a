#!/usr/bin/env python3
"""Print the trajectories of PyTorch's optimisers that tests/nn/test_optimizer_peers.c compares
ours with:  python3 tests/peers/optimizer_reference.py > tests/nn/optimizer_reference.h

Parameters, gradients and their formulas are exact in single precision; PyTorch runs in double
precision, so that what it prints is the truth for its semantics."""
import torch

N_PARAMETERS, N_STEPS, RECORDED = 8, 40, (1, 10, 40)
O = torch.optim
CASES = [  # our config, PyTorch's optimiser, gradient clipping
    ("adam: 0.01", lambda p: O.Adam(p, lr=0.01), None),
    ("adam: {learning_rate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 0.01}",
     lambda p: O.Adam(p, lr=0.1, betas=(0.5, 0.9), eps=0.01), None),
    ("adam: {learning_rate: 0.01, weight_decay: 0.5}",
     lambda p: O.AdamW(p, lr=0.01, weight_decay=0.5), None),
    ("adam: {learning_rate: 0.01, clip_value: 0.25}", lambda p: O.Adam(p, lr=0.01),
     lambda p: torch.nn.utils.clip_grad_value_(p, 0.25)),
    ("rmsprop: {learning_rate: 2.5e-4, alpha: 0.95, epsilon: 0.01, centered: true}",
     lambda p: O.RMSprop(p, lr=2.5e-4, alpha=0.95, eps=0.01, centered=True), None),
    ("rmsprop: {learning_rate: 0.01, alpha: 0.99, epsilon: 1e-8}",
     lambda p: O.RMSprop(p, lr=0.01, alpha=0.99, eps=1e-8), None),
    ("rmsprop: {learning_rate: 0.01, momentum: 0.9}",
     lambda p: O.RMSprop(p, lr=0.01, alpha=0.95, eps=0.01, momentum=0.9), None),
    ("rmsprop: {learning_rate: 0.01, momentum: 0.5, centered: true, weight_decay: 0.1}",
     lambda p: O.RMSprop(p, lr=0.01, alpha=0.95, eps=0.01, momentum=0.5, centered=True,
                         weight_decay=0.1), None),
    ("sgd: 0.1", lambda p: O.SGD(p, lr=0.1), None),
    ("sgd: {learning_rate: 0.01, momentum: 0.9, weight_decay: 0.1}",
     lambda p: O.SGD(p, lr=0.01, momentum=0.9, weight_decay=0.1), None),
    ("sgd: {learning_rate: 0.01, momentum: 0.9, nesterov: true}",
     lambda p: O.SGD(p, lr=0.01, momentum=0.9, nesterov=True), None),
    ("sgd: {learning_rate: 0.1, clip_norm: 1}", lambda p: O.SGD(p, lr=0.1),
     lambda p: torch.nn.utils.clip_grad_norm_(p, 1.0)),
    ("rprop: 0.01", lambda p: O.Rprop(p, lr=0.01), None),
    ("rprop: {learning_rate: 0.1, decrease: 0.25, increase: 1.5, smallest: 0.01, largest: 0.2}",
     lambda p: O.Rprop(p, lr=0.1, etas=(0.25, 1.5), step_sizes=(0.01, 0.2)), None),
]


def gradient(step):
    """((37 i + 101 t) mod 64 - 31.5) / 16, times a power of two that differs by parameter."""
    return torch.tensor([((37 * i + 101 * step) % 64 - 31.5) / 16 * 2.0 ** (i % 5 - 2)
                         for i in range(N_PARAMETERS)], dtype=torch.float64)


def trajectory(make, clip):
    p = torch.tensor([(i - 3.5) / 4 for i in range(N_PARAMETERS)], dtype=torch.float64,
                     requires_grad=True)
    optimizer = make([p])
    for step in range(1, N_STEPS + 1):
        p.grad = gradient(step)
        if clip:
            clip([p])
        optimizer.step()
        if step in RECORDED:
            yield p.detach().clone()


print(f"/* Written by tests/peers/optimizer_reference.py with PyTorch {torch.__version__.split('+')[0]}, in double")
print(" * precision: parameters after steps %s. */" % ", ".join(map(str, RECORDED)))
print("enum { N_PARAMETERS = %d, N_STEPS = %d, N_RECORDED = %d };" % (
    N_PARAMETERS, N_STEPS, len(RECORDED)))
print("static const int recorded[N_RECORDED] = {%s};" % ", ".join(map(str, RECORDED)))
print("static const struct {\n  const char *config;\n"
      "  double params[N_RECORDED][N_PARAMETERS];\n} reference[] = {")
for config, make, clip in CASES:
    print('    {"%s",\n     {' % config, end="")
    rows = ["{" + ", ".join("%.9g" % x for x in p.tolist()) + "}" for p in trajectory(make, clip)]
    print(",\n      ".join(rows) + "}},")
print("};")
