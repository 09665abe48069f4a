#!/usr/bin/env python3
"""Explanations of the same weights by Cohort, Captum and pytorch-grad-cam.

Trains a small CNN with Cohort, reads its safetensors into PyTorch, and compares outputs,
gradients, integrated gradients, guided backpropagation and Grad-CAM of test images: the largest
difference relative to the largest value of the image's map. Then 1,000 Grad-CAM maps are timed,
in turns, on one thread. Needs torch, captum, grad-cam (bench/peers/setup torch captum grad-cam).

Usage: explanations_agree.py BUILD_FOLDER [RECORD.json]"""

import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
import torch.nn.functional as F
from captum.attr import GuidedBackprop, IntegratedGradients, Saliency
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

build = pathlib.Path(sys.argv[1]).resolve()
CONFIG = """task: classify
seed: 1
steps: 200
dataset: fashion_mnist
loader: {batch: 64}
network: [conv: {channels: 16, kernel: 3, padding: same}, relu, max_pool: 2,
          conv: {channels: 32, kernel: 3, padding: same}, relu, dense: 64, relu]
optimizer: {adam: 1e-3}
validate_every: 100000
"""


def read_safetensors(path):
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    tensors = {}
    for name, row in header.items():
        if name == "__metadata__":
            continue
        first, last = row["data_offsets"]
        flat = np.frombuffer(data[8 + size + first:8 + size + last], dtype="<f4")
        tensors[name] = torch.from_numpy(flat.reshape(row["shape"]).copy())
    return tensors


class Net(torch.nn.Module):
    """The network of CONFIG. Cohort keeps images H,W,C and weights with outputs last."""

    def __init__(self, t):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = torch.nn.Conv2d(16, 32, 3, padding=1)
        self.dense = torch.nn.Linear(14 * 14 * 32, 64)
        self.output = torch.nn.Linear(64, 10)
        self.relu1, self.relu2, self.relu3 = (torch.nn.ReLU() for _ in range(3))
        with torch.no_grad():
            for conv, name in ((self.conv1, "0.conv"), (self.conv2, "3.conv")):
                conv.weight.copy_(t[name + ".weight"].permute(3, 2, 0, 1))
                conv.bias.copy_(t[name + ".bias"])
            rows = t["5.dense.weight"].reshape(14, 14, 32, 64).permute(2, 0, 1, 3)
            self.dense.weight.copy_(rows.reshape(-1, 64).T)
            self.dense.bias.copy_(t["5.dense.bias"])
            self.output.weight.copy_(t["7.output.weight"].T)
            self.output.bias.copy_(t["7.output.bias"])

    def forward(self, x):
        x = F.max_pool2d(self.relu1(self.conv1(x)), 2)
        x = self.relu2(self.conv2(x))
        return self.output(self.relu3(self.dense(x.flatten(1))))


def difference(ours, theirs):
    """The worst image's largest difference relative to its map's largest value."""
    ours, theirs = (np.asarray(m, dtype=np.float64).reshape(len(m), -1) for m in (ours, theirs))
    top = np.abs(theirs).max(axis=1)
    return float((np.abs(ours - theirs).max(axis=1)[top > 0] / top[top > 0]).max())


def stretched(maps):
    """pytorch-grad-cam hands maps out stretched to 0..1."""
    maps = maps.reshape(len(maps), -1)
    maps = maps - maps.min(axis=1, keepdims=True)
    return maps / (1e-7 + maps.max(axis=1, keepdims=True))


def run(*arguments):
    return subprocess.run([str(a) for a in arguments], check=True, capture_output=True, text=True)


torch.set_num_threads(1)
record = {"torch": torch.__version__}
with tempfile.TemporaryDirectory() as scratch:
    scratch = pathlib.Path(scratch)
    (scratch / "config.yaml").write_text(CONFIG)
    run(build / "bin/cohort", "run", scratch / "config.yaml", "-q", "-o", scratch / "run", "threads=1")
    model = sorted((scratch / "run/checkpoints").iterdir())[-1] / "model.safetensors"
    net = Net(read_safetensors(model)).eval()
    generator = np.random.default_rng(0)
    rows = generator.random((64, 28, 28, 1), dtype=np.float32)
    rows[:, :, :14] *= np.linspace(0, 1, 64, dtype=np.float32)[:, None, None, None]
    np.save(scratch / "rows.npy", rows)
    run(build / "bin/explanations", model, scratch / "rows.npy", scratch)
    ours = {p.stem: np.load(p) for p in scratch.glob("*.npy")}

    x = torch.from_numpy(rows.transpose(0, 3, 1, 2).copy())
    outputs = net(x).detach().numpy()
    answer = torch.from_numpy(ours["outputs"].argmax(axis=1))
    record["outputs"] = difference(ours["outputs"], outputs)
    x.requires_grad_(True)
    record["saliency"] = difference(ours["saliency"],
                                    Saliency(net).attribute(x, answer, abs=False).detach())
    record["guided_backprop"] = difference(ours["guided_backprop"],
                                           GuidedBackprop(net).attribute(x, answer).detach())
    # the same rule with as many parts
    captum = IntegratedGradients(net).attribute(x, torch.zeros_like(x), answer, n_steps=4096,
                                                method="riemann_middle", internal_batch_size=64)
    record["integrated_gradients"] = difference(ours["integrated_gradients"], captum.detach())
    cam = GradCAM(model=net, target_layers=[net.relu2])
    theirs = cam(input_tensor=x, targets=[ClassifierOutputTarget(int(k)) for k in answer])
    flat = ours["grad_cam"].max(axis=1) > 0  # a map of zeros has no shape to compare
    record["grad_cam"] = difference(stretched(ours["grad_cam"][flat]), stretched(theirs)[flat])

    # 1,000 maps, in turns; CPU seconds
    many = generator.random((1000, 28, 28, 1), dtype=np.float32)
    np.save(scratch / "many.npy", many)
    y = torch.from_numpy(many.transpose(0, 3, 1, 2).copy())
    targets = [ClassifierOutputTarget(int(k)) for k in net(y).argmax(dim=1)]
    seconds = {"cohort": [], "pytorch-grad-cam": []}
    for _ in range(7):
        seconds["cohort"].append(float(run(build / "bin/explanations", model, scratch / "many.npy",
                                           "time").stdout))
        begun = time.process_time()
        for first in range(0, 1000, 50):
            cam(input_tensor=y[first:first + 50], targets=targets[first:first + 50])
        seconds["pytorch-grad-cam"].append(time.process_time() - begun)
    record["seconds_1000_maps"] = {k: statistics.median(v) for k, v in seconds.items()}
    record["ratio"] = statistics.median(
        b / a for a, b in zip(seconds["cohort"], seconds["pytorch-grad-cam"]))

print(json.dumps(record, indent=1))
if len(sys.argv) > 2:
    pathlib.Path(sys.argv[2]).write_text(json.dumps(record, indent=1) + "\n")
bad = {k: v for k, v in record.items() if isinstance(v, float) and k != "ratio" and v > 1e-3}
if bad:
    sys.exit(f"more than 1e-3 apart: {bad}")
