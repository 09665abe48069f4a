#!/usr/bin/env python3
"""TensorBoard opens the event files that Cohort writes.

Usage: tensorboard_opens.py FOLDER [metrics.jsonl]
Needs: pip install tensorboard

Loads the folder with TensorBoard's own EventAccumulator, which checks every record's CRC, and
compares each scalar with metrics.jsonl (the truth), to single precision.
"""
import json
import math
import os
import sys

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator


def numbers(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            step = row.pop("step")
            row.pop("wall", None)
            for name, value in row.items():
                yield name, step, float(value)


def main():
    folder = sys.argv[1]
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "images": 0, "tensors": 0})
    events.Reload()
    tags = events.Tags()
    found = {}
    for tag in tags["scalars"]:
        for event in events.Scalars(tag):
            found[tag, event.step] = event.value
    for tag in tags["tensors"]:
        for event in events.Tensors(tag):
            found[tag, event.step] = float(event.tensor_proto.float_val[0])
    expected = 0
    for name in ("metrics.jsonl", "timing.jsonl"):
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        for tag, step, value in numbers(path):
            expected += 1
            shown = found[tag, step]
            same = (math.isnan(value) and math.isnan(shown)) or shown == value or (
                abs(shown - value) <= 1e-6 * abs(value))
            assert same, (tag, step, value, shown)
    images = sum(len(events.Images(tag)) for tag in tags["images"])
    for tag in tags["images"]:
        for image in events.Images(tag):
            assert image.encoded_image_string.startswith(b"\x89PNG"), tag
    assert expected > 0, "no metrics to compare"
    print(f"{folder}: {expected} scalars as in the JSON lines, {images} images")


if __name__ == "__main__":
    main()
