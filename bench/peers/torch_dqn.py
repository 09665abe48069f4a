"""The update of bench_dqn in PyTorch, on one thread.

    torch_dqn.py PROBLEM [batch=OWN] [prioritized=0|1] [samples=31] [ms=200] [paced=0|1]
                 [variant=best|eager|channels_last|compiled|compiled_step|compiled_all]

The same network, loss, optimiser, batch and replay as bench_dqn, written to let PyTorch be at its
best: tensors allocated beforehand, packed observations widened only for the minibatch, fused or
foreach optimiser, priorities in a tree of 64 children a node that NumPy walks for the whole
minibatch at once, subnormals flushed. variant=best measures each way in turn and keeps the
fastest: `compiled` is torch.compile over the target and over the loss with its gradient,
`compiled_step` over the optimiser's step, `compiled_all` both, with channels last.
"""
import json
import math
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)
torch.manual_seed(1)

GAMMA, ALPHA, BETA, EPSILON, TARGET_EVERY = 0.99, 0.6, 0.5, 1e-6, 1000


class PriorityTree:
    """Sums of priorities, 64 children a node; samples and updates are whole minibatches."""

    FAN = 64

    def __init__(self, n):
        sizes = [math.ceil(n / self.FAN)]
        while sizes[-1] > 1:
            sizes.append(math.ceil(sizes[-1] / self.FAN))
        self.levels = [np.zeros((size, self.FAN)) for size in reversed(sizes)]
        self.flat = [level.reshape(-1) for level in self.levels]

    def update(self, index, priority):
        self.flat[-1][index] = priority
        for level in range(len(self.levels) - 1, 0, -1):
            index = index // self.FAN
            self.flat[level - 1][index] = self.levels[level][index].sum(1)

    def total(self):
        return self.levels[0].sum()

    def sample(self, mass):
        rows = np.arange(len(mass))
        node = np.zeros(len(mass), dtype=np.int64)
        for level in self.levels:
            sums = np.cumsum(level[node], axis=1)
            child = np.minimum((sums <= mass[:, None]).sum(1), self.FAN - 1)
            before = np.where(child > 0, sums[rows, child - 1], 0.0)
            mass = mass - before
            node = node * self.FAN + child
        return node


class Replay:
    """Transitions in tensors; observations as bytes. Filled with random content: what is stored
    does not change the time of an update."""

    def __init__(self, capacity, shape, dtype, n_actions, prioritized):
        if dtype == torch.uint8:
            high = 256 if len(shape) == 3 and shape[1] == 84 else 2
            self.states = torch.randint(high, (capacity, *shape), dtype=dtype)
            self.next_states = torch.randint(high, (capacity, *shape), dtype=dtype)
        else:
            self.states = torch.randn(capacity, *shape)
            self.next_states = torch.randn(capacity, *shape)
        self.actions = torch.randint(n_actions, (capacity, 1))
        self.rewards = (torch.rand(capacity) < 0.1).float()
        self.discounts = GAMMA * (torch.rand(capacity) > 0.01).float()
        self.capacity, self.prioritized = capacity, prioritized
        self.random = np.random.default_rng(1)
        if prioritized:
            self.tree = PriorityTree(capacity)
            self.tree.update(np.arange(capacity), np.ones(capacity))

    def draw(self, batch):
        if not self.prioritized:
            return torch.randint(self.capacity, (batch,)), None
        total = self.tree.total()
        mass = (np.arange(batch) + self.random.random(batch)) * (total / batch)
        index = self.tree.sample(mass)
        weight = (self.tree.flat[-1][index] * (self.capacity / total)) ** -BETA
        weight /= weight.max()
        return torch.from_numpy(index), torch.from_numpy(weight.astype(np.float32))

    def write_back(self, index, error):
        if self.prioritized:
            self.tree.update(index.numpy(), (np.abs(error.numpy()) + EPSILON) ** ALPHA)


def mlp(*sizes):
    layers = []
    for a, b in zip(sizes, sizes[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def minatar(channels):
    return nn.Sequential(nn.Conv2d(channels, 16, 3), nn.ReLU(), nn.Flatten(),
                         nn.Linear(1024, 128), nn.ReLU(), nn.Linear(128, 6))


def nature():
    return nn.Sequential(nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),
                         nn.Conv2d(64, 64, 3), nn.ReLU(), nn.Flatten(),
                         nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, 6))


def rmsprop(parameters):
    return torch.optim.RMSprop(parameters, 2.5e-4, alpha=0.95, eps=0.01, centered=True,
                               foreach=True)


def adam(parameters):
    return torch.optim.Adam(parameters, 1e-4, fused=True)


# network, shape of an observation, its type, actions, scale, batch, capacity, optimiser
PROBLEMS = {
    "minatar4": (lambda: minatar(4), (4, 10, 10), torch.uint8, 6, 1, 32, 100_000, rmsprop),
    "minatar10": (lambda: minatar(10), (10, 10, 10), torch.uint8, 6, 1, 32, 100_000, rmsprop),
    "cartpole_small": (lambda: mlp(4, 120, 84, 2), (4,), torch.float32, 2, 1, 64, 100_000, adam),
    "cartpole": (lambda: mlp(4, 256, 256, 2), (4,), torch.float32, 2, 1, 64, 100_000, adam),
    "nature": (nature, (4, 84, 84), torch.uint8, 6, 1 / 255, 32, 4096, adam),
}


class Learner:
    def __init__(self, problem, batch, prioritized, variant):
        make, shape, dtype, n_actions, scale, own_batch, capacity, optimizer = PROBLEMS[problem]
        self.batch, self.scale, self.n_updates = batch or own_batch, scale, 0
        self.network, self.target = make(), make()
        self.last = variant in ("channels_last", "compiled_all") and len(shape) == 3
        if self.last:
            self.network.to(memory_format=torch.channels_last)
            self.target.to(memory_format=torch.channels_last)
        self.target.load_state_dict(self.network.state_dict())
        self.optimizer = optimizer(self.network.parameters())
        self.replay = Replay(capacity, shape, dtype, n_actions, prioritized)
        self.of_target, self.of_loss = self.targets, self.loss
        self.step = self.optimizer.step
        if variant in ("compiled", "compiled_all"):
            self.of_target = torch.compile(self.targets, fullgraph=True)
            self.of_loss = torch.compile(self.loss, fullgraph=True)
        if variant in ("compiled_step", "compiled_all"):
            self.step = torch.compile(self.optimizer.step)

    def widen(self, observations):
        x = observations.float()
        if self.scale != 1:
            x = x * self.scale
        return x.contiguous(memory_format=torch.channels_last) if self.last else x

    def targets(self, next_states, rewards, discounts):
        return rewards + discounts * self.target(self.widen(next_states)).amax(1)

    def loss(self, states, actions, target, weight):
        q = self.network(self.widen(states)).gather(1, actions).squeeze(1)
        if weight is None:
            return F.smooth_l1_loss(q, target), q
        return (weight * F.smooth_l1_loss(q, target, reduction="none")).mean(), q

    def update(self):
        replay = self.replay
        index, weight = replay.draw(self.batch)
        with torch.no_grad():
            target = self.of_target(replay.next_states[index], replay.rewards[index],
                                    replay.discounts[index])
        loss, q = self.of_loss(replay.states[index], replay.actions[index], target, weight)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.step()
        replay.write_back(index, (q.detach() - target))
        self.n_updates += 1
        if self.n_updates % TARGET_EVERY == 0:
            with torch.no_grad():
                torch._foreach_copy_(list(self.target.parameters()),
                                     list(self.network.parameters()))

    def take(self, n):
        wall, cpu = time.perf_counter(), time.process_time()
        for _ in range(n):
            self.update()
        return time.perf_counter() - wall, time.process_time() - cpu


def calibrate(learner, ms):
    n = 1
    while True:
        _, cpu = learner.take(n)
        if cpu > ms / 3000:
            return int(n * ms / 1000 / cpu) + 1
        n *= 2


def best(options, variants):
    """The fastest way: its name, its learner and the times of all."""
    learners, times = {}, {}
    for variant in variants:
        try:
            learners[variant] = Learner(options["problem"], options["batch"],
                                        options["prioritized"], variant)
            learners[variant].take(20)
        except Exception as error:  # a way that is not to be had here: say so, go on
            print(f"torch_dqn: {variant}: {str(error).splitlines()[0]}", file=sys.stderr)
            learners.pop(variant, None)
    n = calibrate(next(iter(learners.values())), 100)
    for _ in range(5):
        for variant, learner in learners.items():
            cpu = learner.take(n)[1] / n * 1e6
            times[variant] = min(cpu, times.get(variant, cpu))
    variant = min(times, key=times.get)
    return variant, learners[variant], times


def read_options(arguments):
    options = dict(problem="minatar4", batch=0, prioritized=1, samples=31, ms=200, paced=0,
                   variant="best")
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals:
            options["problem"] = argument
        elif name not in options:
            sys.exit(f"torch_dqn: unknown argument '{argument}'")
        else:
            options[name] = value if name == "variant" else int(value)
    if options["problem"] not in PROBLEMS:
        sys.exit(f"torch_dqn: no problem '{options['problem']}'; there are {', '.join(PROBLEMS)}")
    return options


def main():
    options = read_options(sys.argv[1:])
    variants = [options["variant"]]
    if options["variant"] == "best":
        variants = ["eager", "channels_last", "compiled", "compiled_step", "compiled_all"]
        if options["problem"].startswith("cartpole"):
            variants.remove("channels_last")
    variant, learner, times = best(options, variants)
    n = calibrate(learner, options["ms"])
    head = {"bench": "torch_dqn", "problem": options["problem"], "batch": learner.batch,
            "prioritized": options["prioritized"], "variant": variant,
            "variants_cpu_us": {k: round(v, 1) for k, v in times.items()},
            "torch": torch.__version__, "numpy": np.__version__, "updates": n}
    if options["paced"]:
        print(json.dumps(head), flush=True)
        for _ in sys.stdin:
            wall, cpu = learner.take(n)
            print(json.dumps({"us": wall / n * 1e6, "cpu_us": cpu / n * 1e6}), flush=True)
        return
    samples = [learner.take(n) for _ in range(options["samples"])]
    head["us_samples"] = [round(wall / n * 1e6, 3) for wall, _ in samples]
    head["cpu_us_samples"] = [round(cpu / n * 1e6, 3) for _, cpu in samples]
    head["us"] = float(np.median(head["us_samples"]))
    head["cpu_us"] = float(np.median(head["cpu_us_samples"]))
    print(json.dumps(head))


main()
