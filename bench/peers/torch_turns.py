"""Timing updates as bench/updates.h does: samples of as many updates as take a given time, alone
or one for each line on standard input, so that two programs can take turns. One thread."""
import json
import sys
import time

import torch

torch.set_num_threads(1)
torch.set_num_interop_threads(1)
torch.set_flush_denormal(True)
torch.manual_seed(1)


def read_options(usage, **options):
    """NAME=VALUE arguments over these and `samples`, `ms`, `paced`; all are text."""
    options.update(samples="15", ms="800", paced="0")
    for argument in sys.argv[1:]:
        key, _, value = argument.partition("=")
        if key not in options:
            sys.exit(usage)
        options[key] = value
    return options


def run(name, update, options):
    """Time update(), an update of options["batch"] images; print JSON."""
    batch = int(options["batch"])

    def take(n):
        wall, cpu = time.perf_counter(), time.thread_time()
        for _ in range(n):
            update()
        return (time.perf_counter() - wall) / n * 1e6, (time.thread_time() - cpu) / n * 1e6

    take(2)
    n = int(float(options["ms"]) * 1e3 / take(2)[1]) + 1
    head = {"bench": name, "torch": torch.__version__, "updates": n, **options}
    if options["paced"] == "1":
        print(json.dumps(head), flush=True)
        for _ in sys.stdin:
            us, cpu = take(n)
            print(json.dumps({"us": round(us, 3), "cpu_us": round(cpu, 3)}), flush=True)
        return
    cpu = sorted(take(n)[1] for _ in range(int(options["samples"])))
    middle = cpu[len(cpu) // 2]
    print(json.dumps({**head, "cpu_us": middle, "images_a_second": 1e6 * batch / middle}))
