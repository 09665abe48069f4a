"""PyTorch's allreduce over gloo: one process of torch.distributed, started by bench/versus-gloo.

    torch_gloo.py RANK SIZE FILE BYTES SAMPLES

Prints, on rank 0, a JSON list: microseconds of the slowest rank for each sample.
"""
import json
import sys
import time

import torch
import torch.distributed as dist

rank, size, store, n_bytes, samples = int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:]
torch.set_num_threads(1)
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=size)
vector = torch.ones(int(n_bytes) // 4)


def take(repeats):
    dist.barrier()
    begun = time.perf_counter()
    for _ in range(repeats):
        dist.all_reduce(vector)
    mine = torch.tensor([(time.perf_counter() - begun) / repeats * 1e6])
    dist.all_reduce(mine, op=dist.ReduceOp.MAX)
    vector.fill_(1)
    return mine.item()


for _ in range(3):
    take(1)
found = [take(1) for _ in range(int(samples))]
if rank == 0:
    print(json.dumps(found))
dist.destroy_process_group()
