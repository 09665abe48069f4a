"""What the scripts of bench/ share: order statistics, and results files that name the machine."""
import json
import math
import os
import pathlib
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COHORT = str(ROOT / "build/bin/cohort")


def summary(values):
    """Median and its nonparametric 95% interval: order statistics n/2 -+ 0.98 sqrt(n)."""
    ordered, spread = sorted(values), math.ceil(0.98 * math.sqrt(len(values)))
    middle = len(values) // 2
    return (statistics.median(ordered), ordered[max(0, middle - spread)],
            ordered[min(len(values) - 1, middle + spread)])


def output_of(*command):
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    return done.stdout.strip()


def begin_record(name):
    return {"name": name, "date": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
            "commit": output_of("git", "describe", "--always", "--dirty"),
            "machine": output_of(COHORT, "doctor").splitlines(), "load": os.getloadavg(),
            "priority": output_of("cat", "/proc/self/autogroup")}


def end_record(record):
    record["load_after"] = os.getloadavg()
    path = ROOT / "bench/results" / f"{record['name']}.json"
    path.parent.mkdir(exist_ok=True)
    # results are read on other machines
    path.write_text(json.dumps(record, indent=1).replace(f"{ROOT}/", "") + "\n")
    print(f"\nwritten: {path.relative_to(ROOT)}")
