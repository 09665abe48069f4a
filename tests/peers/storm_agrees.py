#!/usr/bin/env python3
"""Storm opens Cohort's .drn files and Cohort opens Storm's; both count the same states, choices
and transitions, and their certified bounds share their values.

Usage: storm_agrees.py PROGRAM          (PROGRAM is the built tests/peers/storm_models)
Needs: pip install stormpy              (version 2; written with 2.0.0)
"""
import os
import subprocess
import sys
import tempfile

import stormpy

# file, what is asked, sense
ASKED = [
    ("coin", "total", "max"), ("coin", "total", "min"),
    ("csma", "total", "max"), ("csma", "total", "min"),
    ("jobs", "total", "max"),
    ("wlan-collisions", "total", "max"),
    ("wlan-cost", "total", "max"), ("wlan-cost", "total", "min"),
    ("wlan-time", "total", "max"), ("wlan-time", "total", "min"),
    ("zeroconf", "reach", "max"), ("zeroconf", "reach", "min"),
]


def storm(model, kind, sense):
    what = f'P{sense}=? [F "target"]' if kind == "reach" else f'R{{"reward"}}{sense}=? [F "target"]'
    environment = stormpy.environments.sound()
    environment.solver().min_max().precision = stormpy.Rational("1/1000000000")
    result = stormpy.model_checking(model, stormpy.parse_properties(what)[0],
                                    environment=environment)
    bound = result[model.initial_states[0]]
    # where Storm certifies one side only, its value has to be near
    near = 1e-9 * abs(bound.value)
    return (bound.lower if bound.has_lower else bound.value - near,
            bound.upper if bound.has_upper else bound.value + near)


def cohort(program, path, kind, sense):
    words = subprocess.run([program, "ask", path, kind, sense], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.split()
    return tuple(map(int, words[:3])), tuple(map(float, words[3:]))


def main():
    program = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([program, "write", folder], check=True)
        for name, kind, sense in ASKED:
            ours = os.path.join(folder, f"{name}.drn")
            theirs = os.path.join(folder, f"{name}-storm.drn")
            model = stormpy.build_model_from_drn(ours)
            digits = stormpy.io.DirectEncodingExporterOptions()
            digits.output_precision = 17
            stormpy.io.export_to_drn(model, theirs, options=digits)
            low, high = storm(model, kind, sense)
            size = (model.nr_states, model.nr_choices, model.nr_transitions)
            for path in (ours, theirs):
                counted, (lower, upper) = cohort(program, path, kind, sense)
                assert counted == size, f"{path}: {counted}, Storm counts {size}"
                assert lower <= high and low <= upper, f"{path}: {(lower, upper)}, {(low, high)}"
            print(f"{name:16} {kind} {sense}  {size[0]} states {size[1]} choices "
                  f"{size[2]} transitions  Cohort [{lower:.15g}, {upper:.15g}]  "
                  f"Storm [{low:.15g}, {high:.15g}]")


if __name__ == "__main__":
    main()
