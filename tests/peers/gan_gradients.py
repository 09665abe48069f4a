"""Gradients of Cohort's GAN update against PyTorch's double backward in double precision.

    gan_gradients.py GAN_GRADIENTS      (build/bin/gan_gradients; needs torch and numpy)

For five discriminators and two losses, with R1 and R2: Cohort makes one update in single precision
and leaves parameters, rows, noise and gradients; PyTorch builds the same networks from them and
differentiates the loss with its penalties, which takes a second backward pass. The difference of
all gradients of a player, over their norm, must stay below 1e-5.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)

SLOPE = {"leaky_relu": 0.2}


def conv(channels, kernel, stride=1, **more):
    return {"conv": {"channels": channels, "kernel": kernel, "stride": stride, "padding": "same",
                     **more}}


DISCRIMINATORS = {
    "perceptron": [{"dense": 96}, SLOPE, {"dense": 64}, SLOPE],
    "DCGAN": [conv(32, 4, 2), SLOPE, conv(64, 4, 2), SLOPE],
    "smooth": [conv(16, 4, 2), "silu", conv(24, 3, 2), "tanh"],
    "residual, grouped": [conv(32, 4, 2),
                          {"residual": {"body": [SLOPE, conv(32, 3, groups=4), SLOPE,
                                                 conv(32, 1)]}},
                          SLOPE, conv(48, 3, 2), SLOPE],
    "batch normalisation": [conv(16, 4, 2), SLOPE, conv(32, 4, 2, bias=False), "batch_norm",
                            SLOPE],
}
CONFIG = """task: gan
lanes: 1
steps: 1
dataset: {fashion_mnist: {split: test}}
loader: {batch: 32, values: symmetric}
source: {latent: 16}
generator: [dense: 784, tanh, reshape: [28, 28, 1]]
regularizers: [r1: 1, r2: 0.5]
"""


def same_padding(size, kernel, stride):
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel - size, 0)
    return total // 2, total - total // 2


def flat(x):
    return x.permute(0, 2, 3, 1).flatten(1) if x.dim() == 4 else x


class Network:
    """The layers that a parameter block names, in order, with the activations between them."""

    def __init__(self, arrays, name, layers):
        self.p = {key[2 + len(name) + 1:]: torch.tensor(value.astype(np.float64),
                                                        requires_grad=True)
                  for key, value in arrays.items() if key.startswith("p." + name + ".")}
        self.layers = layers

    def run(self, x, layers=None, prefix=""):
        for i, layer in enumerate(self.layers if layers is None else layers):
            kind, options = next(iter(layer.items())) if isinstance(layer, dict) else (layer, None)
            x = self.apply(x, kind, options, f"{prefix}{i}.{kind}.")
        return x

    def apply(self, x, kind, options, path):
        p = self.p
        if kind in ("dense", "output"):
            return flat(x) @ p[path + "weight"] + p[path + "bias"]
        if kind == "conv":
            w = p[path + "weight"].permute(3, 2, 0, 1)
            stride, kernel = options.get("stride", 1), options["kernel"]
            (top, bottom), (left, right) = ((same_padding(s, kernel, stride)
                                             if options.get("padding") == "same" else (0, 0))
                                            for s in x.shape[2:])
            return F.conv2d(F.pad(x, (left, right, top, bottom)), w, p.get(path + "bias"),
                            stride, groups=options.get("groups", 1))
        if kind == "batch_norm":
            return F.batch_norm(x, None, None, p[path + "weight"], p[path + "bias"], True)
        if kind == "residual":
            return x + self.run(x, options["body"], path + "body.")
        if kind == "leaky_relu":
            return F.leaky_relu(x, options)
        return {"silu": F.silu, "tanh": torch.tanh}[kind](x)


def slope_square(value, rows):
    slope, = torch.autograd.grad(value.sum(), rows, create_graph=True)
    return slope.square().flatten(1).sum(1).mean()


def compare(program, layers, loss):
    with tempfile.TemporaryDirectory() as folder:
        config, out = os.path.join(folder, "c.yaml"), os.path.join(folder, "out.npz")
        with open(config, "w") as file:
            file.write(CONFIG + f"discriminator: {json.dumps(layers)}\nloss: {loss}\n")
        subprocess.run([program, config, out], check=True)
        arrays = dict(np.load(out))
    critic = Network(arrays, "discriminator", layers + ["output"])
    maker = Network(arrays, "generator", ["dense", "tanh"])
    real = torch.tensor(arrays["real"].astype(np.float64)).permute(0, 3, 1, 2).requires_grad_()
    fake = maker.run(torch.tensor(arrays["noise"].astype(np.float64)))
    fake = fake.reshape(-1, 28, 28, 1).permute(0, 3, 1, 2)
    shown = fake.detach().requires_grad_()
    on_real, on_fake = critic.run(real), critic.run(shown)
    if loss == "relativistic":
        d_loss = F.softplus(on_fake - on_real).mean()
        g_loss = F.softplus(on_real.detach() - critic.run(fake)).mean()
    else:
        d_loss = F.softplus(-on_real).mean() + F.softplus(on_fake).mean()
        g_loss = F.softplus(-critic.run(fake)).mean()
    d_loss = d_loss + 0.5 * slope_square(on_real, real) + 0.25 * slope_square(on_fake, shown)
    worst = []
    for network, name, value in ((critic, "discriminator", d_loss), (maker, "generator", g_loss)):
        keys = [k for k in network.p if "running" not in k]
        slopes = torch.autograd.grad(value, [network.p[k] for k in keys], retain_graph=True)
        wrong = sum(float((torch.tensor(arrays[f"g.{name}.{k}"].astype(np.float64)) - s)
                          .square().sum()) for k, s in zip(keys, slopes))
        norm = sum(float(s.square().sum()) for s in slopes)
        worst.append((wrong / norm) ** 0.5)
    return worst


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    status = 0
    print(f"{'discriminator':22}{'loss':16}{'D':>10}{'G':>10}")
    for name, layers in DISCRIMINATORS.items():
        for loss in ("relativistic", "non_saturating"):
            worst = compare(sys.argv[1], layers, loss)
            good = max(worst) < 1e-5
            status |= not good
            print(f"{name:22}{loss:16}{worst[0]:10.1e}{worst[1]:10.1e}{'' if good else '  wrong'}")
    sys.exit(status)


if __name__ == "__main__":
    main()
