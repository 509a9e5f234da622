"""Muon for the weight matrices inside the blocks (Jordan et al. 2024), AdamW for everything else."""

from __future__ import annotations

import torch
from torch import Tensor

from model import Storyteller


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """Moves all singular values of a matrix close to one, with the quintic Newton-Schulz iteration in bfloat16."""
    x = matrix.bfloat16()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose update is orthogonalised; weight decay is decoupled."""

    def __init__(self, matrices: list[Tensor], lr: float, momentum: float = 0.95, weight_decay: float = 0.1) -> None:
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Applies one update to every matrix that has a gradient."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                state = self.state[matrix]
                if not state:
                    state["momentum"] = torch.zeros_like(matrix)
                momentum: Tensor = state["momentum"]
                momentum.lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonalise(matrix.grad.lerp(momentum, group["momentum"]))
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * max(1.0, matrix.shape[0] / matrix.shape[1]) ** 0.5)


def build_optimisers(model: Storyteller) -> list[torch.optim.Optimizer]:
    """Returns the optimisers; each group remembers its peak learning rate as `peak`."""
    matrices = [parameter for parameter in model.blocks.parameters() if parameter.ndim == 2]
    gains = [parameter for parameter in model.parameters() if parameter.ndim == 1]
    adam = torch.optim.AdamW(
        [
            {"params": [model.embedding.weight], "lr": 0.003, "weight_decay": 0.01},
            {"params": gains, "lr": 0.005, "weight_decay": 0.0},
        ],
        betas=(0.9, 0.98),
        fused=True,
    )
    optimisers: list[torch.optim.Optimizer] = [Muon(matrices, lr=0.02), adam]
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["peak"] = group["lr"]
    return optimisers


def set_rate(optimisers: list[torch.optim.Optimizer], share: float) -> None:
    """Sets every learning rate to the given share of its peak."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["peak"] * share
