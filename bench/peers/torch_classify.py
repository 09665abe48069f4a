"""The update of configs/classify-fashion-mnist-residual.yaml in PyTorch, on one thread.

    torch_classify.py [batch=128] [layout=channels_last|contiguous] [precision=f32|bf16]
                      [samples=15] [ms=800] [paced=0|1]

The same network, loss, optimiser and augmentation as the config: images wait in memory as bytes,
are shifted by at most two pixels, mirrored by chance, half of them lose a square of six pixels, and
are standardised. The learning rate stands still, which costs nothing.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch_turns

options = torch_turns.read_options(__doc__, batch="128", layout="channels_last", precision="f32")
BATCH = int(options["batch"])
LAST = options["layout"] == "channels_last"


class Residual(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(), nn.Conv2d(n, n, 3, padding=1), nn.ReLU(),
                                  nn.Conv2d(n, n, 3, padding=1))

    def forward(self, x):
        return x + self.body(x)


network = nn.Sequential(
    nn.Conv2d(1, 32, 5, padding=2), nn.MaxPool2d(2), nn.ReLU(True),
    nn.Conv2d(32, 48, 3, padding=1), Residual(48), nn.MaxPool2d(2), nn.ReLU(True),
    nn.Conv2d(48, 96, 3, padding=1), Residual(96), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(864, 256), nn.ReLU(True), nn.Linear(256, 10))
if LAST:
    network = network.to(memory_format=torch.channels_last)
optimizer = torch.optim.AdamW(network.parameters(), lr=1.5e-3, weight_decay=5e-2)
images = torch.randint(0, 256, (60000, 1, 28, 28), dtype=torch.uint8)
labels = torch.randint(0, 10, (60000,))
rows = torch.arange(BATCH)[:, None, None]
places = torch.arange(28)


def draw():
    index = torch.randint(0, 60000, (BATCH,))
    x = F.pad(images[index, 0], (2, 2, 2, 2))
    down, right = torch.randint(0, 5, (2, BATCH))
    columns = right[:, None] + places
    mirrored = torch.rand(BATCH) < 0.5
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    x = x[rows, (down[:, None] + places)[:, :, None], columns[:, None, :]]
    top, left = (torch.randint(0, 28, (2, BATCH)) - 3)[:, :, None]
    top = torch.where(torch.rand(BATCH, 1) < 0.5, top, 28)  # below the image: nothing is cut
    out = (places >= top) & (places < top + 6)
    x = x.masked_fill(out[:, :, None] & ((places >= left) & (places < left + 6))[:, None, :], 0)
    x = x[:, None].float().mul_(1 / (255 * 0.353)).sub_(0.286 / 0.353)
    return x.contiguous(memory_format=torch.channels_last) if LAST else x, labels[index]


def update():
    x, y = draw()
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=options["precision"] == "bf16"):
        logits = network(x)
    F.cross_entropy(logits.float(), y, label_smoothing=0.05).backward()
    optimizer.step()


torch_turns.run("torch_classify", update, options)
