#!/usr/bin/env python3
"""NumPy, safetensors and Pillow open what Cohort writes, and Cohort opens what they write.

Usage: arrays_open.py PROGRAM        (PROGRAM is the built tests/peers/array_exchange)
Needs: pip install numpy safetensors pillow
"""
import os
import subprocess
import sys
import tempfile

import numpy
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

DTYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64",
          "uint8", "uint16", "uint32", "uint64", "bool"]


def arrays():
    """Deterministic arrays of every type, shape and order."""
    made = {}
    for i, dtype in enumerate(DTYPES):
        values = (numpy.arange(24) * (i + 3) % 101).astype(dtype)
        made[f"{dtype}_flat"] = values
        made[f"{dtype}_cube"] = values.reshape(2, 3, 4)
    made["scalar"] = numpy.array(2.5)
    made["empty"] = numpy.zeros((0, 5), dtype="float32")
    return made


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and numpy.array_equal(a, b)


def main():
    program = os.path.abspath(sys.argv[1])
    made = arrays()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        # Cohort copies each file of Python into one of its own; Python reads it back
        for name, array in made.items():
            for order in "CF":
                numpy.save("in.npy", numpy.asarray(array, order=order))
                subprocess.run([program, "npy", "in.npy", "out.npy"], check=True)
                assert same(numpy.load("out.npy"), array), name
        for save in (numpy.savez, numpy.savez_compressed):
            save("in.npz", **made)
            for method in ("npz", "npz-deflated"):
                subprocess.run([program, method, "in.npz", "out.npz"], check=True)
                with numpy.load("out.npz") as copy:
                    assert set(copy.files) == set(made)
                    assert all(same(copy[name], made[name]) for name in made)
        save_file(made, "in.safetensors", metadata={"made_by": "python"})
        subprocess.run([program, "safetensors", "in.safetensors", "out.safetensors"], check=True)
        copy = load_file("out.safetensors")
        assert set(copy) == set(made) and all(same(copy[name], made[name]) for name in made)
        with safe_open("out.safetensors", "numpy") as file:
            assert file.metadata() == {"made_by": "python"}
        pixels = (numpy.indices((30, 40, 3)).sum(0) * 7 % 256).astype("uint8")
        Image.fromarray(pixels).save("in.png")
        subprocess.run([program, "png", "in.png", "out.png"], check=True)
        assert numpy.array_equal(numpy.array(Image.open("out.png")), pixels)
        subprocess.run([program, "animation", "in.png", "out.apng"], check=True)
        moving = Image.open("out.apng")
        assert moving.n_frames == 10, moving.n_frames
        for i in range(moving.n_frames):
            moving.seek(i)
            expected = numpy.roll(pixels, i, axis=1)
            assert numpy.array_equal(numpy.array(moving.convert("RGB")), expected), i
            assert abs(moving.info["duration"] - 50) < 1
    print(f"{len(made)} arrays as NPY, NPZ and safetensors, a PNG and an animation: all equal")


if __name__ == "__main__":
    main()
