"""Compares Cohort's MinAtar games with the Python package, bit for bit.

    python3 -m venv VENV && VENV/bin/pip install minatar==1.0.15
    VENV/bin/python tests/peers/minatar_exact.py --trace BUILD/bin/minatar_trace

Both sides are seeded alike and get the same actions: `script` from a linear congruential
generator (the default; action = (x >> 33) % 6 after x = x * 6364136223846793005 +
1442695040888963407 mod 2^64, from x = seed), or `play` from a rule that plays the game well
enough to reach what chance does not (waves cleared, divers rescued), or `--immortal` play, which
goes on after a death wherever the game is still in order (full density and speed). Every observation, reward
and terminal flag is compared; the first mismatch of a game is shown. `--hashes` prints the hash
of each seed's records as seen in Python, in the form that tests/env/minatar_hashes.h keeps;
`--save tests/env/play` writes the actions of one immortal run a game, and prints its hash.
The package is run, never read: it is GPL-3.
"""

import argparse
import subprocess
import sys

import numpy as np
from minatar import Environment

GAMES = ["asterix", "breakout", "freeway", "seaquest", "space_invaders"]
MASK = (1 << 64) - 1


def script(env, seed):
    """The actions of the scripted comparison."""
    x = seed
    while True:
        x = (x * 6364136223846793005 + 1442695040888963407) & MASK
        yield (x >> 33) % 6


def play(env, seed):
    """Chance, mixed with a rule that plays on."""
    chance = np.random.default_rng(seed)
    skill = [0.5, 0.8, 0.95, 1.0][seed % 4]
    while True:
        if chance.random() >= skill:
            yield int(chance.integers(6))
        else:
            yield RULES[env.env_name](env.env, chance)


def toward(here, there, less, more):
    return 0 if here == there else (less if here > there else more)


def play_breakout(game, chance):
    x, y, direction = game.ball_x, game.ball_y, game.ball_dir
    dx, dy = [(-1, -1), (1, -1), (1, 1), (-1, 1)][direction]
    if dy < 0:
        return toward(game.pos, x, 1, 3)
    while y < 8:
        y += 1
        x += dx
        if x < 0 or x > 9:
            x, dx = min(max(x, 0), 9), -dx
    return toward(game.pos, x, 1, 3)


def play_invaders(game, chance):
    if game.e_bullet_map[:, game.pos].any():
        return 1 if game.pos > 4 else 3
    if game.alien_map.sum() < 8:
        return int(chance.choice([1, 3, 5, 5]))
    if game.alien_map[:, game.pos].any() and game.shot_timer == 0:
        return 5
    columns = np.flatnonzero(game.alien_map.any(axis=0))
    return toward(game.pos, min(columns, key=lambda c: abs(c - game.pos)), 1, 3)


def play_freeway(game, chance):
    return 2


def play_asterix(game, chance):
    here = game.entities[game.player_y - 1]
    if here is not None and not here[3] and abs(here[0] - game.player_x) < 4:
        return 2 if game.player_y > 4 else 4
    gold = [e for e in game.entities if e is not None and e[3]]
    if not gold:
        return 0
    y = min((e[1] for e in gold), key=lambda y: abs(y - game.player_y))
    if y != game.player_y:
        return 2 if game.player_y > y else 4
    return toward(game.player_x, game.entities[y - 1][0], 1, 3)


def play_seaquest(game, chance):
    threat = [e for e in game.e_fish + game.e_subs + game.e_bullets if abs(e[1] - game.sub_y) < 1]
    if game.oxygen < 15 and game.diver_count != 0 or game.diver_count == 6:
        return 2 if game.sub_y > 0 else 4
    for e in threat:
        ahead = (e[0] > game.sub_x) == bool(game.sub_or)
        if abs(e[0] - game.sub_x) < 3:
            if ahead and game.shot_timer == 0:
                return 5
            return 2 if game.sub_y > 1 else 4
    if game.divers:
        d = min(game.divers, key=lambda d: abs(d[1] - game.sub_y) + abs(d[0] - game.sub_x))
        if d[1] != game.sub_y:
            return 2 if game.sub_y > d[1] else 4
        return toward(game.sub_x, d[0], 1, 3)
    return int(chance.integers(6))


RULES = {
    "asterix": play_asterix,
    "breakout": play_breakout,
    "freeway": play_freeway,
    "seaquest": play_seaquest,
    "space_invaders": play_invaders,
}


def in_order(env):
    """Could play go on although the player has just lost?"""
    game = env.env
    if env.env_name == "seaquest":
        return game.oxygen >= 0
    if env.env_name == "space_invaders":
        return not game.alien_map[9].any() and not game.alien_map[0].any()
    return env.env_name == "asterix"


def record(env, reward, terminal):
    row = np.packbits(env.state().reshape(-1), bitorder="little").tobytes()
    return row + np.float32(reward).tobytes() + bytes([bool(terminal)])


def play_python(game, seed, args):
    """All records of one seed, the actions taken and the returns."""
    env = Environment(game, sticky_action_prob=args.sticky, difficulty_ramping=not args.flat)
    env.seed(seed)
    env.reset()
    records, actions, returns, total = [record(env, 0, 0)], bytearray(), [], 0.0
    chosen = (play if args.play or args.immortal else script)(env, seed)
    for _ in range(args.steps):
        action = next(chosen)
        reward, terminal = env.act(action)
        revived = terminal and args.immortal and in_order(env)
        actions.append(action | (0x80 if revived else 0))
        records.append(record(env, reward, terminal))
        total += reward
        if revived:
            env.env.terminal = False
        elif terminal:
            returns.append(total)
            total = 0.0
            env.reset()
            records.append(record(env, 0, 0))
    return records, bytes(actions), returns + [total]


def play_cohort(game, seed, actions, args):
    command = [args.trace, game, str(seed), repr(args.sticky), "0" if args.flat else "1"]
    return subprocess.run(command, input=actions, stdout=subprocess.PIPE, check=True).stdout


def hash_of(records):
    """Fold each record, padded with zeros to whole little-endian 64-bit words."""
    h = 0xCBF29CE484222325
    for r in records:
        r += bytes(-len(r) % 8)
        for word in np.frombuffer(r, "<u8").tolist():
            h ^= word
            h = ((h << 29 | h >> 35) & MASK) * 0x100000001B3 & MASK
    return h


def show(row, shape):
    bits = np.unpackbits(np.frombuffer(row, np.uint8), bitorder="little")
    planes = bits[: np.prod(shape)].reshape(shape)
    marks = ".0123456789"
    return ["".join(marks[1 + int(c.argmax())] if c.any() else "." for c in line) + "   " +
            " ".join("".join(map(str, np.flatnonzero(c))) or "-" for c in line)
            for line in planes]


def compare(game, seed, args):
    records, actions, returns = play_python(game, seed, args)
    ours = play_cohort(game, seed, actions, args)
    theirs = b"".join(records)
    best = max(returns)
    if ours == theirs:
        return records, best
    size = len(records[0])
    print(f"{game} seed {seed}: MISMATCH ({len(ours)} and {len(theirs)} bytes)")
    for k, r in enumerate(records):
        mine = ours[k * size : (k + 1) * size]
        if mine == r:
            continue
        shape = Environment(game).state_shape()
        print(f"  record {k}: before, Python, Cohort; reward and terminal "
              f"{r[-5:].hex()} and {mine[-5:].hex()}")
        for part in (records[k - 1], r, mine):
            print("\n".join("    " + line for line in show(part[:-5], shape)), "\n")
        break
    return None, best


def save(args):
    """One run that gets far, for the C tests: the actions as a file, the hash printed."""
    args.immortal = True
    for game in args.games:
        records, actions, returns = play_python(game, 3, args)
        with open(f"{args.save}/{game}.actions", "wb") as out:
            out.write(actions)
        print(f'    {{"{game}", 0x{hash_of(records):016X}u}}, // best return {max(returns):g}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trace", required=True, help="the program minatar_trace")
    parser.add_argument("--games", nargs="*", default=GAMES)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=10000)
    parser.add_argument("--sticky", type=float, default=0.1)
    parser.add_argument("--flat", action="store_true", help="no difficulty ramping")
    parser.add_argument("--play", action="store_true", help="play well instead of the script")
    parser.add_argument("--immortal", action="store_true", help="play on after death")
    parser.add_argument("--save", help="folder for the actions of --immortal play, seed 3")
    parser.add_argument("--hashes", action="store_true")
    args = parser.parse_args()
    if args.save:
        return save(args)
    n_wrong = 0
    for game in args.games:
        hashes, bests = [], []
        wrong = 0
        for seed in range(args.seeds):
            records, best = compare(game, seed, args)
            bests.append(best)
            if records is None:
                wrong += 1
                break
            if args.hashes:
                hashes.append(hash_of(records))
        n_wrong += wrong
        print(f"{game}: {len(bests)} seeds x {args.steps} steps, {wrong} mismatched, "
              f"best returns {min(bests):g} to {max(bests):g}", file=sys.stderr)
        if args.hashes:
            print(f'    {{"{game}",\n     {{' + ",\n      ".join(
                ", ".join(f"0x{h:016X}u" for h in hashes[k : k + 4])
                for k in range(0, len(hashes), 4)) + "}},")
    return 1 if n_wrong else 0


if __name__ == "__main__":
    sys.exit(main())
