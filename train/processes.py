"""One process or many: `torchrun` starts them, the same command line trains.

torchrun --nproc-per-node 4 -m train.fit …
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those of a run."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """True for the one that logs, averages, evaluates and writes."""
        return self.rank == 0

    def share(self, items: list[Any]) -> list[Any]:
        """This process' part of what all of them do together; neighbours stay together."""
        part = len(items) // self.count
        return items[self.rank * part : (self.rank + 1) * part]

    def any_of(self, wish: bool) -> bool:
        """Whether it is true in any process: all must stop at the same step."""
        if self.count == 1:
            return wish
        return bool(self.mean(torch.tensor(float(wish), device=self.device)) > 0)

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes; not a number if it is none in any of them."""
        if self.count > 1:
            dist.all_reduce(values)
        return values / self.count

    def wrap(self, network: nn.Module) -> nn.Module:
        """Gradients and batch norms as if the parts of a batch were one."""
        if self.count == 1:
            return network
        on_gpu = self.device.type == "cuda"
        device_ids = [self.device.index] if on_gpu else None
        return DistributedDataParallel(network, device_ids=device_ids)


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Join the other processes if `torchrun` started this one; leave them at the end."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        yield Processes(device)
        return
    if device.type == "cuda":
        device = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(device)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Processes(device, dist.get_rank(), count)
        # Gloo's threads let go of the last tensor a little later, and only while Python lives.
        dist.barrier()
    finally:
        dist.destroy_process_group()


def synchronise_batch_norm(network: nn.Module, processes: Processes) -> None:
    """Let every batch norm see the batches of all processes; names of tensors stay."""
    if processes.count == 1:
        return
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                setattr(module, name, _synchronised(child, processes.device))


def _synchronised(norm: nn.BatchNorm2d, device: torch.device) -> nn.Module:
    if device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(norm)
    synchronised = HostSyncBatchNorm(norm.num_features, norm.eps, norm.momentum)
    synchronised.load_state_dict(norm.state_dict())
    return synchronised


class HostSyncBatchNorm(nn.BatchNorm2d):
    """Batch norm over all processes on the CPU, where PyTorch's own refuses to run."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        count = x.numel() // x.shape[1] * dist.get_world_size()
        mean = _summed(x.sum((0, 2, 3))) / count
        centered = x - mean[:, None, None]
        variance = _summed(centered.square().sum((0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * (count / (count - 1)))
        scale = self.weight * (variance + self.eps).rsqrt()
        return centered * scale[:, None, None] + self.bias[:, None, None]

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked.add_(1)


def _summed(part: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(part)  # type: ignore[no-untyped-call]
    return total


class _Sum(torch.autograd.Function):
    """Sum over all processes; so is its gradient."""

    @staticmethod
    def forward(_context: Any, part: Tensor) -> Tensor:
        total = part.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        dist.all_reduce(total)
        return total
