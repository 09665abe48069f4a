#!/usr/bin/env python3
"""Fitted Q-iteration with scikit-learn's Extra-Trees, beside configs/fqi-car-on-the-hill.yaml.

usage: bench/peers/sklearn_fqi.py BATCH.npz SEED [ITERATIONS]

The batch is what `cohort record "{car_on_the_hill: {start: uniform}}" BATCH.npz transitions=58090
seed=SEED` writes, which is what the config's run with that seed learns from. 50 trees, n_min 2,
K = all three features, gamma 0.95. The car and its 289 starts are written here again, after Ernst,
Geurts and Wehenkel 2005. Prints one JSON object: mean discounted return every tenth iteration and
at the end, and processor seconds of fitting and predicting without those of evaluation.
"""
import json
import sys
import time

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

GAMMA = 0.95


def step(position, speed, force):
    for _ in range(100):
        right = 1 / (1 + 5 * position**2)
        slope = np.where(position < 0, 2 * position + 1, right**1.5)
        bend = np.where(position < 0, 2.0, -15 * position * right**2.5)
        speed = speed + 0.001 * (force - 9.81 * slope - speed**2 * slope * bend) / (1 + slope**2)
        position = position + 0.001 * speed
    return position, speed


def values(forest, states):
    return np.stack([forest.predict(np.column_stack([states, np.full(len(states), a)]).astype(np.float32))
                     for a in (0, 1)], axis=1)


def evaluate(forest, limit=300):
    grid = np.array([[-1 + 0.125 * i, -3 + 0.375 * j] for i in range(17) for j in range(17)])
    position, speed = grid[:, 0].copy(), grid[:, 1].copy()
    returns, going = np.zeros(len(grid)), np.ones(len(grid), bool)
    for t in range(limit):
        states = np.column_stack([position, speed]).astype(np.float32)
        action = np.zeros(len(grid), int)
        action[going] = values(forest, states[going]).argmax(axis=1)
        new_position, new_speed = step(position[going], speed[going], np.where(action[going] == 1, 4.0, -4.0))
        position[going], speed[going] = new_position, new_speed
        lost = going & ((position < -1) | (np.abs(speed) > 3))
        won = going & ~lost & (position > 1)
        returns += GAMMA**t * (won.astype(float) - lost)
        going &= ~(lost | won)
        if not going.any():
            break
    return returns.mean()


def main():
    batch, seed = np.load(sys.argv[1]), int(sys.argv[2])
    n_iterations = int(sys.argv[3]) if len(sys.argv) > 3 else 50
    x = np.column_stack([batch["states"], batch["actions"]]).astype(np.float32)
    alive = batch["terminated"] == 0
    after = batch["next_states"][alive]
    q, seconds, curve = np.zeros(len(x)), 0.0, {}
    for k in range(1, n_iterations + 1):
        begun = time.process_time()
        forest = ExtraTreesRegressor(50, min_samples_split=2, max_features=None, random_state=1000 * seed + k)
        forest.fit(x, batch["rewards"] + GAMMA * q)
        q[alive] = values(forest, after).max(axis=1)
        seconds += time.process_time() - begun
        if k % 10 == 0 or k == n_iterations:
            curve[k] = round(float(evaluate(forest)), 4)
    print(json.dumps({"seed": seed, "transitions": len(x), "return": curve, "cpu_seconds": round(seconds, 1)}))


if __name__ == "__main__":
    main()
