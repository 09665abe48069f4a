"""The update of configs/gan-dcgan-fashion.yaml in PyTorch, on one thread.

    torch_gan.py [batch=128] [way=alternating|simultaneous] [samples=15] [ms=800] [paced=0|1]
                 [layout=channels_last|contiguous] [compile=0|1] [precision=f32|bf16]
    torch_gan.py train=SECONDS,SECONDS... rows=IDX.gz out=DIR [batch=64] way=alternating ...

The same two networks, losses, optimisers and averaged generator as the config. alternating: the
update of PyTorch's DCGAN example (discriminator on real rows, on generated rows, then the
generator through the discriminator again). simultaneous: both players from one forward pass, as
Cohort moves them. Images wait in memory as bytes and are widened, as Cohort's loader does. bf16: autocast
around both networks and the losses.

train: learn from the images of an IDX file instead of being timed, and at each of these processor
seconds write 10,000 images of the generator (as the example shows them: batch statistics, no
average) to DIR/SECONDS.npy, bytes of 28 x 28, for `cohort eval` to score.
"""
import gzip
import sys
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch_turns

options = torch_turns.read_options(__doc__, batch="128", way="simultaneous", layout="channels_last", compile="0",
                                   precision="f32", train="", rows="", out=".")
BATCH = int(options["batch"])


def start(module):
    for name, parameter in module.named_parameters():
        if parameter.dim() > 1:
            nn.init.normal_(parameter, 0, 0.02)
    return module.to(memory_format=torch.channels_last) if options["layout"] == "channels_last" \
        else module


def make_generator():
    return nn.Sequential(
        nn.ConvTranspose2d(100, 128, 7, bias=False), nn.BatchNorm2d(128), nn.ReLU(True),
        nn.ConvTranspose2d(128, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(True),
        nn.ConvTranspose2d(64, 1, 4, 2, 1), nn.Tanh())


generator, average = start(make_generator()), start(make_generator())
discriminator = start(nn.Sequential(
    nn.Conv2d(1, 64, 4, 2, 1), nn.LeakyReLU(0.2, True),
    nn.Conv2d(64, 128, 4, 2, 1, bias=False), nn.BatchNorm2d(128), nn.LeakyReLU(0.2, True),
    nn.Flatten(), nn.Linear(6272, 1)))
makers, critics = list(generator.parameters()), list(discriminator.parameters())
adam = dict(lr=2e-4, betas=(0.5, 0.999), fused=True)
maker_step, critic_step = torch.optim.Adam(makers, **adam), torch.optim.Adam(critics, **adam)
if options["train"]:
    with gzip.open(options["rows"]) as file:
        images = torch.from_numpy(np.frombuffer(file.read(), np.uint8, offset=16).copy()).view(-1, 1, 28, 28)
else:
    images = torch.randint(0, 256, (60000, 1, 28, 28), dtype=torch.uint8)
order = torch.empty(0, dtype=torch.int64)  # what is left of an epoch


def choose():
    global order
    if not options["train"]:
        return torch.randint(0, len(images), (BATCH,))
    if len(order) < BATCH:  # an epoch shows an image once at most
        order = torch.randperm(len(images))
    chosen, order = order[:BATCH], order[BATCH:]
    return chosen


def draw():
    rows = images[choose()]
    real = rows.float().mul_(2 / 255).sub_(1)
    if options["layout"] == "channels_last":
        real = real.contiguous(memory_format=torch.channels_last)
    return real, torch.randn(BATCH, 100, 1, 1)


def critic_loss(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def follow():
    with torch.no_grad():
        torch._foreach_lerp_(list(average.parameters()), makers, 0.001)


def autocast():
    return torch.autocast("cpu", torch.bfloat16, enabled=options["precision"] == "bf16")


def alternating():
    real, noise = draw()
    critic_step.zero_grad(set_to_none=True)
    with autocast():
        fake = generator(noise)
        loss = critic_loss(discriminator(real), discriminator(fake.detach()))
    loss.backward()
    critic_step.step()
    maker_step.zero_grad(set_to_none=True)
    with autocast():
        loss = F.softplus(-discriminator(fake)).mean()
    loss.backward()
    maker_step.step()
    if not options["train"]:
        follow()


def simultaneous():
    real, noise = draw()
    with autocast():
        fake = generator(noise)
        value = discriminator(fake)
        losses = critic_loss(discriminator(real), value), F.softplus(-value).mean()
    slopes = torch.autograd.grad(losses[0], critics, retain_graph=True)
    for parameter, slope in zip(critics, slopes):
        parameter.grad = slope
    slopes = torch.autograd.grad(losses[1], makers)
    for parameter, slope in zip(makers, slopes):
        parameter.grad = slope
    critic_step.step()
    maker_step.step()
    follow()


update = {"alternating": alternating, "simultaneous": simultaneous}[options["way"]]
if options["compile"] == "1":
    generator, discriminator = torch.compile(generator), torch.compile(discriminator)


@torch.no_grad()
def made(count=10000, at_once=100):
    parts = [generator(torch.randn(at_once, 100, 1, 1)) for _ in range(count // at_once)]
    return torch.cat(parts).add(1).mul(127.5).round().clamp(0, 255).byte().view(count, 28, 28).contiguous().numpy()


def train():
    spent, updates = 0.0, 0
    for second in sorted(int(part) for part in options["train"].split(",")):
        begun = time.process_time()
        while spent + time.process_time() - begun < second:
            update()
            updates += 1
        spent += time.process_time() - begun
        np.save(f"{options['out']}/{second}.npy", made())
        print(f"{spent:.0f} processor seconds, {updates} updates, {updates * BATCH / len(images):.2f} epochs", flush=True)


if options["train"]:
    train()
    sys.exit()
torch_turns.run("torch_gan", update, options)
