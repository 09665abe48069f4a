#!/usr/bin/env python3
"""TensorBoard's projector opens the folder that a map leaves in results/projector.

Usage: projector_opens.py RUN
Needs: pip install tensorboard

Starts TensorBoard on the loopback interface, asks its projector plugin for what its page asks for, and
compares the places with results/embedding.npy, the rows of metadata and the size of the sprite.
"""
import json
import math
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

import numpy as np

run = pathlib.Path(sys.argv[1])
PORT = 16006
BASE = f"http://127.0.0.1:{PORT}/data/plugin/projector/"


def get(path):
    with urllib.request.urlopen(BASE + path, timeout=60) as answer:
        return answer.read()


def wait_for(path):
    for _ in range(120):
        try:
            answer = get(path)
            if json.loads(answer):
                return answer
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(1)
    sys.exit("projector_opens: TensorBoard does not answer, or knows no run")


def main():
    server = subprocess.Popen(
        [str(pathlib.Path(sys.executable).parent / "tensorboard"), "--logdir",
         str(run / "results/projector"), "--port", str(PORT), "--host", "127.0.0.1"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        runs = json.loads(wait_for("runs"))
        info = json.loads(get(f"info?run={runs[0]}"))["embeddings"][0]
        name = info["tensorName"]
        places = np.load(run / "results/embedding.npy")
        assert info["tensorShape"] == list(places.shape), info
        tensor = np.frombuffer(get(f"tensor?run={runs[0]}&name={name}"), np.float32)
        assert np.array_equal(tensor.reshape(places.shape), places.astype(np.float32)), "places differ"
        lines = get(f"metadata?run={runs[0]}&name={name}").decode().splitlines()
        assert len(lines) == len(places) + 1, (len(lines), len(places))
        print(f"{len(places)} places as in embedding.npy, {len(lines) - 1} rows of metadata", end="")
        if "sprite" in info:
            picture = get(f"sprite_image?run={runs[0]}&name={name}")
            assert picture.startswith(b"\x89PNG")
            width, height = info["sprite"]["singleImageDim"]
            side = math.ceil(math.sqrt(len(places)))
            size = [int.from_bytes(picture[at:at + 4], "big") for at in (16, 20)]
            assert size == [side * width, side * height], (size, side, width, height)
            print(f", a sprite of {size[0]} x {size[1]} pixels", end="")
        print()
    finally:
        server.terminate()
        server.wait()


main()
