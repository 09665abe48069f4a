"""Compares Cohort's classic control and toy text environments with Gymnasium.

    VENV/bin/pip install gymnasium
    VENV/bin/python tests/peers/gymnasium_exact.py --trace BUILD/bin/gymnasium_trace

Gymnasium's state is set into Cohort's and both are stepped with the same actions: the linear
congruential script of minatar_exact.py for even seeds, a rule that plays well for odd ones (so
that goals and time limits are both reached). Classic control: whole episodes, every observation,
reward and flag, first step by step from Gymnasium's state before each step, then freely from the
first state (60 steps: chaos lets the last bits of sine and cosine grow). Toy text: the transition tables `P`
against the rates of 100,000 moves from each cell and action, and the exact outcomes where
nothing slips. `--record` prints the trajectories that tests/env/gymnasium_traces.h keeps.
"""

import argparse
import struct
import subprocess
import sys

import gymnasium as gym
import numpy as np

MASK = (1 << 64) - 1
CLASSIC = {"cartpole": "CartPole-v1", "acrobot": "Acrobot-v1", "mountain_car": "MountainCar-v0"}
# how far apart single steps, and episodes after FREE steps, may be before something is wrong
TOLERANCE, FREE = (1e-6, 1e-5), 60


def script(seed, n_actions):
    x = seed
    while True:
        x = (x * 6364136223846793005 + 1442695040888963407) & MASK
        yield (x >> 33) % n_actions


def rule(name, observation):
    """Balance the pole, or push the way it already moves."""
    if name == "CartPole-v1":
        return int(observation[2] + observation[3] > 0)
    return 2 if observation[-1] > 0 else 0


def episode(env, seed):
    """Per step: state before it, action, observation, reward, terminated, truncated."""
    observation, _ = env.reset(seed=seed)
    actions = script(seed, env.action_space.n)
    steps = []
    while True:
        action = rule(env.spec.id, observation) if seed % 2 else next(actions)
        state = np.array(env.unwrapped.state, np.float64)
        observation, reward, terminated, truncated, _ = env.step(action)
        steps.append((state, action, observation, reward, terminated, truncated))
        if terminated or truncated:
            return steps


def cohort(args, name, steps, each):
    """Steps as (observation, reward, terminated, truncated) from the C program."""
    if each:
        data = b"".join(s[0].tobytes() + bytes([s[1]]) for s in steps)
    else:
        data = steps[0][0].tobytes() + bytes(s[1] for s in steps)
    command = [args.trace, name, str(len(steps[0][0]))] + ["each"] * each
    out = subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout
    size = len(out) // len(steps)
    n = (size - 6) // 4
    for k in range(0, len(out), size):
        values = struct.unpack(f"<{n}ffBB", out[k : k + size])
        yield np.array(values[:n], np.float32), *values[n:]


def compare_classic(args, name):
    env = gym.make(CLASSIC[name])
    worst, n_steps, wrong = [0.0, 0.0], 0, 0
    for seed in range(args.seeds):
        steps = episode(env, seed)
        n_steps += len(steps)
        for free in [0, 1]:
            ours = cohort(args, name, steps, each=not free)
            pairs = zip(steps, ours, strict=True)
            for k, ((_, _, theirs, *ends), (mine, *flags)) in enumerate(pairs):
                if not free or k < FREE:
                    worst[free] = max(worst[free], float(np.abs(theirs - mine).max()))
                # a single step is never the one at the time limit
                n_flags = 3 if free else 2
                wrong += [float(e) for e in ends[:n_flags]] != [float(f) for f in flags[:n_flags]]
    bad = wrong or worst[0] > TOLERANCE[0] or worst[1] > TOLERANCE[1]
    print(f"{name}: {args.seeds} episodes, {n_steps} steps, largest difference of a step "
          f"{worst[0]:.2g}, of an episode {worst[1]:.2g}, "
          f"{wrong} wrong rewards or flags{': MISMATCH' if bad else ''}")
    return bad


def rates(args, name, options, position, action, n):
    """Outcomes of n moves as {(next, reward, terminated): rate}."""
    out = subprocess.run([args.trace, name, "rates", options, str(position), str(action), str(n)],
                         stdout=subprocess.PIPE, check=True, text=True).stdout
    found = {}
    for line in out.split("\n"):
        if line:
            where, reward, ended, count = line.split()
            found[int(where), float(reward), bool(int(ended))] = int(count) / n
    return found


def compare_table(args, name, options, env):
    n, worst, wrong = args.moves, 0.0, 0
    for position, by_action in env.unwrapped.P.items():
        for action, outcomes in by_action.items():
            if any(p == 1.0 and where == position and done for p, where, _, done in outcomes):
                continue  # inside an ended episode
            expected = {}
            for p, where, reward, ended in outcomes:
                key = int(where), float(reward), bool(ended)
                expected[key] = expected.get(key, 0.0) + p
            found = rates(args, name, options, position, action, n)
            wrong += set(found) != set(k for k, p in expected.items() if p > 0)
            for key, p in expected.items():
                # in standard deviations of a rate
                away = abs(found.get(key, 0.0) - p)
                worst = max(worst, away / max((p * (1 - p) / n) ** 0.5, 1e-9))
    bad = wrong or worst > 5.0
    print(f"{name} {options}: all moves, {wrong} with other outcomes, rates at most "
          f"{worst:.2f} standard deviations off{': MISMATCH' if bad else ''}")
    return bad


def record():
    """Trajectories for the C tests: first state, and every tenth observation up to FREE."""
    for name, kind in CLASSIC.items():
        for seed in range(3):
            steps = episode(gym.make(kind), seed)
            state = steps[0][0]
            rows = [(k, s[2]) for k, s in enumerate(steps[:FREE]) if k % 10 == 9]
            total, last = sum(s[3] for s in steps), steps[-1]
            print(f'    {{"{name}", {seed}, {len(steps)}, {total:.1f}, {int(last[4])}, '
                  f'{int(last[5])},\n     {{{", ".join(repr(float(v)) for v in state)}}},\n'
                  f"     {len(rows)},\n     {{")
            for k, row in rows:
                print(f'      {{{k}, {{{", ".join(f"{v:#.9g}f" for v in row)}}}}},')
            print("     }},")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trace", help="the program gymnasium_trace")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--moves", type=int, default=100000)
    parser.add_argument("--record", action="store_true")
    args = parser.parse_args()
    if args.record:
        return record()
    bad = [compare_classic(args, name) for name in CLASSIC]
    for size in ["4x4", "8x8"]:
        for slippery in [True, False]:
            bad.append(compare_table(args, "frozen_lake", f"{size},{int(slippery)}",
                                     gym.make("FrozenLake-v1", map_name=size,
                                              is_slippery=slippery)))
    for slippery in [False, True]:
        bad.append(compare_table(args, "cliff_walking", str(int(slippery)),
                                 gym.make("CliffWalking-v1", is_slippery=slippery)))
    return 1 if any(bad) else 0


if __name__ == "__main__":
    sys.exit(main())
