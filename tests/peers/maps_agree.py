#!/usr/bin/env python3
"""Principal components and divergences by Cohort and scikit-learn.

Components of Fashion-MNIST's training images, read as bytes, span what scikit-learn's full solver
finds in double precision (sine of the largest principal angle below 1e-5). The divergence that
Cohort computes for scikit-learn's own exact t-SNE of the digits is the one that scikit-learn
reports (within 1e-3), and Cohort's own exact map has none that is larger. Needs numpy and
scikit-learn, and Debian's dataset-fashion-mnist.

Usage: maps_agree.py BUILD_FOLDER"""

import gzip
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

program = pathlib.Path(sys.argv[1]).resolve() / "bin/cohort"
IMAGES = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"


def run(folder, name, config):
    (folder / f"{name}.yaml").write_text(config)
    subprocess.run([program, "run", folder / f"{name}.yaml", "-q", "-o", folder / name], check=True,
                   stdout=subprocess.DEVNULL)
    return folder / name


def read_tensor(path, name):
    data = path.read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    entry = json.loads(data[8:8 + n])[name]
    first, last = entry["data_offsets"]
    dtype = {"F64": np.float64, "F32": np.float32}[entry["dtype"]]
    return np.frombuffer(data[8 + n + first:8 + n + last], dtype).reshape(entry["shape"])


def last_divergence(folder):
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").open()]
    return [row["tsne/divergence"] for row in rows if "tsne/divergence" in row][-1]


def compare_components(folder):
    result = run(folder, "pca", "task: pca\nsteps: 9\nlanes: 2\ndata: fashion_mnist\ncomponents: 50\n")
    own = read_tensor(sorted(result.glob("checkpoints/*/model.safetensors"))[-1], "components")
    with gzip.open(IMAGES) as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(60000, 784).astype(np.float64)
    theirs = PCA(50, svd_solver="full").fit(x).components_
    sine = np.linalg.norm(own.T - theirs.T @ (theirs @ own.T), 2)
    print(f"subspace of 50 components: sine of the largest principal angle {sine:.2e}")
    return sine < 1e-5


def compare_divergences(folder):
    x = load_digits().data.astype(np.float32)
    tsne = TSNE(method="exact", init="pca", random_state=1, max_iter=500)
    np.save(folder / "rows.npy", x)
    np.save(folder / "theirs.npy", tsne.fit_transform(x))
    config = f"task: tsne\nlanes: 2\ndata: {{npy: {{rows: {folder}/rows.npy}}}}\nmethod: exact\npca: 0\n"
    scored = last_divergence(run(folder, "scored", config + "steps: 1\nstart: given\nearly_steps: 0\n"
                                 f"learning_rate: 1e-30\nstart_file: {folder}/theirs.npy\n"))
    own = last_divergence(run(folder, "own", config + "steps: 500\n"))
    print(f"divergence of scikit-learn's map: {tsne.kl_divergence_:.5f} by itself, {scored:.5f} by Cohort; "
          f"of Cohort's map {own:.5f}")
    return abs(scored - tsne.kl_divergence_) < 1e-3 and own <= tsne.kl_divergence_


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        good = [compare_components(folder), compare_divergences(folder)]
    sys.exit(0 if all(good) else "they do not agree")


if __name__ == "__main__":
    main()
